"""Whether an answer may be nonsense since the photo shows none of a network's classes: a score of the answer,
and the threshold below which it is doubtful.

Scores are the baselines of Hendrycks and Gimpel (ICLR 2017, the greatest probability), Hendrycks et al. (ICML
2022, the greatest logit) and Liu et al. (NeurIPS 2020, the energy), all at temperature 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..languages.catalogue import Phrase


def _probability(logits: np.ndarray) -> np.ndarray:
    return np.exp(logits.max(-1) - _energy(logits))


def _logit(logits: np.ndarray) -> np.ndarray:
    return logits.max(-1)


def _energy(logits: np.ndarray) -> np.ndarray:
    greatest = logits.max(-1, keepdims=True)
    return greatest[..., 0] + np.log(np.exp(logits - greatest).sum(-1))


# Of logits (…, K) in double precision, a number each: the greater, the more like one of the classes. "energy"
# is the negative of what its paper calls so.
SCORES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "probability": _probability,
    "logit": _logit,
    "energy": _energy,
}


def scored(logits: np.ndarray, score: str) -> np.ndarray:
    """The score of each of some answers: of logits (…, K), numbers (…)."""
    return SCORES[score](np.asarray(logits, np.float64))


@dataclass(frozen=True)
class Doubt:
    """A threshold of a score, and how often answers are below it, measured in one view on photos that did not
    choose it."""

    score: str  # one of SCORES
    threshold: float  # an answer below it is doubtful
    kept: float  # share of the photos of the network's classes that are not doubtful
    flagged: float  # share of the strangers, photos of other things, that are
    auroc: float  # how often a photo of the classes scores above a stranger
    photos: int  # of its classes, on which these were measured
    strangers: int
    source: str = ""  # of the strangers

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Doubt:
        """What a card says. Raises KeyError, TypeError or ValueError if it is none."""
        doubt = cls(**said)
        shares = (doubt.kept, doubt.flagged, doubt.auroc)
        if doubt.score not in SCORES or not math.isfinite(doubt.threshold):
            raise ValueError("doubt")
        if not all(0 <= share <= 1 for share in shares) or not isinstance(doubt.source, str):
            raise ValueError("doubt")
        if any(type(count) is not int or count < 1 for count in (doubt.photos, doubt.strangers)):
            raise ValueError("doubt")
        return doubt

    def flags(self, logits: np.ndarray) -> bool:
        """Whether an answer with these logits (K,) is doubtful."""
        return bool(scored(logits, self.score) < self.threshold)

    @property
    def sentence(self) -> Phrase:
        """What is to be said of an answer that is doubtful, with how often that is said."""
        return Phrase("answer_doubtful", flagged=f"{self.flagged:.0%}", lost=f"{1 - self.kept:.0%}")
