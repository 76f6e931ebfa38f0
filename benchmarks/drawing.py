"""How long does drawing take? ``python benchmarks/drawing.py PHOTO``: a full-size overlay of the photo,
enlarged to twelve megapixels, beside resizing it; a chart of 2,048 bars; the overview of 32 layers. Prints a
Markdown table of medians."""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from peers import rounds
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))

import attnviz
from attnviz.drawing.bars import bars_drawing
from attnviz.drawing.overlay import Look, overlay
from attnviz.drawing.overview import overview_drawing

SIZE = (4000, 3000)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photo", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    network = attnviz.fast(attnviz.load("cbam_resnet18"))
    large = Image.open(options.photo).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    half = large.reduce(2)
    trace = attnviz.trace(
        network, attnviz.Photo(np.asarray(large), "large")
    )  # opened from a file, it would be made smaller
    small = attnviz.trace(network, options.photo)
    first = next(iter(trace.layers))
    layer = small.layers[first]
    wide = replace(layer, channel=np.random.default_rng(0).random(2048, np.float32), steps=())
    many = replace(
        small,
        layers={
            f"{turn}.{name}": replace(each, name=f"{turn}.{name}")
            for turn in range(4)
            for name, each in small.layers.items()
        },
    )
    spent = rounds(
        {
            "resize 12 MP to half its sides, Lanczos": lambda: large.resize(
                (2000, 1500), Image.Resampling.LANCZOS
            ),
            "resize half its sides to 12 MP, bilinear": lambda: half.resize(SIZE, Image.Resampling.BILINEAR),
            "overlay of 12 MP, cells": lambda: overlay(trace, first),
            "overlay of 12 MP, smooth": lambda: overlay(trace, first, Look(smooth=True)),
            "2,048 bars, picture": lambda: bars_drawing(wide).image(),
            "2,048 bars, PNG and SVG": lambda: bars_drawing(wide).files(),
            f"overview of {len(many.layers)} layers, PNG": lambda: overview_drawing(many).png(),
            f"overview of {len(many.layers)} layers, PNG and SVG": lambda: overview_drawing(many).files(),
        },
        options.rounds,
    )
    print("| what | ms |\n|---|---|")
    for name, seconds in spent.items():
        print(f"| {name} | {1000 * statistics.median(seconds):.0f} |")


if __name__ == "__main__":
    main()
