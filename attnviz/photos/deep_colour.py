"""Colours of 16 bits become 8, whatever part of the 16 they use.

Of such samples Pillow reads the high byte alone. Where those bytes are small the picture is decoded once
more for the low ones; the mean of a block of samples is that of its high bytes and of its low ones put
together, so that never more than one picture of full size is in memory. Planes that lie apart come as grey
pages."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..errors import PhotoRemark
from .block_sums import BlockSums, block_sums
from .essence import Essence
from .sample_depth import STORED, Depth, depth_of, remarks_on

MOST_USED = 14  # bits: what uses more is taken to use all

_MULTIPLIED = "RGBa"  # by their alpha, which Pillow undoes from the high bytes alone
# What Pillow calls samples of 16 bits, before ";16" and the order of their bytes.
_LIKE = ("RGB", "RGBA", "RGBX", _MULTIPLIED)
_GREY_AND_ALPHA = "LA;16B"
_OTHER_BYTE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


@dataclass(frozen=True, eq=False)
class DeepColours:
    """A picture of 16 bits a sample, made smaller: ``mode`` names the colours as Pillow does."""

    mode: str
    values: np.ndarray  # (h, w, C) float32, 0 to 65,535: means of blocks
    used: tuple[int, ...]  # of each colour, the bits of all samples laid one over another


def raw_mode(image: Image.Image) -> str:
    """What Pillow calls the samples of a picture that is opened and not decoded; "" where it says nothing."""
    tiles = getattr(image, "tile", ())
    arguments = tiles[0].args if tiles else ""
    told = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return told if isinstance(told, str) else ""


def is_dark(image: Image.Image, raw: str, told: Essence) -> bool:
    """Whether the high bytes of a decoded picture, which are all that it holds of samples called ``raw``, are
    so small that its samples may have fewer than 16 bits."""
    like, _, depth = raw.partition(";")
    if not depth.startswith("16") or (like not in _LIKE and raw != _GREY_AND_ALPHA):
        return False
    bits = told.told_depth.bits if told.told_depth is not None else 0
    if bits >= STORED:
        return False
    greatest = [high for _, high in image.getextrema()]  # type: ignore[misc]
    few = 1 << (max(bits, MOST_USED) - 8)
    return max(greatest[:3]) < few or (like == _MULTIPLIED and greatest[3] < few)


def all_bits(high: Image.Image, raw: str, content: bytes, factor: int) -> DeepColours:
    """The samples of a picture whose high bytes are decoded, and called ``raw``; they are averaged over
    squares of ``factor`` pixels. ``high`` is closed."""
    if raw == _GREY_AND_ALPHA:  # four bytes a pixel, in pairs
        high.close()
        pairs = _sums_as(content, high.format, "RGBA", factor)
        return _together("LA", pairs.part(slice(0, None, 2)), pairs.part(slice(1, None, 2)))
    mode, kind = high.mode, high.format
    low = raw[:-1] + _OTHER_BYTE[raw[-1]]
    if raw.startswith(_MULTIPLIED):
        high.close()
        as_stored = [_sums_as(content, kind, one.upper(), factor) for one in (raw, low)]
        return _together(_MULTIPLIED, *as_stored)
    high_sums = block_sums(high, factor)
    high.close()
    return _together(mode, high_sums, _sums_as(content, kind, low, factor))


def of_planes(image: Image.Image, planes: str, factor: int) -> DeepColours:
    """The samples of a picture whose pages are its planes, a letter each."""
    means, used = [], []
    for page in range(len(planes)):
        image.seek(page)
        image.load()
        sums = block_sums(image, factor)
        means.append(sums.means())
        used += sums.used
    return DeepColours(planes, np.concatenate(means, axis=2), tuple(used))


def _sums_as(content: bytes, kind: str | None, raw: str, factor: int) -> BlockSums:
    """The sums of a file's picture whose samples are read as if they were called ``raw``."""
    with Image.open(io.BytesIO(content), formats=(str(kind),)) as image:
        for index, tile in enumerate(image.tile):
            arguments = (raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw
            image.tile[index] = tile._replace(args=arguments)
        return block_sums(image, factor)


def _together(mode: str, high: BlockSums, low: BlockSums) -> DeepColours:
    used = tuple(256 * one | other for one, other in zip(high.used, low.used))
    return DeepColours(mode, 256 * high.means() + low.means(), used)


def eight_bit_colours(
    colours: DeepColours, told: Essence, name: str
) -> tuple[Image.Image, tuple[PhotoRemark, ...]]:
    """The picture in 8 bits, and what was assumed for that. Inks are taken as they are."""
    has_alpha = colours.mode in ("RGBA", "LA", _MULTIPLIED)
    seen = int(np.bitwise_or.reduce(colours.used[:-1] if has_alpha else colours.used))
    depth = Depth(STORED, True) if colours.mode == "CMYK" else depth_of(seen, told.told_depth)
    whites = np.full(len(colours.used), depth.white, np.float32)
    if has_alpha and colours.used[-1] > depth.white:
        whites[-1] = (1 << STORED) - 1
    scaled = np.rint(np.minimum(colours.values * (255 / whites), 255)).astype(np.uint8)
    bands = [Image.fromarray(np.ascontiguousarray(band)) for band in np.moveaxis(scaled, 2, 0)]
    return Image.merge(colours.mode, bands), remarks_on(depth, seen, STORED, name)
