"""A file that is no picture to be opened here is called what it is."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from helpers.tiff_files import Kind, tiff_file
from PIL import Image

import attnviz
from attnviz.errors import PhotoError

KINDS = {  # a file's first bytes, and what it is called
    "JPEG XL": (b"\xff\x0a" + bytes(90), "a JPEG XL picture, which can't be opened"),
    "JPEG XL in a box": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(90), "a JPEG XL picture"),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(90), "a JPEG 2000 picture"),
    "Photoshop": (b"8BPS\0\x01" + bytes(90), "a Photoshop file"),
    "OpenEXR": (b"v/1\x01\x02" + bytes(90), "an OpenEXR picture"),
    "DICOM": (bytes(128) + b"DICM" + bytes(90), "a DICOM file"),
    "NIfTI": (struct.pack("<i", 348) + bytes(340) + b"n+1\0", "a NIfTI volume"),
    "PPM": (b"P6\n2 2\n255\n" + bytes(12), "a Netpbm picture"),
    "an icon": (b"\0\0\x01\0\x01\0" + bytes(90), "an icon"),
    "HEIF of AVC": (b"\0\0\0\x18ftypavci\0\0\0\0mif1avci" + bytes(90), "a HEIF picture of a rare coding"),
    "AVI": (b"RIFF\0\0\0\0AVI LIST" + bytes(90), "a video"),
    "an old film": (b"\0\0\0\x08wide\0\0\0\0mdat" + bytes(90), "a video"),
    "a sound": (b"RIFF\0\0\0\0WAVEfmt " + bytes(90), "a sound, not a picture"),
    "a drawing behind a comment": (b"<!-- made -->\n<svg></svg>", "an SVG drawing"),
    "another XML": (b'<?xml version="1.0"?>\n<!DOCTYPE plist>\n<plist/>', "a text, not a picture"),
    "a text": (b"a,b\n1,2\n", "a text, not a picture"),
    "a text behind a byte order mark": (
        b"\xef\xbb\xbf" + b"ab" + "🙂".encode() * 600,
        "a text, not a picture",
    ),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "an array": (b"\x93NUMPY\x01\0" + bytes(90), "a NumPy array"),
    "weights": (struct.pack("<Q", 90) + b'{"a": 1}' + bytes(90), "a file of weights"),
    "zeros": (bytes(1000), "is damaged or cut off"),
    "the beginning of a JPEG": (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "is damaged or cut off"),
    "the beginning of a PNG": (b"\x89PNG\r\n\x1a\n", "is damaged or cut off"),
    "the beginning of a GIF": (b"GIF89a", "is damaged or cut off"),
    "the beginning of an AVIF": (b"\0\0\0\x1cftypavif\0\0\0\0mif1avif" + bytes(90), "is damaged or cut off"),
    "nothing known": (b"\x01\x9f\xee" * 50, "is not a picture that can be opened"),
}


@pytest.mark.parametrize(("content", "words"), KINDS.values(), ids=KINDS)
def test_a_file_of_another_kind_is_called_what_it_is(content, words):
    with pytest.raises(PhotoError) as caught:
        attnviz.open_photo(content, "a.jpg")
    assert words in str(caught.value)


def of_twelve_bits() -> bytes:
    """A JPEG whose frame says that it has 12 bits a sample."""
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG")
    content = bytearray(stream.getvalue())
    content[content.index(b"\xff\xc0") + 4] = 12
    return bytes(content)


def test_a_jpeg_of_twelve_bits_is_of_a_rare_kind():
    with pytest.raises(PhotoError, match="more than 8 bits"):
        attnviz.open_photo(of_twelve_bits())


GREY = np.zeros((8, 8, 1), np.uint8)
RARE = {
    "floats in colour": (np.zeros((8, 8, 3), np.float32), Kind(tags={339: (3, 3, 3)}), "SampleFormat 3"),
    "two channels": (np.zeros((8, 8, 2), np.uint8), Kind(photometric=1), "2 of 8 bits"),
    "thirteen channels": (np.zeros((8, 8, 13), np.uint8), Kind(photometric=1), "13 of 8 bits"),
    "signed bytes": (GREY, Kind(photometric=1, tags={339: (2,)}), "SampleFormat 2"),
    "packed as WebP": (GREY, Kind(photometric=1, tags={259: (50001,)}), "Compression 50001"),
    "luma and chroma, not packed": (np.zeros((8, 8, 3), np.uint8), Kind(photometric=6), "3 of 8 bits"),
}


@pytest.mark.parametrize(("samples", "kind", "words"), RARE.values(), ids=RARE)
def test_a_tiff_of_samples_that_can_not_be_read_is_not_called_damaged_alone(samples, kind, words):
    with pytest.raises(PhotoError, match="whose samples can't be read here") as caught:
        attnviz.open_photo(tiff_file(samples, kind))
    assert words in str(caught.value)


@pytest.mark.parametrize(("greatest", "white"), [(32_767, 32_767), (4_095, 4_095)])
def test_signed_samples_have_fifteen_bits_or_fewer(greatest, white):
    samples = np.linspace(0, greatest, 64).astype(np.uint16).reshape(8, 8, 1)
    photo = attnviz.open_photo(tiff_file(samples, Kind(photometric=1, tags={339: (2,)})))
    assert np.abs(photo.pixels[..., 0] - samples[..., 0] * (255 / white)).max() <= 1


def test_a_picture_a_little_too_large_says_by_how_much():
    with pytest.raises(PhotoError, match=r"50\.4 megapixels, more than 50"):
        attnviz.photos.limits.check_size((7000, 7200), "a.png")
