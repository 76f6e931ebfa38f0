"""Multiplications by a gate that stand in a block's own code, such as ``x = self.ca(x) * x``: what they
multiply, and whose code they stand in.

A multiplication belongs to the innermost module of the network that is running. It is told from the frames
of the call: a frame runs a module's own method if its first argument, whatever its name, is a module and the
frame's code is that of the class; and at the latest at ``nn.Module.__call__``, through which every call of a
module goes. So functions, closures, lambdas, decorators, static methods and modules that stand in plain
lists, which the network does not know, count as the code of the module that called them.

Limits. Gates that one line multiplies in turn, in a loop, share a site: they are read as one layer that runs
several times. So are blocks whose ``forward`` is called directly, past ``nn.Module.__call__``, behind a
decorator that does not say what it wraps. What ran through other lines than when the network was looked at
is not read. Not seen at all are products inside TorchScript, compiled code and other threads, and those that
no multiplication makes (``einsum``, ``addcmul``, ``lerp``). A multiplication that no module of the network
makes (its ``__call__`` is its own and calls functions only) is not read, and a warning is logged."""

from __future__ import annotations

import sys
from collections.abc import Callable, Container
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

MODULE_CALLS = vars(sys.modules[nn.Module.__module__])  # the names around ``nn.Module.__call__``


@dataclass(frozen=True)
class Site:
    """A place in a module's code where features are multiplied by a gate: the module, and the way from the
    multiplication up to the module's method, as pairs of a code and the instruction that it is at."""

    owner: nn.Module
    way: tuple[tuple[CodeType, int], ...]


@dataclass(frozen=True, eq=False)
class Product:
    """One multiplication of features (N, C, h, w) by a gate that is constant over positions ("channel") or
    channels ("spatial")."""

    site: Site | None  # None: no module of the network was found to make it
    kind: str
    gate: Tensor  # as it is in the network: not a copy
    features: Tensor
    result: Tensor

    def values(self) -> np.ndarray:
        """The gate as (N, C) or (N, h, w) float32, a copy."""
        gate = self.gate.expand(self.features.shape)
        return as_numpy(gate[:, :, 0, 0] if self.kind == "channel" else gate[:, 0])


class ProductListener(TorchFunctionMode):
    """Reports every multiplication of features by something that is constant over positions or over channels,
    while it is entered, in this thread.

    ``owners`` are the modules that a multiplication can belong to; ways longer than ``longest`` are not
    followed, and lead to no site."""

    def __init__(
        self, report: Callable[[Product], None], owners: Container[nn.Module], longest: int = sys.maxsize
    ) -> None:
        super().__init__()
        self._report = report
        self._owners = owners
        self._longest = longest

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func in MULTIPLICATIONS:
            return self._multiply(func, args, kwargs or {}, sys._getframe(1))
        return func(*args, **(kwargs or {}))

    def _multiply(self, func: Any, args: tuple, kwargs: dict, frame: FrameType) -> Any:
        if len(args) < 2 or not (isinstance(args[0], Tensor) and isinstance(args[1], Tensor)):
            return func(*args, **kwargs)
        features, gate = args[:2]
        kind = _gate_kind(gate, features)
        if not kind:
            gate, features = args[:2]
            kind = _gate_kind(gate, features)
        if not kind:
            return func(*args, **kwargs)
        site = site_of(frame, self._owners, self._longest)
        result = func(*args, **kwargs)
        self._report(Product(site, kind, gate, features, result))
        return result


def site_of(frame: FrameType | None, owners: Container[nn.Module], longest: int = sys.maxsize) -> Site | None:
    """The site that a frame is at, in the code of the innermost module among ``owners``; None if there is no
    such module, or the way to it has more than ``longest`` steps."""
    way: list[tuple[CodeType, int]] = []
    while frame is not None and len(way) <= longest:
        if frame.f_globals is MODULE_CALLS:
            module = frame.f_locals.get("self")
        else:
            way.append((frame.f_code, frame.f_lasti))
            module = _running_module(frame)
        if isinstance(module, nn.Module) and module in owners:
            return Site(module, tuple(way))
        frame = frame.f_back
    return None


def _running_module(frame: FrameType) -> nn.Module | None:
    """The module whose own method, decorated or not, runs in a frame."""
    code = frame.f_code
    if not code.co_argcount:
        return None
    first = frame.f_locals.get(code.co_varnames[0])
    if not isinstance(first, nn.Module):
        return None
    function = getattr(type(first), code.co_name, None)
    while function is not None and getattr(function, "__code__", None) is not code:
        function = getattr(function, "__wrapped__", None)  # what a decorator was put around
    return None if function is None else first


def _gate_kind(gate: Tensor, features: Tensor) -> str:
    """Whether one tensor could be a gate on the other: "channel", "spatial" or ""."""
    if features.ndim != 4 or gate.ndim != 4:
        return ""
    if not (gate.is_floating_point() and features.is_floating_point()):
        return ""
    count, channels, height, width = features.shape
    if gate.shape[0] != count or height * width < 4 or channels < 2:
        return ""
    if any(mine not in (1, theirs) for mine, theirs in zip(gate.shape[1:], features.shape[1:])):
        return ""
    # A gate that was expanded to the features' shape still has steps of 0 in memory.
    channels_alike, rows_alike, columns_alike = (
        size == 1 or step == 0 for size, step in zip(gate.shape[1:], gate.stride()[1:])
    )
    if rows_alike and columns_alike:
        return "" if channels_alike else "channel"
    return "spatial" if channels_alike else ""


def as_numpy(values: Tensor) -> np.ndarray:
    """A float32 copy on the processor."""
    return values.detach().float().cpu().numpy().copy()


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
