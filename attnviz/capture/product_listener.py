"""Multiplications by what could be a gate, in a network that nobody described. What is constant over
positions or over channels tells by its shape, or, where it was written out in full, by its numbers. What is
constant over neither could be a mask if a sigmoid or a softmax made it."""

from __future__ import annotations

import math
import sys
import weakref
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor
from torch.overrides import TorchFunctionMode

from .factors import Factors, factors_in
from .known_tensors import KnownTensors
from .layouts import canonical
from .marks import Squash
from .memory import Memory
from .multiplications import (
    FEWEST_POSITIONS,
    GateSite,
    Product,
    Site,
    is_constant,
    kind_by_shape,
    product_of,
    site_of,
)

WRITING_OUT = {"repeat", "tile", "repeat_interleave", "clone", "contiguous"}  # of what was expanded too
SAMPLED = 2048  # elements, in the test for functions of each element


@dataclass(frozen=True)
class ProductMemory:
    """Where the numbers of a product lie, as far as they have memory of their own: those of the gate and the
    features before they are multiplied, and the product's, if the function gave nothing else back."""

    gate: Memory | None
    features: Memory | None
    result: Memory | None


class Reports(Protocol):
    """Is told what a pass multiplies."""

    is_looking: bool  # what is computed now is no part of the network

    def multiplied(self, product: Product, memory: ProductMemory, is_bounded: bool) -> None:
        """Features were multiplied by what could be a gate, whose numbers may lie in a closed range."""

    def multiplied_by_nobody(self) -> None:
        """The same, in no module's code."""

    def multiplied_too_little(self, site: Site | None) -> None:
        """Something was multiplied that has too few positions to tell."""

    def used_otherwise(self, squash: Squash, site: Site | None) -> None:
        """What could be a gate was used together with features, but by no multiplication that is known."""


