"""Photos as JPEG files, for drawings whose other marks are vectors."""

from __future__ import annotations

import io

from PIL import Image

QUALITY = 92


def jpeg(image: Image.Image) -> bytes:
    """The picture as a JPEG file without metadata, its colours as fine as its greys."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return buffer.getvalue()
