"""What is kept of a pass: the trace of one photo, one layer's features, and what a network was found to
have."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import AttnvizError
from ..naming import visible
from ..networks.doubt import Doubt
from ..photos.geometry import Recipe, Region, map_box, photo_of
from ..photos.photo import Photo
from .layer_attention import LayerAttention
from .scores import MEANINGS

SHOWN_LINES = 12  # layers and remarks, each, that the text form of a trace shows


@dataclass(frozen=True, eq=False)
class Trace:
    """One photo's way through one network: what it said, and every gate on the way."""

    network: str
    source: Photo | Tensor  # what was given: a Photo, or the normalised (3, H, W) input itself
    recipe: Recipe
    region: Region  # the part of the photo that the network saw
    logits: np.ndarray  # (K,) float32, as ``scores`` says; (0,) if the network gives no class scores
    labels: tuple[str, ...]  # K class names; "class 0" and so on if they are not known; none for one number
    layers: dict[str, LayerAttention]  # in running order
    scores: str = "logits"  # what ``logits`` are: one of ``scores.MEANINGS``
    remarks: tuple[
        AttnvizError, ...
    ] = ()  # what is to be known of this pass, such as layers that were not read
    doubt: Doubt | None = None  # what tells whether the answer is doubtful; None where it was not measured
    # What was changed of the network's gates in this pass, as plain values: "layers", as
    # ``interventions.edit_json`` writes them, and whether the others were computed anew, "recompute". Empty
    # of the network as it is.
    edits: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def photo(self) -> Photo:
        """The photo to draw on; of a tensor that was given, the picture it was normalised from, rounded to 8
        bits, or a grey one of a tensor that has other channels than a photo, see ``_picture_of``."""
        return _picture_of(self.source, self.recipe) if isinstance(self.source, Tensor) else self.source

    def top(self, count: int = 5) -> list[tuple[str, float]]:
        """The ``count`` most probable classes with their probabilities, the most probable first: the softmax
        of ``logits``, or what the network gives where it ends with a softmax or a sigmoid itself.

        None where no probability is defined: for one number, which names no class, and where a score is NaN
        or infinite. ``scores`` says which it is."""
        if not self.labels or self.scores not in ("logits", "probabilities", "independent"):
            return []
        given = torch.from_numpy(self.logits).double()
        probabilities = torch.softmax(given, 0) if self.scores == "logits" else given
        if not probabilities.isfinite().all():
            return []
        best = probabilities.topk(min(count, len(probabilities)))
        return [
            (self.labels[index], value) for value, index in zip(best.values.tolist(), best.indices.tolist())
        ]

    @property
    def doubtful(self) -> bool | None:
        """Whether the photo may well show none of the network's classes: the answer scores below a threshold
        that most photos of its classes pass, see ``doubt``. None where no threshold is known."""
        if self.doubt is None or not self.top(1):
            return None
        return self.doubt.flags(self.logits)

    def box(self, layer: str) -> tuple[float, float, float, float]:
        """Where this layer's map lies on the photo: (left, top, right, bottom) in pixels, see
        ``geometry.map_box``."""
        return map_box(self.region, self.layers[layer].grid)

    def __repr__(self) -> str:
        """A few lines: the photo, what the network said, and the first layers and remarks."""
        given = (
            f"a tensor {tuple(self.source.shape)}" if isinstance(self.source, Tensor) else self.source.name
        )
        said = ", ".join(f"{label[:30]} {probability:.1%}" for label, probability in self.top(3))
        lines = [
            f"Trace of {visible(given)[:60]} in {visible(self.network)[:60]}",
            f"scores: {MEANINGS[self.scores]}" + (f": {visible(said)}" if said else ""),
            *(["doubtful: the photo may well show none of its classes"] if self.doubtful else []),
            *_first_lines([repr(layer) for layer in self.layers.values()], "layers"),
            *_first_lines([str(remark)[:200] for remark in self.remarks], "remarks"),
        ]
        return "\n  ".join(lines)


def _first_lines(lines: list[str], what: str) -> list[str]:
    """The lines, or the first of them and how many more there are."""
    if len(lines) <= SHOWN_LINES:
        return lines
    return [*lines[: SHOWN_LINES - 1], f"… and {len(lines) - SHOWN_LINES + 1} more {what}"]


def _picture_of(x: Tensor, recipe: Recipe) -> Photo:
    """A picture of an input (C, …, H, W) or (C, L). With three channels it is undone how a photo was
    normalised; of others it is the channels' mean over its own range, in grey; of a volume its middle
    slice."""
    while x.ndim > 3:
        x = x[:, x.shape[1] // 2]
    if x.ndim == 3 and len(x) in (1, 3):
        return photo_of(x, recipe, "tensor")
    values = torch.atleast_2d(x.detach().float().cpu().mean(0) if x.ndim == 3 else x.detach().float().cpu())
    low, high = values.aminmax()
    grey = ((values - low) / (high - low).clamp(min=1e-12)).nan_to_num() * 255
    return Photo(np.repeat(grey.round().byte().numpy()[:, :, None], 3, 2), "tensor")


@dataclass(frozen=True, eq=False)
class Features:
    """What one attention module was given for one photo, and what it made of it: float32 (C, h, w) each."""

    layer: str
    before: np.ndarray
    after: np.ndarray

    def __repr__(self) -> str:
        return f"Features({self.layer!r}, {self.before.shape} before and after)"


@dataclass(frozen=True)
class Found:
    """A layer of attention that ``trace`` will read."""

    layer: str
    kind: str  # as in LayerAttention
    how: str  # "declared" by its class, in the "table" of known ones, or "recognised" by what it does
    module: str  # the class
    shape: tuple[int, ...]  # (C, h, w) of its features for an input like the one that was looked at
    channel: tuple[int, ...] | None  # the shapes of what there is to see
    spatial: tuple[int, ...] | None
