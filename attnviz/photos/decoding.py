"""An opened picture becomes upright sRGB of 8 bits, at most two megapixels."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

from ..errors import PhotoError, PhotoRemark
from .colour_profile import bounded_profile
from .deep_colour import all_bits, eight_bit_colours, is_dark, of_planes, raw_mode
from .deep_grey import eight_bit_grey, is_deep_grey
from .essence import Essence
from .photo import Photo

KEPT_PIXELS = 2_000_000  # a picture is shrunk to this: sharp on a projector, 6 MB in memory
STRIP = 64  # rows of a shrunk picture that are made together


def decode(image: Image.Image, name: str, orientation: int, told: Essence | None = None) -> Photo:
    """A picture as a photo: upright sRGB without transparency. ``orientation`` is EXIF's, 1 to 8, of what
    Pillow does not turn upright by itself; ``told`` is what is known of its file, of a picture that has one.
    Raises PhotoError, with ``name`` in its sentence, for one that is damaged, too large for the memory, or
    whose samples have no scale."""
    try:
        raw = raw_mode(image) if told is not None else ""
        image.load()
        profile = image.info.get("icc_profile")
        eight_bit, remarks = _eight_bit(image, name, told or Essence(b""), raw)
        upright = _to_rgb(shrunk(eight_bit), profile)
    except PhotoError:
        raise
    except (Image.DecompressionBombError, MemoryError):
        raise PhotoError("photo_out_of_memory", name=name) from None
    except Exception:  # decoders raise what they like: OSError, SyntaxError, ValueError, struct.error, …
        raise PhotoError("photo_damaged", name=name) from None
    if orientation in UPRIGHT:
        upright = upright.transpose(UPRIGHT[orientation])
    return Photo(np.array(upright), name, remarks)


def decode_smaller(image: Image.Image) -> None:
    """Have a JPEG, opened but not decoded, decoded to not much more than ``KEPT_PIXELS``."""
    scale = _scale(image)
    if image.format in ("JPEG", "MPO") and scale < 1:
        image.draft(image.mode, (round(image.width * scale), round(image.height * scale)))


def _scale(image: Image.Image) -> float:
    """What its sides are multiplied by to leave ``KEPT_PIXELS``; 1 or more if it has no more than those."""
    return (KEPT_PIXELS / (image.width * image.height)) ** 0.5


def shrunk(image: Image.Image) -> Image.Image:
    """At most ``KEPT_PIXELS``, in RGB or the mode it came in. Large pictures go strip by strip, so that no
    full-size copy is made."""
    scale = _scale(image)
    if scale >= 1:
        return image
    target = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    factor = int(1 / scale)
    if factor >= 2:
        image = _reduced(image, factor)
    resampling = Image.Resampling.BOX if min(target) == 1 else Image.Resampling.BICUBIC
    return _resizable(image).resize(target, resampling)


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """The means of squares of ``factor`` by ``factor`` pixels."""
    rows = STRIP * factor
    strips = []
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        strips.append(_resizable(strip).reduce((min(factor, image.width), factor)))
    whole = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    for index, strip in enumerate(strips):
        whole.paste(strip, (0, index * STRIP))
    return whole


def _resizable(image: Image.Image) -> Image.Image:
    """The image in a mode whose values can be averaged: no palettes, no colour keys, no single bits."""
    if image.mode in ("P", "PA") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("L") if image.mode == "1" else image


def _eight_bit(
    image: Image.Image, name: str, told: Essence, raw: str
) -> tuple[Image.Image, tuple[PhotoRemark, ...]]:
    """The picture in 8 bits a sample, and what was assumed for that. ``raw`` is what Pillow called its
    samples before it was decoded."""
    factor = max(1, int(1 / _scale(image)))
    if len(told.planes) > 1:
        return eight_bit_colours(of_planes(image, told.planes, factor), told, name)
    if is_deep_grey(image):
        return eight_bit_grey(image, name, told.told_depth, told.is_negative)
    if is_dark(image, raw, told):
        return eight_bit_colours(all_bits(image, raw, told.content, factor), told, name)
    return image, ()


def _to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB in sRGB; what is transparent is laid on white."""
    image = _resizable(image)
    if image.mode == "LAB":
        return _converted(image, ImageCms.createProfile("LAB"))
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
    """RGB, converted from the picture's own colour profile if it has one that can be read."""
    bounded = bounded_profile(profile) if profile else None
    if bounded and image.mode in ("RGB", "CMYK"):
        try:
            return _converted(image, ImageCms.ImageCmsProfile(io.BytesIO(bounded)))
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a damaged or foreign profile: the samples are taken as sRGB, as browsers do
    return image.convert("RGB")


def exif_orientation(image: Image.Image) -> int:
    """What the EXIF of a picture in memory tells, 1 to 8; 1 where it tells nothing."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # garbage where EXIF should be: the picture itself may be fine
        return 1


UPRIGHT = {  # the EXIF number -> what undoes it
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
