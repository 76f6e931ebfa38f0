"""Pictures as PNG files."""

from __future__ import annotations

import io
import zlib
from typing import Any

from PIL import Image

# In photos zlib finds little but runs of equal bytes; a longer search takes half as long again and saves no
# byte.
_COMPRESSION: dict[str, Any] = {"compress_level": 1, "compress_type": zlib.Z_RLE}


def png(image: Image.Image, dpi: int | None = None) -> bytes:
    """The picture as a PNG file, without metadata other than the resolution, if one is given."""
    resolution = {} if dpi is None else {"dpi": (dpi, dpi)}
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **_COMPRESSION, **resolution)
    return buffer.getvalue()
