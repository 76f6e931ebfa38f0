"""TIFF files written by hand, of kinds that Pillow does not write: planes apart, tiles, any byte order."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

SHORT, LONG = 3, 4
PACKINGS = {"none": 1, "deflate": 8, "packbits": 32773}


@dataclass(frozen=True)
class Kind:
    """How a TIFF is written."""

    order: str = "<"
    apart: bool = False  # the colours, plane after plane
    packing: str = "none"
    tile: int = 0  # its side; 0 for strips of 7 rows
    difference: bool = False  # each sample from its left neighbour
    photometric: int = 2
    tags: dict[int, tuple[int, ...]] = field(default_factory=dict)  # more SHORTs


def tiff_file(samples: np.ndarray, kind: Kind) -> bytes:
    """A file of (H, W, C) unsigned samples."""
    height, width, colours = samples.shape
    layers = [samples[..., index : index + 1] for index in range(colours)] if kind.apart else [samples]
    parts = [_packed(part, kind) for layer in layers for part in _parts(layer, kind.tile)]
    tags = {256: (width,), 257: (height,), 258: (8 * samples.itemsize,) * colours}
    tags |= {259: (PACKINGS[kind.packing],), 262: (kind.photometric,), 277: (colours,)}
    tags |= {284: (2 if kind.apart else 1,), 317: (2 if kind.difference else 1,), **kind.tags}
    start = 8
    offsets = tuple(start + sum(map(len, parts[:index])) for index in range(len(parts)))
    counts = tuple(map(len, parts))
    if kind.tile:
        tags |= {322: (kind.tile,), 323: (kind.tile,), 324: offsets, 325: counts}
    else:
        tags |= {278: (7,), 273: offsets, 279: counts}
    body = b"".join(parts)
    body += b"\0" * (len(body) % 2)
    return _header(kind.order, start + len(body)) + body + directory(kind.order, tags, start + len(body))


def directory(order: str, tags: dict[int, tuple[int, ...]], at: int, following: int = 0) -> bytes:
    """A directory that stands at a place, and what its tags tell: LONGs for places and counts, or SHORTs."""
    entries, values = b"", b""
    behind = at + 2 + 12 * len(tags) + 4
    for tag, numbers in sorted(tags.items()):
        kind, letter = (LONG, "I") if tag in (273, 279, 324, 325, 330) else (SHORT, "H")
        packed = struct.pack(f"{order}{len(numbers)}{letter}", *numbers)
        if len(packed) > 4:
            told = struct.pack(f"{order}I", behind + len(values))
            values += packed + b"\0" * (len(packed) % 2)
        else:
            told = packed.ljust(4, b"\0")
        entries += struct.pack(f"{order}HHI", tag, kind, len(numbers)) + told
    return struct.pack(f"{order}H", len(tags)) + entries + struct.pack(f"{order}I", following) + values


def _header(order: str, first: int) -> bytes:
    return (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, first)


def _parts(layer: np.ndarray, tile: int) -> list[np.ndarray]:
    """Strips of 7 rows, or tiles, filled up at the far edges."""
    if not tile:
        return [layer[top : top + 7] for top in range(0, len(layer), 7)]
    height, width = layer.shape[:2]
    filled = np.pad(layer, ((0, -height % tile), (0, -width % tile), (0, 0)))
    return [
        filled[top : top + tile, left : left + tile]
        for top in range(0, height, tile)
        for left in range(0, width, tile)
    ]


def _packed(part: np.ndarray, kind: Kind) -> bytes:
    if kind.difference:
        part = np.concatenate([part[:, :1], part[:, 1:] - part[:, :-1]], axis=1)
    content = part.astype(part.dtype.newbyteorder(kind.order)).tobytes()
    if kind.packing == "deflate":
        return zlib.compress(content)
    if kind.packing == "packbits":  # nothing but literal runs, none over the end of a row
        row = len(content) // len(part)
        rows = [content[at : at + row] for at in range(0, len(content), row)]
        runs = [one[at : at + 128] for one in rows for at in range(0, row, 128)]
        return b"".join(bytes((len(run) - 1,)) + run for run in runs)
    return content
