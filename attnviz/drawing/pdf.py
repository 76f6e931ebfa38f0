"""Marks as a PDF file of one page: text is text, cells are rectangles, a photo is a JPEG."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import ImageColor

from .jpeg import jpeg
from .marks import Bars, Dot, Line, Mark, Picture, Text
from .pdf_font import NAME, PdfFont
from .vector_pictures import printed, rectangles

ROUND = 0.5523  # of a radius: where a quarter of a circle is drawn from, as a curve
FONT = 5  # the number of the font's object; its parts follow
FIRST_PICTURE = 10


def pdf(marks: Sequence[Mark], size: tuple[float, float], ground: str) -> bytes:
    """A PDF file of marks on a ground of one colour; ``size`` is (width, height) in points. It has no
    metadata."""
    letters = frozenset("".join(mark.text for mark in marks if isinstance(mark, Text)))
    page = _Page(size[1], PdfFont(letters))
    page.fill(ground, [f"0 0 {size[0]:.2f} {size[1]:.2f} re"])
    for mark in marks:
        page.draw(mark)
    return _file(page, size)


@dataclass(eq=False)
class _Page:
    """The operators of a page, and what they name. PDF counts from the bottom."""

    height: float
    font: PdfFont
    lines: list[str] = field(default_factory=list)
    pictures: list[tuple[tuple[int, int], bytes]] = field(default_factory=list)  # size and JPEG
    ways: list[str] = field(default_factory=list)  # of laying one thing upon another
    groups: list[str] = field(default_factory=list)  # operators

    def draw(self, mark: Mark) -> None:
        if isinstance(mark, Bars):
            self.fill(mark.colour, list(self._bars(mark)))
        elif isinstance(mark, Line):
            self._line(mark)
        elif isinstance(mark, Text):
            self._text(mark)
        elif isinstance(mark, Dot):
            self._seen_through(mark.opacity, lambda: self.fill(mark.colour, [self._disc(mark)]))
        elif mark.cells:
            self._seen_through(mark.opacity, lambda: self._cells(mark), mark.multiplies)
        else:
            self._seen_through(mark.opacity, lambda: self._photo(mark), mark.multiplies)

    def fill(self, colour: str, paths: Sequence[str]) -> None:
        """Fill paths with a colour."""
        if paths:
            self.lines.append(f"{_rgb(colour)} rg {' '.join(paths)} f")

    def _seen_through(self, opacity: float, draw: Callable[[], None], multiplies: bool = False) -> None:
        """Draw something that is seen through, or that darkens what lies below."""
        if opacity == 1 and not multiplies:
            draw()
            return
        way = f"/ca {opacity:g}" + (" /BM /Multiply" if multiplies else "")
        if way not in self.ways:
            self.ways.append(way)
        self.lines.append(f"q /O{self.ways.index(way)} gs")
        draw()
        self.lines.append("Q")

    def _box(self, left: float, top: float, right: float, bottom: float) -> str:
        return f"{left:.3f} {self.height - bottom:.3f} {right - left:.3f} {bottom - top:.3f} re"

    def _bars(self, bars: Bars) -> Iterator[str]:
        edges = np.linspace(bars.left, bars.right, len(bars.heads) + 1)
        for left, right, foot, head in zip(edges, edges[1:], bars.feet, bars.heads):
            if np.isfinite(head) and np.isfinite(foot):
                yield self._box(left, min(foot, head), right, max(foot, head))

    def _line(self, line: Line) -> None:
        (x1, y1), (x2, y2) = line.start, line.end
        dash = f"[{line.dash[0]:g} {line.dash[1]:g}] 0 d" if line.dash else "[] 0 d"
        way = f"{x1:.3f} {self.height - y1:.3f} m {x2:.3f} {self.height - y2:.3f} l S"
        self.lines.append(f"{_rgb(line.colour)} RG {line.width:g} w {dash} {way}")

    def _text(self, text: Text) -> None:
        x, y = text.at
        along = {"start": 0.0, "middle": -0.5, "end": -1.0}[text.anchor] * self.font.width(text.text)
        middle = (self.font.rise + self.font.fall) / 2
        down = {"base": 0.0, "middle": middle, "top": self.font.rise}[text.rise]
        along, down = along * text.size, down * text.size
        if text.turned:
            matrix = f"0 1 -1 0 {x + down:.3f} {self.height - y + along:.3f}"
        else:
            matrix = f"1 0 0 1 {x + along:.3f} {self.height - y - down:.3f}"
        code = self.font.code(text.text)
        self.lines.append(f"BT /F {text.size:g} Tf {_rgb(text.colour)} rg {matrix} Tm {code} Tj ET")

    def _disc(self, dot: Dot) -> str:
        x, y, r = dot.at[0], self.height - dot.at[1], dot.diameter / 2
        bend = ROUND * r
        quarters = (
            ((r, bend), (bend, r), (0, r)),
            ((-bend, r), (-r, bend), (-r, 0)),
            ((-r, -bend), (-bend, -r), (0, -r)),
            ((bend, -r), (r, -bend), (r, 0)),
        )
        curves = [" ".join(f"{x + dx:.3f} {y + dy:.3f}" for dx, dy in quarter) + " c" for quarter in quarters]
        return f"{x + r:.3f} {y:.3f} m {' '.join(curves)}"

    def _cells(self, picture: Picture) -> None:
        """The cells as one group, which is seen through as a whole though they reach below each other."""
        cells = (f"{_rgb(colour)} rg {self._box(*box)} f" for box, colour in rectangles(picture))
        self.groups.append("\n".join(cells))
        self.lines.append(f"/G{len(self.groups) - 1} Do")

    def _photo(self, picture: Picture) -> None:
        image = printed(picture)
        self.pictures.append((image.size, jpeg(image)))
        left, top, right, bottom = picture.box
        clip = f"{self._box(*picture.within)} W n " if picture.within else ""
        matrix = f"{right - left:.3f} 0 0 {bottom - top:.3f} {left:.3f} {self.height - bottom:.3f} cm"
        self.lines.append(f"q {clip}{matrix} /P{len(self.pictures) - 1} Do Q")


def _file(page: _Page, size: tuple[float, float]) -> bytes:
    first_group = FIRST_PICTURE + len(page.pictures)
    parts = [f"/P{place} {FIRST_PICTURE + place} 0 R" for place in range(len(page.pictures))]
    parts += [f"/G{place} {first_group + place} 0 R" for place in range(len(page.groups))]
    ways = " ".join(f"/O{place} << {way} >>" for place, way in enumerate(page.ways))
    resources = f"/Font << /F {FONT} 0 R >> /XObject << {' '.join(parts)} >> /ExtGState << {ways} >>"
    extent = f"/MediaBox [0 0 {size[0]:.3f} {size[1]:.3f}]"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R {extent} /Resources << {resources} >> /Contents 4 0 R >>".encode(),
        _stream("\n".join(page.lines).encode()),
        *_font_objects(page.font),
        *(_picture_object(size, content) for size, content in page.pictures),
        *(_group_object(size, content) for content in page.groups),
    ]
    return _numbered(objects)


def _font_objects(font: PdfFont) -> list[bytes]:
    """The font, its outlines' widths, what it is like, its file, and its letters."""
    widths = " ".join(map(str, font.widths))
    like = f"/Flags 4 /FontBBox [-1021 -463 1793 1232] /ItalicAngle 0 /Ascent {1000 * font.rise:.0f}"
    system = "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
    return [
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{NAME} /Encoding /Identity-H "
        f"/DescendantFonts [{FONT + 1} 0 R] /ToUnicode {FONT + 4} 0 R >>".encode(),
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{NAME} {system} /FontDescriptor {FONT + 2} 0 R "
        f"/W [0 [{widths}]] /CIDToGIDMap /Identity >>".encode(),
        f"<< /Type /FontDescriptor /FontName /{NAME} {like} /Descent {1000 * font.fall:.0f} "
        f"/CapHeight 729 /StemV 80 /FontFile2 {FONT + 3} 0 R >>".encode(),
        _stream(font.file, f"/Length1 {len(font.file)}"),
        _stream(font.character_map()),
    ]


