"""Measure trained networks: ``python -m attnviz.networks.evaluate NETWORK… --data DATA/val`` prints Markdown
tables.

The networks run exactly as the page runs them, on the centre crop: top-1 accuracy over all photos, and over
200 of them, spread evenly over the classes, how much the gates of every layer say."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from ..capture.run import traces
from ..networks.card import card_of
from ..zoo.registry import load
from .dataset import list_photos
from .liveliness import Liveliness, liveliness

ALIVE_PHOTOS = 200


@dataclass(frozen=True)
class Measurement:
    """What was measured of one network."""

    top1: float
    photos: int
    layers: list[Liveliness]


def measure(network: nn.Module, folder: Path, view: str = "crop") -> Measurement:
    """Top-1 over all photos of a folder of class folders, and the liveliness of the gates over 200 of them.

    The folders' names in sorted order are the network's classes in theirs. Raises ValueError if there are not
    as many."""
    files, targets, classes = list_photos(folder)
    labels = card_of(network).labels
    if len(classes) != len(labels):
        raise ValueError(
            f"{folder} has {len(classes)} class folders, but {card_of(network).name} knows {len(labels)} "
            "classes"
        )
    chosen = set(torch.linspace(0, len(files) - 1, min(ALIVE_PHOTOS, len(files))).round().int().tolist())
    right, kept = 0, []
    progress = tqdm(
        traces(network, files, batch_size=32, view=view),
        card_of(network).name,
        total=len(files),
        mininterval=5,
    )
    for index, trace in enumerate(progress):
        right += int(trace.logits.argmax()) == targets[index]
        if index in chosen:
            kept.append(trace)
    return Measurement(right / len(files), len(files), liveliness(kept))


def liveliness_table(layers: Iterable[Liveliness]) -> str:
    """A Markdown table, one row a layer; what passes its limit is bold."""
    rows = [
        "| layer | mean factor | across channels | across photos | across positions |",
        "|---|---|---|---|---|",
    ]
    for row in layers:
        cells = [
            _cell(getattr(row, name), row.alive.get(name, False))
            for name in ("across_channels", "across_photos", "across_positions")
        ]
        rows.append(f"| {row.layer} | {row.mean:.3f} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _cell(value: float | None, alive: bool) -> str:
    return "–" if value is None else f"**{value:.3f}**" if alive else f"{value:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m attnviz.training.evaluate", description=__doc__)
    parser.add_argument("networks", nargs="+", help="names from “attnviz networks”, or model folders")
    parser.add_argument("--data", type=Path, required=True, help="a folder of class folders")
    parser.add_argument(
        "--view",
        choices=("crop", "whole"),
        default="crop",
        help="default: %(default)s, which the cards state",
    )
    options = parser.parse_args()
    measured = {name: measure(load(name), options.data, options.view) for name in options.networks}
    print("| network | top-1 | photos |\n|---|---|---|")
    for name, result in measured.items():
        print(f"| {Path(name).name} | {result.top1:.2%} | {result.photos:,} |")
    for name, result in measured.items():
        if result.layers:
            print(f"\n{Path(name).name}:\n\n{liveliness_table(result.layers)}")


if __name__ == "__main__":
    main()
