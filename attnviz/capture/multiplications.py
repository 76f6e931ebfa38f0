"""Multiplications by a gate that stand in a block's own code, such as ``x = self.ca(x) * x``: where they are,
and what they multiply."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True, eq=False)
class Site:
    """A place in a module's code where features are multiplied by a gate."""

    owner: nn.Module | None
    code: CodeType
    at: int  # of the instruction


@dataclass(frozen=True, eq=False)
class Product:
    """One multiplication of features (N, C, h, w) by a gate that is constant over positions ("channel") or
    channels ("spatial")."""

    site: Site
    kind: str
    gate: Tensor  # as it is in the network: not a copy
    features: Tensor
    result: Tensor

    def values(self) -> np.ndarray:
        """The gate as (N, C) or (N, h, w) float32, a copy."""
        gate = self.gate.expand(self.features.shape)
        return as_numpy(gate[:, :, 0, 0] if self.kind == "channel" else gate[:, 0])


class Products(TorchFunctionMode):
    """Sees every multiplication of features by something that is constant over positions or over channels."""

    def __init__(self, seen: Callable[[Product], None]) -> None:
        super().__init__()
        self._seen = seen

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if (
            func not in MULTIPLICATIONS
            or len(args) < 2
            or not (isinstance(args[0], Tensor) and isinstance(args[1], Tensor))
        ):
            return func(*args, **(kwargs or {}))
        first, second = args[:2]
        kind, gate = _gate_kind(second, first), second
        if not kind:
            kind, gate = _gate_kind(first, second), first
        if not kind:
            return func(*args, **(kwargs or {}))
        site = _site(sys._getframe(1))
        result = func(*args, **(kwargs or {}))
        self._seen(Product(site, kind, gate, first if gate is second else second, result))
        return result


def _gate_kind(gate: Tensor, features: Tensor) -> str:
    """Whether one tensor could be a gate on the other: "channel", "spatial" or ""."""
    if (
        features.ndim != 4
        or gate.ndim != 4
        or not (gate.is_floating_point() and features.is_floating_point())
    ):
        return ""
    count, channels, height, width = features.shape
    if gate.shape[0] != count or height * width < 4 or channels < 2:
        return ""
    if any(mine not in (1, theirs) for mine, theirs in zip(gate.shape[1:], features.shape[1:])):
        return ""
    over = [size == 1 or stride == 0 for size, stride in zip(gate.shape[1:], gate.stride()[1:])]
    if not over[0] and over[1] and over[2]:
        return "channel"
    return "spatial" if over[0] and not (over[1] and over[2]) else ""


def _site(frame: Any) -> Site:
    """The innermost module whose code is running, and where in it."""
    at = frame
    while at is not None:
        owner = at.f_locals.get("self")
        if isinstance(owner, nn.Module):
            return Site(owner, at.f_code, at.f_lasti)
        at = at.f_back
    return Site(None, frame.f_code, frame.f_lasti)


MULTIPLICATIONS = {
    torch.mul,
    torch.multiply,
    Tensor.mul,
    Tensor.mul_,
    Tensor.multiply,
    Tensor.multiply_,
    Tensor.__mul__,
    Tensor.__rmul__,
    Tensor.__imul__,
}


def as_numpy(values: Tensor) -> np.ndarray:
    """A float32 copy on the processor."""
    return values.detach().float().cpu().numpy().copy()
