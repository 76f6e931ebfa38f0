"""The parts of a gate as arrays, made of what a module's children gave back."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from .multiplications import as_numpy
from .reads import Read, StepRead
from .taps import Tap

# A part or a step -> its values for each of N inputs, float32, copies: "channel", "channel_logits" (N, C);
# "spatial", "spatial_logits", "pooling" (N, h, w); "joint" (N, C, h, w); "paths" (N, P, C).
Parts = dict[str, np.ndarray]

MOST_PATHS = 8  # an output with more rows than this has its paths in one dimension with its channels


def part_of(read: Read, tap: Tap, output: Tensor) -> Parts:
    """What is kept of a child's output: its own small copy. Of BAM's joint gate, which its two branches make
    again (``LayerAttention.factor``), only the factor's means."""
    output = output.detach()
    if read.then == "sigmoid":
        output = torch.sigmoid(output)
    if read.role == "joint":
        return _of_joint_gate(tap, output.float())
    if read.role in ("channel", "channel_logits"):
        return {read.role: as_numpy(output.flatten(1))}  # (N, C)
    if read.role in ("spatial", "spatial_logits"):
        return {read.role: as_numpy(output.squeeze(1))}  # (N, h, w)
    if read.role == "pooling":
        shares = output.float().flatten(1).softmax(1)
        return {"pooling": as_numpy(shares.view(len(output), *output.shape[2:]))}  # (N, h, w)
    if read.role == "paths":
        return {"paths": as_numpy(output.reshape(len(output), _path_count(tap, output), -1))}  # (N, P, C)
    return _of_factor(output)


def _of_joint_gate(tap: Tap, gate: Tensor) -> Parts:
    """A gate (N, C, h, w); the factor is 1 + gate."""
    if any(other.role == "channel_logits" for other in tap.reads):
        return {"channel": as_numpy(1 + gate.mean((2, 3))), "spatial": as_numpy(1 + gate.mean(1))}
    return {"joint": as_numpy(1 + gate)}


def _path_count(tap: Tap, output: Tensor) -> int:
    if output.ndim > 2 and output.shape[1] <= MOST_PATHS:
        return output.shape[1]
    return int(tap.module.radix)  # type: ignore[arg-type]


def _of_factor(output: Tensor) -> Parts:
    """The part that a factor's own shape says it is."""
    if output.ndim < 4 or output.shape[2:] == (1, 1):
        return {"channel": as_numpy(output.flatten(1))}
    if output.shape[1] == 1:
        return {"spatial": as_numpy(output.squeeze(1))}
    return {"joint": as_numpy(output)}  # (N, C, h, w), or with one row or one column to be broadcast


def step_values(step: StepRead, values: Tensor) -> np.ndarray:
    """A step as (N, C), (N, K) or (N, h, w) float32, a copy."""
    if step.map is not None:
        return as_numpy(values[:, step.map])
    is_map = values.ndim == 4 and values.shape[1] == 1 and values.shape[2:] != (1, 1)
    return as_numpy(values.squeeze(1) if is_map else values.flatten(1))


def sizes_of(features: Tensor) -> np.ndarray | None:
    """The mean size of each channel's features (N, C, h, w), without sign: (N, C) float32; None of those of
    another form."""
    if features.ndim != 4 or not features.is_floating_point():
        return None
    exact = torch.promote_types(features.dtype, torch.float32)  # half precision has no room for sums
    sums = torch.linalg.vector_norm(features.detach(), 1, (2, 3), dtype=exact)
    return as_numpy(sums / math.prod(features.shape[2:]))


def _spread(name: str, values: np.ndarray, dimensions: int) -> np.ndarray:
    """A channel part (N, C) or a spatial part (N, h, w) so that it can be broadcast to (N, C, h, w)."""
    if name == "spatial":
        return values[:, None]
    return values.reshape(*values.shape, *[1] * (dimensions - 2))


def joined(tap: Tap, collected: list[Parts]) -> Parts:
    """The parts of one call. Joint parts are multiplied, by broadcasting, into the joint factor, whose means
    stand beside it; what a skip adds is added to the factor."""
    parts: Parts = {}
    joint: np.ndarray | None = None
    for part in collected:
        for name, values in part.items():
            if name == "joint":
                joint = values if joint is None else joint * values
            else:
                parts[name] = values
    if joint is not None and tap.how == "recognised":
        for name, values in parts.items():  # of a tap of two parts, one of which turned out to be joint
            joint = joint * _spread(name, values, joint.ndim)
    if joint is not None:
        factor = torch.from_numpy(joint + np.float32(tap.plus))
        channel, spatial = factor.flatten(2).nanmean(2), factor.nanmean(1)
        return {"joint": factor.numpy(), "channel": channel.numpy(), "spatial": spatial.numpy()}
    if tap.plus:
        return {name: values + np.float32(tap.plus) for name, values in parts.items()}
    return parts
