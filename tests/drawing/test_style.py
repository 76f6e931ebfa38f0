"""Text from outside is made fit to draw; a theme's ink and accent stand out from its ground."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from attnviz.drawing.style import DARK, LIGHT, Theme, plain, theme, wrapped


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    parts = np.array(to_rgb(colour))
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(colour: str, other: str) -> float:
    darker, lighter = sorted((luminance(colour), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_ink_and_bars_stand_out_from_the_ground(colours: Theme):
    assert contrast(colours.ink, colours.ground) >= 4.5
    assert contrast(colours.accent, colours.ground) >= 3


def test_a_dark_page_has_the_dark_theme():
    assert (theme(True), theme(False)) == (DARK, LIGHT)


def test_control_characters_are_replaced_and_lines_are_short():
    assert plain("a\x07b\u202ec") == "a\ufffdb\ufffdc"
    lines = wrapped("network", "layer " * 20, "photo\n.png", width=30).split("\n")
    assert len(lines) > 3 and max(map(len, lines)) <= 30
    assert " ".join(lines).startswith("network · layer layer") and lines[-1].endswith("photo .png")
