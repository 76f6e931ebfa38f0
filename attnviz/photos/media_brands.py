"""What the boxes of an ISO media file hold: a picture coded as AVIF or HEIC, a camera's raw, or a video.

ISO/IEC 14496-12, section 4.3 (the box ftyp); ISO/IEC 23008-12 (HEIF), section 10; AOMedia, "AV1 Image File
Format", 1.1."""

from __future__ import annotations

import struct
from enum import Enum, auto

MOST_BRANDS = 100  # that are read
MOST_ITEM_BYTES = 100_000  # in which the codings of the items are looked for

_FIRST = 16  # where the compatible brands begin
_STILL, _MOVING = b"avif", b"avis"


class Coding(Enum):
    """How a file's picture is coded."""

    AVIF = auto()
    HEIC = auto()
    RAW = auto()
    VIDEO = auto()
    RARE = auto()  # a picture coded as AVC, VVC or JPEG


_BRANDS = {
    b"avif": Coding.AVIF,
    b"avis": Coding.AVIF,
    b"avio": Coding.AVIF,
    b"heic": Coding.HEIC,
    b"heix": Coding.HEIC,
    b"heim": Coding.HEIC,
    b"heis": Coding.HEIC,
    b"hevc": Coding.HEIC,
    b"hevx": Coding.HEIC,
    b"hevm": Coding.HEIC,
    b"hevs": Coding.HEIC,
    b"crx ": Coding.RAW,
    **dict.fromkeys((b"avci", b"avcs", b"vvic", b"vvis", b"jpeg", b"jpgs", b"j2ki", b"j2is"), Coding.RARE),
}
_OF_ANY_CODING = (b"mif1", b"mif2", b"mif3", b"msf1", b"miaf", b"MA1A", b"MA1B", b"MiHE", b"MiHB", b"MiPr")
_ITEMS = {b"av01": Coding.AVIF, b"hvc1": Coding.HEIC}


def coding_of(content: bytes) -> Coding | None:
    """How the picture in a file's bytes is coded; None for a file that has no such boxes.

    The file's own brand counts first, then those that it is compatible with, then what its items are coded
    as. A picture of which none of them tells more than that it is one counts as HEIC, which most are."""
    if content[4:8] != b"ftyp":
        return None
    own, *others = _brands(content)
    if own in _BRANDS:
        return _BRANDS[own]
    if own not in _OF_ANY_CODING:
        return Coding.VIDEO
    told = [_BRANDS[brand] for brand in others if brand in _BRANDS]
    return told[0] if told else _coding_of_items(content[:MOST_ITEM_BYTES])


def with_avif_brand(content: bytes) -> bytes:
    """An AVIF file's bytes with a brand of its own by which every decoder knows it."""
    own, *others = _brands(content)
    if own in (_STILL, _MOVING):
        return content
    is_moving = _MOVING in others and _STILL not in others
    return b"".join((content[:8], _MOVING if is_moving else _STILL, memoryview(content)[12:]))


def _brands(content: bytes) -> list[bytes]:
    """The file's own brand, and those that it is compatible with."""
    end = min(struct.unpack_from(">I", content)[0], _FIRST + 4 * MOST_BRANDS, len(content))
    return [content[8:12], *(content[at : at + 4] for at in range(_FIRST, end - 3, 4))]


def _coding_of_items(head: bytes) -> Coding:
    """What the first item with a coding is coded as, in the entries infe of a file's first bytes."""
    at = head.find(b"infe")
    while at >= 0:
        letters = head[at + 12 : at + 16]  # behind version and flags, the item's number and its protection
        if letters in _ITEMS:
            return _ITEMS[letters]
        at = head.find(b"infe", at + 4)
    return Coding.HEIC
