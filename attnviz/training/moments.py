"""Means and variances of arrays that come one by one, in the memory of one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

_NONE = np.zeros(0)


@dataclass(eq=False)
class Moments:
    """Of arrays of one shape, number by number, in float64; NaN counts nowhere.

    By Welford's sums (1962): with the n-th value x, mean += (x − mean) / n, and squares += (x − mean before)
    (x − mean after), so that nothing large is subtracted from something large."""

    counts: np.ndarray = field(default_factory=lambda: _NONE)  # of values that are not NaN
    means: np.ndarray = field(default_factory=lambda: _NONE)  # 0 where there was none
    squares: np.ndarray = field(default_factory=lambda: _NONE)  # sums of (x − mean)²

    def add(self, values: np.ndarray) -> None:
        """Take one array in. Raises ValueError if it has another shape than the first."""
        if not self.counts.size:
            self.counts, self.means, self.squares = (np.zeros(values.shape) for _ in range(3))
        if values.shape != self.counts.shape:
            raise ValueError(f"arrays of {self.counts.shape} and of {values.shape} have no moments")
        known = ~np.isnan(values)
        self.counts += known
        shift = np.where(known, values - self.means, 0.0)
        self.means += shift / np.maximum(self.counts, 1)
        self.squares += shift * np.where(known, values - self.means, 0.0)

    @property
    def variances(self) -> np.ndarray:
        """Σ (x − mean)² / n of each number; NaN where there was none."""
        return np.divide(
            self.squares, self.counts, out=np.full(self.counts.shape, np.nan), where=self.counts > 0
        )

    @property
    def explained(self) -> float | None:
        """The share of the variance of all numbers of all arrays that the mean array explains:

        Σ_i n_i (m_i − m)² / Σ_i Σ_n (x_ni − m)²

        with x_ni number i of array n, n_i how many of those there are, m_i their mean, and m the mean of all
        numbers. 1: all arrays are the same; near 0: they have nothing in common. None if nothing varies."""
        count = self.counts.sum()
        if not count:
            return None
        mean = (self.counts * self.means).sum() / count
        between = (self.counts * (self.means - mean) ** 2).sum()
        whole = between + self.squares.sum()
        return float(between / whole) if whole > 0 else None
