from __future__ import annotations

import io
import json
import sys

import numpy as np
import pytest
from helpers.checkout import SHARED
from helpers.forked_costs import PHOTOS, costs
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from attnviz import PhotoError, open_photo
from attnviz.photos.decoding import KEPT_PIXELS
from attnviz.photos.limits import MAX_BYTES
from attnviz.photos.photo import display_name

AWKWARD = SHARED / "awkward-images"
RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (30, 30, 220)


def corners(size: tuple[int, int] = (240, 160)) -> Image.Image:
    """Red top left, green top right, blue bottom left, grey bottom right."""
    picture = Image.new("RGB", size, (90, 90, 90))
    width, height = size
    picture.paste(RED, (0, 0, width // 2, height // 2))
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    return picture


def saved(picture: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def assert_corners(pixels: np.ndarray, tolerance: int = 12) -> None:
    height, width = pixels.shape[:2]
    for row, column, colour in ((1, 1, RED), (1, 3, GREEN), (3, 1, BLUE)):
        np.testing.assert_allclose(pixels[row * height // 4, column * width // 4], colour, atol=tolerance)


if AWKWARD.is_dir():
    MANIFEST = json.loads((AWKWARD / "manifest.json").read_text(encoding="utf-8"))["files"]

    @pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"])
    def test_every_awkward_file_does_what_its_manifest_says(entry):
        try:
            photo = open_photo(AWKWARD / "files" / entry["file"])
        except PhotoError as error:
            assert entry["expect"] in ("clear_error", "either")
            assert str(AWKWARD) not in str(error) and str(error).endswith(".") and "\n" not in str(error)
            return
        assert entry["expect"] in ("opens", "either")
        if "size" in entry:
            assert photo.width / photo.height == pytest.approx(entry["size"][0] / entry["size"][1], rel=0.02)
        if entry.get("corners"):
            assert_corners(photo.pixels)
        if entry.get("ramp"):
            row = photo.pixels[photo.height // 2, :, 0].astype(int)
            assert row[0] < 20 and row[-1] > 235 and (np.diff(row) >= 0).all()
        if "not_colour" in entry:
            assert tuple(photo.pixels[0, 0]) != tuple(entry["not_colour"])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_every_allowed_kind_opens_with_its_colours(kind):
    assert_corners(open_photo(saved(corners(), kind)).pixels, tolerance=20)


@pytest.mark.parametrize("kind", ["PPM", "ICO", "TGA", "PDF", "EPS", "JPEG2000"])
def test_a_picture_of_any_other_kind_is_refused(kind):
    with pytest.raises(PhotoError, match="“strange"):
        open_photo(saved(corners((64, 64)), kind), "strange.png")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "TIFF"])
def test_exif_orientation_is_applied(kind, orientation):
    turned = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[
        orientation
    ]  # the transpose that undoes each
    stored = corners() if turned is None else corners().transpose(Image.Transpose(turned))
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = open_photo(saved(stored, kind, exif=exif))
    assert (photo.width, photo.height) == (240, 160)
    assert_corners(photo.pixels)


def test_colour_modes_come_out_right():
    assert_corners(open_photo(saved(corners().convert("CMYK"), "JPEG")).pixels, tolerance=25)
    assert_corners(open_photo(saved(corners().convert("P", palette=Image.Palette.ADAPTIVE), "PNG")).pixels)
    grey = open_photo(saved(corners().convert("L"), "PNG")).pixels
    assert (grey[..., 0] == grey[..., 1]).all() and (grey[..., 1] == grey[..., 2]).all()
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (16, 1))
    np.testing.assert_allclose(
        open_photo(saved(Image.fromarray(ramp), "PNG")).pixels[0, :, 0], np.arange(256), atol=1
    )


def test_deep_samples_are_scaled_by_the_range_of_the_whole_picture():
    deep = np.full((2600, 2000), 200.0, np.float32)
    deep[:128] = 1.0
    assert open_photo(Image.fromarray(deep)).pixels[[0, -1], 0, 0].tolist() == [1, 200]
    assert open_photo(Image.new("L", (8, 8), 200).convert("I")).pixels[0, 0, 0] == 200
    keyed = Image.fromarray(np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (16, 1)))
    np.testing.assert_allclose(
        open_photo(saved(keyed, "PNG", transparency=0)).pixels[0, :, 0], np.arange(256), atol=1
    )
    for values in ([[np.nan, 0.5]], [[-1.0, 0.5]], [[0.5, 300.0]]):
        with pytest.raises(PhotoError, match="8- or 16-bit"):
            open_photo(Image.fromarray(np.array(values, np.float32)))


ONE_STRIP = {"compression": "tiff_lzw", "tiffinfo": {278: 9000}}
LARGE = [  # the kind, the mode, megapixels, how it is saved
    ("TIFF", "RGBA", 28, ONE_STRIP),
    ("TIFF", "RGBA", 48, ONE_STRIP),
    ("TIFF", "F", 28, ONE_STRIP),
    ("PNG", "RGBA", 48, {"compress_level": 1}),
    ("WEBP", "RGB", 16, {"method": 0}),
    ("JPEG", "RGB", 48, {"progressive": True}),
]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_picture_takes_more_than_300_mb(tmp_path):
    paths = []
    for kind, mode, megapixels, options in LARGE:
        height = int((megapixels * 1e6 * 0.75) ** 0.5)
        paths.append(tmp_path / f"{kind}-{mode}-{megapixels}")
        Image.new(mode, (int(height / 0.75), height)).save(paths[-1], kind, **options)
    answers = dict(zip(paths, costs(paths, PHOTOS), strict=True))
    refused = [path.name for path, cost in answers.items() if cost.outcome.endswith(".")]
    assert refused == ["TIFF-RGBA-48"]
    for path, cost in answers.items():
        assert cost.outcome != "crash" and cost.megabytes < 300, (path.name, cost)


def test_transparency_is_laid_on_white():
    picture = corners().convert("RGBA")
    picture.putalpha(0)
    assert (open_photo(saved(picture, "PNG")).pixels == 255).all()
    picture.putalpha(128)
    np.testing.assert_allclose(open_photo(saved(picture, "PNG")).pixels[40, 60], (237, 142, 142), atol=2)


def test_a_wide_gamut_is_brought_to_srgb():
    lab = ImageCms.createProfile("LAB")
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert_corners(open_photo(saved(corners(), "PNG", icc_profile=swapped)).pixels, tolerance=3)
    stored = ImageCms.profileToProfile(corners(), ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
    assert_corners(open_photo(saved(stored, "TIFF")).pixels)
    assert_corners(open_photo(saved(corners(), "PNG", icc_profile=b"no profile")).pixels, tolerance=1)


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("white", "black", "black")]
    for kind in ("GIF", "WEBP"):
        assert open_photo(saved(frames[0], kind, save_all=True, append_images=frames[1:])).pixels.mean() > 250


def test_no_metadata_survives():
    exif = Image.Exif()
    exif[0x010E], exif.get_ifd(0x8825)[2] = "<script>secret</script>", (52.0, 31.0, 12.0)
    text = PngInfo()
    text.add_text("Comment", "secret")
    for content in (saved(corners(), "JPEG", exif=exif), saved(corners(), "PNG", pnginfo=text)):
        again = open_photo(content).image()
        assert not again.info and not again.getexif()
        assert b"secret" not in saved(again, "PNG")


def test_a_large_photo_is_shrunk_and_keeps_its_shape():
    photo = open_photo(saved(corners((3000, 1500)), "JPEG"))
    assert photo.width * photo.height <= KEPT_PIXELS * 1.01
    assert photo.width / photo.height == pytest.approx(2, rel=0.01)
    assert_corners(photo.pixels)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["RGBA", "P", "1", "LA", "I;16"])
def test_large_pictures_of_odd_modes_are_shrunk_alike(mode):
    picture = corners((2600, 2000))
    source = (
        Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
        if mode == "I;16"
        else picture.convert(mode)
    )
    expected = np.asarray(
        picture.convert("L" if mode not in ("RGBA", "P") else "RGB").convert("RGB").resize((1612, 1240))
    )
    shrunk = np.asarray(open_photo(saved(source, "PNG")).image().resize((1612, 1240)))
    error = np.abs(shrunk.astype(int) - expected)[100:1100:50, 100:1500:50]
    assert np.median(error) <= (60 if mode == "1" else 6)  # one bit is dithered


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(50), "video"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (b"%PDF-1.7 ", "PDF"),
        (b"PK\x03\x04" + bytes(40), "zip"),
        (b"hello, I am a text", "not a picture"),
        (saved(corners(), "PNG")[:300], "damaged"),
        (saved(corners((700, 20)), "PNG"), "30 times"),
        (saved(Image.new("1", (9000, 9000)), "PNG"), "megapixels"),
        (b"\xff" * (MAX_BYTES + 1), "20 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_refused_says_why_in_one_sentence(content, words):
    with pytest.raises(PhotoError, match=words) as caught:
        open_photo(content, "mine.png")
    assert "“mine.png”" in str(caught.value) and str(caught.value).endswith(".")


@pytest.mark.slow
def test_a_progressive_jpeg_that_would_fill_the_memory_is_refused_before_decoding():
    content = saved(Image.new("RGB", (8000, 6000)), "JPEG", progressive=True, subsampling=0)
    with pytest.raises(PhotoError, match="plain JPEG"):
        open_photo(content, "mine.jpg")


def test_what_is_not_there_is_named_without_its_folder(tmp_path):
    for path in (tmp_path / "gone.jpg", tmp_path):
        with pytest.raises(PhotoError) as caught:
            open_photo(path)
        assert path.name in str(caught.value) and str(path.parent) not in str(caught.value)
    with pytest.raises(PhotoError):
        open_photo("with\0nul.jpg")


def test_arrays_and_pillow_images_open_and_stay_as_they_are(noise):
    before = noise.copy()
    photo = open_photo(noise)
    assert np.array_equal(photo.pixels, before) and photo.pixels is not noise
    picture = Image.fromarray(noise)
    assert np.array_equal(open_photo(picture).pixels, before) and np.array_equal(np.asarray(picture), before)
    for wrong in (noise.astype(np.float32), noise[..., 0], noise.transpose(2, 0, 1)):
        with pytest.raises(PhotoError, match="uint8"):
            open_photo(wrong)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("/etc/passwd", "passwd"),
        (r"C:\photos\cat.jpg", "cat.jpg"),
        ("a\nb\x00c.png", "abc.png"),
        ("", "picture"),
        ("Zoë 😀 фото.png", "Zoë 😀 фото.png"),
    ],
)
def test_names_are_shown_without_folders_or_control_characters(name, shown):
    assert display_name(name) == shown
    assert len(display_name("x" * 500 + ".png")) <= 80
