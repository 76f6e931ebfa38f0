"""Maps as pictures: numbers in their colours, and the colour bar that says what the colours mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain

import numpy as np
from matplotlib import colormaps
from PIL import Image

from .axis import Scale, Tick, TickStyle, ticks_below
from .marks import Box, Line, Mark, Picture, text_lines
from .style import FRAME_LINE, LABEL, UNDEFINED

BAR_HEIGHT = 11.0  # points, of a colour bar
MIDDLE_GREY = 128  # of a photo
MARK_OVERHANG = 1.5  # points, of a mark above and below a colour bar
MARK_STROKES = (
    ("#ffffff", 3.2),
    ("#000000", 1.2),
)  # colour and width: black, edged with white, on any colour


def painted(
    values: np.ndarray,
    low: float,
    high: float,
    colormap: str,
    size: tuple[int, int] | None = None,
    box: Box | None = None,
) -> Image.Image:
    """Numbers (h, w) in the colours of a colormap that spans ``low`` to ``high``, RGB; grey where one is
    undefined.

    Without a ``size`` each number is a pixel. With one, (width, height), the numbers within ``box``, in
    cells, are blended bilinearly between the cells' centres."""
    levels = Image.fromarray(
        ((values - np.float32(low)) * np.float32(256 / ((high - low) or 1))).astype(np.float32)
    )
    if size is not None:
        levels = levels.resize(size, Image.Resampling.BILINEAR, box)
    picture = levels.convert("L")  # clipped to 0 to 255, and down to whole numbers
    picture.putpalette(_palette(colormap))
    picture = picture.convert("RGB")
    if np.isnan(values).any():
        picture.paste((UNDEFINED,) * 3, mask=Image.fromarray(np.isnan(np.asarray(levels))))
    return picture


def blended_colours(colormap: str, opacity: float) -> Image.Image:
    """A colormap from left to right as it looks on the middle of a grey photo, 256 pixels by 1."""
    colours = Image.frombytes("RGB", (256, 1), _palette(colormap))
    return Image.blend(Image.new("RGB", colours.size, (MIDDLE_GREY,) * 3), colours, opacity)


def fitted(shape: tuple[int, ...], box: Box) -> Box:
    """The largest box with the proportions of ``shape``, (height, width), in the middle of another."""
    left, top, right, bottom = box
    cell = min((right - left) / shape[1], (bottom - top) / shape[0])
    width, height = cell * shape[1], cell * shape[0]
    x, y = (left + right - width) / 2, (top + bottom - height) / 2
    return x, y, x + width, y + height


def colour_bar(
    box: Box,
    span: tuple[float, float],
    colormap: str,
    ink: str,
    ticks: Sequence[Tick],
    notes: Sequence[str],
    size: float = LABEL,
    marked: Sequence[float] = (),
    colours: Image.Image | None = None,
) -> Iterator[Mark]:
    """A colormap from left to right, or the ``colours`` of a row of pixels in its place; ticks below it,
    notes below these, and marks at some numbers."""
    left, top, right, bottom = box
    scale = Scale(*span, left, right)
    yield Picture(box, colours or Image.frombytes("RGB", (256, 1), _palette(colormap)), cells=True)
    yield from _frame(box, ink)
    yield from chain.from_iterable(
        ticks_below(scale, ticks, bottom, ink, TickStyle(size=size, width=FRAME_LINE))
    )
    for number in marked:
        x = scale.at(number)
        for colour, width in MARK_STROKES:
            yield Line((x, top - MARK_OVERHANG), (x, bottom + MARK_OVERHANG), colour, width)
    first = (left + right) / 2, bottom + 5 + (1.4 if ticks else 0) * size
    yield from text_lines(notes, first, size, ink, 1.3 * size, "middle", "top")


def _frame(box: Box, ink: str) -> Iterator[Line]:
    left, top, right, bottom = box
    yield Line((left, top), (right, top), ink, FRAME_LINE)
    yield Line((left, bottom), (right, bottom), ink, FRAME_LINE)
    yield Line((left, top), (left, bottom), ink, FRAME_LINE)
    yield Line((right, top), (right, bottom), ink, FRAME_LINE)


@cache
def _palette(colormap: str) -> bytes:
    """256 colours of three bytes each."""
    return np.rint(colormaps[colormap](np.arange(256))[:, :3] * 255).astype(np.uint8).tobytes()
