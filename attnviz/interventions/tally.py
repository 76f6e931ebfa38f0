"""Sums over photos of what their answers changed by, which add up in any number of goes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .answer import Answer


@dataclass
class Tally:
    """One row of an ablation so far; sums in float64, which JSON gives back bit for bit."""

    photos: int = 0
    right: int = 0
    changed: int = 0
    divergence: float = 0.0
    divergences: int = 0  # photos that have one
    score_change: float = 0.0

    def add(self, said: Answer, is_right: bool) -> None:
        """Take one photo in."""
        self.photos += 1
        self.right += is_right
        self.changed += said.changed
        self.score_change += said.score_change
        if math.isfinite(said.divergence):
            self.divergence += said.divergence
            self.divergences += 1

    def mean(self, name: str) -> float:
        """A sum as a mean over the photos that have one; NaN over none."""
        count = self.divergences if name == "divergence" else self.photos
        return float(getattr(self, name)) / count if count else float("nan")
