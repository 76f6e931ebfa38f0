"""Layers and traces with the numbers that a test wants."""

from __future__ import annotations

import numpy as np

from attnviz import LayerAttention, Photo, Recipe, Trace
from attnviz.photos.geometry import whole

GREY = 100


def layer(
    spatial: np.ndarray | None, kind: str = "cbam", channel: np.ndarray | None = None, name: str = "layer4.1"
) -> LayerAttention:
    channel = np.linspace(0, 1, 16, dtype=np.float32) if channel is None else channel
    height, width = (7, 7) if spatial is None else spatial.shape
    return LayerAttention(
        name,
        kind,
        (len(channel), height, width),
        channel,
        spatial,
        formula="bam sum" if kind == "bam" else "product",
    )


def trace_of(
    attention: LayerAttention, width: int = 448, height: int = 448, view=whole, name: str = "grey.png"
) -> Trace:
    photo = Photo(np.full((height, width, 3), GREY, np.uint8), name)
    recipe = Recipe()
    logits = np.arange(3, dtype=np.float32)
    return Trace(
        "toy", photo, recipe, view(photo, recipe), logits, ("a", "b", "$c$"), {attention.name: attention}
    )


def one_hot(rows: int, columns: int, row: int, column: int) -> np.ndarray:
    """A map of zeros with a single one."""
    values = np.zeros((rows, columns), np.float32)
    values[row, column] = 1
    return values


def random_map(rows: int = 7, columns: int = 7) -> np.ndarray:
    return np.random.default_rng(0).random((rows, columns)).astype(np.float32)
