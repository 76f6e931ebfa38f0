"""What is kept of a pass: the trace of one photo, one layer's features, and what a network was found to
have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ..photos.geometry import Recipe, Region, map_box, photo_of
from ..photos.photo import Photo
from .layer_attention import LayerAttention


@dataclass(frozen=True, eq=False)
class Trace:
    """One photo's way through one network: what it said, and every gate on the way."""

    network: str
    source: Photo | Tensor  # what was given: a Photo, or the normalised (3, H, W) input itself
    recipe: Recipe
    region: Region  # the part of the photo that the network saw
    logits: np.ndarray  # (K,) float32; (0,) if the network gives no class scores
    labels: tuple[str, ...]  # K class names; "class 0" and so on if they are not known
    layers: dict[str, LayerAttention]  # in running order

    @cached_property
    def photo(self) -> Photo:
        """The photo to draw on; of a tensor that was given, the picture it was normalised from, rounded to 8
        bits."""
        return (
            photo_of(self.source, self.recipe, "tensor") if isinstance(self.source, Tensor) else self.source
        )

    def top(self, count: int = 5) -> list[tuple[str, float]]:
        """The ``count`` most probable classes with their softmax probabilities, the most probable first; none
        where a score is NaN or infinite, since no probability is defined then."""
        if not self.labels:
            return []
        probabilities = torch.softmax(torch.from_numpy(self.logits).double(), 0)
        if not probabilities.isfinite().all():
            return []
        best = probabilities.topk(min(count, len(probabilities)))
        return [
            (self.labels[index], value) for value, index in zip(best.values.tolist(), best.indices.tolist())
        ]

    def box(self, layer: str) -> tuple[float, float, float, float]:
        """Where this layer's map lies on the photo: (left, top, right, bottom) in pixels, see
        ``geometry.map_box``."""
        return map_box(self.region, self.layers[layer].shape[1:])


@dataclass(frozen=True, eq=False)
class Features:
    """What one attention module was given for one photo, and what it made of it: float32 (C, h, w) each."""

    layer: str
    before: np.ndarray
    after: np.ndarray


@dataclass(frozen=True)
class Found:
    """A layer of attention that ``trace`` will read."""

    layer: str
    kind: str  # as in LayerAttention
    how: str  # "declared" by its class, in the "table" of known ones, or "recognised" by what it does
    module: str  # the class
    shape: tuple[int, int, int]  # (C, h, w) of its features for an input like the one that was looked at
    channel: tuple[int, ...] | None  # the shapes of what there is to see
    spatial: tuple[int, ...] | None
