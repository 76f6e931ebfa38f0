"""How many bits of its samples a picture uses.

Microscopes, X-ray devices and cameras measure 10, 12 or 14 bits, which are mostly stored as 16. Some files
say so; of others the greatest sample tells. What is assumed beyond what the file says is remarked."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import PhotoRemark
from .parts import ToldDepth

DEPTHS = (8, 10, 12, 14)  # bits that devices have
STORED = 16


@dataclass(frozen=True)
class Depth:
    """The bits that the samples of a picture are taken to have, and whether its file says so."""

    bits: int
    is_told: bool

    @property
    def white(self) -> int:
        """The sample that is white, or full."""
        return (1 << self.bits) - 1


def depth_of(used: int, told: ToldDepth | None) -> Depth:
    """The depth of samples whose bits, laid one over another, are ``used``; ``told`` is what the file says,
    which counts if the samples are not greater. PNG wants samples of few bits to stand in the high ones:
    where all do, they are of 16 bits, however dark."""
    if told is not None and told.is_most:
        bits = next((bits for bits in DEPTHS if used < 1 << bits), told.bits)
        return Depth(bits, bits == told.bits)
    if told is not None and 0 < told.bits <= STORED and used < 1 << told.bits:
        unused = (1 << (STORED - told.bits)) - 1
        is_high = told.is_high and not used & unused
        return Depth(STORED if is_high else told.bits, True)
    if used == 0:  # a black picture
        return Depth(STORED, True)
    return Depth(next((bits for bits in DEPTHS if used < 1 << bits), STORED), False)


def remarks_on(depth: Depth, used: int, stored: int, name: str) -> tuple[PhotoRemark, ...]:
    """What is to be known of a picture whose samples were taken to have this depth, of ``stored`` bits."""
    if depth.is_told or depth.bits == STORED:
        return ()
    remark = PhotoRemark(
        "photo_depth_assumed", name=name, stored=stored, bits=used.bit_length(), bits_taken=depth.bits
    )
    return (remark,)
