"""Multiplications by what could be a gate, in a network that nobody described. What is constant over
positions or over channels tells by its shape, or, where it was written out in full, by its numbers. What is
constant over neither could be a mask if a sigmoid or a softmax made it."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Container
from functools import partial
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

from .multiplications import (
    FEWEST_POSITIONS,
    MULTIPLICATIONS,
    GateSite,
    Product,
    Site,
    are_features,
    is_constant,
    kind_by_shape,
    site_of,
)

SQUASHES = {
    "sigmoid",
    "sigmoid_",
    "expit",
    "hardsigmoid",
    "softmax",
    "tanh",
    "tanh_",
}  # functions whose results lie in a closed range
# Functions after which that is still so: they change form, or add and multiply numbers.
KEEPING = {
    *("view", "reshape", "expand", "expand_as", "view_as", "repeat", "tile", "broadcast_to", "unsqueeze"),
    *(
        "squeeze",
        "flatten",
        "unflatten",
        "permute",
        "transpose",
        "contiguous",
        "to",
        "type_as",
        "float",
        "half",
    ),
    *("chunk", "split", "unbind", "select", "narrow", "__getitem__", "interpolate", "upsample", "pad"),
    *("repeat_interleave", "clamp", "detach", "clone", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"),
}
ARITHMETIC = {
    *("add", "sub", "mul", "div", "rsub", "add_", "mul_", "div_", "sub_", "multiply", "true_divide"),
    *("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "__iadd__"),
}
WRITING_OUT = {"repeat", "tile", "repeat_interleave", "clone", "contiguous"}  # of what was expanded too
SAMPLED = 2048  # elements, in the test for functions of each element


class ProductListener(TorchFunctionMode):
    """Reports every multiplication of features by something that could be a gate, while it is entered, in
    this thread; those whose features have too few positions to tell are told to ``too_small``. ``owners`` are
    the modules that a multiplication can belong to; ``dimensions`` those that features can have, with batch
    and channels."""

    def __init__(
        self,
        report: Callable[[Product], None],
        ownerless: Callable[[], None],
        too_small: Callable[[Site | None], None],
        owners: Container[Any],
        dimensions: Container[int] = (4, 5),
    ) -> None:
        super().__init__()
        self._report, self._ownerless, self._too_small = report, ownerless, too_small
        self._owners, self._dimensions = owners, dimensions
        self._squashed: dict[int, weakref.ref[Tensor]] = {}  # by the ids of the tensors
        self._written_out: dict[int, tuple[weakref.ref[Tensor], Tensor]] = {}  # and what each was made of

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func in MULTIPLICATIONS and are_features(args) and args[0].ndim in self._dimensions:
            return self._multiply(func, args, kwargs, sys._getframe(1))
        result = func(*args, **kwargs)
        if self._stays_squashed(func, args):
            self._mark(result)
        if getattr(func, "__name__", "") in WRITING_OUT and isinstance(result, Tensor):
            self._remember(result, args[0])
        return result

    def _multiply(self, func: Any, args: tuple, kwargs: dict, frame: Any) -> Any:
        found = self._gate_among(args[:2])
        if found is None:
            if max(args[0][0, 0].numel(), args[1][0, 0].numel()) < FEWEST_POSITIONS:
                self._too_small(site_of(frame, self._owners))
            return func(*args, **kwargs)
        index, kind = found
        features = args[1 - index]
        if _is_one_number(features):  # it only writes out the gate
            result = func(*args, **kwargs)
            self._remember(result, args[index])
            return result
        site = site_of(frame, self._owners)
        result = func(*args, **kwargs)
        if site is None:
            self._ownerless()
        else:
            self._report(Product(GateSite(site, kind, index), args[index], features, result))
        return result

    def _gate_among(self, factors: tuple) -> tuple[int, str] | None:
        """Which of two factors could be a gate on the other, and its kind."""
        for index in (1, 0):
            gate, features = factors[index], factors[1 - index]
            kind = kind_by_shape(gate, features)
            if kind == "paths" and not _are_shares(gate):
                kind = ""
            if kind == "full":
                kind = self._kind_by_numbers(gate, features)
            if kind:
                return index, kind
        return None

    def _kind_by_numbers(self, gate: Tensor, features: Tensor) -> str:
        kind = constant_kind(gate) if gate.shape == features.shape else ""
        if not kind and id(gate) in self._written_out:  # by numbers it could be either
            small = self._written_out[id(gate)][1]
            kind = kind_by_shape(small, features) if small.ndim == features.ndim else ""
        if kind in ("channel", "spatial"):
            return kind
        is_mask = self._is_squashed(gate) and not _is_function_of(gate.expand(features.shape), features)
        return "joint" if is_mask and features.ndim == 4 else ""

    def _stays_squashed(self, func: Any, args: tuple) -> bool:
        name = getattr(func, "__name__", "")
        if name in SQUASHES:
            return True
        given = [value for value in args if isinstance(value, Tensor)]
        if name in ARITHMETIC:
            return bool(given) and all(self._is_squashed(value) for value in given)
        return name in KEEPING and bool(given) and self._is_squashed(given[0])

    def _is_squashed(self, tensor: Tensor) -> bool:
        return id(tensor) in self._squashed

    def _mark(self, result: Any) -> None:
        for value in result if isinstance(result, tuple | list) else (result,):
            if isinstance(value, Tensor):
                self._squashed[id(value)] = weakref.ref(value, partial(self._forget, id(value)))

    def _forget(self, key: int, _gone: weakref.ref[Tensor]) -> None:
        self._squashed.pop(key, None)

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
