"""The header of a BMP file. Microsoft, "Bitmap Storage"."""

from __future__ import annotations

import struct

from .parts import ExcessError, Parts

MOST_RUNS = 6_000_000  # pixels and bytes together of a picture in runs, which Pillow decodes in Python

_HEADER_OF_1988 = 12  # bytes: sides of 16 bits, never in runs
_IN_RUNS = (1, 2)


def walk_bmp(content: bytes, found: Parts) -> None:
    """Keep all of the file. Raises ExcessError for one in too many runs."""
    found.keep(content)
    (header,) = struct.unpack_from("<I", content, 14)
    if header == _HEADER_OF_1988:
        found.size = struct.unpack_from("<HH", content, 18)
        return
    width, height, _, _, compression = struct.unpack_from("<iiHHI", content, 18)
    found.size = width, abs(height)
    if compression in _IN_RUNS:
        found.is_bounded = False
        if found.size[0] * found.size[1] + len(content) > MOST_RUNS:
            raise ExcessError
