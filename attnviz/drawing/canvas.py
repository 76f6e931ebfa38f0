"""A drawing that becomes a PNG or an SVG file in a few milliseconds; a figure of matplotlib takes a
hundred."""

from __future__ import annotations

from dataclasses import dataclass, field

from PIL import Image

from .marks import Mark
from .pdf import pdf
from .png import png
from .raster import raster
from .style import DPI
from .svg import svg


@dataclass(eq=False)
class Drawing:
    """Marks on a ground of one colour, later marks upon earlier ones; lengths are points."""

    width: float
    height: float
    ground: str
    marks: list[Mark] = field(default_factory=list)

    def image(self, dpi: int = DPI) -> Image.Image:
        """The drawing as an RGB picture."""
        return raster(self.marks, (self.width, self.height), self.ground, dpi)

    def png(self, dpi: int = DPI) -> bytes:
        """The drawing as a PNG file without metadata."""
        return png(self.image(dpi), dpi)

    def svg(self) -> bytes:
        """The drawing as an SVG file, in which text is text."""
        return svg(self.marks, (self.width, self.height), self.ground)

    def pdf(self) -> bytes:
        """The drawing as a PDF file of one page, in which text is text."""
        return pdf(self.marks, (self.width, self.height), self.ground)

    def file(self, suffix: str, dpi: int = DPI) -> bytes:
        """The drawing as a file of one kind: "png", "svg" or "pdf"."""
        return {"png": lambda: self.png(dpi), "svg": self.svg, "pdf": self.pdf}[suffix]()

    def files(self) -> dict[str, bytes]:
        """The drawing as files, by their suffix."""
        return {"png": self.png(), "svg": self.svg()}
