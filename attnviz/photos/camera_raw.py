"""Whether a file is a camera's raw: what its sensor measured, beside small finished pictures.

Most kinds are TIFF files with tags of their own: DNG (Adobe, "Digital Negative", 1.7), NEF, NRW, ARW, SR2,
PEF, SRW, 3FR, ERF, KDC, DCR, MEF, GPR. The others begin with letters of their own."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from .parts import ExcessError
from .tiff_directory import Directory, Layout, layout_of, number_of, read_directory, values_of

_BEGINNINGS = re.compile(
    rb"II[*]\0\x10\0\0\0CR"  # CR2
    rb"|IIRO|IIRS|MMOR"  # ORF
    rb"|IIU\0"  # RW2, RWL
    rb"|II\x1a\0\0\0HEAPCCDR"  # CRW
    rb"|FUJIFILMCCD-RAW"  # RAF
    rb"|FOVb"  # X3F
    rb"|\0MRM"  # MRW
    rb"|(II[*]\0|MM\0[*])....(IIII.waR|MMMMRaw)",  # IIQ
    re.DOTALL,
)
_TIFF = re.compile(rb"II[*+]\0|MM\0[*+]")
_COMPRESSION, _PHOTOMETRIC, _SUB_DIRECTORIES = 259, 262, 330
_DNG_VERSION, _CFA_PATTERN = 50706, 33422
_OF_SENSORS = (32803, 34892)  # PhotometricInterpretation: a mosaic, or linear
_OF_CAMERAS = (34713, 32767, 32769, 32770, 65535)  # Compression of NEF, ARW, and others' and PEF
MOST_DIRECTORIES = 30  # that are looked at; a raw has some five


def is_camera_raw(content: bytes) -> bool:
    """Whether a file's bytes are a camera's raw, as far as its first directories tell."""
    if _BEGINNINGS.match(content):
        return True
    if not _TIFF.match(content):
        return False
    try:
        layout = layout_of(content)
        first = layout.pointer.unpack_from(content, layout.pointer_at)
    except struct.error:
        return False
    return any(_is_of_raw(layout, directory) for directory in _directories(content, layout, *first))


def _directories(content: bytes, layout: Layout, first: int) -> Iterator[Directory]:
    """The first directories from a place on: those that follow each other, and those within them."""
    waiting, seen = [first], {0}
    while waiting and len(seen) <= MOST_DIRECTORIES:
        at = waiting.pop(0)
        if at in seen:
            continue
        seen.add(at)
        try:
            directory = read_directory(content, layout, at)
            within = directory.entries.get(_SUB_DIRECTORIES)
            if within is not None:
                waiting += values_of(content, layout, within, MOST_DIRECTORIES)
        except (struct.error, ExcessError):  # a damaged one; the others may tell
            continue
        waiting.append(directory.following)
        yield directory


def _is_of_raw(layout: Layout, directory: Directory) -> bool:
    tags = directory.entries
    if _DNG_VERSION in tags or _CFA_PATTERN in tags:
        return True
    colours, compression = (number_of(layout, tags.get(tag)) for tag in (_PHOTOMETRIC, _COMPRESSION))
    return colours in _OF_SENSORS or compression in _OF_CAMERAS
