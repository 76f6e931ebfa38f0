"""Whether a module's output is its input times a gate: told from the two tensors alone, by least squares.

A module whose output is its input times something constant over positions weighs channels; constant over
channels, positions; neither, both at once. The residual tells which: about 1e-7 for the right kind in
float32, 0.01 and more for a wrong one. Nothing here knows hooks or networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 2e-2}
GREATEST = 8.0  # a factor of each element beyond this is no gate
FEWEST = 4  # positions (or channels) over which something must be constant before that means anything
# Why it can't be told whether there is a factor.
TOO_SMALL, ALL_ZERO, NOT_FINITE = "map_too_small", "all_zero", "not_finite"
UNCHANGED = 0.1  # of the elements, in the test for functions of each element
GREATER = 4  # times the input, in the test for normalisations
SAME_OUTPUT = 2e-2  # of the greatest of it, that an output for greater input may differ by


@dataclass(frozen=True, eq=False)
class Fit:
    """The factor between a module's input and its output."""

    kind: str  # "channel", "spatial" or "joint"
    factor: Tensor  # (N, C), (N, h, w) or (N, C, h, w) float32; NaN where the input is all zero
    tolerance: float  # what the precision of the features lets it be off by, of 1

    @property
    def is_constant(self) -> bool:
        """Whether the factor is one number for each input, which any kind of gate could have given."""
        flat = self.factor.flatten(1)
        least, greatest = flat.nan_to_num(torch.inf).amin(1), flat.nan_to_num(-torch.inf).amax(1)
        return bool((greatest - least <= 1e-5 * greatest.abs()).all())


def fit(x: Tensor, y: Tensor) -> Fit | None:
    """The factor between input and output, both (N, C, h, w) or of other dimensions of positions, if there is
    one that could be a gate's; an activation may pass for one, see ``is_elementwise``."""
    if not have_one_form(x, y) or not (torch.isfinite(x).all() and torch.isfinite(y).all()) or not y.any():
        return None
    for kind, spread in (("channel", x[0, 0].numel()), ("spatial", x.shape[1])):
        if spread >= FEWEST:
            factor = fitted_factor(x, y, kind)
            if factor is not None:
                return Fit(kind, factor, _tolerance(x, y))
    factor = _elementwise(x, y)
    return Fit("joint", factor, _tolerance(x, y)) if _could_be_gate(factor) else None


def have_one_form(x: Tensor, y: Tensor) -> bool:
    """Whether two tensors could be features before and after a gate."""
    is_floating = x.is_floating_point() and y.is_floating_point()
    return x.shape == y.shape and x.ndim >= 3 and is_floating and bool(x.numel())


def _could_be_gate(factor: Tensor) -> bool:
    known = factor[~factor.isnan()]
    if known.numel() < 0.05 * factor.numel():
        return False
    return bool(known.min() >= -1e-3) and bool(known.max() <= GREATEST)


