"""Reduces a picture file to what decoding its first frame needs.

Metadata, comments, further frames and empty parts are left out before a decoder sees the file. They let a
small file take any amount of memory or time: tags that all point at the same bytes, comments that are joined
one by one, scans that hold nothing. The file is walked once, part by part, and the parts are counted. Of the
metadata only the orientation is read, by few lines of our own.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from ..errors import PhotoError

MOST_PARTS = 50_000  # segments of a JPEG, chunks of a PNG: 20 MB in chunks of 400 bytes
MOST_SCANS = 100  # of a progressive JPEG; encoders write 10 to 20
MOST_BLOCKS = 200_000  # of up to 255 bytes, of a GIF's first frame and what stands before it
MOST_ENTRIES = 1_000  # of a directory of tags in a TIFF file or an EXIF block
MOST_STRIPS = 60_000  # of a TIFF: a strip a row
MOST_TILES = 20_000  # of a TIFF: 50 megapixels in tiles of 64 × 64 are 12,000
MOST_TILE_PIXELS = 60_000_000
MOST_PROFILE_BYTES = 4_000_000  # of a colour profile; a printer's has some hundred kilobytes
MOST_TAG_BYTES = 1_000_000  # of a TIFF's other tags; a table of 65,536 colours has 400 kB


@dataclass(frozen=True)
class Essence:
    """A file without what decoding does not need, and the orientation that its metadata tells, 1 to 8 as in
    EXIF."""

    content: bytes
    orientation: int


class _Excess(Exception):
    """There are more parts of a kind than any honest file has."""


def essence(content: bytes, name: str) -> Essence:
    """The essence of a JPEG, PNG, GIF, WebP or TIFF file; any other file as it is.

    A file that is cut off or damaged keeps what stands before the damage, and the decoder says what is wrong.
    ``name`` is for the error. Raises PhotoError for a file of more parts than an honest one has.
    """
    walk = next((walk for magic, walk in WALKS.items() if re.match(magic, content, re.DOTALL)), None)
    if walk is None:
        return Essence(content, 1)
    kept: list[bytes] = []
    orientation = 1
    try:
        for part in walk(content):
            if isinstance(part, bytes):
                kept.append(part)
            elif orientation == 1:
                orientation = part
    except _Excess:
        raise PhotoError("photo_of_too_many_parts", name=name) from None
    except (struct.error, IndexError):  # its structure ends too early
        pass
    return Essence(b"".join(kept), orientation)


Parts = Iterator[bytes | int]  # bytes that are kept, in order; an orientation

_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)  # no stuffed zero, no restart
_START_OF_SCAN, _END_OF_IMAGE, _COMMENT, _EXIF_OR_XMP, _PROFILE = 0xDA, 0xD9, 0xFE, 0xE1, 0xE2
_APPLICATIONS = range(0xE0, 0xF0)
_DECODING_APPLICATIONS = (0xE0, 0xEE)  # JFIF's, and Adobe's, which tells the colours


def _jpeg(content: bytes) -> Parts:
    position, scans = 2, 0
    yield content[:2]
    for _ in _counted(MOST_PARTS):
        marker = _JPEG_MARKER.search(content, position)
        if marker is None:
            yield content[position:]
            return
        if scans:
            yield content[position : marker.start()]  # what a scan holds; before the first it is rubbish
        code, start = marker[1][0], marker.end()
        if code == _END_OF_IMAGE:
            yield b"\xff\xd9"
            return
        (length,) = struct.unpack_from(">H", content, start)
        position = start + length
        segment = content[start:position]
        scans += code == _START_OF_SCAN
        if scans > MOST_SCANS:
            raise _Excess
        if code == _EXIF_OR_XMP:
            yield told_orientation(segment[2:])
        if _helps_a_jpeg_decoder(code, segment):
            yield bytes((0xFF, code)) + segment


def _helps_a_jpeg_decoder(code: int, segment: bytes) -> bool:
    if code == _PROFILE:
        return segment[2:14] == b"ICC_PROFILE\0"
    if code in _APPLICATIONS:
        return code in _DECODING_APPLICATIONS
    return code != _COMMENT


_PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"gAMA", b"cHRM", b"sRGB")
_PNG_METADATA = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")


def _png(content: bytes) -> Parts:
    yield content[:8]
    position = 8
    for _ in _counted(MOST_PARTS):
        length, kind = struct.unpack_from(">I4s", content, position)
        end = position + 12 + length  # length, kind and checksum have four bytes each
        if kind in _PNG_METADATA:
            yield told_orientation(content[position + 8 : end - 4])
        empty = kind == b"IDAT" and length == 0
        excessive = kind == b"iCCP" and length > MOST_PROFILE_BYTES
        if kind in _PNG_CHUNKS and not empty and not excessive:
            yield content[position:end]
        if kind == b"IEND":
            return
        position = end


_WEBP_CHUNKS = (b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L")
_WEBP_FRAMES = (b"ANMF", b"VP8 ", b"VP8L")
_WEBP_METADATA = (b"EXIF", b"XMP ")
_WEBP_METADATA_FLAGS = 0x08 | 0x04  # of VP8X


def _webp(content: bytes) -> Parts:
    kept = []
    position, frames = 12, 0
    for _ in _counted(MOST_PARTS):
        if position + 8 > len(content):
            break
        kind, length = struct.unpack_from("<4sI", content, position)
        end = position + 8 + length + length % 2
        chunk = content[position:end]
        position = end
        frames += kind in _WEBP_FRAMES
        if kind in _WEBP_METADATA:
            yield told_orientation(chunk[8:])
        elif kind == b"VP8X":
            kept.append(chunk[:8] + bytes((chunk[8] & ~_WEBP_METADATA_FLAGS,)) + chunk[9:])
        elif kind in _WEBP_CHUNKS:
            further = kind in _WEBP_FRAMES and frames > 1
            excessive = kind == b"ICCP" and length > MOST_PROFILE_BYTES
            if not further and not excessive:
                kept.append(chunk)
    size = 4 + sum(map(len, kept))
    yield b"RIFF" + struct.pack("<I", size) + b"WEBP"
    yield from kept


_GIF_EXTENSION, _GIF_FRAME, _GIF_CONTROL = 0x21, 0x2C, 0xF9


def _gif(content: bytes) -> Parts:
    position = 13 + _bytes_of_colours(content[10])
    yield content[:position]
    control = b""  # how the next frame is drawn: which colour is transparent
    for _ in _counted(MOST_PARTS):
        start, kind = position, content[position]
        if kind == _GIF_EXTENSION:
            position = _behind_blocks(content, start + 2)
            if content[start + 1] == _GIF_CONTROL:
                control = content[start:position]
        elif kind == _GIF_FRAME:
            position = _behind_blocks(content, start + 11 + _bytes_of_colours(content[start + 9]))
            yield control
            yield content[start:position]
            yield b"\x3b"
            return
        else:
            yield b"\x3b"
            return


def _bytes_of_colours(flags: int) -> int:
    """The size of the table of colours that a GIF's flags tell of."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _behind_blocks(content: bytes, position: int) -> int:
    """Where a GIF's chain of blocks ends: behind an empty one, or with the file."""
    for _ in _counted(MOST_BLOCKS):
        if position >= len(content):
            return len(content)
        size = content[position]
        position += 1 + size
        if size == 0:
            return position
    raise _Excess


