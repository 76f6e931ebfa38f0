"""What is found where a picture's file is walked: parts that decoding needs, and what they tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from .orientation import told_orientation

MOST_METADATA = 100  # blocks that are looked into for the orientation
MOST_PARTS = 50_000  # segments of a JPEG, chunks of a PNG: 20 MB in chunks of 400 bytes


class ExcessError(Exception):
    """There are more parts of a kind than any honest file has."""


class RareKindError(Exception):
    """The file is of a kind that hardly any program writes, and decoders are not to be trusted with."""


class RareTiffError(Exception):
    """A TIFF's samples are of a kind, or packed in a way, that Pillow does not read as they are."""


@dataclass(frozen=True)
class ToldDepth:
    """How many bits of each sample a picture uses, as its file says."""

    bits: int
    is_high: bool = False  # whether the samples should stand in the high bits of what is stored
    is_most: bool = False  # whether they may use fewer, which the samples tell


@dataclass
class Parts:
    """What a walk has found so far; it counts even if the file ends too early."""

    kept: list[bytes | memoryview] = field(default_factory=list)  # what decoding needs, in order
    orientation: int = 1  # as in EXIF, 1 to 8
    metadata: int = 0  # blocks
    size: tuple[int, int] | None = None  # (width, height); None before it is told
    held_bytes: int = 0  # of coefficients, that a JPEG's decoder holds until the last scan
    is_bounded: bool = True  # whether what was counted bounds the time and memory that decoding takes
    told_depth: ToldDepth | None = None  # of samples of 16 bits
    planes: str = ""  # what the pages of what is kept are, a letter each, if it is one picture's planes
    is_negative: bool = False  # whether the zeros of what is kept are white

    def keep(self, *parts: bytes | memoryview) -> None:
        """Keep these for the decoder."""
        self.kept += parts

    def read_metadata(self, block: bytes) -> None:
        """Take the first orientation that turns anything, of an EXIF block or XMP."""
        self.metadata += 1
        if self.orientation == 1 and self.metadata <= MOST_METADATA:
            self.orientation = told_orientation(block)


def counted(most: int) -> Iterator[int]:
    """Counts up; raises ExcessError beyond ``most``."""
    for number in count():
        if number >= most:
            raise ExcessError
        yield number
