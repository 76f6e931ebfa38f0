"""Accuracy and liveliness of trained networks, and the Markdown tables of them.

The networks run exactly as the page runs them: top-1 accuracy over all photos, and over 200 of them, spread
evenly over the classes, how much the gates of every layer vary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from ..capture.run import traces
from ..errors import AttnvizError
from ..networks.card import card_of
from .dataset import list_photos
from .liveliness import Liveliness, liveliness

LIVELINESS_PHOTOS = 200
MEASURES = ("across_channels", "across_photos", "across_positions")  # columns of a table


@dataclass(frozen=True)
class Measurement:
    """What was measured of one network."""

    top1: float  # share of the photos
    photos: int
    layers: list[Liveliness]


def measure(network: nn.Module, folder: Path, view: str = "crop") -> Measurement:
    """Top-1 over all photos of a folder of class folders, and the liveliness of the gates over 200 of them.

    The folders' names in sorted order are the network's classes in theirs. Raises AttnvizError if there are
    not as many."""
    photos = list_photos(folder)
    card = card_of(network)
    if len(photos.classes) != len(card.labels):
        raise AttnvizError(
            "classes_differ",
            folder=str(folder),
            count=len(photos.classes),
            network=card.name,
            classes=len(card.labels),
        )
    count = len(photos.files)
    spread = set(torch.linspace(0, count - 1, min(LIVELINESS_PHOTOS, count)).round().int().tolist())
    right, chosen = 0, []
    progress = tqdm(
        traces(network, photos.files, batch_size=32, view=view), card.name, total=count, mininterval=5
    )
    for index, trace in enumerate(progress):
        right += int(trace.logits.argmax()) == photos.targets[index]
        if index in spread:
            chosen.append(trace)
    return Measurement(right / count, count, liveliness(chosen))


def accuracy_table(measured: Mapping[str, Measurement]) -> str:
    """A Markdown table, one row a network."""
    rows = ["| network | top-1 | photos |", "|---|---|---|"]
    rows += [f"| {name} | {result.top1:.2%} | {result.photos:,} |" for name, result in measured.items()]
    return "\n".join(rows)


def liveliness_table(layers: Iterable[Liveliness]) -> str:
    """A Markdown table, one row a layer; what reaches its limit is bold."""
    rows = [
        "| layer | mean factor | across channels | across photos | across positions |",
        "|---|---|---|---|---|",
    ]
    for layer in layers:
        cells = [_cell(getattr(layer, name), layer.alive.get(name, False)) for name in MEASURES]
        rows.append(f"| {layer.layer} | {layer.mean:.3f} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _cell(value: float | None, alive: bool) -> str:
    if value is None:
        return "–"
    return f"**{value:.3f}**" if alive else f"{value:.3f}"
