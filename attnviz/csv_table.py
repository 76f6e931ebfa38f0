"""CSV files for spreadsheets and programs: numbers to six digits, an empty cell where one is unknown."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

FORMULA_SIGNS = "=+-−@"  # a spreadsheet runs a cell that begins with one as a formula

Row = Iterable[object]


def table(header: Sequence[str], rows: Iterable[Row]) -> bytes:
    """A CSV file: numbers to six digits, and texts that a spreadsheet would run as a formula quoted."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([_cell(name) for name in header])
    lines.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode(errors="backslashreplace")


def _cell(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, float | np.floating):
        return f"{value:.6g}" if np.isfinite(value) else ""
    return str(value)


def _quoted(text: str) -> str:
    """A text with an apostrophe before it, if a spreadsheet may run it as a formula: signs count in all their
    widths, and blanks before them don't."""
    shown = (c for c in unicodedata.normalize("NFKC", text) if c.isprintable() and not c.isspace())
    is_formula = next(shown, " ") in FORMULA_SIGNS or text.startswith(("\t", "\r", "\n"))
    return f"'{text}" if is_formula else text
