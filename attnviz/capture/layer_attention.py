"""What one attention module computed for one photo, and how its parts make the factor that the features were
multiplied by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

# Formula -> the least and the greatest that the factor can be. The names say how ``channel`` and ``spatial``
# make the factor.
FORMULAS = {
    "product": (0.0, 1.0),  # channel × spatial; one that is missing counts as 1
    "sum": (0.0, 2.0),  # channel + spatial
    "bam sum": (1.0, 2.0),  # 1 + sigmoid(channel_logits + spatial_logits)
    "bam product": (1.0, 2.0),  # 1 + sigmoid(channel_logits × spatial_logits)
    "joint": (0.0, 1.0),  # the array ``joint``
    "none": (0.0, 1.0),  # no factor: paths are chosen between, or something is added
}

# What a kind is called. The last five are recognised by what they do, whatever their name.
KINDS = {
    "se": "SE",
    "cbam": "CBAM",
    "bam": "BAM",
    "eca": "ECA",
    "ese": "eSE",
    "scse": "scSE",
    "ge": "gather-excite",
    "gc": "global context",
    "sk": "selective kernel",
    "split": "split attention",
    "coord": "coordinate attention",
    "channel": "channel gate",
    "spatial": "spatial gate",
    "both": "channel and spatial gate",
    "joint": "joint gate",
    "paths": "choice of paths",
}


@dataclass(frozen=True, eq=False)
class Step:
    """One thing that an attention module computed on the way to its gate."""

    name: str
    values: np.ndarray  # float32: (C,) or (K,) for channels or hidden units, (h, w) for positions

    def __repr__(self) -> str:
        return f"Step({self.name!r}, {_in_short(self.values)})"


@dataclass(frozen=True, eq=False)
class LayerAttention:
    """What one attention module computed for one photo. C channels, a feature map of h × w positions; of
    volumes d × h × w, of signals of one dimension l, which are not drawn on a photo.

    ``formula`` says how the parts make the factor. Where that is a product of the two, ``channel`` is the
    factor on each channel and ``spatial``, where there is one, the factor at each position. Where it can't be
    taken apart (BAM, coordinate attention), they are its means over the positions and over the channels. A
    factor that can't be known, because the features it multiplied are all zero, is NaN."""

    name: str
    kind: str  # "se", "cbam", "bam", "eca" and so on; one of the last five of KINDS if recognised
    shape: tuple[int, ...]  # (C, h, w) of the features that are multiplied; (C, d, h, w) or (C, l)
    channel: np.ndarray | None = None  # (C,) float32
    spatial: np.ndarray | None = None  # (h, w) float32
    channel_logits: np.ndarray | None = None  # (C,) float32, BAM only
    spatial_logits: np.ndarray | None = None  # (h, w) float32, BAM only
    formula: str = "product"  # one of FORMULAS
    joint: np.ndarray | None = None  # (C, h, w) float32, if the formula is "joint"
    paths: np.ndarray | None = None  # (P, C) float32: each path's share of each channel, their sum is 1
    pooling: np.ndarray | None = None  # (h, w) float32: each position's share of the context, their sum is 1
    steps: tuple[Step, ...] = ()  # what was computed on the way, in that order
    sizes: np.ndarray | None = None  # (C,) float32: the mean size (without sign) of the features before it
    form: tuple[
        str, ...
    ] = ()  # in what the module differs from its paper: "parallel", "kernel 3", "released"

    def factor(self) -> np.ndarray:
        """All that the features were multiplied by: float32 (C, h, w). Raises ValueError if the module does
        not multiply."""
        if self.formula == "none":
            raise ValueError(f"{self.name} does not multiply its features by a factor")
        if self.formula == "joint":
            return np.asarray(self.joint).copy()
        if self.formula in ("bam sum", "bam product"):
            channel, spatial = np.asarray(self.channel_logits)[:, None, None], np.asarray(self.spatial_logits)
            logits = torch.from_numpy(channel + spatial if self.formula == "bam sum" else channel * spatial)
            return (1 + torch.sigmoid(logits)).numpy()
        positions = (1,) * (len(self.shape) - 1)
        factors = (None if self.channel is None else self.channel.reshape(-1, *positions), self.spatial)
        parts = [part for part in factors if part is not None]
        whole = sum(parts) if self.formula == "sum" else math.prod(parts, start=np.float32(1))  # type: ignore[arg-type]
        return np.broadcast_to(np.asarray(whole, np.float32), self.shape).copy()

    @property
    def title(self) -> str:
        """Its kind as people write it."""
        return KINDS.get(self.kind, self.kind)

    @property
    def averaged(self) -> bool:
        """Whether ``channel`` and ``spatial`` are means of a factor that can't be taken apart."""
        return self.formula in ("bam sum", "bam product", "joint")

    @property
    def grid(self) -> tuple[int, int]:
        """The feature map's rows and columns (h, w), of a volume those of a slice; (1, l) of a signal."""
        height, width = (1, 1, *self.shape[1:])[-2:]
        return height, width

    @property
    def map(self) -> np.ndarray | None:
        """What there is to lay over the photo, (h, w): the spatial factor, or the positions' shares of a
        pooled context. None too where the positions are not those of a photo."""
        values = self.pooling if self.spatial is None else self.spatial
        return values if values is not None and values.ndim == 2 else None

    @property
    def map_limits(self) -> tuple[float, float]:
        """What a fixed scale of the map spans: shares have no greatest of their own, so theirs ends at the
        map's."""
        return (
            (0.0, float(np.nanmax(self.pooling)))
            if self.spatial is None and self.pooling is not None
            else self.limits
        )

    @cached_property
    def limits(self) -> tuple[float, float]:
        """What a fixed scale spans: the least and the greatest that the factor can be, or the next whole
        numbers beyond them if a gate that is no sigmoid goes further. BAM's stay those of its paper where its
        factor was changed."""
        low, high = FORMULAS["bam sum" if self.kind == "bam" else self.formula]
        for part in (self.channel, self.spatial):
            if part is not None and np.isfinite(part).any():
                low, high = (
                    min(low, math.floor(np.nanmin(part) + 1e-4)),
                    max(high, math.ceil(np.nanmax(part) - 1e-4)),
                )
        return float(low), float(high)

    def __repr__(self) -> str:
        """One line: name, kind, shape, and the range of what there is to see."""
        parts = {part: getattr(self, part) for part in ("channel", "spatial", "paths", "pooling")}
        seen = [f"{part} {_in_short(values)}" for part, values in parts.items() if values is not None]
        return ", ".join([f"{self.name[:60]}: {self.title}", " × ".join(map(str, self.shape)), *seen])


def _in_short(values: np.ndarray) -> str:
    """An array's shape and range."""
    finite = values[np.isfinite(values)]
    return f"{values.shape}" + (f" {finite.min():.3g} to {finite.max():.3g}" if finite.size else "")
