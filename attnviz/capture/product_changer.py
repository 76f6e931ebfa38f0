"""Changes gates where a block's own code multiplies by them, and where it takes the sigmoid of what a child
gave: by what it hands to the functions that the code calls."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .changes import Change, fitting
from .exclusive import pass_depth
from .factors import Factors, factors_in
from .layouts import laid_out
from .multiplications import GateSite, gate_at, site_of
from .scores import SIGMOIDS

# Is given a gate's site, and says what becomes of the gate now; None: it stays.
NextChange: TypeAlias = Callable[[GateSite], Change | None]


class ProductChanger(TorchFunctionMode):
    """Puts changed gates in place of those at some sites while it is entered, in this thread and pass. Enter
    it behind a ``SiteListener``, which then hears what was changed."""

    def __init__(self, sites: list[GateSite], next_change: NextChange) -> None:
        super().__init__()
        self._next_change, self._pass = next_change, pass_depth()
        self._sites = {where.site: [each for each in sites if each.site == where.site] for where in sites}
        self._owners = {site.owner for site in self._sites}
        self._longest = max((len(site.way) for site in self._sites), default=0)
        self._awaited: dict[int, tuple[Tensor, Callable[[Tensor], Tensor]]] = {}  # by the tensors' ids

    def await_sigmoid(self, logits: Tensor, change: Callable[[Tensor], Tensor]) -> None:
        """Change what the sigmoid of these logits will give."""
        self._awaited[id(logits)] = logits, change

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if pass_depth() != self._pass:
            return func(*args, **kwargs)
        if func in SIGMOIDS and args and id(args[0]) in self._awaited:
            _, changed = self._awaited.pop(id(args[0]))
            return changed(func(*args, **kwargs))
        factors = factors_in(func, args, kwargs) if self._sites else None
        site = None if factors is None else site_of(sys._getframe(1), self._owners, self._longest)
        where = gate_at(self._sites.get(site, []), factors.pair) if site and factors else None
        change = self._next_change(where) if where is not None else None
        if factors is not None and where is not None and change is not None:
            args, kwargs = _with_changed_gate(func, args, kwargs, factors, where, change)
        return func(*args, **kwargs)  # from here: a frame between would be taken for the network's code


def _with_changed_gate(
    func: Any, args: tuple, kwargs: dict[str, Any], factors: Factors, where: GateSite, change: Change
) -> tuple[tuple, dict[str, Any]]:
    """The arguments of a product with its gate changed."""
    given, gate = factors.given[where.index], factors.pair[where.index]
    features = factors.pair[1 - where.index]
    as_laid_out = Change(
        *(laid_out(each, where.layout, features.shape) for each in (change.times, change.plus))
    )
    changed = as_laid_out.of(gate.to(features.dtype) if not gate.is_floating_point() else gate)
    if func is torch.einsum:
        changed = _turned_back(func, args, kwargs, given, where.index, changed)
    elif getattr(func, "__name__", "") in ("mul_", "multiply_", "__imul__") and args and given is args[0]:
        given.copy_(fitting(changed, gate).view(given.shape))  # the code goes on with the gate itself
        return args, kwargs
    return _replaced(args, given, changed), {
        name: changed if value is given else value for name, value in kwargs.items()
    }


def _turned_back(
    func: Any, args: tuple, kwargs: dict[str, Any], given: Tensor, index: int, changed: Tensor
) -> Tensor:
    """A changed gate with its dimensions as the call has them: written through the view that lays them
    out."""
    fresh = torch.empty(given.shape, dtype=changed.dtype, device=changed.device)
    factors = factors_in(func, _replaced(args, given, fresh), kwargs)
    assert factors is not None
    factors.pair[index].copy_(fitting(changed, factors.pair[index]))
    return fresh


def _replaced(args: tuple, old: Tensor, new: Tensor) -> tuple:
    """Arguments with one tensor in place of another, also in a list among them."""
    return tuple(
        type(each)(new if inner is old else inner for inner in each)
        if isinstance(each, list | tuple)
        else (new if each is old else each)
        for each in args
    )
