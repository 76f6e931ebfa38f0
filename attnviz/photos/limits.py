"""How large a picture may be: bytes, pixels, shape, and the memory that decoding it takes."""

from __future__ import annotations

from PIL import Image

from ..errors import PhotoError

MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
MAX_ASPECT = 30  # the longer side ÷ the shorter one
MAX_DECODER_BYTES = 230_000_000

# Memory that opening takes for each pixel, in bytes, where it is much: WebP keeps two RGBA canvases, AVIF
# 4:4:4 planes, and a TIFF may be one single strip that lies decoded beside Pillow's picture.
DECODER_BYTES = {"WEBP": 13, "AVIF": 7, "TIFF": 8}


def check_bytes(count: int, name: str) -> None:
    """Raise PhotoError for a file of too many bytes; ``name`` is the picture's, for the sentence."""
    if count > MAX_BYTES:
        raise PhotoError("photo_too_large", name=name, limit=MAX_BYTES // 1_000_000)


def check_size(size: tuple[int, int], name: str) -> None:
    """Raise PhotoError for a picture (width, height) with no pixels, too many, or too long a side."""
    width, height = size
    if width < 1 or height < 1:
        raise PhotoError("photo_without_pixels", name=name, width=width, height=height)
    if width * height > MAX_PIXELS:
        megapixels = f"{width * height / 1e6:.0f}"
        raise PhotoError(
            "photo_too_many_pixels", name=name, megapixels=megapixels, limit=MAX_PIXELS // 1_000_000
        )
    if max(size) > MAX_ASPECT * min(size):
        raise PhotoError("photo_too_long", name=name, limit=MAX_ASPECT)


def check_decoder(image: Image.Image, name: str) -> None:
    """Raise PhotoError for a picture, opened but not decoded, whose kind takes too much memory to decode."""
    pixels = image.width * image.height
    needed = DECODER_BYTES.get(image.format or "", 0) * pixels
    if image.info.get("progressive"):
        needed = _progressive_bytes(image)
    if needed > MAX_DECODER_BYTES:
        megapixels = f"{pixels / 1e6:.0f}"
        raise PhotoError("photo_costs_too_much", name=name, megapixels=megapixels, format=str(image.format))


def _progressive_bytes(image: Image.Image) -> int:
    """What libjpeg holds of a progressive JPEG: every coefficient of every component, two bytes each."""
    pixels = image.width * image.height
    components = getattr(image, "layer", [])  # (id, horizontal samples, vertical samples, table) each
    most = max((across * down for _, across, down, _ in components), default=1)
    return int(sum(2 * pixels * across * down / most for _, across, down, _ in components))
