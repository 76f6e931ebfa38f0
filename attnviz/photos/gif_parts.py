"""The blocks of a GIF file. GIF89a (CompuServe, 1990)."""

from __future__ import annotations

import re
import struct

from .parts import MOST_PARTS, ExcessError, Parts, counted

MOST_BLOCKS = 200_000  # of up to 255 bytes, of a first frame and what stands before it

_INTRODUCER = re.compile(rb"[!,;]")  # of an extension, a frame, the end; programs pad with zeros between them
_CONTROL = 0xF9


def walk_gif(content: bytes, found: Parts) -> None:
    """Keep the first frame, and the extension that says which of its colours is transparent."""
    width, height = struct.unpack_from("<HH", content, 6)
    found.size = width, height
    position = 13 + _bytes_of_colours(content[10])
    found.keep(content[:position])
    control = b""
    for _ in counted(MOST_PARTS):
        introducer = _INTRODUCER.search(content, position)
        if introducer is None or introducer[0] == b";":
            break
        start = introducer.start()
        if introducer[0] == b",":
            left, top, across, down = struct.unpack_from("<HHHH", content, start + 1)
            found.size = max(width, left + across), max(height, top + down)
            end = _behind_blocks(content, start + 11 + _bytes_of_colours(content[start + 9]))
            found.keep(control, content[start:end])
            break
        position = _behind_blocks(content, start + 2)
        if content[start + 1] == _CONTROL:
            control = content[start:position]
    found.keep(b";")


def _bytes_of_colours(flags: int) -> int:
    """The size of the table of colours that flags tell of."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _behind_blocks(content: bytes, position: int) -> int:
    """Where a chain of blocks ends: behind an empty one, or with the file."""
    for _ in counted(MOST_BLOCKS):
        if position >= len(content):
            return len(content)
        size = content[position]
        position += 1 + size
        if size == 0:
            return position
    raise ExcessError
