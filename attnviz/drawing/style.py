"""The theme of all drawings: colours, sizes of text, widths of lines. And text from outside, made fit to
draw."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

DPI = 150  # of the pictures, which are PNG files

ACCENT, DARK_ACCENT = "#4458c8", "#93a2f5"
ORANGE = "#e69f00"  # stands out from the accent, to the colour-blind too
BELOW = "#8a95a8"  # numbers under zero, as on the page
MINE = "#c2185b"  # what was chosen
PATHS = (
    ACCENT,
    ORANGE,
    "#009e73",
    "#cc79a7",
)  # of paths that share a channel: told apart by the colour-blind
COLORMAPS = ("viridis", "magma", "inferno", "cividis", "turbo", "jet", "coolwarm")
SIGNED = "coolwarm"  # the colormap of signed numbers: its middle, at zero, is grey
UNDEFINED = 128  # the grey level of a number that can't be known

# Sizes of text, in points: above several pictures, above one, at ticks, and what else is to be said.
HEADING, TITLE, LABEL, NOTE = 11, 10, 9, 8
# Widths of lines, in points.
AXIS_LINE, FRAME_LINE, THIN_LINE = 0.8, 0.6, 0.5


@dataclass(frozen=True)
class Theme:
    """The colours of a drawing's ground, of what is written on it, and of its bars and dots."""

    ground: str
    ink: str
    accent: str


LIGHT = Theme("#ffffff", "#222222", ACCENT)
DARK = Theme("#1e293b", "#e6e6e6", DARK_ACCENT)  # the ground is that of a block on the dark page


def theme(dark: bool) -> Theme:
    """The dark theme or the light one."""
    return DARK if dark else LIGHT


def plain(text: str) -> str:
    """The text with a mark in place of each control character, which SVG can't hold."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def wrapped(*parts: str, width: int = 60) -> str:
    """Texts from outside as one title, in lines of at most ``width`` letters."""
    return "\n".join(plain(line) for line in textwrap.wrap(" · ".join(parts), width))
