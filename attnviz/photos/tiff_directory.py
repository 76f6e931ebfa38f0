"""Directories of tags, of which TIFF files are made. TIFF 6.0 (Adobe, 1992), section 2; the numbers of a
BigTIFF have eight bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from .parts import ExcessError

MOST_ENTRIES = 1_000  # of a directory of tags
SHORT, LONG, LONG8 = 3, 4, 16  # types of values that count something
_LETTER_OF_TYPE = {1: "B", SHORT: "H", LONG: "I", 13: "I", LONG8: "Q", 18: "Q"}
_BYTES_OF_TYPE = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}  # others: 1


@dataclass(frozen=True)
class Entry:
    """A tag: the type and the amount of its values, and the field where they or their place stand."""

    tag: int
    kind: int
    amount: int
    field: bytes

    @property
    def size(self) -> int:
        """The bytes of all values."""
        return self.amount * _BYTES_OF_TYPE.get(self.kind, 1)


@dataclass(frozen=True)
class Layout:
    """How numbers are written in a file: ``order`` as in ``struct``, and whether it is a BigTIFF."""

    order: str
    is_big: bool

    @property
    def number(self) -> str:
        """The letter of a place in the file, for ``struct``."""
        return "Q" if self.is_big else "I"

    @property
    def field_size(self) -> int:
        """The bytes of an entry's field."""
        return 8 if self.is_big else 4

    @property
    def pointer_at(self) -> int:
        """Where the place of the first directory stands."""
        return 8 if self.is_big else 4

    @property
    def counter(self) -> struct.Struct:
        """The count of entries, before them."""
        return struct.Struct(f"{self.order}{'Q' if self.is_big else 'H'}")

    @property
    def pointer(self) -> struct.Struct:
        """A place in the file."""
        return struct.Struct(f"{self.order}{self.number}")

    @property
    def entry(self) -> struct.Struct:
        """An entry."""
        return struct.Struct(f"{self.order}HH{self.number}{self.field_size}s")


@dataclass(frozen=True)
class Directory:
    """The tags of one picture; of a tag that comes twice the first."""

    entries: dict[int, Entry] = field(default_factory=dict)
    following: int = 0  # where the next directory lies; 0 for none


def layout_of(content: bytes) -> Layout:
    """How the numbers of a TIFF's bytes are written."""
    order = "<" if content[:2] == b"II" else ">"
    return Layout(order, struct.unpack_from(f"{order}H", content, 2)[0] == 43)


def first_directory(content: bytes, layout: Layout) -> Directory:
    """The tags of the first picture. Raises as ``read_directory`` does."""
    return read_directory(content, layout, layout.pointer.unpack_from(content, layout.pointer_at)[0])


def read_directory(content: bytes, layout: Layout, at: int) -> Directory:
    """The tags at a place. Raises ExcessError for more than any honest file has, struct.error where the file
    ends too early."""
    (count,) = layout.counter.unpack_from(content, at)
    if count > MOST_ENTRIES:
        raise ExcessError
    start = at + layout.counter.size
    entries: dict[int, Entry] = {}
    for place in range(start, start + count * layout.entry.size, layout.entry.size):
        entry = Entry(*layout.entry.unpack_from(content, place))
        entries.setdefault(entry.tag, entry)
    end = start + count * layout.entry.size
    following = (
        layout.pointer.unpack_from(content, end)[0] if end + layout.pointer.size <= len(content) else 0
    )
    return Directory(entries, following)


def values_of(content: bytes, layout: Layout, entry: Entry, most: int) -> tuple[int, ...]:
    """The first ``most`` values of a tag, or all that there are, if they count something; else none. Raises
    struct.error where the file ends too early."""
    letter = _LETTER_OF_TYPE.get(entry.kind)
    if letter is None:
        return ()
    form = f"{layout.order}{min(entry.amount, most)}{letter}"
    if entry.size <= layout.field_size:
        return struct.unpack_from(form, entry.field)
    return struct.unpack_from(form, content, layout.pointer.unpack(entry.field)[0])


def number_of(layout: Layout, entry: Entry | None, otherwise: int = 0) -> int:
    """The first value of a tag whose values stand in its field."""
    if entry is None:
        return otherwise
    letter = _LETTER_OF_TYPE.get(entry.kind, "I")
    return struct.unpack_from(f"{layout.order}{letter}", entry.field.ljust(8, b"\0"))[0]


def packed_directory(layout: Layout, entries: list[Entry], following: int) -> bytes:
    """A directory of these tags as it stands in a file."""
    told = [layout.entry.pack(entry.tag, entry.kind, entry.amount, entry.field) for entry in entries]
    return b"".join((layout.counter.pack(len(told)), *told, layout.pointer.pack(following)))


def number_entry(layout: Layout, tag: int, number: int) -> Entry:
    """A tag with one value, below 65,536."""
    return Entry(tag, SHORT, 1, struct.pack(f"{layout.order}H", number).ljust(layout.field_size, b"\0"))
