"""What drawings of maps are made of: numbers in their colours, the bar that says what the colours mean, a
picture that fits its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from matplotlib import colormaps
from PIL import Image

from .canvas import Line, Mark, Picture, Text

UNDEFINED = 128  # the grey of a cell whose factor can't be known
SIGNED = "coolwarm"  # the colours of signed numbers, its grey middle at zero
BAR = 11.0  # points, the height of a colour bar

Box = tuple[float, float, float, float]  # left, top, right, bottom


def painted(
    values: np.ndarray,
    low: float,
    high: float,
    colormap: str,
    size: tuple[int, int] | None = None,
    box: Box | None = None,
) -> Image.Image:
    """Numbers (h, w) in their colours, RGB; grey where one is undefined. With a ``size``, (width, height),
    those in a ``box`` of cells are blended bilinearly between the cells' centres to so many pixels."""
    shares = Image.fromarray(
        ((values - np.float32(low)) * np.float32(256 / ((high - low) or 1))).astype(np.float32)
    )
    if size is not None:
        shares = shares.resize(size, Image.Resampling.BILINEAR, box)
    picture = shares.convert("L")  # cut to 0 to 255, and down to whole numbers
    picture.putpalette(_palette(colormap))
    picture = picture.convert("RGB")
    if np.isnan(values).any():
        picture.paste((UNDEFINED,) * 3, mask=Image.fromarray(np.isnan(np.asarray(shares))))
    return picture


def fitted(shape: tuple[int, int], box: Box) -> Box:
    """The largest box of this shape, (height, width), in the middle of another."""
    left, top, right, bottom = box
    each = min((right - left) / shape[1], (bottom - top) / shape[0])
    width, height = each * shape[1], each * shape[0]
    x, y = (left + right - width) / 2, (top + bottom - height) / 2
    return x, y, x + width, y + height


def colour_bar(
    box: Box,
    span: tuple[float, float],
    colormap: str,
    ink: str,
    ticks: Sequence[tuple[float, str]],
    said: Sequence[str],
    size: float = 9,
    marked: Sequence[float] = (),
) -> Iterator[Mark]:
    """A colormap from left to right with numbers below it, lines of text below these, and marks at some
    numbers."""
    left, top, right, bottom = box
    low, high = span

    def across(value: float) -> float:
        return left + (right - left) * (value - low) / ((high - low) or 1)

    yield Picture(box, Image.frombytes("RGB", (256, 1), _palette(colormap)), cells=True)
    for start, end in (
        ((left, top), (right, top)),
        ((left, bottom), (right, bottom)),
        ((left, top), (left, bottom)),
        ((right, top), (right, bottom)),
    ):
        yield Line(start, end, ink, 0.6)
    for value, text in ticks:
        yield Line((across(value), bottom), (across(value), bottom + 3), ink, 0.6)
        yield Text((across(value), bottom + 5), text, size, ink, "middle", "top")
    for value in marked:
        yield Line((across(value), top - 1.5), (across(value), bottom + 1.5), "#ffffff", 3.2)
        yield Line((across(value), top - 1.5), (across(value), bottom + 1.5), "#000000", 1.2)
    for row, text in enumerate(said):
        yield Text(
            ((left + right) / 2, bottom + 5 + (1.4 if ticks else 0) * size + 1.3 * size * row),
            text,
            size,
            ink,
            "middle",
            "top",
        )


def spread(low: float, high: float, count: int) -> list[float]:
    """So many numbers from one to the other, equally far apart."""
    return np.linspace(low, high, count).tolist()


def short(value: float) -> str:
    """A number in four digits, with a minus as people write it."""
    return f"{value:.4g}".replace("-", "−")


@cache
def _palette(colormap: str) -> bytes:
    """256 colours of three bytes."""
    return np.rint(colormaps[colormap](np.arange(256))[:, :3] * 255).astype(np.uint8).tobytes()
