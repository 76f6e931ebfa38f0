"""The first directory of a TIFF file. TIFF 6.0 (Adobe, 1992), section 2."""

from __future__ import annotations

from ..languages.catalogue import Phrase
from .parts import ExcessError, Parts, RareTiffError, ToldDepth
from .tiff_directory import (
    Directory,
    Entry,
    Layout,
    first_directory,
    layout_of,
    number_entry,
    number_of,
    packed_directory,
    values_of,
)
from .tiff_planes import grey_pages, planes_of

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
_BITS, _PHOTOMETRIC, _GREATEST = 258, 262, 281
_COMPRESSION, _SAMPLES, _FORMAT = 259, 277, 339
_SIGNED, _YCBCR = 2, 6
# JPEG XR, JPEG 2000, LERC, PNG, WebP, JPEG XL: what the libtiff of Pillow's wheels can't unpack.
_NEVER_UNPACKED = (22610, 33003, 33004, 33005, 34712, 34887, 34933, 34934, 50001, 50002, 52546)
_STRIP_TAGS, _TILE_TAGS = (273, 279), (324, 325)
_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1
_STORED_BITS = 16  # of the samples whose depth may be less


def walk_tiff(content: bytes, found: Parts) -> None:
    """Keep the file, with a directory of our own at its end: the first picture's tags for decoding alone. Of
    one of 16 bits whose colours lie apart, a directory for each of them, see ``tiff_planes``.

    Strips and tiles stay where they are, and are not looked into: some hold whole JPEG files. So nothing here
    bounds what decoding them takes."""
    found.is_bounded = False
    layout = layout_of(content)
    directory = first_directory(content, layout)
    kept = [entry for tag, entry in directory.entries.items() if tag in _TIFF_TAGS]
    for entry in kept:
        _check_tag(entry)
    _check_tiles(layout, directory)
    _check_samples(content, layout, directory)
    found.told_depth = _told_depth(content, layout, directory)
    kept = _black_is_zero(content, layout, kept, found)
    tail = len(content) + len(content) % 2
    behind = layout.pointer_at + layout.pointer.size
    found.keep(content[: layout.pointer_at], layout.pointer.pack(tail), memoryview(content)[behind:])
    found.keep(b"\0" * (tail - len(content)))
    found.planes = planes_of(content, layout, directory)
    if found.planes:
        found.keep(grey_pages(content, layout, kept, len(found.planes), tail))
    else:
        found.keep(packed_directory(layout, kept, 0))


def _check_tag(entry: Entry) -> None:
    if entry.tag in _STRIP_TAGS:
        excessive = entry.amount > MOST_STRIPS
    elif entry.tag in _TILE_TAGS:
        excessive = entry.amount > MOST_TILES
    else:
        excessive = entry.size > (MOST_PROFILE_BYTES if entry.tag == _ICC else MOST_TAG_BYTES)
    if excessive:
        raise ExcessError


def _check_tiles(layout: Layout, directory: Directory) -> None:
    """Raises ExcessError where a picture needs too many tiles, or a tile is larger than any picture."""

    def told(tag: int) -> int:
        return number_of(layout, directory.entries.get(tag))

    width, height = told(_TILE_WIDTH), told(_TILE_HEIGHT)
    if not width or not height:
        return
    across, down = -(-told(_WIDTH) // width), -(-told(_HEIGHT) // height)
    if width * height > MOST_TILE_PIXELS or across * down > MOST_TILES:
        raise ExcessError


def _check_samples(content: bytes, layout: Layout, directory: Directory) -> None:
    """Raises RareTiffError for samples that Pillow would take for others, or says are damaged."""
    tags = directory.entries
    packed, colours = number_of(layout, tags.get(_COMPRESSION), 1), number_of(layout, tags.get(_PHOTOMETRIC))
    is_small_signed = (
        _first_value(content, layout, tags.get(_BITS)) == 8
        and _first_value(content, layout, tags.get(_FORMAT)) == _SIGNED
    )
    if packed in _NEVER_UNPACKED or is_small_signed or (colours == _YCBCR and packed == 1):
        raise RareTiffError


def told_samples(content: bytes) -> Phrase:
    """What the first directory of a TIFF tells of its samples, for a sentence. Raises struct.error or
    ExcessError where it can't be read."""
    layout = layout_of(content)
    tags = first_directory(content, layout).entries
    return Phrase(
        "tiff_samples",
        samples=number_of(layout, tags.get(_SAMPLES), 1),
        bits=_first_value(content, layout, tags.get(_BITS)) or 1,
        form=_first_value(content, layout, tags.get(_FORMAT)) or 1,
        compression=number_of(layout, tags.get(_COMPRESSION), 1),
    )


def _told_depth(content: bytes, layout: Layout, directory: Directory) -> ToldDepth | None:
    """The bits of a sample if those are few, or those of the greatest that the file says there is."""
    bits = _first_value(content, layout, directory.entries.get(_BITS))
    if 8 < bits < _STORED_BITS:
        return ToldDepth(bits)
    if bits == _STORED_BITS and _first_value(content, layout, directory.entries.get(_FORMAT)) == _SIGNED:
        return ToldDepth(_STORED_BITS - 1, is_most=True)
    greatest = _first_value(content, layout, directory.entries.get(_GREATEST))
    return ToldDepth(greatest.bit_length()) if bits == _STORED_BITS and greatest else None


def _black_is_zero(content: bytes, layout: Layout, kept: list[Entry], found: Parts) -> list[Entry]:
    """The tags of a picture, of more than 8 bits and whose zeros are white, as if they were black: Pillow
    turns no such picture round. ``found`` says so."""
    by_tag = {entry.tag: entry for entry in kept}
    is_deep = _first_value(content, layout, by_tag.get(_BITS)) > 8
    if not is_deep or number_of(layout, by_tag.get(_PHOTOMETRIC), _BLACK_IS_ZERO) != _WHITE_IS_ZERO:
        return kept
    found.is_negative = True
    value = number_entry(layout, _PHOTOMETRIC, _BLACK_IS_ZERO)
    return [value if entry.tag == _PHOTOMETRIC else entry for entry in kept]


def _first_value(content: bytes, layout: Layout, entry: Entry | None) -> int:
    """The first value of a tag; 0 where there is none."""
    values = values_of(content, layout, entry, 1) if entry is not None else ()
    return values[0] if values else 0
