"""What a network answered before and after its gates were changed, in numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..capture.trace import Trace

WITH_CLASSES = ("logits", "probabilities", "independent")  # kinds of scores that name a class


@dataclass(frozen=True, eq=False)
class Answer:
    """What changed of what a network says of one photo. A probability alone exaggerates: read the change of
    the score first."""

    label: str | None  # the class of the greatest score; None where scores name no class
    label_before: str | None
    score_change: float  # of the class before, in logits (or in what the network gives): after − before
    divergence: float  # Kullback and Leibler's, before ‖ after, in nats; NaN where there are no probabilities

    def to_json(self) -> dict[str, Any]:
        """The same as plain values; None where a number is not known."""
        known = {"score_change": self.score_change, "divergence": self.divergence}
        numbers = {name: value if math.isfinite(value) else None for name, value in known.items()}
        return {"answer": self.label, "changed": self.changed, **numbers}

    def __str__(self) -> str:
        now = f"now {self.label}" if self.changed else "same answer"
        return f"{self.score_change:+.3f} ({now})"

    @property
    def changed(self) -> bool:
        """Whether it is another answer."""
        return self.label != self.label_before


def answer(before: Trace, scores: np.ndarray) -> Answer:
    """What changed of a trace's answer where its scores (K,) are now these."""
    then = before.logits
    if not len(then) or before.scores == "none":
        return Answer(None, None, float("nan"), float("nan"))
    best = int(np.argmax(then)) if before.scores in WITH_CLASSES else 0
    change = float(scores[best]) - float(then[best])
    if before.scores not in WITH_CLASSES:
        return Answer(None, None, change, float("nan"))
    labels = before.labels
    return Answer(
        labels[int(np.argmax(scores))], labels[best], change, divergence(then, scores, before.scores)
    )


def divergence(before: np.ndarray, after: np.ndarray, scores: str) -> float:
    """Σ p log(p / q) of the probabilities p before and q after, in nats; NaN where scores are no
    distribution."""
    if scores == "logits":
        p, q = (torch.from_numpy(each).double().log_softmax(0) for each in (before, after))
        return float((p.exp() * (p - q)).sum())
    if scores == "probabilities":
        p, q = (torch.from_numpy(each).double().clamp(min=1e-12) for each in (before, after))
        return float((p * (p / q).log()).sum())
    return float("nan")
