"""A TIFF of 16 bits whose colours lie apart, plane after plane, becomes one of grey pages.

Pillow reads such planes only if they are compressed, and then of each sample the high byte alone; grey
pictures of 16 bits it reads as they are. TIFF 6.0 (Adobe, 1992), PlanarConfiguration."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .tiff_directory import (
    Directory,
    Entry,
    Layout,
    number_entry,
    number_of,
    packed_directory,
    values_of,
)

_BITS, _PHOTOMETRIC, _SAMPLES, _PLANAR, _EXTRA, _FORMAT = 258, 262, 277, 284, 338, 339
_PLACES = (273, 279, 324, 325)  # of strips and tiles, and their sizes
_OF_ALL_SAMPLES = (_EXTRA, _FORMAT)
_APART, _UNSIGNED, _BLACK_IS_ZERO = 2, 1, 1
_ALPHA = {1, 2}  # among extra samples: premultiplied or not
_GREY = (0, 1)
_COLOURS = {2: "RGB", 5: "CMYK"}  # by PhotometricInterpretation
MOST_PLANES = 8


def planes_of(content: bytes, layout: Layout, directory: Directory) -> str:
    """What the planes of a picture of 16 bits are, a letter each: "RGB", "RGBA", "L", "LA" or "CMYK"; "" for
    any other picture, and for one whose colours lie together."""
    tags = directory.entries
    if number_of(layout, tags.get(_PLANAR), 1) != _APART or _BITS not in tags:
        return ""
    samples = number_of(layout, tags.get(_SAMPLES), 1)
    bits = values_of(content, layout, tags[_BITS], MOST_PLANES)
    form = values_of(content, layout, tags[_FORMAT], 1) if _FORMAT in tags else ()
    if not 2 <= samples <= MOST_PLANES or set(bits) != {16} or form not in ((), (_UNSIGNED,)):
        return ""
    photometric = number_of(layout, tags.get(_PHOTOMETRIC))
    colours = "L" if photometric in _GREY else _COLOURS.get(photometric, "")
    extra = values_of(content, layout, tags[_EXTRA], 1) if _EXTRA in tags else ()
    if not colours or samples < len(colours):
        return ""
    has_alpha = colours != "CMYK" and samples > len(colours) and bool({*extra} & _ALPHA)
    return f"{colours}A" if has_alpha else colours


def grey_pages(content: bytes, layout: Layout, kept: list[Entry], planes: int, at: int) -> bytes:
    """Directories for the end of the file, at ``at``: each of the first planes as a grey picture, with the
    other tags of the whole one."""
    alike = {_BITS: 16, _PHOTOMETRIC: _BLACK_IS_ZERO, _SAMPLES: 1, _PLANAR: 1}
    told = {entry.tag: entry for entry in kept}
    samples = number_of(layout, told[_SAMPLES])
    shared = [number_entry(layout, tag, number) for tag, number in alike.items()]
    shared += [entry for tag, entry in told.items() if tag not in (*alike, *_OF_ALL_SAMPLES, *_PLACES)]
    places = [told[tag] for tag in _PLACES if tag in told]
    packed = b""
    for plane in range(planes):
        page = _page(content, layout, shared, [(entry, plane, samples) for entry in places], at + len(packed))
        is_last = plane == planes - 1
        packed += page.packed(0 if is_last else at + len(packed) + page.size)
    return packed


@dataclass(frozen=True)
class _Page:
    """A directory, and the values behind it."""

    layout: Layout
    entries: list[Entry]
    values: bytes

    @property
    def size(self) -> int:
        """The bytes of all."""
        return len(self.packed(0))

    def packed(self, following: int) -> bytes:
        """All as it stands in a file; ``following`` is where the next directory lies."""
        return packed_directory(self.layout, self.entries, following) + self.values


def _page(
    content: bytes, layout: Layout, shared: list[Entry], places: list[tuple[Entry, int, int]], at: int
) -> _Page:
    """The page at ``at``, of tags, and of those whose values are counted plane after plane: each with the
    number of the plane, and that of all planes."""
    entries, values = list(shared), b""
    behind = at + len(packed_directory(layout, [*shared, *(entry for entry, _, _ in places)], 0))
    for entry, plane, planes in places:
        own = _part(content, layout, entry, plane, planes)
        field = own.ljust(layout.field_size, b"\0")
        if len(own) > layout.field_size:
            field = layout.pointer.pack(behind + len(values))
            values += own + b"\0" * (len(own) % 2)
        entries.append(Entry(entry.tag, entry.kind, entry.amount // planes, field))
    return _Page(layout, sorted(entries, key=lambda entry: entry.tag), values)


def _part(content: bytes, layout: Layout, entry: Entry, plane: int, planes: int) -> bytes:
    """The bytes of a tag's values that are one plane's. Raises struct.error where the file ends too early."""
    all_values = entry.field
    if entry.size > layout.field_size:
        (start,) = layout.pointer.unpack(entry.field)
        all_values = content[start : start + entry.size]
    size = entry.size // max(entry.amount, 1) * (entry.amount // planes)
    own = all_values[plane * size : (plane + 1) * size]
    if len(own) < size:
        raise struct.error
    return own
