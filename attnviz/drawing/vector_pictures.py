"""Pictures in vector files: cells are rectangles, a photo is a JPEG of no more pixels than a print shows."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from PIL import Image

from .marks import Box, Picture

PRINT_DPI = 300  # what journals ask of photos
BLEED = 0.25  # points, that a cell reaches below the next ones, or a light line would be between them


def rectangles(picture: Picture) -> Iterator[tuple[Box, str]]:
    """The box and the colour of each cell that is not cut off, row by row; each reaches a little below the
    next cells."""
    left, top, right, bottom = picture.box
    pixels = np.asarray(picture.image.convert("RGB"))
    height, width = pixels.shape[:2]
    xs, ys = np.linspace(left, right, width + 1), np.linspace(top, bottom, height + 1)
    if picture.within is not None:
        xs = np.clip(xs, picture.within[0], picture.within[2])
        ys = np.clip(ys, picture.within[1], picture.within[3])
    for row in np.flatnonzero(np.diff(ys) > 0):
        for column in np.flatnonzero(np.diff(xs) > 0):
            red, green, blue = pixels[row, column].tolist()
            end, foot = min(xs[column + 1] + BLEED, xs[-1]), min(ys[row + 1] + BLEED, ys[-1])
            box = (float(xs[column]), float(ys[row]), float(end), float(foot))
            yield box, f"#{red:02x}{green:02x}{blue:02x}"


def printed(picture: Picture) -> Image.Image:
    """The picture with the pixels that it has, or fewer, if they are finer than a print."""
    left, top, right, bottom = picture.box
    image = picture.image.copy()
    across, down = (math.ceil(points * PRINT_DPI / 72) for points in (right - left, bottom - top))
    image.thumbnail((max(1, across), max(1, down)))
    return image
