"""Sums of squares of samples, by which a picture of many bits is made smaller without losing any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

STRIP = 64  # rows that are summed together, about


@dataclass(frozen=True, eq=False)
class BlockSums:
    """The sums of squares of ``side`` pixels, and all bits of all samples laid one over another."""

    sums: np.ndarray  # (h, w, C); at the far edges the last samples stand for those that are missing
    used: list[int]  # a number for each of C
    side: int

    def means(self) -> np.ndarray:
        """The means, (h, w, C) float32."""
        return self.sums.astype(np.float32) / np.float32(self.side**2)

    def part(self, colours: slice) -> BlockSums:
        """The same of some colours."""
        return BlockSums(self.sums[..., colours], self.used[colours], self.side)


def block_sums(image: Image.Image, side: int) -> BlockSums:
    """The sums of squares of ``side`` pixels, at most 16, of a picture of 8 bits, or of grey of 16."""
    colours, is_deep = len(image.getbands()), image.mode.startswith("I")
    shape = -(-image.height // side), -(-image.width // side), colours
    sums = np.empty(shape, np.uint32 if is_deep else np.uint16)
    used, row = np.zeros(colours, np.int64), 0
    for values in _strips(image, side):
        used |= np.bitwise_or.reduce(np.bitwise_or.reduce(values, axis=0), axis=0)
        rows = -(-len(values) // side)
        sums[row : row + rows] = _sums(values, side, sums.dtype)
        row += rows
    return BlockSums(sums, [int(bits) for bits in used], side)


def _strips(image: Image.Image, side: int) -> Iterator[np.ndarray]:
    """The samples of rows of squares, (H, W, C)."""
    rows = side * max(1, STRIP // side)
    for top in range(0, image.height, rows):
        values = np.asarray(image.crop((0, top, image.width, min(top + rows, image.height))))
        yield values.reshape(*values.shape[:2], -1)


def _sums(values: np.ndarray, side: int, kind: np.dtype) -> np.ndarray:
    """The sums of one strip; first down, where samples lie side by side."""
    if side == 1:
        return values
    height, width, colours = values.shape
    down, across = -(-height // side), -(-width // side)
    missing = ((0, down * side - height), (0, across * side - width), (0, 0))
    padded = np.pad(values, missing, "edge") if any(end for _, end in missing) else values
    rows = padded.reshape(down, side, across * side * colours).sum(axis=1, dtype=kind)
    blocks = rows.reshape(down, across, side, colours)
    return sum((blocks[:, :, column] for column in range(1, side)), blocks[:, :, 0])
