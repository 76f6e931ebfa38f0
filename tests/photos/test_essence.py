"""A file is reduced to what decoding needs: nothing that is seen changes, and no metadata is left."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from helpers.checkout import SHARED
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from attnviz import PhotoError, open_photo
from attnviz.photos.essence import essence
from attnviz.photos.jpeg_parts import MOST_SCANS
from attnviz.photos.orientation import told_orientation

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))
SECRET = b"SECRET " * 40


def saved(kind: str, picture: Image.Image = PICTURE, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def with_exif(orientation: int = 6) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()
    return exif


def segment(code: int, content: bytes) -> bytes:
    return bytes((0xFF, code)) + struct.pack(">H", 2 + len(content)) + content


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def directory(*entries: tuple[int, int, int, int]) -> bytes:
    """A TIFF's header and one directory of (tag, type, amount, value)."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + packed + bytes(4)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_metadata_goes_and_its_orientation_is_told(kind):
    content = saved(kind, exif=with_exif())
    reduced = essence(content, "a")
    assert SECRET.strip() in content and SECRET.strip() not in reduced.content
    assert reduced.orientation == 6
    assert open_photo(content).pixels.shape == (60, 40, 3)


@pytest.mark.parametrize(
    "content",
    [
        saved("JPEG", quality=90),
        saved("JPEG", progressive=True, comment=SECRET),
        saved("PNG", pnginfo=PngInfo()),
        saved("WEBP", lossless=True),
        saved("GIF", PICTURE.quantize(32), comment=SECRET),
        saved("TIFF", compression="tiff_lzw", description=SECRET.decode()),
        saved("TIFF", big_tiff=True),
    ],
    ids=["JPEG", "progressive JPEG", "PNG", "WebP", "GIF", "TIFF", "BigTIFF"],
)
def test_what_is_seen_stays_as_it_was(content):
    decoded = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    np.testing.assert_array_equal(open_photo(content).pixels, decoded)


def test_of_an_animation_the_first_frame_is_left():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    for kind in ("GIF", "WEBP", "PNG"):
        content = saved(kind, frames[0], save_all=True, append_images=frames[1:], duration=50)
        with Image.open(io.BytesIO(essence(content, "a").content)) as reduced:
            assert getattr(reduced, "n_frames", 1) == 1
        np.testing.assert_allclose(open_photo(content).pixels[4, 4], (255, 0, 0), atol=4)


def test_comments_between_scans_go_and_what_stands_behind_the_picture_too():
    content = saved("JPEG", progressive=True)
    second = content.index(b"\xff\xda", content.index(b"\xff\xda") + 2)
    padded = content[:second] + segment(0xFE, SECRET) + content[second:] + SECRET
    assert essence(padded, "a").content == essence(content, "a").content


def test_empty_parts_of_a_png_go():
    content = saved("PNG")
    place = content.index(b"IDAT") - 4
    assert essence(content[:place] + 1000 * chunk(b"IDAT", b"") + content[place:], "a").content == content


def too_many_scans() -> bytes:
    content = saved("JPEG", progressive=True)
    return content[:-2] + (MOST_SCANS + 1) * (segment(0xDA, b"\x01\x01\0\0\x3f\0")) + content[-2:]


@pytest.mark.parametrize(
    "content",
    [
        too_many_scans(),
        b"\xff\xd8" + 60_000 * segment(0xFE, b""),
        saved("PNG")[:-12] + 60_000 * chunk(b"tEXt", b"a\0b"),
        b"RIFF" + bytes(4) + b"WEBP" + 60_000 * b"XMP \0\0\0\0",
        saved("GIF", PICTURE.quantize(4))[:25] + 60_000 * b"\x21\xfe\x01a\0",
        directory((256, 4, 1, 50_000), (257, 4, 1, 900), (322, 4, 1, 1), (323, 4, 1, 1)),
        directory((256, 4, 1, 64), (257, 4, 1, 64), (322, 4, 1, 65_520), (323, 4, 1, 65_520)),
        directory((273, 4, 10_000_000, 8)),
        directory((34675, 7, 19_000_000, 8)),
    ],
    ids=["scans", "comments", "texts", "XMP", "GIF comments", "tiles of 1", "a tile", "strips", "a profile"],
)
def test_a_file_of_too_many_parts_is_refused(content):
    with pytest.raises(PhotoError, match="more parts inside"):
        essence(content, "a.jpg")


def test_tags_that_share_their_bytes_are_not_read():
    shared = directory(*((40_000 + tag, 7, 19_000_000, 8) for tag in range(400)))
    assert len(essence(shared, "a").content) < 2 * len(shared)
    block = b"Exif\0\0" + directory(
        *((40_000 + tag, 7, 3_000_000, 8) for tag in range(400)), (0x0112, 3, 1, 8)
    )
    assert told_orientation(block) == 8


@pytest.mark.parametrize("orientation", [0, 9, 70_000])
def test_an_orientation_that_can_not_be_is_none(orientation):
    assert told_orientation(directory((0x0112, 4, 1, orientation))) == 1


@pytest.mark.parametrize("text", [b'tiff:Orientation="8"', b"<tiff:Orientation>8</tiff:Orientation>"])
def test_the_orientation_of_xmp_counts(text):
    assert told_orientation(b"<x:xmpmeta " + text) == 8


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_a_file_that_is_cut_off_anywhere_ends_in_a_picture_or_a_sentence(kind):
    content = saved(kind, PICTURE.quantize(16) if kind == "GIF" else PICTURE)
    for length in (*range(2, 120, 7), *range(120, len(content), max(1, len(content) // 40))):
        try:
            assert open_photo(content[:length]).pixels.ndim == 3
        except PhotoError as error:
            assert str(error).endswith(".")


if (SHARED / "hostile-images").is_dir():
    FILES = sorted(path for path in (SHARED / "hostile-images" / "files").iterdir())

    @pytest.mark.parametrize("path", FILES, ids=lambda path: ascii(path.name)[:40])
    def test_hostile_pictures_end_in_a_picture_or_a_sentence(path):
        try:
            assert open_photo(path).pixels.ndim == 3
        except PhotoError as error:
            assert str(error).endswith(".") and "\n" not in str(error)