class ProductListener(TorchFunctionMode):
    """Reports every multiplication of features by something that could be a gate, while it is entered, in
    this thread. ``owners`` are the modules that a multiplication can belong to; ``dimensions`` those that
    features can have, with batch and channels, where their layout is not known; ``known`` is kept up."""

    def __init__(
        self,
        reports: Reports,
        owners: Container[Any],
        known: KnownTensors,
        dimensions: Container[int] = (4, 5),
    ) -> None:
        super().__init__()
        self._reports, self._owners, self._dimensions = reports, owners, dimensions
        self._known = known
        self._written_out: dict[int, tuple[weakref.ref[Tensor], Tensor]] = {}  # and what each was made of

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if self._reports.is_looking:
            return func(*args, **kwargs)
        frame, factors = sys._getframe(1), factors_in(func, args, kwargs)
        if factors is None:
            result = func(*args, **kwargs)
        else:
            result = self._multiply(factors, lambda: func(*args, **kwargs), frame)
        given = args or (kwargs.get("input"),)
        self._known.follow(func, given, kwargs, result)
        for squash in self._known.marks.unread(func, given):
            self._reports.used_otherwise(squash, site_of(frame, self._owners))
        if getattr(func, "__name__", "") in WRITING_OUT and isinstance(given[0], Tensor):
            self._remember(result, given[0])
        return result

    def _multiply(self, factors: Factors, run: Callable[[], Any], frame: Any) -> Any:
        found = self._gate_among(factors)
        if found is None:
            if all(math.prod(each.shape[2:]) < FEWEST_POSITIONS for each in factors.pair):
                self._reports.multiplied_too_little(site_of(frame, self._owners))
            return run()
        index, kind, layout = found
        gate, features = factors.pair[index], factors.pair[1 - index]
        if _is_one_number(features):  # it only writes out the gate
            result = run()
            self._remember(result, factors.given[index])
            return result
        mark = self._known.marks.of(factors.given[index])
        if mark.squash is not None:
            mark.squash.is_read = True
        site, memories = site_of(frame, self._owners), self._known.memories
        before = memories.of(factors.given[index]), memories.of(factors.given[1 - index])
        result = run()
        if site is None:
            self._reports.multiplied_by_nobody()
        else:
            where = GateSite(site, kind, index, layout)
            product = product_of(where, gate, features, factors.product(result))
            memory = ProductMemory(*before, memories.of(result) if factors.is_all else None)
            self._reports.multiplied(product, memory, mark.squash is not None)
        return result

    def _gate_among(self, factors: Factors) -> tuple[int, str, str] | None:
        """Which of two factors could be a gate on the other, its kind, and the layout of the features."""
        for index in (1, 0):
            layout = self._known.layouts.of(factors.given[1 - index])
            dimensions = factors.pair[0].ndim
            if dimensions != len(layout) and dimensions not in self._dimensions:
                continue
            kind = self._kind_of(factors, index, layout)
            if kind:
                return index, kind, layout
        return None

    def _kind_of(self, factors: Factors, index: int, layout: str) -> str:
        gate, features = factors.pair[index], factors.pair[1 - index]
        if any(mine not in (1, theirs) for mine, theirs in zip(gate.shape, features.shape)):
            return ""
        mark = self._known.marks.of(factors.given[index])
        if mark.is_size and mark.squash is None:  # a normalisation
            return ""
        kind = kind_by_shape(gate, features)
        if kind == "paths" and _are_shares(gate):
            return kind
        gate, features = canonical(gate, layout, features.shape), canonical(features, layout)
        kind = kind_by_shape(gate, features)
        if kind == "full":
            return self._kind_by_numbers(factors, index, gate, features)
        return "" if kind == "paths" else kind

    def _kind_by_numbers(self, factors: Factors, index: int, gate: Tensor, features: Tensor) -> str:
        given, multiplied = factors.given[index], factors.given[1 - index]
        kind = constant_kind(gate) if gate.shape == features.shape else ""
        if not kind and id(given) in self._written_out:  # by numbers it could be either
            small = self._written_out[id(given)][1]
            kind = kind_by_shape(small, features) if small.ndim == features.ndim else ""
        if kind in ("channel", "spatial"):
            return kind
        if features.ndim != 4 or not self._known.marks.is_squashed(given):
            return ""
        if bool((given < 0).any()) or self._known.marks.is_gate_of_twins(given, multiplied):
            return ""
        return "" if _is_function_of(gate.expand(features.shape), features) else "joint"

    def _remember(self, result: Tensor, small: Tensor) -> None:
        key = id(result)
        if id(small) in self._written_out:  # in several steps
            small = self._written_out[id(small)][1]
        gone = weakref.ref(result, lambda _: self._written_out.pop(key, None))
        self._written_out[key] = gone, small.detach()


def _is_one_number(features: Tensor) -> bool:
    least, greatest = features.detach().aminmax()
    return bool(least == greatest) and bool(least != 0)


def constant_kind(gate: Tensor) -> str:
    """The kind of a gate that is written out in full: "channel" if its numbers are the same at all positions,
    "spatial" if in all channels, "" if neither or both."""
    over_positions, over_channels = is_constant(gate, "channel"), is_constant(gate, "spatial")
    if over_positions == over_channels:
        return ""
    return "channel" if over_positions else "spatial"


def _are_shares(gate: Tensor) -> bool:
    """Whether the numbers of the paths, in dimension 1, add up to 1."""
    return bool((gate.sum(1).float() - 1).abs().max() < 1e-2)


def _is_function_of(gate: Tensor, features: Tensor) -> bool:
    """Whether a gate is a function of the very element that it multiplies, as in Swish: then it changes
    little from each element to the next greater one."""
    step = max(1, features.numel() // SAMPLED)
    order = features.detach().flatten()[::step].float().argsort()
    along = gate.detach().flatten()[::step].float()[order]
    least, greatest = along.aminmax()
    return bool(along.diff().abs().sum() <= 8 * (greatest - least))
