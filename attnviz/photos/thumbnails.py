"""Small copies of example photos, for the row in which they are chosen."""

from __future__ import annotations

import base64
import io
from functools import cache
from pathlib import Path

from PIL import Image, ImageOps

SIDE = 112  # px


@cache
def thumbnail(path: Path) -> str:
    """A square from the middle of a photo of ours, as a JPEG in a ``data:`` address."""
    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.draft("RGB", (2 * SIDE, 2 * SIDE))
        square = ImageOps.fit(image.convert("RGB"), (SIDE, SIDE), Image.Resampling.LANCZOS)
    square.save(buffer, "JPEG", quality=75)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
