"""How well scores of an answer tell photos of other things, strangers, from those of a network's classes, and
the threshold that makes an answer doubtful.

All photos are listed by name and split in two: the first, third, … choose the threshold and the score, the
others say how often that is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path

import numpy as np

from ..errors import AttnvizError
from ..networks.doubt import SCORES, Doubt, scored
from .dataset import SUFFIXES, first_words

KEPT = 0.95  # of the photos of a network's classes, at least, among those that choose
MORE = 0.01  # AUROC that another score than the first must have to be chosen
STEP = Decimal("0.0001")  # that thresholds are rounded down to


@dataclass(frozen=True)
class Trial:
    """How well one score tells them."""

    doubt: Doubt  # measured on the photos that did not choose
    chosen_by: float  # AUROC on the photos that choose
    kept_of_all: float  # shares over all photos, those that choose among them
    flagged_of_all: float


def list_strangers(folder: Path, classes: Sequence[str], kin: Path | None = None) -> list[Path]:
    """The photos in a folder and those below it, sorted, that are strangers to some classes.

    Left out is whose name, or whose folder's, begins with that of a class folder, or with a first word of a
    line of the text file ``kin``: things that go by a class's name or show one. Raises AttnvizError if there
    are fewer than two."""
    left_out = (*classes, *(first_words(kin) if kin else ()))
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(left_out) for part in path.relative_to(folder).parts)
    ]
    if len(found) < 2:
        raise AttnvizError("strangers_too_few", folder=str(folder), count=len(found), endings=SUFFIXES)
    return found


def trials(own: np.ndarray, strangers: np.ndarray, source: str = "") -> list[Trial]:
    """A trial of each score on the logits of photos of the classes (N, K) and of strangers (M, K), two of
    each at least, in the order of their names."""
    if min(len(own), len(strangers)) < 2:
        raise ValueError("strangers are measured in halves: that takes two photos of each kind")
    return [_trial(score, scored(own, score), scored(strangers, score), source) for score in SCORES]


def best(found: Sequence[Trial]) -> Trial:
    """The trial of the first score, or of the one that tells most on the photos that choose, if by ``MORE``:
    less is chance, which would choose another score for each network."""
    most = max(found, key=lambda trial: trial.chosen_by)
    return most if most.chosen_by >= found[0].chosen_by + MORE else found[0]


def threshold_of(own: np.ndarray) -> float:
    """The threshold that at most 5 % of these scores are below, rounded down."""
    below = math.floor((1 - KEPT) * len(own) + 1e-9)  # 5 % of 100 are 5, not 4.99…
    return float(Decimal(float(np.sort(own)[below])).quantize(STEP, ROUND_FLOOR))


def auroc(own: np.ndarray, strangers: np.ndarray) -> float:
    """How often a photo of the classes has a greater score than a stranger; an equal one counts half."""
    order = np.sort(strangers)
    below, not_above = (np.searchsorted(order, own, side) for side in ("left", "right"))
    return float((below + not_above).mean() / 2 / len(strangers))


def _trial(score: str, own: np.ndarray, strangers: np.ndarray, source: str) -> Trial:
    threshold = threshold_of(own[::2])
    others, their_strangers = own[1::2], strangers[1::2]
    doubt = Doubt(
        score,
        threshold,
        kept=_share(others >= threshold),
        flagged=_share(their_strangers < threshold),
        auroc=round(auroc(others, their_strangers), 4),
        photos=len(others),
        strangers=len(their_strangers),
        source=source,
    )
    chosen_by = auroc(own[::2], strangers[::2])
    return Trial(doubt, chosen_by, _share(own >= threshold), _share(strangers < threshold))


def _share(are: np.ndarray) -> float:
    return round(float(are.mean()), 4)
