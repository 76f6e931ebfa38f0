"""An untrusted file becomes an upright, bounded RGB ``Photo``."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from ..errors import PhotoError
from ..languages.catalogue import Phrase

MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
MAX_ASPECT = 30
KEPT_PIXELS = 2_000_000  # a Photo is shrunk to this: sharp on a projector, 6 MB in memory
MAX_DECODER_BYTES = 230_000_000

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")

# Memory that opening takes for each pixel, in bytes, where it is much: WebP keeps two RGBA canvases, AVIF
# 4:4:4 planes, and a TIFF may be one single strip that lies decoded beside Pillow's picture.
DECODER_BYTES = {"WEBP": 13, "AVIF": 7, "TIFF": 8}


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture as a person sees it: upright sRGB, no metadata, at most two megapixels."""

    pixels: np.ndarray  # (H, W, 3) uint8
    name: str  # the file's name without its folder, for titles

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.pixels.shape[0]

    def image(self) -> Image.Image:
        """The photo as a new Pillow image, mode RGB."""
        return Image.fromarray(self.pixels)


def open_photo(
    source: str | os.PathLike | bytes | Image.Image | np.ndarray, name: str | None = None
) -> Photo:
    """A Photo from a path, a file's bytes, a Pillow image or an (H, W, 3) uint8 array.

    The kind of a file is told by its content. EXIF orientation is applied, colour profiles are converted to
    sRGB, 16 bits are scaled to 8, transparency is laid on white, and of an animation the first frame is
    taken. ``name`` replaces the file's own. Raises PhotoError, one sentence, for whatever can't be opened:
    over 20 MB, over 50 megapixels, more than 30 times as long as wide, damaged, or not one of the formats
    JPEG, PNG, WebP, AVIF, GIF, BMP and TIFF."""
    if isinstance(source, np.ndarray):
        return _from_array(source, name or "array")
    if isinstance(source, Image.Image):
        name = name or "picture"
        _check_size(source.size, name)
        return _decoded(source, name)
    if isinstance(source, bytes):
        name, content = display_name(name or "picture"), source
    else:
        name = display_name(name or os.path.basename(os.fspath(source)))
        content = _read(Path(source), name)
    return _from_bytes(content, name)


def display_name(name: str) -> str:
    """A file's name fit for a title: printable, without folders, at most 80 characters."""
    name = "".join(c for c in name.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable()) or "picture"
    return name if len(name) <= 80 else f"{name[:60]}…{name[-19:]}"


