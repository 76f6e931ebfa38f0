"""What all drawings share: the ground and the ink, and text from outside."""

from __future__ import annotations

import textwrap

ACCENT, DARK_ACCENT = "#4458c8", "#93a2f5"
ORANGE = "#e69f00"  # what stands out from them, for the colour-blind too
DARK_GROUND = "#1e293b"  # that of a block on the dark page
DPI = 150


def ground_and_ink(dark: bool) -> tuple[str, str]:
    """The colours of the ground, and of what is written on it."""
    return (DARK_GROUND, "#e6e6e6") if dark else ("#ffffff", "#222222")


def plain(text: str) -> str:
    """Text from outside, as it can be drawn: SVG can't hold control characters."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def wrapped(*parts: str, width: int = 60) -> str:
    """Texts from outside as a title, in lines of at most ``width`` letters."""
    return "\n".join(plain(line) for line in textwrap.wrap(" · ".join(parts), width))


COLORMAPS = ("viridis", "magma", "inferno", "cividis", "turbo", "jet", "coolwarm")
