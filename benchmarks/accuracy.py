"""Does the fast path change an answer? ``python benchmarks/accuracy.py FOLDER`` traces every photo of a
folder of folders, one a class, through each embedded network and through its fast copy, and compares photo by
photo: the best class, the scores, and every gate. Prints a Markdown table; the status is 1 if an answer
differs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import attnviz
from attnviz.capture.trace import Trace
from attnviz.networks.card import card_of

AT_ONCE = 64


def gates(trace: Trace) -> np.ndarray:
    """All factors of a trace, one after another."""
    parts = [
        part for layer in trace.layers.values() for part in (layer.channel, layer.spatial) if part is not None
    ]
    return np.concatenate([part.ravel() for part in parts] or [np.zeros(1, np.float32)])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="of so many photos, take one")
    options = parser.parse_args()
    classes = sorted(each.name for each in options.folder.iterdir() if each.is_dir())
    paths = sorted(
        path for path in options.folder.rglob("*") if path.suffix.lower() in (".jpeg", ".jpg", ".png")
    )[:: options.every]
    print(
        "| network | photos | right, as it is and fast | other answers | greatest difference of a score | "
        "of a gate |"
    )
    print("|---|---|---|---|---|---|")
    differ = 0
    for name in attnviz.list_networks():
        network = attnviz.load(name)
        quick = attnviz.fast(network)
        assert card_of(quick).folded, "there is no faster copy"
        right, others, score, gate = [0, 0], 0, 0.0, 0.0
        for start in range(0, len(paths), AT_ONCE):
            chosen = paths[start : start + AT_ONCE]
            photos = [attnviz.open_photo(path) for path in chosen]
            for path, one, other in zip(
                chosen, *(attnviz.traces(each, photos, view="crop") for each in (network, quick)), strict=True
            ):
                answers = [int(trace.logits.argmax()) for trace in (one, other)]
                right = [
                    count + (answer == classes.index(path.parent.name))
                    for count, answer in zip(right, answers)
                ]
                others += answers[0] != answers[1]
                score = max(score, float(np.abs(one.logits - other.logits).max()))
                gate = max(gate, float(np.abs(gates(one) - gates(other)).max()))
        differ += others
        print(
            f"| {name} | {len(paths):,} | {right[0]:,}, {right[1]:,} | {others} | {score:.1e} | {gate:.1e} |",
            flush=True,
        )
    return int(differ > 0)


if __name__ == "__main__":
    raise SystemExit(main())
