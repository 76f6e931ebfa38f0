"""Samples of 16 bits come out as bright as they are meant, however they are stored; and what is assumed is
said."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from helpers.hostile_pictures import chunk, png
from helpers.tiff_files import Kind, tiff_file
from PIL import Image

from attnviz import PhotoError, open_photo
from attnviz.photos.parts import ToldDepth
from attnviz.photos.sample_depth import depth_of

COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}  # samples a pixel -> PNG's type of colour


def scene(colours: int = 3, height: int = 40, width: int = 52) -> np.ndarray:
    """Smooth samples from 0 to 1, (H, W, colours); the last of two or four, alpha, is 1."""
    down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    bands = [across, down, 1 - across, np.ones_like(down)]
    return np.stack(bands[:colours] if colours != 2 else [across, np.ones_like(down)], axis=2)


def stored(values: np.ndarray, bits: int) -> np.ndarray:
    """Samples of so many bits in 16."""
    return np.rint(values * ((1 << bits) - 1)).astype(np.uint16)


def png_of(samples: np.ndarray, *significant: int) -> bytes:
    """A PNG of 16 bits, with a chunk sBIT if its numbers are given."""
    height, width, colours = samples.shape
    told = chunk(b"sBIT", bytes(significant)) if significant else b""
    return png(width, height, 16, COLOURS[colours], zlib.compress(rows_of(samples)), told)


def rows_of(samples: np.ndarray) -> bytes:
    """The rows of a PNG, none of them filtered."""
    return b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)


def interlaced(samples: np.ndarray) -> bytes:
    """A PNG of 16 bits in seven passes. PNG, third edition, section 8.2 (Adam7)."""
    height, width, colours = samples.shape
    passes = [
        (0, 8, 0, 8),
        (0, 8, 4, 8),
        (4, 8, 0, 4),
        (0, 4, 2, 4),
        (2, 4, 0, 2),
        (0, 2, 1, 2),
        (1, 2, 0, 1),
    ]
    rows = b"".join(rows_of(samples[top::down, left::across]) for top, down, left, across in passes)
    header = struct.pack(">IIBBBBB", width, height, 16, COLOURS[colours], 0, 0, 1)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def expected(values: np.ndarray) -> np.ndarray:
    """The pixels that samples from 0 to 1 should come out as, (H, W, 3)."""
    colours = values[..., :3] if values.shape[2] > 2 else values[..., :1]
    return np.broadcast_to(np.rint(colours * 255), (*values.shape[:2], 3))


def assert_looks(content: bytes, values: np.ndarray, tolerance: float = 1) -> None:
    pixels = open_photo(content).pixels
    np.testing.assert_allclose(pixels.astype(int), expected(values), atol=tolerance)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("colours", [1, 2, 3, 4])
def test_a_png_of_fewer_bits_is_as_bright_as_it_is_meant(colours, bits):
    assert_looks(png_of(stored(scene(colours), bits)), scene(colours))


@pytest.mark.parametrize("colours", [1, 2, 3, 4])
def test_a_png_in_seven_passes_is_as_bright_as_it_is_meant(colours):
    assert_looks(interlaced(stored(scene(colours), 12)), scene(colours))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packing", ["none", "deflate"])
@pytest.mark.parametrize(
    ("colours", "tags"), [(1, {}), (3, {}), (4, {338: (2,)}), (4, {338: (0,)}), (4, {338: (1,)})]
)
def test_a_tiff_of_12_bits_in_16_is_as_bright_as_it_is_meant(order, packing, colours, tags):
    kind = Kind(order, packing=packing, photometric=2 if colours > 1 else 1, tags=tags)
    assert_looks(tiff_file(stored(scene(colours), 12), kind), scene(colours))


@pytest.mark.parametrize("make", [png_of, lambda samples: tiff_file(samples, Kind())], ids=["PNG", "TIFF"])
def test_what_is_assumed_is_said_in_every_language(make):
    (remark,) = open_photo(make(stored(scene() * 0.9, 12)), "cells").remarks
    assert "“cells”" in str(remark) and "12 of the 16 bits" in str(remark)
    assert "12" in remark.sentence("zh") and "“cells”" in remark.sentence("zh")


@pytest.mark.parametrize("bits", [15, 16])
def test_a_picture_that_uses_its_bits_stays_as_it_is_and_nothing_is_said(bits):
    samples = stored(scene(), bits)
    photo = open_photo(png_of(samples))
    assert photo.remarks == ()
    np.testing.assert_allclose(photo.pixels.astype(int), samples / 257, atol=1)


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("greatest", [12, 13])
def test_a_png_that_says_its_bits_is_believed_and_nothing_is_assumed(colours, greatest):
    dark = scene(colours) * 0.2
    photo = open_photo(png_of(stored(dark, greatest), *[greatest] * colours))
    assert photo.remarks == ()
    np.testing.assert_allclose(photo.pixels.astype(int), expected(dark), atol=1)


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("significant", [12, 16])
def test_a_dark_png_whose_bits_stand_where_the_format_wants_them_stays_dark(colours, significant):
    unused = 16 - significant
    samples = stored(scene(colours) * 0.05, 16) >> unused << unused
    photo = open_photo(png_of(samples, *[significant] * colours))
    assert photo.remarks == () and photo.pixels.max() <= 14


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize(("greatest", "bits"), [(4095, 12), (3000, 12), (65535, 16)])
def test_a_tiff_that_says_its_greatest_sample_is_believed(colours, greatest, bits):
    dark = scene(colours) * 0.1
    kind = Kind(photometric=2 if colours > 1 else 1, tags={281: (greatest,) * colours})
    photo = open_photo(tiff_file(stored(dark, bits), kind))
    assert photo.remarks == ()
    np.testing.assert_allclose(photo.pixels.astype(int), expected(dark), atol=1)


def test_a_tiff_whose_greatest_sample_is_greater_than_it_says_is_not_believed():
    photo = open_photo(tiff_file(stored(scene(), 14), Kind(tags={281: (1023,) * 3})))
    assert "14 of the 16" in str(photo.remarks[0])
    np.testing.assert_allclose(photo.pixels.astype(int), expected(scene()), atol=1)


def test_grey_of_12_bits_that_are_stored_as_12_is_as_bright_as_it_is_meant():
    samples = stored(scene(1), 12)[..., 0]
    pairs = samples.reshape(-1, 2).astype(int)
    packed = np.stack(
        [pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], axis=1
    )
    data = packed.astype(np.uint8).tobytes()
    tags = {256: 52, 257: 40, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 40, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    content = b"II*\0" + struct.pack("<I", 8 + len(data)) + data
    content += struct.pack("<H", len(tags)) + entries + bytes(4)
    photo = open_photo(content)
    assert photo.remarks == ()
    np.testing.assert_allclose(photo.pixels.astype(int), expected(scene(1)), atol=1)


@pytest.mark.parametrize("white", [255, 4095, 65535])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_deep_picture_whose_zeros_are_white_is_no_negative(order, white):
    samples = np.rint((1 - scene(1)) * white).astype(np.uint8 if white == 255 else np.uint16)
    assert_looks(tiff_file(samples, Kind(order, photometric=0)), scene(1))


@pytest.mark.slow
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packing", ["none", "deflate", "packbits"])
@pytest.mark.parametrize("tile", [0, 16])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_planes_that_lie_apart_are_put_together(order, packing, tile, bits):
    kinds = [(3, {}), (4, {338: (2,)})]
    if bits > 8:  # Pillow refuses five planes of 8 bits
        kinds += [(5, {338: (0, 0)})]
    for colours, extra in kinds:
        values = np.concatenate([scene(4), scene(1)], axis=2)[..., :colours]
        samples = np.rint(values * 255).astype(np.uint8) if bits == 8 else stored(values, bits)
        for difference in (False, True) if packing == "deflate" else (False,):
            assert_looks(tiff_file(samples, Kind(order, True, packing, tile, difference, tags=extra)), values)


def test_planes_keep_the_alpha_of_their_own():
    values = scene(4)
    values[:20, :, 3] = 0
    pixels = open_photo(tiff_file(stored(values, 16), Kind(apart=True, tags={338: (2,)}))).pixels
    assert (pixels[:20] == 255).all()
    np.testing.assert_allclose(pixels[20:].astype(int), expected(values)[20:], atol=1)


@pytest.mark.parametrize("alpha_bits", [12, 16])
def test_few_bits_that_are_multiplied_by_their_alpha_are_as_bright_as_they_are_meant(alpha_bits):
    values = scene(4)
    alpha = np.where(np.arange(40) < 20, 1.0, 0.5)[:, None]
    samples = stored(values * alpha[..., None], 12)
    samples[..., 3] = np.rint(alpha * ((1 << alpha_bits) - 1))
    pixels = open_photo(tiff_file(samples, Kind(tags={338: (1,)}))).pixels
    on_white = expected(values) * alpha[..., None] + 255 * (1 - alpha[..., None])
    np.testing.assert_allclose(pixels.astype(int), on_white, atol=3)


def test_planes_of_grey_and_of_inks_open():
    assert_looks(tiff_file(stored(scene(2), 16), Kind(apart=True, photometric=1, tags={338: (2,)})), scene(2))
    inks = np.concatenate([1 - scene(3), np.zeros((40, 52, 1))], axis=2)
    assert_looks(tiff_file(stored(inks, 16), Kind(apart=True, photometric=5)), scene(3), 2)


@pytest.mark.parametrize("length", [60, 300, 3000, -40])
def test_planes_that_are_cut_off_end_in_a_sentence(length):
    content = tiff_file(stored(scene(), 16), Kind(apart=True))
    end = content[:8][4:8]
    for cut in (content[:length], content[: struct.unpack("<I", end)[0] + 30]):
        with pytest.raises(PhotoError, match=r"\.$"):
            open_photo(cut, "a.tif")


@pytest.mark.slow
@pytest.mark.parametrize("colours", [1, 2, 3, 4])
def test_a_large_picture_of_few_bits_is_shrunk_like_one_of_8(colours):
    values = scene(colours, 2001, 2603)
    deep = open_photo(png_of(stored(values, 12))).pixels
    flat = np.rint(expected(values)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(flat).save(buffer, "PNG", compress_level=1)
    plain = open_photo(buffer.getvalue()).pixels
    assert deep.shape == plain.shape
    assert np.abs(deep.astype(int) - plain).max() <= 2


def test_pillow_images_of_few_bits_are_said_too():
    photo = open_photo(Image.fromarray(stored(scene(1), 10)[..., 0]))
    assert "10 of the 16" in str(photo.remarks[0])
    np.testing.assert_allclose(photo.pixels.astype(int), expected(scene(1)), atol=1)


@pytest.mark.parametrize(
    ("used", "told", "bits", "is_told"),
    [
        (0, None, 16, True),
        (200, None, 8, False),
        (256, None, 10, False),
        (4095, None, 12, False),
        (16384, None, 16, False),
        (4095, ToldDepth(12), 12, True),
        (4096, ToldDepth(12), 14, False),
        (0x0FF0, ToldDepth(12, is_high=True), 16, True),
        (0x0FF1, ToldDepth(12, is_high=True), 12, True),
        (7, ToldDepth(0), 8, False),
    ],
)
def test_the_depth_is_what_the_file_says_if_the_samples_fit_else_the_next_that_devices_have(
    used, told, bits, is_told
):
    depth = depth_of(used, told)
    assert (depth.bits, depth.is_told) == (bits, is_told)
