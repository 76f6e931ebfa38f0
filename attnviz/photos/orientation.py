"""Which way up a picture was taken, told by a few lines that read nothing else of its metadata."""

from __future__ import annotations

import re
import struct

_TAG = 0x0112
_XMP = re.compile(rb"tiff:Orientation(?:=\"|>)([1-8])\b")
_MOST_ENTRIES = 1_000  # of a directory of tags


def told_orientation(metadata: bytes) -> int:
    """The orientation in an EXIF block or in uncompressed XMP, 1 to 8; 1 where there is none, or what can't
    be."""
    if b"tiff:Orientation" in metadata:
        told = _XMP.search(metadata)
        return int(told[1]) if told else 1
    block = metadata.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return 1
    try:
        return _orientation_in(block, order)
    except struct.error:  # rubbish where EXIF should be: the picture itself may be fine
        return 1


def _orientation_in(block: bytes, order: str) -> int:
    (directory,) = struct.unpack_from(f"{order}I", block, 4)
    (entries,) = struct.unpack_from(f"{order}H", block, directory)
    for at in range(directory + 2, directory + 2 + 12 * min(entries, _MOST_ENTRIES), 12):
        tag, kind, amount = struct.unpack_from(f"{order}HHI", block, at)
        if tag == _TAG and amount == 1 and kind in (3, 4):
            (told,) = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", block, at + 8)
            return told if 1 <= told <= 8 else 1
    return 1
