"""Multiplications by a gate that stand in a block's own code, such as ``x = self.ca(x) * x``: what they
multiply, and whose code they stand in.

A multiplication belongs to the innermost module of the network that is running. It is told from the frames
of the call: a frame runs a module's own method if its first argument, whatever its name, is a module and the
frame's code is that of the class; and at the latest at ``nn.Module.__call__``, through which every call of a
module goes. So functions, closures, lambdas, decorators, static methods and modules that stand in plain
lists, which the network does not know, count as the code of the module that called them.

Limits. Gates that one line multiplies in turn, in a loop, share a site: they are read as one layer that runs
several times. So are blocks whose ``forward`` is called directly, past ``nn.Module.__call__``, behind a
decorator that does not say what it wraps. Not seen at all are products inside TorchScript, compiled code,
vmap and other threads, and those that none of the functions in ``factors`` makes (``lerp``, a matrix
product). A multiplication that no module of the network makes (its ``__call__`` is its own and calls
functions only) is not read, and a warning is logged."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Container
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .exclusive import pass_depth
from .factors import Pair, factors_in
from .layouts import canonical

TORCHS_OWN = (vars(torch.functional), vars(torch.overrides))
MODULE_CALLS = vars(sys.modules[nn.Module.__module__])  # the names around ``nn.Module.__call__``


@dataclass(frozen=True)
class Site:
    """A place in a module's code where features are multiplied by a gate: the module, and the way from the
    multiplication up to the module's method, as pairs of a code and the instruction that it is at."""

    owner: nn.Module
    way: tuple[tuple[CodeType, int], ...]


@dataclass(frozen=True)
class GateSite:
    """A gate at a site: its kind, and which of the two factors it is."""

    site: Site
    kind: str  # "channel", "spatial", "joint" or "paths"
    index: int  # 0 or 1
    layout: str = ""  # of the features, see ``layouts``; "" is channels second