class Sample:
    """Some of a module's input values, of a few channels at a few positions, taken before it runs. They tell
    of most outputs at little cost that these are no scaled input."""

    CHANNELS, SIDE = 16, 8

    def __init__(self, x: Tensor) -> None:
        self._shape = x.shape
        self.values = self.of(x)  # a copy

    def tells(self, y: object) -> bool:
        """Whether it can be told of this output if it is a multiple of the input."""
        if not isinstance(y, Tensor) or y.shape != self._shape or not have_one_form(self.values, self.of(y)):
            return False
        return not self.untold(y)

    def untold(self, y: Tensor) -> str:
        """Why it can't be told whether an output of the same shape is a multiple of the input; "" if it
        can."""
        x, y = self.values, self.of(y)
        if not have_one_form(x, y):
            return ""
        if not (x.isfinite().all() and y.isfinite().all()):
            return NOT_FINITE
        if not x.any() or not y.any():
            return ALL_ZERO
        return TOO_SMALL if math.prod(self._shape[2:]) < FEWEST else ""

    def could_scale_to(self, y: Tensor) -> bool:
        """Whether the output for these inputs could be a multiple of them by a gate."""
        if y.shape != self._shape or not y.is_floating_point():
            return False
        x, y = self.values, self.of(y)
        if not y.any():
            return True
        if not (x.isfinite().all() and y.isfinite().all()):
            return False
        if fitted_factor(x, y, "channel") is not None or fitted_factor(x, y, "spatial") is not None:
            return True
        factor = _elementwise(x, y)
        known = factor[~factor.isnan()]
        return bool((known >= -1e-3).all() and (known <= GREATEST).all())

    def of(self, values: Tensor) -> Tensor:
        """A copy of the same places in another tensor of this shape."""
        steps = [max(1, size // most) for size, most in zip(self._shape[1:], self._most())]
        return values.detach()[(slice(None), *(slice(None, None, step) for step in steps))].clone()

    def _most(self) -> list[int]:
        return [self.CHANNELS, *[self.SIDE] * (len(self._shape) - 2)]


def fitted_factor(x: Tensor, y: Tensor, kind: str) -> Tensor | None:
    """The factor of this kind by least squares: sum xy / sum x², in the shape that ``Fit`` has. None if the
    residual says that it is not of this kind."""
    if kind == "joint":
        return _elementwise(x, y)
    over = tuple(range(2, x.ndim)) if kind == "channel" else (1,)
    factors, left, all_of_it = [], 0.0, 0.0
    for given, made in zip(x.split(1), y.split(1)):  # one row after another takes less memory
        wide, result = (each.to(torch.float64, copy=True) for each in (given, made))
        factor = (wide * result).sum(over, keepdim=True) / (wide * wide).sum(over, keepdim=True)
        all_of_it += float(result.square().sum())
        left += float(result.sub_(wide.mul_(factor.nan_to_num())).square_().sum())  # 0 / 0 is NaN: undefined
        factors.append(factor)
    if not left <= _tolerance(x, y) ** 2 * all_of_it:
        return None
    factor = torch.cat(factors)
    return factor.flatten(1).float() if kind == "channel" else factor.squeeze(1).float()


def _tolerance(x: Tensor, y: Tensor) -> float:
    return max(TOLERANCE.get(tensor.dtype, 1e-5) for tensor in (x, y))


def is_elementwise(run: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> bool:
    """Whether every element of the output depends on its own element of the input alone, as in an activation
    or a fixed scale: most elements are changed, and the others' outputs stay. A gate looks at more than the
    element that it multiplies."""
    generator = torch.Generator().manual_seed(0)
    unchanged = (torch.rand(x.shape, generator=generator) < UNCHANGED).to(x.device)
    changed = torch.where(unchanged, x, x.roll(1, -1) * 1.5 + x.abs().amax() * 0.25)
    before, after = y[unchanged], run(changed)[unchanged]
    if not before.numel():
        return False
    return bool((after - before).abs().max() <= 1e-6 * before.abs().max())


def is_normalisation(run: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> bool:
    """Whether the output is the same for greater input, because it is divided by a size of its own."""
    if not y.any():
        return False
    off = (run(x * GREATER) - y).abs().amax()
    return bool(off <= SAME_OUTPUT * y.abs().amax())


def is_nearly_one(factor: Tensor) -> bool:
    """Whether a factor leaves nearly everything as it is, like a residual block whose branch is still next to
    nothing."""
    known = factor[~factor.isnan()]
    return bool(((known - 1).abs() <= 0.01).float().mean() >= 0.95)


def _elementwise(x: Tensor, y: Tensor) -> Tensor:
    """Output ÷ input: NaN where both are 0, infinite where only the input is."""
    wide, result = x.float(), y.float()
    return torch.where(wide == 0, torch.nan, result / wide).masked_fill(
        (wide == 0) & (result != 0), torch.inf
    )
