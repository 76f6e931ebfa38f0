"""Grey samples of 16 or 32 bits, or floats, become 8 bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from ..errors import PhotoError, PhotoRemark
from .parts import ToldDepth
from .sample_depth import depth_of, remarks_on

STRIP = 256  # rows that are scaled together
MOST_INTEGER = 65_535


def is_deep_grey(image: Image.Image) -> bool:
    """Whether a picture is grey of more than 8 bits."""
    return image.mode == "F" or image.mode.startswith("I")


def eight_bit_grey(
    image: Image.Image, name: str, told: ToldDepth | None, is_negative: bool
) -> tuple[Image.Image, tuple[PhotoRemark, ...]]:
    """A deep grey picture scaled to 8 bits by the range of the whole, and what was assumed for that;
    ``is_negative`` tells that its zeros are white. Raises PhotoError for samples without a scale."""
    white, remarks = _white(image, name, told)
    grey = Image.new("L", image.size)
    for top, values in strips(image):
        scaled = np.rint(np.minimum(values.astype(np.float32) * (255 / white), 255)).astype(np.uint8)
        grey.paste(Image.fromarray(255 - scaled if is_negative else scaled), (0, top))
    return grey, remarks


def strips(image: Image.Image) -> Iterator[tuple[int, np.ndarray]]:
    """The first row of each strip, and its samples, (STRIP or fewer, W) or with colours behind."""
    for top in range(0, image.height, STRIP):
        yield top, np.asarray(image.crop((0, top, image.width, min(top + STRIP, image.height))))


def used_bits(image: Image.Image) -> int:
    """The bits of all samples of integers, none below 0, laid one over another."""
    used = 0
    for _, values in strips(image):
        used |= int(np.bitwise_or.reduce(values, axis=None))
    return used


def _white(image: Image.Image, name: str, told: ToldDepth | None) -> tuple[float, tuple[PhotoRemark, ...]]:
    """The sample that is white, and what is to be said of that. Floats are taken as 0 to 1 or 0 to 255,
    whichever holds them."""
    least, greatest = _range(image, name)
    if least >= 0 and image.mode == "F" and greatest <= 255:
        return (1 if greatest <= 1 else 255), ()
    if least < 0 or image.mode == "F" or greatest > MOST_INTEGER:
        raise PhotoError("photo_samples_out_of_range", name=name)
    used = used_bits(image)
    depth = depth_of(used, told)
    stored = 16 if image.mode.startswith("I;16") else 32
    return depth.white, remarks_on(depth, used, stored, name)


def _range(image: Image.Image, name: str) -> tuple[float, float]:
    """The least and the greatest sample. Raises PhotoError if one is no number."""
    lows, highs = [], []
    for _, values in strips(image):
        if not np.isfinite(values).all():
            raise PhotoError("photo_has_nan", name=name)
        lows.append(float(values.min()))
        highs.append(float(values.max()))
    return min(lows), max(highs)