# Of a TIFF: size, samples, compression, colours, strips and tiles, predictor, orientation, profile, JPEG.
_TIFF_TAGS = {
    *range(256, 260), 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320, *range(322, 326), 332, 334,
    338, 339, 347, *range(512, 522), *range(529, 533), 34675,
}  # fmt: skip
_WIDTH, _HEIGHT, _TILE_WIDTH, _TILE_HEIGHT, _ICC = 256, 257, 322, 323, 34675
_STRIP_TAGS, _TILE_TAGS = (273, 279), (324, 325)
_BYTES_OF_TYPE = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}  # others: 1


def _tiff(content: bytes) -> Parts:
    """The file with a directory of our own at its end: the first picture's tags for decoding alone.

    Strips and tiles stay where they are. TIFF 6.0 (Adobe, 1992), section 2; BigTIFF's numbers have eight
    bytes."""
    order = "<" if content[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", content, 2)[0] == 43
    number, counter, pointer_at = ("Q", "Q", 8) if big else ("I", "H", 4)
    entry = struct.Struct(f"{order}HH{number}{8 if big else 4}s")
    (directory,) = struct.unpack_from(f"{order}{number}", content, pointer_at)
    (entries,) = struct.unpack_from(f"{order}{counter}", content, directory)
    if entries > MOST_ENTRIES:
        raise _Excess
    start = directory + struct.calcsize(counter)
    kept, values = [], {}
    for at in range(start, start + entries * entry.size, entry.size):
        tag, kind, amount, value = entry.unpack_from(content, at)
        if tag in _TIFF_TAGS and tag not in values:
            _check_tag(tag, amount, amount * _BYTES_OF_TYPE.get(kind, 1))
            (values[tag],) = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", value)
            kept.append(content[at : at + entry.size])
    _check_tiles(values)
    tail = len(content) + len(content) % 2
    yield content[:pointer_at]
    yield struct.pack(f"{order}{number}", tail)
    yield content[pointer_at + struct.calcsize(number) :]
    yield b"\0" * (tail - len(content))
    yield struct.pack(f"{order}{counter}", len(kept)) + b"".join(kept) + struct.pack(f"{order}{number}", 0)


def _check_tag(tag: int, amount: int, size: int) -> None:
    if tag in _STRIP_TAGS:
        excessive = amount > MOST_STRIPS
    elif tag in _TILE_TAGS:
        excessive = amount > MOST_TILES
    else:
        excessive = size > (MOST_PROFILE_BYTES if tag == _ICC else MOST_TAG_BYTES)
    if excessive:
        raise _Excess


def _check_tiles(values: dict[int, int]) -> None:
    """Raises _Excess where a picture needs too many tiles, or a tile is larger than any picture."""
    width, height = values.get(_TILE_WIDTH, 0), values.get(_TILE_HEIGHT, 0)
    if not width or not height:
        return
    across, down = -(-values.get(_WIDTH, 0) // width), -(-values.get(_HEIGHT, 0) // height)
    if width * height > MOST_TILE_PIXELS or across * down > MOST_TILES:
        raise _Excess


def _counted(most: int) -> Iterator[int]:
    """Counts up; raises _Excess beyond ``most``."""
    for number in count():
        if number >= most:
            raise _Excess
        yield number


_ORIENTATION = 0x0112
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=\"|>)([1-8])\b")


def told_orientation(metadata: bytes) -> int:
    """The orientation in an EXIF block or in uncompressed XMP, 1 to 8; 1 where there is none, or what can't
    be."""
    if b"tiff:Orientation" in metadata:
        told = _XMP_ORIENTATION.search(metadata)
        return int(told[1]) if told else 1
    block = metadata.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(f"{order}I", block, 4)
        (entries,) = struct.unpack_from(f"{order}H", block, directory)
        for at in range(directory + 2, directory + 2 + 12 * min(entries, MOST_ENTRIES), 12):
            tag, kind, amount = struct.unpack_from(f"{order}HHI", block, at)
            if tag == _ORIENTATION and amount == 1 and kind in (3, 4):
                (told,) = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", block, at + 8)
                return told if 1 <= told <= 8 else 1
    except struct.error:  # rubbish where EXIF should be: the picture itself may be fine
        pass
    return 1


# What a file begins with (a pattern) -> how it is walked.
WALKS: dict[bytes, Callable[[bytes], Parts]] = {
    rb"\xff\xd8": _jpeg,
    rb"\x89PNG\r\n\x1a\n": _png,
    rb"GIF8[79]a": _gif,
    rb"RIFF....WEBP": _webp,
    rb"II[*+]\0|MM\0[*+]": _tiff,
}
