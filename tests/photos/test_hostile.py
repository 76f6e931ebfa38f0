"""No picture takes much memory or time, whatever its bytes say, and nothing but our sentence is printed."""

from __future__ import annotations

import struct
import sys
import warnings
import zlib

import numpy as np
import pytest
from helpers.forked_costs import PHOTOS, costs
from helpers.hostile_pictures import (
    bmp,
    chain,
    chunk,
    jpeg,
    noise,
    pictures,
    png,
    profile,
    saved,
    scan,
    segment,
    tiff,
)
from PIL import Image

from attnviz import PhotoError, open_photo
from attnviz.photos.colour_profile import bounded_profile
from attnviz.photos.essence import essence

MEGABYTES, SECONDS = 300, 3  # beside the file itself; of a processor


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_every_hostile_picture_ends_within_the_limits(tmp_path):
    paths = []
    for name, content in pictures():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(content)
    for path, cost in zip(paths, costs(paths, PHOTOS, SECONDS), strict=True):
        assert cost.outcome != "crash", path.name
        assert cost.megabytes < MEGABYTES + path.stat().st_size / 1e6, (path.name, cost)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_files_that_their_structure_bounds_are_decoded_here(kind):
    assert essence(saved(kind, noise()), "a").is_bounded


@pytest.mark.parametrize(
    "content",
    [
        saved("WEBP", noise()),
        saved("AVIF", noise()),
        saved("TIFF", noise()),
        jpeg(0xCA, 80, 60, 1, [scan([1], 0, 0)]),
        png(8000, 6000, 16, 6, b""),
        bmp(80, 60, 1, b"\xff\1"),
    ],
    ids=["WebP", "AVIF", "TIFF", "arithmetic JPEG", "deep PNG", "BMP in runs"],
)
def test_other_files_are_decoded_apart(content):
    assert not essence(content, "a").is_bounded


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "TIFF"])
def test_pictures_that_are_decoded_apart_look_as_they_should(kind):
    options = {} if kind == "TIFF" else {"quality": 95}
    picture = noise(8, 6).resize((400, 300), Image.Resampling.BICUBIC)
    pixels = open_photo(saved(kind, picture, **options)).pixels
    assert np.abs(pixels.astype(int) - np.asarray(picture)).mean() < 4


@pytest.mark.parametrize("frame", [0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF])
def test_lossless_and_hierarchical_jpegs_are_refused(frame):
    content = jpeg(frame, 800, 600, 3, [scan([1, 2, 3], 1, 0)])
    for hidden_by in (b"", b"\xff\x01", segment(0xFE, b"")):
        with pytest.raises(PhotoError, match="rare kind"):
            open_photo(content[:2] + hidden_by + content[2:], "a.jpg")


def test_scans_that_libjpeg_must_keep_count_as_memory():
    apart = [scan([number], 0, 63) for number in (1, 2, 3)]
    for scans in (apart, apart[:1]):
        with pytest.raises(PhotoError, match="too many for this kind of JPEG"):
            open_photo(jpeg(0xC0, 8160, 6120, 3, scans), "a.jpg")


def test_runs_of_255_mean_one():
    content = saved("JPEG", noise())
    padded = content[:-2] + 1_000_000 * b"\xff" + content[-1:]
    assert len(essence(padded, "a").content) <= len(content) + 1
    np.testing.assert_array_equal(open_photo(padded).pixels, open_photo(content).pixels)


def test_gif_blocks_may_have_zeros_between_them():
    content = saved("GIF", Image.new("P", (9, 9)))
    frame = content.index(b",\0\0\0\0")
    padded = content[:frame] + bytes(5) + content[frame:]
    np.testing.assert_array_equal(open_photo(padded).pixels, open_photo(content).pixels)


def test_a_profile_loses_its_chains_and_keeps_its_colours():
    plain, chained = profile(), profile((b"D2B0", chain(50)), (b"D2B1", chain(50)))
    assert bounded_profile(plain) == plain
    bounded = bounded_profile(chained)
    assert bounded is not None and b"D2B" not in bounded
    for kind in ("JPEG", "PNG"):
        expected = open_photo(saved(kind, noise(), icc_profile=plain)).pixels
        np.testing.assert_array_equal(open_photo(saved(kind, noise(), icc_profile=chained)).pixels, expected)


@pytest.mark.parametrize("rubbish", [b"", bytes(131), profile()[:140], bytes(5_000_000)])
def test_what_is_no_profile_is_left_out(rubbish):
    assert bounded_profile(rubbish) is None


def test_a_png_with_too_large_a_profile_opens_without_it():
    row = zlib.compress(4 * (b"\0" + bytes(12)))
    huge = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(3_000_000)))
    assert open_photo(png(4, 4, 8, 2, row, huge)).pixels.shape == (4, 4, 3)


@pytest.mark.slow
@pytest.mark.parametrize("side", [10_000, 12_000, 20_000])
@pytest.mark.parametrize(
    "made",
    [
        lambda side: jpeg(0xC0, side, side, 1, [scan([1], 0, 63)]),
        lambda side: png(side, side, 8, 0, b""),
        lambda side: b"GIF89a" + struct.pack("<HHBBB", side, side, 0, 0, 0) + b";",
        lambda side: b"GIF89a\1\0\1\0\0\0\0," + struct.pack("<HHHHB", side, side, 9, 9, 0) + b"\2\1\0\0;",
        lambda side: bmp(side, side, 0, b""),
        lambda side: tiff((side, side), 1, b"", 1),
    ],
    ids=["JPEG", "PNG", "GIF", "GIF by its frame", "BMP", "TIFF"],
)
def test_of_a_picture_that_is_too_large_only_our_sentence_is_heard(made, side, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(PhotoError, match="megapixels"):
            open_photo(made(side), "large")
    assert capfd.readouterr() == ("", "")
