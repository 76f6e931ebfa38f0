"""Letters as masks of pixels."""

from __future__ import annotations

import math
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ANCHORS = {"start": "l", "middle": "m", "end": "r"}  # Pillow's letters for ours
RISES = {"top": "a", "middle": "m", "base": "s"}


@lru_cache(512)  # most texts of a chart stand in other charts too
def lettering(
    text: str, size: float, anchor: str, rise: str
) -> tuple[Image.Image, tuple[float, float, float]]:
    """A mask of the pixels that a text covers, and its left, top and right edge, in pixels from the text's
    anchor; ``size`` is in pixels too."""
    font, at = _font(size), ANCHORS[anchor] + RISES[rise]
    left, top, right, bottom = font.getbbox(text, anchor=at)
    mask = Image.new("L", (max(1, math.ceil(right - left)), max(1, math.ceil(bottom - top))))
    ImageDraw.Draw(mask).text((-left, -top), text, 255, font, at)
    return mask, (left, top, right)


def width_of(text: str, size: float) -> float:
    """How wide a text of a size is, in the size's unit."""
    return _font(100).getlength(text) * size / 100


@lru_cache(64)
def _font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_file(), size)


def font_file() -> Path:
    """DejaVu Sans, which comes with matplotlib."""
    matplotlib = find_spec("matplotlib")
    assert matplotlib is not None and matplotlib.origin is not None
    return Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
