"""The chunks of a WebP file. RFC 9649 (2024), section 2."""

from __future__ import annotations

import struct

from .parts import MOST_PARTS, Parts, counted

_CHUNKS = (b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L")
_FRAMES = (b"ANMF", b"VP8 ", b"VP8L")
_METADATA = (b"EXIF", b"XMP ")
_METADATA_FLAGS = 0x08 | 0x04  # of VP8X


def walk_webp(content: bytes, found: Parts) -> None:
    """Keep what decoding needs of the first frame.

    What is kept bounds nothing: a frame without loss may tell of 65,536 tables of codes, some bytes each."""
    found.is_bounded = False
    kept: list[bytes] = []
    position, frames = 12, 0
    for _ in counted(MOST_PARTS):
        if position + 8 > len(content):
            break
        kind, length = struct.unpack_from("<4sI", content, position)
        end = position + 8 + length + length % 2
        chunk = content[position:end]
        position = end
        frames += kind in _FRAMES
        if kind in _METADATA:
            found.read_metadata(chunk[8:])
        elif kind == b"VP8X":
            kept.append(chunk[:8] + bytes((chunk[8] & ~_METADATA_FLAGS,)) + chunk[9:])
        elif kind in _CHUNKS and not (kind in _FRAMES and frames > 1):
            kept.append(chunk)
    size = 4 + sum(map(len, kept))
    found.keep(b"RIFF" + struct.pack("<I", size) + b"WEBP", *kept)
