"""The icon of the page: a map of three by three cells."""

from __future__ import annotations

import numpy as np

from .canvas import Drawing
from .heatmap import painted
from .marks import Picture

SIDE = 32.0  # points
CELLS = np.array([[0.1, 0.35, 0.05], [0.6, 1.0, 0.75], [0.3, 0.8, 0.2]], np.float32)


def icon() -> Drawing:
    """The icon."""
    cells = Picture((0, 0, SIDE, SIDE), painted(CELLS, 0, 1, "viridis"), cells=True)
    return Drawing(SIDE, SIDE, "#440154", [cells])