def _read(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PhotoError("photo_too_large", name=name, limit=MAX_BYTES // 1_000_000)
        return path.read_bytes()
    except IsADirectoryError:
        raise PhotoError("photo_is_folder", name=name) from None
    except (OSError, ValueError):
        raise PhotoError("file_unreadable", name=name) from None


def _from_bytes(content: bytes, name: str) -> Photo:
    if len(content) > MAX_BYTES:
        raise PhotoError("photo_too_large", name=name, limit=MAX_BYTES // 1_000_000)
    refused = _other_kind(content, name)
    if refused is not None:
        raise refused
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError("photo_claims_too_many_pixels", name=name, limit=MAX_PIXELS // 1_000_000) from None
    except Exception:  # decoders raise what they like: OSError, SyntaxError, ValueError, struct.error, …
        raise PhotoError("photo_unknown", name=name) from None
    with image:
        _check_size(image.size, name)
        _check_decoder(image, name)
        scale = (KEPT_PIXELS / (image.width * image.height)) ** 0.5
        if image.format in ("JPEG", "MPO") and scale < 1:
            image.draft(image.mode, (round(image.width * scale), round(image.height * scale)))
        return _decoded(image, name)


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise PhotoError("photo_without_pixels", name=name, width=width, height=height)
    if width * height > MAX_PIXELS:
        raise PhotoError(
            "photo_too_many_pixels",
            name=name,
            megapixels=f"{width * height / 1e6:.0f}",
            limit=MAX_PIXELS // 1_000_000,
        )
    if max(size) > MAX_ASPECT * min(size):
        raise PhotoError("photo_too_long", name=name, limit=MAX_ASPECT)


def _check_decoder(image: Image.Image, name: str) -> None:
    pixels = image.width * image.height
    needed = DECODER_BYTES.get(image.format or "", 0) * pixels
    if image.info.get("progressive"):  # libjpeg holds every coefficient of a progressive JPEG, two bytes each
        layers = getattr(image, "layer", [])
        most = max((h * v for _, h, v, _ in layers), default=1)
        needed = int(sum(2 * pixels * h * v / most for _, h, v, _ in layers))
    if needed > MAX_DECODER_BYTES:
        raise PhotoError(
            "photo_costs_too_much", name=name, megapixels=f"{pixels / 1e6:.0f}", format=str(image.format)
        )


def _decoded(image: Image.Image, name: str) -> Photo:
    try:
        image.load()
        profile = image.info.get("icc_profile")
        orientation = _orientation(image)
        upright = _to_rgb(_shrunk(_eight_bit(image, name)), profile)
    except PhotoError:
        raise
    except (Image.DecompressionBombError, MemoryError):
        raise PhotoError("photo_out_of_memory", name=name) from None
    except Exception:
        raise PhotoError("photo_damaged", name=name) from None
    if orientation is not None:
        upright = upright.transpose(orientation)
    return Photo(np.array(upright), name)


def _from_array(array: np.ndarray, name: str) -> Photo:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise PhotoError("array_not_photo", array=f"{array.shape} {array.dtype}")
    _check_size((array.shape[1], array.shape[0]), name)
    return Photo(np.array(_shrunk(Image.fromarray(array))), name)


def _shrunk(image: Image.Image) -> Image.Image:
    """At most KEPT_PIXELS, RGB or the mode it came in. Large pictures go strip by strip, so that no full-size
    copy is made."""
    scale = (KEPT_PIXELS / (image.width * image.height)) ** 0.5
    if scale >= 1:
        return image
    target = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    factor = int(1 / scale)
    if factor >= 2:
        image = _reduced(image, factor)
    return _resizable(image).resize(
        target, Image.Resampling.BOX if min(target) == 1 else Image.Resampling.BICUBIC
    )


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    rows = 64 * factor
    strips = [
        _resizable(image.crop((0, top, image.width, min(top + rows, image.height)))).reduce(
            (min(factor, image.width), factor)
        )
        for top in range(0, image.height, rows)
    ]
    whole = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    for index, strip in enumerate(strips):
        whole.paste(strip, (0, index * 64))
    return whole


def _resizable(image: Image.Image) -> Image.Image:
    """The image in a mode whose values can be averaged: no palettes, no colour keys, no single bits."""
    if image.mode in ("P", "PA") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("L") if image.mode == "1" else image


def _eight_bit(image: Image.Image, name: str) -> Image.Image:
    """Grey of 16 or 32 bits or floats, scaled to 8 bits by the range of the whole picture; any other image as
    it is."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    strips = [(top, min(top + 256, image.height)) for top in range(0, image.height, 256)]
    ranges = []
    for top, bottom in strips:
        values = np.asarray(image.crop((0, top, image.width, bottom)))
        if not np.isfinite(values).all():
            raise PhotoError("photo_has_nan", name=name)
        ranges.append((float(values.min()), float(values.max())))
    scale = _sample_scale(image.mode, min(low for low, _ in ranges), max(high for _, high in ranges))
    if scale is None:
        raise PhotoError("photo_samples_out_of_range", name=name)
    grey = Image.new("L", image.size)
    for top, bottom in strips:
        values = np.asarray(image.crop((0, top, image.width, bottom))).astype(np.float32)
        grey.paste(Image.fromarray(np.rint(values * scale).astype(np.uint8)), (0, top))
    return grey


def _sample_scale(mode: str, least: float, greatest: float) -> float | None:
    """What brings samples to 0 to 255: they are taken as 0 to 1 (floats only), 0 to 255 or 0 to 65535,
    whichever holds them; None if none does."""
    if mode == "F" and least >= 0 and greatest <= 1:
        return 255.0
    if mode in ("F", "I") and least >= 0 and greatest <= 255:
        return 1.0
    if mode != "F" and least >= 0 and greatest <= 65535:
        return 1 / 257
    return None


def _to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    image = _resizable(image)
    if image.mode == "LAB":
        source = ImageCms.createProfile("LAB")
        return _converted(image, source)
    if image.mode in ("RGBA", "LA", "La", "RGBa"):
        image = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode)).convert("RGBA")
        alpha = image.getchannel("A")
        image = _in_srgb(image.convert("RGB"), profile)
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=alpha)
        return white
    return _in_srgb(image, profile)


def _converted(
    image: Image.Image, source: ImageCms.ImageCmsProfile | ImageCms.core.CmsProfile
) -> Image.Image:
    made = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    return image.convert("RGB") if made is None else made  # None only when asked to work in place


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile and image.mode in ("RGB", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return _converted(image, source)
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a damaged or foreign profile: the samples are taken as sRGB, as browsers do
    return image.convert("RGB")


ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(image: Image.Image) -> Image.Transpose | None:
    try:
        return ORIENTATIONS.get(image.getexif().get(0x0112, 1))
    except Exception:  # garbage where EXIF should be: the picture itself may be fine
        return None


def _other_kind(content: bytes, name: str) -> PhotoError | None:
    """The error that a file of a well-known other kind is, or None: what to do differs from kind to kind."""
    start = content[:512].lstrip()
    lower = start.lower()
    if not content:
        return PhotoError("photo_empty", name=name)
    if content[4:8] == b"ftyp" and content[8:12] in (
        b"heic",
        b"heix",
        b"hevc",
        b"heim",
        b"heis",
        b"mif1",
        b"msf1",
    ):
        return PhotoError("photo_is_heic", name=name)
    if content[4:8] == b"ftyp" and content[8:12] not in (b"avif", b"avis"):
        return PhotoError("photo_is_video", name=name)
    if lower.startswith((b"<svg", b"<?xml")):
        return PhotoError("photo_is_svg", name=name)
    if lower.startswith((b"<!doctype", b"<html", b"<head")):
        return PhotoError("photo_is_web_page", name=name)
    for magic, kind in OTHER_KINDS.items():
        if start.startswith(magic):
            return PhotoError("photo_is_other", name=name, kind=kind)
    return None


OTHER_KINDS = {
    b"%PDF": Phrase("pdf_document"),
    b"%!PS": Phrase("postscript_file"),
    b"PK\x03\x04": Phrase("zip_archive"),
    b"\x1f\x8b": Phrase("compressed_archive"),
    b"\x80\x02": Phrase("pickle_file"),
    b"\x80\x03": Phrase("pickle_file"),
    b"\x80\x04": Phrase("pickle_file"),
    b"\x80\x05": Phrase("pickle_file"),
    b"\x1aE\xdf\xa3": Phrase("video"),
}
