"""What a call of a function multiplies with each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from .memory import has_memory

Pair: TypeAlias = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Factors:
    """Two factors of as many dimensions, whose sizes broadcast, and whether the function gives back nothing
    but their product."""

    pair: Pair
    given: Pair  # the same as they stand in the call
    is_all: bool = True

    def product(self, result: Tensor) -> Tensor:
        """The product, where the function gave this result back."""
        return result if self.is_all else self.pair[0] * self.pair[1]


def factors_in(func: Any, args: tuple, kwargs: dict[str, Any]) -> Factors | None:
    """The factors in a call of a function; None if it multiplies no features."""
    find = FUNCTIONS.get(func)
    return None if find is None else find(args, kwargs)


def _of_product(args: tuple, kwargs: dict[str, Any]) -> Factors | None:
    values = [*args, *(kwargs[name] for name in ("input", "other") if name in kwargs)][:2]
    return _factors(values)


def _of_sum(args: tuple, kwargs: dict[str, Any]) -> Factors | None:
    """Of addcmul(input, one, other), which is input + one × other."""
    values = [*args[1:], *(kwargs[name] for name in ("tensor1", "tensor2") if name in kwargs)][:2]
    return None if kwargs.get("value", 1) != 1 else _factors(values, is_all=False)


def _of_einsum(args: tuple, kwargs: dict[str, Any]) -> Factors | None:
    """Of a sum over nothing, such as einsum("nchw,nc->nchw", x, gate)."""
    equation, operands = (args[0], args[1:]) if args else ("", ())
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    if not isinstance(equation, str) or "->" not in equation or "." in equation or len(operands) != 2:
        return None
    given, made = equation.replace(" ", "").split("->")
    letters = given.split(",")
    if len(set(made)) < len(made) or len(letters) != 2 or not all(set(each) <= set(made) for each in letters):
        return None
    pair = [_laid_out(each, names, made) for each, names in zip(operands, letters)]
    return None if any(each is None for each in pair) else _factors(pair, given=operands)


def _laid_out(values: Any, letters: str, made: str) -> Tensor | None:
    """A tensor with a dimension for each letter of ``made``, of 1 where it has none."""
    if not isinstance(values, Tensor) or len(set(letters)) < len(letters) or values.ndim != len(letters):
        return None
    turned = values.permute([letters.index(letter) for letter in made if letter in letters])
    return turned[tuple(slice(None) if letter in letters else None for letter in made)]


def _factors(values: Any, is_all: bool = True, given: Any = None) -> Factors | None:
    if len(values) < 2 or not (isinstance(values[0], Tensor) and isinstance(values[1], Tensor)):
        return None
    one, other = values
    dimensions = max(one.ndim, other.ndim)
    if dimensions < 3 or not min(one.ndim, other.ndim) or not (_is_real(one) and _is_real(other)):
        return None
    if not (one.is_floating_point() or other.is_floating_point()):
        return None
    pair = _widened(one, dimensions), _widened(other, dimensions)
    return Factors(pair, (one, other) if given is None else tuple(given), is_all)


def _is_real(values: Tensor) -> bool:
    """Whether a tensor holds real numbers that can be looked at."""
    return (values.is_floating_point() or values.dtype == torch.bool) and has_memory(values)


def _widened(values: Tensor, dimensions: int) -> Tensor:
    """With dimensions of 1 in front."""
    return values if values.ndim == dimensions else values[(None,) * (dimensions - values.ndim)]


FUNCTIONS: dict[Any, Callable[[tuple, dict[str, Any]], Factors | None]] = {
    torch.mul: _of_product,
    torch.multiply: _of_product,
    Tensor.mul: _of_product,
    Tensor.mul_: _of_product,
    Tensor.multiply: _of_product,
    Tensor.multiply_: _of_product,
    Tensor.__mul__: _of_product,
    Tensor.__rmul__: _of_product,
    Tensor.__imul__: _of_product,
    torch.addcmul: _of_sum,
    Tensor.addcmul: _of_sum,
    torch.einsum: _of_einsum,
}
