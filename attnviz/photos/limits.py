"""How large a picture may be: bytes, pixels, shape, and the memory that decoding it takes."""

from __future__ import annotations

from PIL import Image

from ..errors import PhotoError

MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
MAX_ASPECT = 30  # the longer side ÷ the shorter one
MAX_DECODER_BYTES = 224_000_000

# Memory that opening takes for each pixel, in bytes, where it is much: WebP keeps two RGBA canvases, AVIF
# planes and two copies, as HEIC does, and a TIFF may be one single strip that lies decoded beside Pillow's
# picture.
DECODER_BYTES = {"WEBP": 14, "AVIF": 9, "HEIF": 9, "TIFF": 8}


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
        megapixels = f"{width * height / 1e6:.1f}"
        raise PhotoError(
            "photo_too_many_pixels", name=name, megapixels=megapixels, limit=MAX_PIXELS // 1_000_000
        )
    if max(size) > MAX_ASPECT * min(size):
        raise PhotoError("photo_too_long", name=name, limit=MAX_ASPECT)


def check_decoder(image: Image.Image, held_bytes: int, name: str) -> None:
    """Raise PhotoError for a picture, opened but not decoded, whose kind takes too much memory to decode;
    ``held_bytes`` are what its file tells of that beforehand."""
    pixels = image.width * image.height
    needed = DECODER_BYTES.get(image.format or "", 0) * pixels + held_bytes
    if needed > MAX_DECODER_BYTES:
        megapixels = f"{pixels / 1e6:.0f}"
        raise PhotoError("photo_costs_too_much", name=name, megapixels=megapixels, format=str(image.format))
