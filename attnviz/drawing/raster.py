"""Marks as pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from .lettering import lettering
from .marks import Bars, Box, Dot, Line, Mark, Picture, Point, Text
from .raster_bars import draw_bars

FINER = 4  # slanted lines and dots are drawn so many times as large and made smaller, which smooths them


def raster(marks: Sequence[Mark], size: tuple[float, float], ground: str, dpi: int) -> Image.Image:
    """An RGB picture of marks on a ground of one colour; ``size`` is (width, height) in points."""
    scale = dpi / 72  # pixels a point
    image = Image.new("RGB", (round(size[0] * scale), round(size[1] * scale)), ground)
    for place, mark in enumerate(marks):
        if isinstance(mark, Bars):
            draw_bars(image, mark, scale, ground if place == 0 else None)
        elif isinstance(mark, Line):
            _draw_line(image, mark, scale)
        elif isinstance(mark, Text):
            _draw_text(image, mark, scale)
        elif isinstance(mark, Dot):
            _draw_dot(image, mark, scale)
        else:
            _draw_picture(image, mark, scale)
    return image


def _draw_line(image: Image.Image, line: Line, scale: float) -> None:
    start, end = _pixels(line.start, scale), _pixels(line.end, scale)
    width = max(1, line.width * scale)
    if start[0] == end[0] or start[1] == end[1]:
        dash = None if line.dash is None else (line.dash[0] * scale, line.dash[1] * scale)
        _draw_straight_line(image, start, end, width, line.colour, dash)
    else:
        _draw_slanted_line(image, start, end, width, line.colour)


def _draw_straight_line(
    image: Image.Image,
    start: Point,
    end: Point,
    width: float,
    colour: str,
    dash: tuple[float, float] | None,
) -> None:
    """A level or an upright line, in whole pixels."""
    upright, level = start[0] == end[0], start[1] == end[1]
    left = round(min(start[0], end[0]) - upright * width / 2)
    top = round(min(start[1], end[1]) - level * width / 2)
    across = max(round(width), round(abs(end[0] - start[0])))
    down = max(round(width), round(abs(end[1] - start[1])))
    if dash is None:
        image.paste(colour, (left, top, left + across, top + down))
    else:
        image.paste(colour, (left, top), _dashes(across, down, dash))


def _dashes(across: int, down: int, dash: tuple[float, float]) -> Image.Image:
    """A mask of a dashed line, which runs along the longer side: pixels whose middle is in a dash."""
    inside = (np.arange(max(across, down)) + 0.5) % sum(dash) < dash[0]
    lines = np.broadcast_to(inside if across >= down else inside[:, None], (down, across))
    return Image.fromarray(np.where(lines, 255, 0).astype(np.uint8))


def _draw_slanted_line(image: Image.Image, start: Point, end: Point, width: float, colour: str) -> None:
    left = math.floor(min(start[0], end[0]) - width)
    top = math.floor(min(start[1], end[1]) - width)
    across = math.ceil(max(start[0], end[0]) + width) - left
    down = math.ceil(max(start[1], end[1]) + width) - top
    mask = Image.new("L", (across * FINER, down * FINER))
    points = [((x - left) * FINER, (y - top) * FINER) for x, y in (start, end)]
    ImageDraw.Draw(mask).line(points, 255, round(width * FINER))
    image.paste(colour, (left, top), mask.resize((across, down), Image.Resampling.BOX))


def _draw_dot(image: Image.Image, dot: Dot, scale: float) -> None:
    diameter, (x, y) = dot.diameter * scale, _pixels(dot.at, scale)
    left, top = math.floor(x - diameter / 2), math.floor(y - diameter / 2)
    side = math.ceil(diameter) + 1
    x0, y0 = (x - diameter / 2 - left) * FINER, (y - diameter / 2 - top) * FINER
    disc = x0, y0, x0 + diameter * FINER - 1, y0 + diameter * FINER - 1
    mask = Image.new("L", (side * FINER, side * FINER))
    ImageDraw.Draw(mask).ellipse(disc, round(255 * dot.opacity))
    image.paste(dot.colour, (left, top), mask.resize((side, side), Image.Resampling.BOX))


def _draw_picture(image: Image.Image, picture: Picture, scale: float) -> None:
    box = _whole_pixels(picture.box, scale)
    size = max(1, box[2] - box[0]), max(1, box[3] - box[1])
    if picture.cells:
        resized = picture.image.resize(size, Image.Resampling.NEAREST)
    else:
        resized = picture.image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    at = box[:2]
    if picture.within is not None:
        left, top, right, bottom = _whole_pixels(picture.within, scale)
        resized = resized.crop((left - box[0], top - box[1], right - box[0], bottom - box[1]))
        at = left, top
    if picture.opacity < 1 or picture.multiplies:
        below = image.crop((*at, at[0] + resized.width, at[1] + resized.height))
        resized = ImageChops.multiply(below, resized) if picture.multiplies else resized
        resized = Image.blend(below, resized, picture.opacity)
    image.paste(resized, at)


def _whole_pixels(box: Box, scale: float) -> tuple[int, int, int, int]:
    left, top, right, bottom = (round(scale * edge) for edge in box)
    return left, top, right, bottom


def _draw_text(image: Image.Image, text: Text, scale: float) -> None:
    mask, (left, top, right) = lettering(text.text, round(text.size * scale, 2), text.anchor, text.rise)
    x, y = _pixels(text.at, scale)
    if text.turned:
        image.paste(
            text.colour, (round(x + top), round(y - right)), mask.transpose(Image.Transpose.ROTATE_90)
        )
    else:
        image.paste(text.colour, (round(x + left), round(y + top)), mask)


def _pixels(point: Point, scale: float) -> Point:
    return scale * point[0], scale * point[1]
