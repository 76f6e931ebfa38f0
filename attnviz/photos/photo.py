"""A ``Photo``: a picture as a person sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..errors import PhotoRemark


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture as a person sees it: upright sRGB, no metadata, at most two megapixels."""

    pixels: np.ndarray  # (H, W, 3) uint8
    name: str  # the file's name without its folder, for titles
    remarks: tuple[PhotoRemark, ...] = ()  # what was assumed of it beyond what its file says

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


def display_name(name: str) -> str:
    """A file's name fit for a title: printable, without folders, at most 80 characters."""
    name = "".join(c for c in name.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable()) or "picture"
    return name if len(name) <= 80 else f"{name[:60]}…{name[-19:]}"
