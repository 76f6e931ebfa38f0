"""A camera's raw is refused as one, whatever its file is called and however it begins."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from helpers.tiff_files import Kind, directory, tiff_file

from attnviz import PhotoError, open_photo

THUMBNAIL = np.full((24, 32, 3), 90, np.uint8)
CFA, LINEAR = 32803, 34892
SENSOR = {256: (64,), 257: (48,), 258: (16,), 262: (CFA,), 277: (1,)}


def with_sub_directory(order: str, tags: dict[int, tuple[int, ...]]) -> bytes:
    """A TIFF of a thumbnail, whose tag SubIFDs leads to a directory with these tags."""
    at = len(tiff_file(THUMBNAIL, Kind(order, tags={330: (0,)})))
    return tiff_file(THUMBNAIL, Kind(order, tags={330: (at,)})) + directory(order, tags, at)


def with_following_directory(order: str, tags: dict[int, tuple[int, ...]]) -> bytes:
    """A TIFF of a thumbnail, behind whose directory there is one with these tags."""
    content = bytearray(tiff_file(THUMBNAIL, Kind(order)))
    first = struct.unpack_from(f"{order}I", content, 4)[0]
    count = struct.unpack_from(f"{order}H", content, first)[0]
    struct.pack_into(f"{order}I", content, first + 2 + 12 * count, len(content))
    return bytes(content) + directory(order, tags, len(content))


RAWS = {
    "DNG": tiff_file(THUMBNAIL, Kind(tags={50706: (1, 4, 0, 0)})),
    "DNG of Motorola's order": tiff_file(THUMBNAIL, Kind(">", tags={50706: (1, 4, 0, 0)})),
    "linear DNG without a version": with_sub_directory("<", SENSOR | {262: (LINEAR,)}),
    "NEF": with_sub_directory(">", SENSOR | {259: (34713,), 262: (1,)}),
    "ARW": with_sub_directory("<", SENSOR | {259: (32767,)}),
    "PEF": with_following_directory(">", SENSOR | {259: (65535,)}),
    "a mosaic behind": with_following_directory("<", SENSOR),
    "a pattern of colours": with_sub_directory("<", SENSOR | {262: (1,), 33422: (0, 1)}),
    "CR2": b"II*\0\x10\0\0\0CR\x02\0" + bytes(300),
    "CR3": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(300),
    "ORF": b"IIRO\x08\0\0\0" + bytes(300),
    "ORF of Motorola's order": b"MMOR\0\0\0\x08" + bytes(300),
    "RW2": b"IIU\0\x18\0\0\0" + bytes(300),
    "RAF": b"FUJIFILMCCD-RAW 0201" + bytes(300),
    "X3F": b"FOVb\0\0\2\0" + bytes(300),
    "MRW": b"\0MRM" + bytes(300),
    "CRW": b"II\x1a\0\0\0HEAPCCDR" + bytes(300),
    "IIQ": b"II*\0\x08\0\0\0IIII\1waR" + bytes(300),
}


@pytest.mark.parametrize("kind", RAWS)
@pytest.mark.parametrize("name", ["mine.dng", "mine.tif", "mine.jpg"])
def test_a_camera_raw_is_refused_as_raw_and_its_thumbnail_never_shown(kind, name):
    with pytest.raises(PhotoError, match="raw file") as caught:
        open_photo(RAWS[kind], name)
    assert f"“{name}”" in str(caught.value) and "JPEG" in str(caught.value)
    assert "RAW" in caught.value.sentence("zh")


@pytest.mark.parametrize(
    "content",
    [
        tiff_file(THUMBNAIL, Kind()),
        with_sub_directory("<", SENSOR | {262: (1,)}),
        with_following_directory(">", SENSOR | {262: (2,)}),
        tiff_file(np.full((24, 32, 3), ord("I"), np.uint8), Kind()),
    ],
    ids=["plain", "a smaller one within", "a second page", "whose pixels are letters"],
)
def test_other_tiffs_are_no_raws(content):
    assert open_photo(content, "mine.dng").pixels.shape == (24, 32, 3)


@pytest.mark.parametrize("order", ["<", ">"])
def test_directories_that_lead_to_each_other_end(order):
    content = bytearray(with_following_directory(order, SENSOR | {262: (1,)}))
    first = struct.unpack_from(f"{order}I", content, 4)[0]
    count = struct.unpack_from(f"{order}H", content, first)[0]
    second = struct.unpack_from(f"{order}I", content, first + 2 + 12 * count)[0]
    struct.pack_into(f"{order}I", content, second + 2 + 12 * 5, first)
    assert open_photo(bytes(content)).pixels.shape == (24, 32, 3)
