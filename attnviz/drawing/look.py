"""How maps are drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How a map is drawn. It changes no number."""

    opacity: float = 0.6  # of the map over the photo, 0 to 1
    colormap: str = "viridis"  # one of COLORMAPS
    scale: str = "fixed"  # one of SCALES: what the colours span
    smooth: bool = False  # blend between the centres of the cells; or each cell is one square
    way: str = "colours"  # one of WAYS: the map's colours, or the photo dimmed by the map
    dark: bool = False  # light ink on a dark ground, for a dark page
