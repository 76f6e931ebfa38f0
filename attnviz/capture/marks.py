"""What is known of the numbers of a pass by the functions that made them: that they lie in a closed range, as
after a sigmoid; that they undo a size, as in a normalisation; which layer made them of what."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import Tensor, nn

from .memory import storage_of

# Functions whose results lie in a closed range.
SQUASHES = {"sigmoid", "sigmoid_", "expit", "hardsigmoid", "hardsigmoid_", "softmax", "tanh", "tanh_"}
# Functions that measure a size, or divide by one. What they make of features has the form of a gate; a
# normalisation multiplies the features by it as it is, attention only after a squash.
SIZES = {"rsqrt", "sqrt", "reciprocal", "norm", "vector_norm", "std", "var", "var_mean", "std_mean"}
# Functions whose results have the marks of the first tensor that they are given: they change its form, copy
# it, or take a part of it, or they cut or compare its numbers, which leaves a mask in a closed range.
KEEPING = {
    *("view", "reshape", "expand", "expand_as", "view_as", "repeat", "tile", "broadcast_to", "unsqueeze"),
    *("squeeze", "flatten", "unflatten", "permute", "transpose", "movedim", "contiguous", "to", "type_as"),
    *("float", "half", "double", "bfloat16", "chunk", "split", "unbind", "select", "narrow", "__getitem__"),
    *("repeat_interleave", "clamp", "detach", "clone", "dropout", "diag_embed", "gt", "ge", "lt", "le"),
}
# Functions that take numbers to other positions, or between these: they lie in the same range still.
RESAMPLING = {"interpolate", "upsample", "pad", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"}
# Functions whose result lies in a closed range if all the tensors that it is made of do, and has to do with a
# size if one of them does.
ARITHMETIC = {
    *("add", "sub", "mul", "div", "rsub", "add_", "mul_", "div_", "sub_", "multiply", "true_divide"),
    *("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "__iadd__"),
    *("__rtruediv__", "stack"),
}
LAYERS = {"conv1d", "conv2d", "conv3d", "linear"}  # functions that weigh their input
# Functions of each element, or of each channel, after which numbers are still those of a layer.
AFTER_LAYERS = {"batch_norm", "instance_norm", "layer_norm", "group_norm", "relu", "relu_", "gelu", "silu"}


@dataclass(frozen=True, eq=False)
class Mark:
    """What is known of one tensor."""

    squash: Squash | None = None  # the function that its numbers come from
    is_size: bool = False
    source: weakref.ref[Tensor] | None = None  # what the layer that made it was given

    def __bool__(self) -> bool:
        return self.squash is not None or self.is_size or self.source is not None


@dataclass(eq=False)
class Squash:
    """A call of a function whose results lie in a closed range."""

    given: weakref.ref[Tensor]  # what it was given
    source: weakref.ref[Tensor] | None  # what the layer before it was given
    is_small: bool  # its result has the form of a gate: one number a channel, a position or an input
    is_read: bool = False  # as a factor of a product that was reported


NOTHING = Mark()


class Marks:
    """The marks of the tensors of a pass."""

    def __init__(self) -> None:
        self._marks: dict[int, tuple[weakref.ref[Tensor], Mark]] = {}  # by the ids of the tensors
        self.small_count = 0  # of what could be gates

    def of(self, tensor: Tensor) -> Mark:
        """What is known of a tensor."""
        known = self._marks.get(id(tensor))
        return NOTHING if known is None else known[1]

    def is_squashed(self, tensor: Tensor) -> bool:
        """Whether its numbers lie in a closed range."""
        return self.of(tensor).squash is not None

    def is_gate_of_twins(self, gate: Tensor, features: Tensor) -> bool:
        """Whether a gate and what it multiplies are two halves of one tensor, or made by two layers of the
        same input, as in a gated linear unit: the gate is none of what it multiplies."""
        squash, source = self.of(gate).squash, self.of(features).source
        if squash is None:
            return False
        given = squash.given()
        storage = None if given is None else storage_of(given)
        if storage is not None and storage == storage_of(features):
            return True
        known = None if source is None else source()
        return known is not None and squash.source is not None and squash.source() is known

    def unread(self, func: Any, args: tuple) -> list[Squash]:
        """The small gates among some arguments that a function uses together with features, in a way that no
        product is known of."""
        name = getattr(func, "__name__", "")
        given = list(_tensors(args))
        squashes = {id(value): self.of(value).squash for value in given}
        small = [value for value in given if (squash := squashes[id(value)]) is not None and squash.is_small]
        if not small or name in KEEPING | RESAMPLING | SQUASHES:
            return []
        others = [value for value in given if squashes[id(value)] is None and _has_positions(value)]
        if name in LAYERS and given[0] is small[0]:
            return []
        uses = [value for value in small if any(other.numel() >= value.numel() for other in others)]
        return [squash for value in uses if (squash := squashes[id(value)]) is not None]

    def follow(self, func: Any, args: tuple, result: Any) -> None:
        """A function has given a result back for some arguments."""
        mark = self._mark_after(getattr(func, "__name__", ""), list(_tensors(args)))
        if not mark:
            return
        for value in result if isinstance(result, tuple | list) else (result,):
            if isinstance(value, Tensor):
                self._marks[id(value)] = weakref.ref(value, partial(self._forget, id(value))), mark

    def _forget(self, key: int, _gone: weakref.ref[Tensor]) -> None:
        self._marks.pop(key, None)

    def _mark_after(self, name: str, given: list[Tensor]) -> Mark:
        marks = [self.of(value) for value in given]
        if not given:
            return NOTHING
        if name in SQUASHES:
            squash = Squash(weakref.ref(given[0]), marks[0].source, _is_small(given[0]))
            self.small_count += squash.is_small
            return Mark(squash, source=marks[0].source)
        if name in SIZES:
            return Mark(is_size=True)
        if name in LAYERS:
            return Mark(source=weakref.ref(given[0]))
        if name in AFTER_LAYERS:
            return Mark(source=marks[0].source)
        if name in ARITHMETIC:
            squashes = [mark.squash for mark in marks]
            known = squashes[0] if all(each is not None for each in squashes) else None
            return Mark(known, any(mark.is_size for mark in marks))
        if name in RESAMPLING:
            return replace(marks[0], source=None)
        return marks[0] if name in KEEPING else NOTHING


def _has_positions(values: Tensor) -> bool:
    return values.ndim > 2 and math.prod(values.shape[2:]) > 1


def _is_small(values: Tensor) -> bool:
    """Whether there is one number a channel, a position or an input."""
    sides = values.shape[1:]
    if isinstance(values, nn.Parameter) or values.ndim < 2:
        return False
    return values.ndim < 3 or sides[0] == 1 or sum(size > 1 for size in sides) < 2


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from (each for each in value if isinstance(each, Tensor))
