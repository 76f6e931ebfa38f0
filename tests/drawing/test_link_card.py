"""The picture of a link has the size of link cards, and is the one that is drawn now."""

from __future__ import annotations

import io
import runpy

import numpy as np
import pytest
from helpers.checkout import ROOT
from PIL import Image

from attnviz._paths import ASSETS


@pytest.mark.slow  # runs a network
def test_the_card_is_as_it_would_be_drawn_now():
    stored = Image.open(ASSETS / "card.jpg")
    drawn = Image.open(io.BytesIO(runpy.run_path(str(ROOT / ".ci" / "card"))["card"]()))
    assert stored.size == drawn.size == (1200, 630)
    away = np.abs(np.asarray(stored).astype(int) - np.asarray(drawn))
    assert away.mean() < 1  # another processor may give a cell the next colour