def _picture_object(size: tuple[int, int], content: bytes) -> bytes:
    about = (
        f"/Type /XObject /Subtype /Image /Width {size[0]} /Height {size[1]} /ColorSpace /DeviceRGB "
        f"/BitsPerComponent 8 /Filter /DCTDecode /Length {len(content)}"
    )
    return b"<< " + about.encode() + b" >>\nstream\n" + content + b"\nendstream"


def _group_object(size: tuple[float, float], content: str) -> bytes:
    about = f"/Type /XObject /Subtype /Form /BBox [0 0 {size[0]:.3f} {size[1]:.3f}] /Resources << >>"
    return _stream(content.encode(), f"{about} /Group << /S /Transparency >>")


def _stream(content: bytes, about: str = "") -> bytes:
    packed = zlib.compress(content, 9)
    head = f"<< /Filter /FlateDecode /Length {len(packed)} {about} >>\nstream\n"
    return head.encode() + packed + b"\nendstream"


def _numbered(objects: Sequence[bytes]) -> bytes:
    """The objects, and where each of them begins."""
    content = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(content)
    rows = "".join(f"{place:010d} 00000 n \n" for place in places)
    content += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{rows}".encode()
    content += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()
    return bytes(content)


def _rgb(colour: str) -> str:
    return " ".join(f"{level / 255:.4g}" for level in ImageColor.getrgb(colour)[:3])
