"""Do maps follow the photo? A map is held against the class activation map of its own photo, and against
those of other photos: what all maps have in common, such as a bright middle, counts in both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Following:
    """How maps of N photos correlate with their class activation maps."""

    own: float  # mean over photos of the correlation with that of the same photo
    others: float  # mean over all pairs of the correlation with that of another photo
    chance: float  # the standard deviation of ``difference`` if photos were paired at random

    @property
    def difference(self) -> float:
        """By how much maps follow their own photo rather than any."""
        return self.own - self.others


def following(maps: np.ndarray, activations: np.ndarray) -> Following | None:
    """How maps (N, cells) correlate with class activation maps (N, cells), row by row of the same photo; None
    for fewer than two photos.

    With r_nk Pearson's correlation over cells of map n and activation k (0 where one does not vary):

    own = Σ_n r_nn / N; others = Σ_{n≠k} r_nk / (N (N − 1)).

    Chance: if each map n got the activation of a photo π(n) drawn without replacement, own − others would be
    0 on average. Its standard deviation over all N! pairings is, exactly (Hoeffding 1951, of Σ_n r_nπ(n)),

    sqrt(Σ_nk d_nk² / (N − 1)³), d_nk = r_nk − mean of row n − mean of column k + mean of all."""
    count = len(maps)
    if count < 2:
        return None
    correlations = _standard(maps) @ _standard(activations).T / maps.shape[1]  # (N, N)
    own = float(np.trace(correlations)) / count
    others = float(correlations.sum() - np.trace(correlations)) / (count * (count - 1))
    rows, columns = correlations.mean(1, keepdims=True), correlations.mean(0, keepdims=True)
    centred = correlations - rows - columns + correlations.mean()
    return Following(own, others, float(np.sqrt((centred**2).sum() / (count - 1) ** 3)))


def _standard(values: np.ndarray) -> np.ndarray:
    """Each row with mean 0 and standard deviation 1; zeros for a row that does not vary."""
    centred = values - values.mean(1, keepdims=True)
    deviations = values.std(1, keepdims=True)
    varying = deviations > 1e-7 * np.abs(values).max(1, keepdims=True)
    return np.divide(centred, deviations, out=np.zeros_like(centred), where=varying)