@dataclass(frozen=True, eq=False)
class Product:
    """One multiplication of features (N, C, h, w) by a gate, or of the features of several paths
    (N, P, C, h, w) by each path's share of each channel. Positions can have other dimensions than two."""

    where: GateSite
    gate: Tensor  # as it is in the network: not a copy
    features: Tensor
    result: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels and positions of the features, of one path."""
        return tuple(self.features.shape[2 if self.where.kind == "paths" else 1 :])

    def is_as_told(self) -> bool:
        """Whether the gate still has the form that its kind says."""
        gate, kind = self.gate, self.where.kind
        if gate.ndim != self.features.ndim or any(
            mine not in (1, theirs) for mine, theirs in zip(gate.shape[1:], self.features.shape[1:])
        ):
            return False
        if kind in ("channel", "spatial") and kind_by_shape(gate, self.features) == "full":
            return is_constant(gate, kind)
        wrong = {"channel": "spatial", "spatial": "channel", "paths": "channel"}.get(kind)
        return wrong is None or kind_by_shape(gate, self.features) != wrong

    def values(self) -> np.ndarray:
        """The gate as (N, C), (N, h, w), (N, C, h, w) or (N, P, C) float32, a copy."""
        gate = self.gate.detach()
        if self.where.kind == "paths":
            return as_numpy(gate.flatten(3)[..., 0])
        gate = gate.expand(self.features.shape)
        if self.where.kind == "channel":
            return as_numpy(gate.flatten(2)[..., 0])
        return as_numpy(gate[:, 0] if self.where.kind == "spatial" else gate)


class SiteListener(TorchFunctionMode):
    """Reports every multiplication at some sites, while it is entered, in this thread and pass. What the
    owners of these sites multiply elsewhere, and could be by a gate, is told to ``elsewhere``. With
    ``keep_features`` the features are a copy, as they were before they were multiplied."""

    def __init__(
        self,
        sites: list[GateSite],
        report: Callable[[Product], None],
        elsewhere: Callable[[Site], None] = lambda site: None,
        keep_features: bool = False,
    ) -> None:
        super().__init__()
        self._keep_features, self._pass = keep_features, pass_depth()
        self._sites: dict[Site, list[GateSite]] = {}  # one can be multiplied by gates in turn, in a loop
        for where in sites:
            self._sites.setdefault(where.site, []).append(where)
        self._report, self._elsewhere = report, elsewhere
        self._owners = {site.owner for site in self._sites}
        self._longest = max((len(site.way) for site in self._sites), default=0)

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        factors = factors_in(func, args, kwargs) if pass_depth() == self._pass else None
        site = None if factors is None else site_of(sys._getframe(1), self._owners, self._longest)
        if factors is None or site is None:
            return func(*args, **kwargs)
        where = gate_at(self._sites.get(site, []), factors.pair)
        features = None if where is None else factors.pair[1 - where.index]
        if self._keep_features and features is not None:
            features = features.detach().clone()  # it may be multiplied in place
        result = func(*args, **kwargs)
        if where is not None and features is not None:
            self._report(product_of(where, factors.pair[where.index], features, factors.product(result)))
        elif could_be_gated(factors.pair):
            self._elsewhere(site)
        return result


def gate_at(gates: list[GateSite], pair: Pair) -> GateSite | None:
    """The gate among those at one site; of several the one that has the form of its kind."""
    if len(gates) < 2:
        return gates[0] if gates else None
    fitting = [where for where in gates if _looks_like(where, pair)]
    return fitting[0] if fitting else gates[0]


def product_of(where: GateSite, gate: Tensor, features: Tensor, result: Tensor) -> Product:
    """A product in the usual layout, whatever that of its features is."""
    layout = where.layout
    gate = canonical(gate, layout, features.shape)
    return Product(where, gate, canonical(features, layout), canonical(result, layout))


def could_be_gated(pair: Pair) -> bool:
    """Whether one of two factors could be a gate on the other by its shape."""
    one, other = pair
    return bool(kind_by_shape(other, one) or kind_by_shape(one, other))


def _looks_like(where: GateSite, pair: Pair) -> bool:
    gate, features = pair[where.index], pair[1 - where.index]
    by_shape = kind_by_shape(gate, features)
    if by_shape in ("channel", "spatial"):
        return by_shape == where.kind
    return (gate.shape[1] < features.shape[1]) == (where.kind == "spatial")


def site_of(frame: FrameType | None, owners: Container[nn.Module], longest: int = sys.maxsize) -> Site | None:
    """The site that a frame is at, in the code of the innermost module among ``owners``; None if there is no
    such module, or the way to it has more than ``longest`` steps."""
    way: list[tuple[CodeType, int]] = []
    while frame is not None and len(way) <= longest:
        if frame.f_globals is MODULE_CALLS:
            module = frame.f_locals.get("self")
        elif frame.f_code.co_name == "__torch_function__" or any(
            frame.f_globals is own for own in TORCHS_OWN
        ):
            module = None  # of a mode, or of functions that torch hands to one: no code of the network
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


FEWEST_POSITIONS = 4  # over which something must be constant before that means anything


def kind_by_shape(gate: Tensor, features: Tensor) -> str:
    """What one tensor could be on the other by its shape: a gate that is constant over positions ("channel")
    or over channels ("spatial"), the shares of paths ("paths"); "full" if it is constant over neither; ""
    if nothing of these."""
    count, channels, *sides = features.shape
    if gate.shape[0] != count or math.prod(sides) < FEWEST_POSITIONS or channels < 2:
        return ""
    if any(mine not in (1, theirs) for mine, theirs in zip(gate.shape[1:], features.shape[1:])):
        return ""
    # A gate that was expanded to the features' shape still has steps of 0 in memory.
    alike = [size == 1 or step == 0 for size, step in zip(gate.shape[1:], gate.stride()[1:])]
    if all(alike[1:]):
        return "" if alike[0] else "channel"
    if alike[0]:
        return "spatial"
    if features.ndim == 5 and alike[1:] == [False, True, True]:
        return "paths"
    return "full"


def is_constant(gate: Tensor, kind: str) -> bool:
    """Whether a gate that is written out in full is the same at all positions ("channel") or in all channels
    ("spatial")."""
    if kind == "spatial":
        return _are_equal(gate, gate[:, :1])
    flat = gate.flatten(2)  # (N, C, positions)
    return _are_equal(flat, flat[..., :1])


def _are_equal(one: Tensor, other: Tensor) -> bool:
    """Whether the numbers of one are those of the other, broadcast; most are told by their last ones."""
    last, other_last = one[:, -1:], other.expand(one.shape)[:, -1:]
    return bool((last == other_last).all()) and bool((one == other).all())


def as_numpy(values: Tensor) -> np.ndarray:
    """A float32 copy on the processor."""
    return values.detach().float().cpu().numpy().copy()
