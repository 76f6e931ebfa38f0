"""The first directory of a TIFF file. TIFF 6.0 (Adobe, 1992), section 2."""

from __future__ import annotations

import struct

from .parts import ExcessError, Parts

MOST_ENTRIES = 1_000  # of a directory of tags
MOST_STRIPS = 60_000  # a strip a row
MOST_TILES = 20_000  # 50 megapixels in tiles of 64 × 64 are 12,000
MOST_TILE_PIXELS = 60_000_000
MOST_PROFILE_BYTES = 4_000_000  # of a colour profile; a printer's has some hundred kilobytes
MOST_TAG_BYTES = 1_000_000  # of other tags; a table of 65,536 colours has 400 kB

# Size, samples, compression, colours, strips and tiles, predictor, orientation, profile, JPEG.
_TIFF_TAGS = {
    *range(256, 260), 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320, *range(322, 326), 332, 334,
    338, 339, 347, *range(512, 522), *range(529, 533), 34675,
}  # fmt: skip
_WIDTH, _HEIGHT, _TILE_WIDTH, _TILE_HEIGHT, _ICC = 256, 257, 322, 323, 34675
_STRIP_TAGS, _TILE_TAGS = (273, 279), (324, 325)
_BYTES_OF_TYPE = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}  # others: 1


def walk_tiff(content: bytes, found: Parts) -> None:
    """Keep the file, with a directory of our own at its end: the first picture's tags for decoding alone.

    Strips and tiles stay where they are, and are not looked into: some hold whole JPEG files. So nothing here
    bounds what decoding them takes. BigTIFF's numbers have eight bytes."""
    found.is_bounded = False
    order = "<" if content[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", content, 2)[0] == 43
    number, counter, pointer_at = ("Q", "Q", 8) if big else ("I", "H", 4)
    entry = struct.Struct(f"{order}HH{number}{8 if big else 4}s")
    (directory,) = struct.unpack_from(f"{order}{number}", content, pointer_at)
    (entries,) = struct.unpack_from(f"{order}{counter}", content, directory)
    if entries > MOST_ENTRIES:
        raise ExcessError
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
    behind = pointer_at + struct.calcsize(number)
    found.keep(content[:pointer_at], struct.pack(f"{order}{number}", tail), memoryview(content)[behind:])
    found.keep(b"\0" * (tail - len(content)))
    found.keep(struct.pack(f"{order}{counter}", len(kept)), *kept, struct.pack(f"{order}{number}", 0))


def _check_tag(tag: int, amount: int, size: int) -> None:
    if tag in _STRIP_TAGS:
        excessive = amount > MOST_STRIPS
    elif tag in _TILE_TAGS:
        excessive = amount > MOST_TILES
    else:
        excessive = size > (MOST_PROFILE_BYTES if tag == _ICC else MOST_TAG_BYTES)
    if excessive:
        raise ExcessError


def _check_tiles(values: dict[int, int]) -> None:
    """Raises ExcessError where a picture needs too many tiles, or a tile is larger than any picture."""
    width, height = values.get(_TILE_WIDTH, 0), values.get(_TILE_HEIGHT, 0)
    if not width or not height:
        return
    across, down = -(-values.get(_WIDTH, 0) // width), -(-values.get(_HEIGHT, 0) // height)
    if width * height > MOST_TILE_PIXELS or across * down > MOST_TILES:
        raise ExcessError
