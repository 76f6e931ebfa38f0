"""HEIC photos open where pillow-heif is installed, within the same limits as others; elsewhere they are
called by their name."""

from __future__ import annotations

import io
import struct
import sys

import numpy as np
import pillow_heif
import pytest
from helpers.forked_costs import PHOTOS, costs
from PIL import Image

from attnviz import PhotoError, open_photo
from attnviz.photos.file_kinds import other_kind

MEGABYTES, SECONDS = 300, 3


def box(own: bytes, *others: bytes) -> bytes:
    return struct.pack(">I", 16 + 4 * len(others)) + b"ftyp" + own + bytes(4) + b"".join(others)


NAMED = [(b"heic", b"mif1", b"heic"), (b"mif1", b"heic"), (b"msf1", b"hevc"), (b"heix",), (b"mif1",)]


@pytest.mark.parametrize("named", NAMED, ids=lambda named: " ".join(brand.decode() for brand in named))
def test_where_none_can_be_opened_each_is_called_heic(named):
    error = other_kind(box(*named) + bytes(300), "IMG_1.HEIC", opens_heic=False)
    assert "“IMG_1.HEIC” is a HEIC photo" in str(error) and "JPEG" in str(error)


def test_without_the_package_the_sentence_is_heard(monkeypatch):
    monkeypatch.setattr("attnviz.photos.picture_file.can_open_heic", lambda: False)  # it is not installed
    with pytest.raises(PhotoError, match="is a HEIC photo"):
        open_photo(box(b"heic", b"mif1", b"heic") + bytes(300), "IMG_1.HEIC")


def heic(picture: Image.Image, **options) -> bytes:
    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    picture.save(buffer, "HEIF", quality=90, enc_params={"preset": "ultrafast"}, **options)
    return buffer.getvalue()


def picture(width: int = 320, height: int = 240) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.slow
def test_a_heic_opens_with_its_colours():
    pixels = open_photo(heic(picture()), "IMG_1.HEIC").pixels
    assert np.abs(pixels.astype(int) - np.asarray(picture())).mean() < 6


@pytest.mark.slow
@pytest.mark.parametrize(("orientation", "undone"), [(3, 3), (6, 2), (8, 4)])
def test_a_heic_is_turned_upright_once(orientation, undone):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = picture().transpose(Image.Transpose(undone))
    pixels = open_photo(heic(stored, exif=exif.tobytes())).pixels
    assert pixels.shape == (240, 320, 3)
    assert np.abs(pixels.astype(int) - np.asarray(picture())).mean() < 6


@pytest.mark.slow
@pytest.mark.parametrize("length", [20, 100, 400, 900])
def test_a_heic_that_is_cut_off_ends_in_a_sentence(length):
    with pytest.raises(PhotoError, match=r"“a.heic”.*\.$"):
        open_photo(heic(picture())[:length], "a.heic")


@pytest.mark.slow
def test_of_several_pictures_the_first_is_shown():
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "lime")]
    content = heic(frames[0], save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(open_photo(content).pixels[30, 30], (255, 0, 0), atol=16)


def hostile() -> dict[str, bytes]:
    """Small files that lie of their size, or are as large as may be."""
    small = heic(picture(64, 64))
    size = b"ispe" + bytes(4)
    told = small.replace(size + struct.pack(">II", 64, 64), size + struct.pack(">II", 30_000, 20_000))
    fits = small.replace(size + struct.pack(">II", 64, 64), size + struct.pack(">II", 5_600, 4_200))
    return {
        "claims.heic": told,
        "claims-little.heic": fits,
        "large.heic": heic(Image.new("RGB", (5_600, 4_200), "teal")),
        "too-large.heic": heic(Image.new("RGB", (8_000, 6_000), "teal")),
    }


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_every_hostile_heic_ends_within_the_limits(tmp_path):
    paths = []
    for name, content in hostile().items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(content)
    answers = {path.name: cost for path, cost in zip(paths, costs(paths, PHOTOS, SECONDS), strict=True)}
    for name, cost in answers.items():
        assert cost.outcome != "crash" and cost.megabytes < MEGABYTES, (name, cost)
    assert "megapixels" in answers["too-large.heic"].outcome
    assert answers["large.heic"].outcome == "1225x1633x3"
