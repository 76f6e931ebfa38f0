"""How long does drawing take? ``python benchmarks/drawing.py PHOTO``: a full-size overlay of the photo,
enlarged to twelve megapixels, beside resizing it; a chart of 2,048 bars; the overview of 32 layers. Prints a
Markdown table of medians."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from rounds import rounds

sys.path.insert(0, str(Path(__file__).parent.parent))

import attnviz
from attnviz.drawing.bars import bars_drawing
from attnviz.drawing.look import Look
from attnviz.drawing.overlay import overlay
from attnviz.drawing.overview import overview_drawing

SIZE, HALF = (4000, 3000), (2000, 1500)
COPIES = 4  # of each layer, in the overview
BARS = 2048


def of_large_photo(photo: Path) -> dict[str, Callable[[], object]]:
    """Overlays of twelve megapixels, and what Pillow takes to resize as many."""
    large = Image.open(photo).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    half = large.reduce(2)
    network = attnviz.fast(attnviz.load("cbam_resnet18"))
    # An array, since a file would be opened smaller.
    trace = attnviz.trace(network, attnviz.Photo(np.asarray(large), "large"))
    first = next(iter(trace.layers))
    return {
        "resize 12 MP to half its sides, Lanczos": lambda: large.resize(HALF, Image.Resampling.LANCZOS),
        "resize half its sides to 12 MP, bilinear": lambda: half.resize(SIZE, Image.Resampling.BILINEAR),
        "overlay of 12 MP, cells": lambda: overlay(trace, first),
        "overlay of 12 MP, smooth": lambda: overlay(trace, first, Look(smooth=True)),
    }


def of_many_numbers(photo: Path) -> dict[str, Callable[[], object]]:
    """A chart of many bars, and an overview of many layers."""
    trace = attnviz.trace(attnviz.fast(attnviz.load("cbam_resnet18")), photo)
    weights = np.random.default_rng(0).random(BARS, np.float32)
    wide = replace(next(iter(trace.layers.values())), channel=weights, steps=())
    copies = {}
    for copy in range(COPIES):
        for name, layer in trace.layers.items():
            copies[f"{copy}.{name}"] = replace(layer, name=f"{copy}.{name}")
    many = replace(trace, layers=copies)
    return {
        f"{BARS:,} bars, picture": lambda: bars_drawing(wide).image(),
        f"{BARS:,} bars, PNG and SVG": lambda: bars_drawing(wide).files(),
        f"overview of {len(copies)} layers, PNG": lambda: overview_drawing(many).png(),
        f"overview of {len(copies)} layers, PNG and SVG": lambda: overview_drawing(many).files(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photo", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    spent = rounds({**of_large_photo(options.photo), **of_many_numbers(options.photo)}, options.rounds)
    print("| what | ms |\n|---|---|")
    for name, seconds in spent.items():
        print(f"| {name} | {1000 * statistics.median(seconds):.0f} |")


if __name__ == "__main__":
    main()
