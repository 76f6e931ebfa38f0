"""Whether a module's output is its input times a gate: told from the two tensors alone, by least squares.

A module whose output is its input times something constant over positions weighs channels; constant over
channels, positions; neither, both at once. The residual tells which: about 1e-7 for the right kind in
float32, 0.01 and more for a wrong one. Nothing here knows hooks or networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 2e-2}
GREATEST = 8.0  # a factor beyond this in a kind that is neither is no gate
FEWEST = 4  # positions (or channels) over which something must be constant before that means anything
UNCHANGED = 0.1  # of the elements, in the test for functions of each element


@dataclass(frozen=True, eq=False)
class Fit:
    """The factor between a module's input and its output."""

    kind: str  # "channel", "spatial" or "joint"
    factor: Tensor  # (N, C), (N, h, w) or (N, C, h, w) float32; NaN where the input is all zero


def fit(x: Tensor, y: Tensor) -> Fit | None:
    """The factor between input and output, both (N, C, h, w), if there is one that could be a gate's; an
    activation may pass for one, see ``is_elementwise``."""
    if (
        x.shape != y.shape
        or x.ndim != 4
        or not x.is_floating_point()
        or not y.is_floating_point()
        or not x.numel()
    ):
        return None
    if not (torch.isfinite(x).all() and torch.isfinite(y).all()) or not y.any():
        return None
    for kind, spread in (("channel", x.shape[2] * x.shape[3]), ("spatial", x.shape[1])):
        if spread >= FEWEST:
            factor = ratio(x, y, kind)
            if factor is not None:
                return Fit(kind, factor)
    factor = _elementwise(x, y)
    known = factor[~factor.isnan()]
    if known.numel() < 0.05 * factor.numel() or known.min() < -1e-3 or known.max() > GREATEST:
        return None
    return Fit("joint", factor)


def ratio(x: Tensor, y: Tensor, kind: str) -> Tensor | None:
    """The factor of this kind by least squares: sum xy / sum x², in the shape that ``Fit`` has. None if the
    residual says that it is not of this kind."""
    if kind == "joint":
        return _elementwise(x, y)
    over = (2, 3) if kind == "channel" else (1,)
    wide, result = x.double(), y.double()
    squares = (wide * wide).sum(over, keepdim=True)
    factor = (wide * result).sum(over, keepdim=True) / squares  # 0 / 0 is NaN: undefined
    residual = (result - wide * factor.nan_to_num()).norm() / result.norm()
    if not residual <= max(TOLERANCE.get(tensor.dtype, 1e-5) for tensor in (x, y)):
        return None
    return factor.squeeze((2, 3)).float() if kind == "channel" else factor.squeeze(1).float()


def is_elementwise(run: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> bool:
    """Whether every element of the output depends on its own element of the input alone, as in an activation
    or a fixed scale: most elements are changed, and the others' outputs stay. A gate looks at more than the
    element that it multiplies."""
    generator = torch.Generator().manual_seed(0)
    unchanged = (torch.rand(x.shape, generator=generator) < UNCHANGED).to(x.device)
    changed = torch.where(unchanged, x, x.roll(1, 3) * 1.5 + x.abs().amax() * 0.25)
    before, after = y[unchanged], run(changed)[unchanged]
    if not before.numel():
        return False
    return bool((after - before).abs().max() <= 1e-6 * before.abs().max())


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
