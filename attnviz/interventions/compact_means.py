"""One layer's mean gates in a few bytes: in half precision, and those of a joint gate, (C, h, w), as sums of
a number a channel and one a position, and of a few products of such numbers."""

from __future__ import annotations

import math

import numpy as np

JOINT = "joint"
OF_CHANNELS, OF_POSITIONS = "joint_channels", "joint_positions"  # (C, K) and (K, h, w): what is missing
FINE = 0.002  # that a joint gate's mean may be off; over a thousand photos it is known to about 0.005


def compact(means: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The means of a layer, part -> float16 array; ``whole`` undoes it."""
    halves = {part: _halves(values) for part, values in means.items() if part != JOINT}
    if JOINT not in means:
        return halves
    joint = means[JOINT]
    if not {"channel", "spatial"} <= halves.keys() or not np.isfinite(joint).all():
        return {**halves, JOINT: _halves(joint)}
    missing = (joint - _sum_of(halves)).reshape(len(joint), -1).astype(np.float64)
    channels, sizes, positions = np.linalg.svd(missing, full_matrices=False)
    scale = np.sqrt(sizes)
    for count in range(len(sizes) + 1):
        products = (channels[:, :count] * scale[:count]), (scale[:count, None] * positions[:count])
        first, second = (_halves(part) for part in products)
        if np.abs(missing - first.astype(np.float64) @ second).max(initial=0) <= FINE:
            break
    return {**halves, OF_CHANNELS: first, OF_POSITIONS: second.reshape(count, *joint.shape[1:])}


def _halves(values: np.ndarray) -> np.ndarray:
    """Numbers in half precision; a logit beyond its range says no more than the greatest."""
    greatest = np.finfo(np.float16).max
    return np.clip(values, -greatest, greatest).astype(np.float16)


def whole(means: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The means of a layer, part -> float32 array, that ``compact`` made, or that were left as they are.
    Raises KeyError or ValueError for parts that don't fit each other."""
    single = {part: values.astype(np.float32) for part, values in means.items()}
    if OF_CHANNELS not in single:
        return single
    first, second = single.pop(OF_CHANNELS), single.pop(OF_POSITIONS)
    positions = second.shape[1:]
    missing = (first @ second.reshape(len(second), math.prod(positions))).reshape(-1, *positions)
    return {**single, JOINT: _sum_of(single) + missing}


def _sum_of(means: dict[str, np.ndarray]) -> np.ndarray:
    """What a joint gate (C, h, w) would be if a channel's mean and a position's said all of it."""
    channel, spatial = (means[part].astype(np.float32) for part in ("channel", "spatial"))
    return channel.reshape(-1, *[1] * spatial.ndim) + (spatial - spatial.mean())
