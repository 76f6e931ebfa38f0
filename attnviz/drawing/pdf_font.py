"""The letters of a PDF file: the font's outlines of those that are used, and which letter each of them is."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from .lettering import font_file

NAME = "AAAAAA+DejaVuSans"  # six letters and a plus: of a font that is not whole
CMAP = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Adobe-Identity-UCS def
/CMapType 2 def 1 begincodespacerange <0000> <ffff> endcodespacerange
{ranges}
endcmap CMapName currentdict /CMap defineresource pop end end"""
MOST_IN_RANGE = 100  # lines of one block of a character map


@dataclass(frozen=True, eq=False)
class PdfFont:
    """DejaVu Sans with the letters of some texts."""

    letters: frozenset[str]

    @cached_property
    def file(self) -> bytes:
        """The font with these letters only, as a TrueType file."""
        buffer = io.BytesIO()
        self._subset.save(buffer)
        return buffer.getvalue()

    @cached_property
    def glyphs(self) -> Mapping[str, int]:
        """The number of each letter's outline; of what the font does not have, 0."""
        names = self._subset.getBestCmap()
        return {
            letter: self._subset.getGlyphID(names[ord(letter)]) if ord(letter) in names else 0
            for letter in self.letters
        }

    @cached_property
    def widths(self) -> list[int]:
        """The width of each outline, in thousandths of the size."""
        unit, metrics = self._subset["head"].unitsPerEm, self._subset["hmtx"]
        return [round(1000 * metrics[name][0] / unit) for name in self._subset.getGlyphOrder()]

    @property
    def rise(self) -> float:
        """How far letters reach above the base line, in sizes."""
        return self._subset["hhea"].ascent / self._subset["head"].unitsPerEm

    @property
    def fall(self) -> float:
        """How far below it; negative."""
        return self._subset["hhea"].descent / self._subset["head"].unitsPerEm

    def width(self, text: str) -> float:
        """The width of a text, in sizes."""
        return sum(self.widths[self.glyphs[letter]] for letter in text) / 1000

    def code(self, text: str) -> str:
        """A text as a PDF file has it."""
        return "<" + "".join(f"{self.glyphs[letter]:04x}" for letter in text) + ">"

    def character_map(self) -> bytes:
        """Which letter each outline is, so that text can be searched and copied."""
        lines = [
            f"<{glyph:04x}> <{letter.encode('utf-16-be').hex()}>"
            for letter, glyph in sorted(self.glyphs.items())
            if glyph
        ]
        blocks = [lines[start : start + MOST_IN_RANGE] for start in range(0, len(lines), MOST_IN_RANGE)]
        ranges = "\n".join(
            f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks
        )
        return CMAP.format(ranges=ranges).encode()

    @cached_property
    def _subset(self) -> TTFont:
        options = Options(layout_features=[], hinting=False, notdef_outline=True, name_IDs=[])
        options.drop_tables += ["FFTM"]  # of the editor that the font was drawn with
        font = TTFont(font_file(), recalcTimestamp=False)
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=[ord(letter) for letter in self.letters])
        subsetter.subset(font)
        return font
