"""A drawing of pictures, bars, dots, lines and text that becomes a picture or an SVG in a few milliseconds; a
figure of matplotlib takes a hundred.

Lengths are points, 1/72 inch, from the left and from the top.
"""

from __future__ import annotations

import io
import math
import zlib
from base64 import b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from .style import DPI

FAMILY = "DejaVu Sans, Verdana, sans-serif"
FINER = 4  # a slanted line and a dot are drawn so many times as large, and made smaller
# How pictures are packed: of photos zlib finds little but runs, and to look for more takes half as long again
# for no byte less.
PACKED: dict[str, Any] = {"compress_level": 1, "compress_type": zlib.Z_RLE}


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars of one width and no gap from ``left`` to ``right``, from ``feet`` to ``heads`` (C,) each; NaN is
    no bar."""

    left: float
    right: float
    feet: np.ndarray
    heads: np.ndarray
    colour: str


@dataclass(frozen=True)
class Line:
    """From one point to another; one that is level or upright can be dashed: ``dash`` and the gap after
    it."""

    start: tuple[float, float]
    end: tuple[float, float]
    colour: str
    width: float
    dash: tuple[float, float] | None = None


@dataclass(frozen=True)
class Text:
    """One line of text beside, or around, a point: ``anchor`` is "start", "middle" or "end", ``rise`` "top",
    "middle" or "base". Turned by a quarter, it reads upwards."""

    at: tuple[float, float]
    text: str
    size: float
    colour: str
    anchor: str = "start"
    rise: str = "base"
    turned: bool = False


@dataclass(frozen=True, eq=False)
class Picture:
    """An RGB picture in a box: left, top, right, bottom. Of ``cells`` each is a square of one colour; a
    photo's pixels are blended."""

    box: tuple[float, float, float, float]
    image: Image.Image
    cells: bool = False


@dataclass(frozen=True)
class Dot:
    """A disc around a point; ``opacity`` from 0 to 1."""

    at: tuple[float, float]
    size: float  # across
    colour: str
    opacity: float = 1.0


Mark: TypeAlias = Bars | Line | Text | Picture | Dot


@dataclass(eq=False)
class Drawing:
    """Marks on a ground, the later ones upon the earlier."""

    width: float
    height: float
    ground: str
    marks: list[Mark] = field(default_factory=list)

    def image(self, dpi: int = DPI) -> Image.Image:
        """As a picture, RGB."""
        scale = dpi / 72
        image = Image.new("RGB", (round(self.width * scale), round(self.height * scale)), self.ground)
        pen = ImageDraw.Draw(image)
        for place, mark in enumerate(self.marks):
            if isinstance(mark, Bars):
                _draw_bars(image, mark, scale, self.ground if place == 0 else None)
            elif isinstance(mark, Line):
                _draw_line(image, pen, mark, scale)
            elif isinstance(mark, Text):
                _draw_text(image, mark, scale)
            elif isinstance(mark, Dot):
                _draw_dot(image, mark, scale)
            else:
                _draw_picture(image, mark, scale)
        return image

    def png(self, dpi: int = DPI) -> bytes:
        """As a PNG file without metadata."""
        buffer = io.BytesIO()
        self.image(dpi).save(buffer, "PNG", **PACKED, dpi=(dpi, dpi))
        return buffer.getvalue()

    def svg(self) -> bytes:
        """As an SVG file; text stays text."""
        size = f'width="{self.width:g}pt" height="{self.height:g}pt" viewBox="0 0 {self.width:g} {self.height:g}"'
        spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        lines = [
            f'<svg {spaces} {size} font-family="{FAMILY}">',
            f'<rect width="100%" height="100%" fill="{self.ground}"/>',
            *map(_markup, self.marks),
            "</svg>",
        ]
        return "\n".join(lines).encode()

    def files(self) -> dict[str, bytes]:
        """As files, by their suffix."""
        return {"png": self.png(), "svg": self.svg()}


