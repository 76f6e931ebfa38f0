"""Every layer changed in turn, alone and together with all layers before it: ``climb``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import nn

from ..capture.kept_features import KeptFeatures
from ..capture.trace import Trace
from ..capture.traced_batch import TracedBatch
from ..errors import EditError
from .answer import Answer, answer
from .edit_json import Said, edits_of
from .intervention import traced_photo
from .reference import ReferenceSource
from .resolving import LayerChanges
from .sources import Sources
from .sweep import one_layer


@dataclass(frozen=True, eq=False)
class Landing:
    """What a network says with some layers changed."""

    answer: Answer
    share: float | None  # the probability of the class before; None where there is none

    def to_json(self) -> dict[str, Any]:
        """The same as the browser takes it."""
        said = self.answer.to_json()
        return {
            "answer": said["answer"],
            "isOther": said["changed"],
            "scoreChange": said["score_change"],
            "share": self.share,
        }


@dataclass(frozen=True, eq=False)
class Stair:
    """One layer: changed alone, and together with all layers before it."""

    layer: str
    alone: Landing
    together: Landing


@dataclass(frozen=True, eq=False)
class LeftOut:
    """A layer that can't be changed, and why."""

    layer: str
    why: EditError


def climb(
    network: nn.Module,
    photo: Any,
    how: Said = "usual",
    view: str = "whole",
    reference: ReferenceSource | None = None,
    before: Trace | None = None,
) -> Iterator[Stair | LeftOut]:
    """The layers of a network in running order, each as soon as its passes are done.

    A layer alone takes a pass from that layer on, from features that were kept, as in ``sweep``; together
    with those before it a pass from the first of them on. ``how`` is one edit as ``intervene`` takes it; the
    rest is as there, and so is what is raised. Layers that have no factor are passed over."""
    batch, sources = traced_photo(network, photo, view, before), Sources(network, view, reference)
    ((edit,),) = edits_of({"how": how}).values()
    changed: dict[str, LayerChanges] = {}  # of all layers so far
    first, kept = None, None
    for name, layer in batch.traces[0].layers.items():
        if layer.formula == "none":
            continue
        try:
            alone = one_layer(batch, name, edit, sources, recompute=True)
        except EditError as error:
            yield LeftOut(name, error)
            continue
        kept = batch.kept_before(name, kept)
        if not changed:
            first = kept
        changed = {**changed, **alone}
        begin = first if first is not None and batch.is_whole(first) else None
        yield Stair(name, _landing(batch, alone, kept), _landing(batch, changed, begin))


def _landing(batch: TracedBatch, changes: dict[str, LayerChanges], kept: KeptFeatures | None) -> Landing:
    scores = batch.changed_scores(changes, kept)[0]
    before = batch.traces[0]
    return Landing(answer(before, scores), _share(before, scores))


def _share(before: Trace, scores: np.ndarray) -> float | None:
    """The probability, by these scores, of the class that was the most probable."""
    best = before.top(1)
    now = replace(before, logits=scores).top(len(before.labels))
    return dict(now).get(best[0][0]) if best else None