def _draw_bars(image: Image.Image, bars: Bars, scale: float, ground: str | None) -> None:
    """A pixel takes of the bars' colour the share of it that they cover, however many meet in it. ``ground``
    is the one colour of the picture so far, which takes less time."""
    known = np.isfinite(bars.heads) & np.isfinite(bars.feet)
    if not known.any():
        return
    ends = np.where(known, (bars.feet, bars.heads), 0) * scale
    above, below = np.clip(ends.min(0), 0, image.height), np.clip(ends.max(0), 0, image.height)
    left, right = bars.left * scale, bars.right * scale
    first, top = math.floor(left), math.floor(above[known].min())
    size = max(1, math.ceil(below[known].max()) - top), math.ceil(right) - first
    # Of each column of pixels: the first of the bars in it, then the next, and so on, and how wide each is
    # there.
    edges, columns, last = (
        np.linspace(left, right, len(above) + 1),
        first + np.arange(size[1]),
        len(above) - 1,
    )
    begins = np.clip(np.searchsorted(edges, columns, "right") - 1, 0, last)
    most = 1 + int((np.clip(np.searchsorted(edges, columns + 1, "left") - 1, 0, last) - begins).max())
    rows = np.arange(top + 1, top + 1 + size[0], dtype=np.float32)[:, None]
    covered, part = (
        np.full(size, 0.5, np.float32),
        np.empty(size, np.float32),
    )  # in grey levels, to be cut to whole ones
    for turn in range(most):
        bar = np.minimum(begins + turn, last)
        widths = np.minimum(columns + 1, edges[bar + 1]) - np.maximum(columns, edges[bar])
        shares = np.where(known[bar] & (begins + turn <= last), np.clip(widths, 0, None), 0) * 255
        for heights, sign in ((above, 1), (below, -1)):
            if sign > 0 or heights.min() < top + size[0]:  # else nothing ends above the last row
                np.clip(np.subtract(rows, heights[bar].astype(np.float32), out=part), 0, 1, out=part)
                covered += np.multiply(part, (sign * shares).astype(np.float32), out=part)
    picture = Image.fromarray(covered.astype(np.uint8))
    if ground is None:
        image.paste(bars.colour, (first, top), picture)
        return
    bare, full = (np.array(ImageColor.getrgb(each)) for each in (ground, bars.colour))
    picture.putpalette(
        np.rint(bare + np.arange(256)[:, None] / 255 * (full - bare)).astype(np.uint8).tobytes()
    )
    image.paste(picture.convert("RGB"), (first, top))


def _draw_line(image: Image.Image, pen: ImageDraw.ImageDraw, line: Line, scale: float) -> None:
    (x0, y0), (x1, y1) = (tuple(scale * each for each in point) for point in (line.start, line.end))
    width = max(1, line.width * scale)
    if x0 == x1 or y0 == y1:  # along the pixels
        left, top = round(min(x0, x1) - (x0 == x1) * width / 2), round(min(y0, y1) - (y0 == y1) * width / 2)
        across, down = (max(round(width), round(abs(end - start))) for start, end in ((x0, x1), (y0, y1)))
        if line.dash is None:
            pen.rectangle((left, top, left + across - 1, top + down - 1), line.colour)
        else:
            image.paste(
                line.colour, (left, top), _dashes(across, down, tuple(each * scale for each in line.dash))
            )
        return
    left, top = math.floor(min(x0, x1) - width), math.floor(min(y0, y1) - width)
    size = math.ceil(max(x0, x1) + width) - left, math.ceil(max(y0, y1) + width) - top
    mask = Image.new("L", (size[0] * FINER, size[1] * FINER))
    points = [((x - left) * FINER, (y - top) * FINER) for x, y in ((x0, y0), (x1, y1))]
    ImageDraw.Draw(mask).line(points, 255, round(width * FINER))
    image.paste(line.colour, (left, top), mask.resize(size, Image.Resampling.BOX))


def _dashes(across: int, down: int, dash: tuple[float, ...]) -> Image.Image:
    """What a dashed line of this size covers, which runs along the longer side: pixels whose middle is in a
    dash."""
    inside = (np.arange(max(across, down)) + 0.5) % sum(dash) < dash[0]
    lines = np.broadcast_to(inside if across >= down else inside[:, None], (down, across))
    return Image.fromarray(np.where(lines, 255, 0).astype(np.uint8))


def _draw_dot(image: Image.Image, dot: Dot, scale: float) -> None:
    size, (x, y) = dot.size * scale, (scale * each for each in dot.at)
    left, top, across = math.floor(x - size / 2), math.floor(y - size / 2), math.ceil(size) + 1
    corner = (x - size / 2 - left) * FINER, (y - size / 2 - top) * FINER
    mask = Image.new("L", (across * FINER, across * FINER))
    ImageDraw.Draw(mask).ellipse(
        (*corner, *(each + size * FINER - 1 for each in corner)), round(255 * dot.opacity)
    )
    image.paste(dot.colour, (left, top), mask.resize((across, across), Image.Resampling.BOX))


def _draw_picture(image: Image.Image, picture: Picture, scale: float) -> None:
    left, top, right, bottom = (round(scale * each) for each in picture.box)
    size = max(1, right - left), max(1, bottom - top)
    how = Image.Resampling.NEAREST if picture.cells else Image.Resampling.BICUBIC
    image.paste(picture.image.resize(size, how, reducing_gap=None if picture.cells else 2.0), (left, top))


def _draw_text(image: Image.Image, text: Text, scale: float) -> None:
    anchor = {"start": "l", "middle": "m", "end": "r"}[text.anchor] + {
        "top": "a",
        "middle": "m",
        "base": "s",
    }[text.rise]
    mask, (left, top, right) = _letters(text.text, round(text.size * scale, 2), anchor)
    x, y = (scale * each for each in text.at)
    if text.turned:
        mask, x, y = mask.transpose(Image.Transpose.ROTATE_90), x + top, y - right
    else:
        x, y = x + left, y + top
    image.paste(text.colour, (round(x), round(y)), mask)


@lru_cache(512)
def _letters(text: str, size: float, anchor: str) -> tuple[Image.Image, tuple[float, float, float]]:
    """What a text covers, and where that begins and ends, from its anchor: left, top, right. Most texts of a
    chart are those of others."""
    font = _font(size)
    left, top, right, bottom = font.getbbox(text, anchor=anchor)
    mask = Image.new("L", (max(1, math.ceil(right - left)), max(1, math.ceil(bottom - top))))
    ImageDraw.Draw(mask).text((-left, -top), text, 255, font, anchor)
    return mask, (left, top, right)


@lru_cache(64)
def _font(size: float) -> ImageFont.FreeTypeFont:
    """The letters of matplotlib's figures, which comes with them."""
    found = find_spec("matplotlib")
    assert found is not None and found.origin is not None
    return ImageFont.truetype(
        Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf", size
    )


def _markup(mark: Mark) -> str:
    if isinstance(mark, Bars):
        return f'<path fill="{mark.colour}" d="{_outline(mark)}"/>'
    if isinstance(mark, Picture):
        return _embedded(mark)
    if isinstance(mark, Dot):
        x, y = mark.at
        return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{mark.size / 2:g}" fill="{mark.colour}" fill-opacity="{mark.opacity:g}"/>'
    if isinstance(mark, Line):
        dash = f' stroke-dasharray="{mark.dash[0]:g} {mark.dash[1]:g}"' if mark.dash else ""
        ends = 'x1="{:.2f}" y1="{:.2f}" x2="{:.2f}" y2="{:.2f}"'.format(*mark.start, *mark.end)
        return f'<line {ends} stroke="{mark.colour}" stroke-width="{mark.width:g}"{dash}/>'
    x, y = mark.at
    turned = f' transform="rotate(-90 {x:.2f} {y:.2f})"' if mark.turned else ""
    rise = {"top": ' dominant-baseline="hanging"', "middle": ' dominant-baseline="central"', "base": ""}[
        mark.rise
    ]
    anchor = "" if mark.anchor == "start" else f' text-anchor="{mark.anchor}"'
    return f'<text x="{x:.2f}" y="{y:.2f}" font-size="{mark.size:g}" fill="{mark.colour}"{anchor}{rise}{turned}>{escape(mark.text)}</text>'


def _outline(bars: Bars) -> str:
    edges = np.linspace(bars.left, bars.right, len(bars.heads) + 1)
    return "".join(
        f"M{left:.2f} {foot:.2f}V{head:.2f}H{right:.2f}V{foot:.2f}Z"
        for left, right, foot, head in zip(edges, edges[1:], bars.feet, bars.heads)
        if np.isfinite(head) and np.isfinite(foot)
    )


def _embedded(picture: Picture) -> str:
    """The picture in its own pixels, unless they are finer than a printer's."""
    left, top, right, bottom = picture.box
    image = picture.image
    if not picture.cells:
        image = image.copy()
        image.thumbnail((math.ceil((right - left) * DPI / 72), math.ceil((bottom - top) * DPI / 72)))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **PACKED)
    place = f'x="{left:.2f}" y="{top:.2f}" width="{right - left:.2f}" height="{bottom - top:.2f}" preserveAspectRatio="none"'
    how = ' style="image-rendering:pixelated"' if picture.cells else ""
    return f'<image {place}{how} xlink:href="data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"/>'
