"""How far a reading of a network is from what was trained: each batch norm keeps the mean and the variance of
what it saw in training, and the right reading gives it the like again.

Each batch norm passes on what it saw in training, whatever it is given: what is measured is then the step
from one to the next, which photos of anything will do for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import torch
from torch import Tensor, nn

from ..networks.plan import ConvolutionPlan, Plan
from ..networks.resnet import ResNet
from .sample_photos import MOST_PHOTOS, NOISE, sample_photos

MOST_NORMS = 20  # batch norms that are looked at, the first ones
ENOUGH_NORMS = 12  # with so many the last stage is left out
MOST_WORK = 3e9  # multiplications of a pass, some tenths of a second
MOST_NUMBERS = 5e6  # of the largest features of a pass, of which some are in memory at once: 20 MB each
AT_ONCE = 6  # features of a pass that are in memory at once, and what convolutions make of them
WORST = 3.0  # what a mean or a deviation counts at most

Misfits = dict[str, float]  # of the first batch norms, by their paths; empty if they'd take too long to find


class OverError(Exception):
    """The time for finding out is over."""


class _EnoughError(Exception):
    """A pass has gone far enough."""


class Judge:
    """Tells how far readings of the network with some weights are off, while it ``may_go_on``; else it raises
    OverError."""

    def __init__(self, weights: dict[str, Tensor], may_go_on: Callable[[], bool] = lambda: True) -> None:
        self._weights, self._may_go_on = weights, may_go_on
        self._known: dict[str, Misfits] = {}

    def __call__(self, plan: Plan, side: int) -> Misfits:
        """The misfits of a reading on photos of this side."""
        name = f"{side} {plan}"
        if name not in self._known:
            self._known[name] = self._misfits(plan, side)
        return self._known[name]

    def _misfits(self, plan: Plan, side: int) -> Misfits:
        count = _photos_of(plan, side)
        if count < 2:
            return {}
        with torch.device("meta"):
            network = ResNet(plan=plan)
        network.load_state_dict(self._weights, strict=False, assign=True)
        return misfits(network.eval(), sample_photos(plan.stem[0].channels, side, count), self._may_go_on)


def memory_of(plan: Plan, sides: tuple[int, ...]) -> int:
    """About how many bytes passes of photos of these sides take, beside the network."""
    numbers = [_photos_of(plan, side) * _cost(plan, side)[1] for side in sides]
    return 4 * AT_ONCE * max(numbers, default=0)


def looked_at(plan: Plan) -> frozenset[str]:
    """The keys of the weights that a judge takes: those up to the end of the block, or other child, in which
    the last batch norm lies that is looked at, and none of the last stage, the heaviest by far, if that is
    enough. Photos go no further: the other weights need not be in memory beside what the photos take."""
    with torch.device("meta"):
        network = ResNet(plan=plan)
    keys: list[str] = []
    norms = 0
    for part in _in_turn(network):
        enough = ENOUGH_NORMS if part.startswith(f"layer{len(plan.stages)}.") else MOST_NORMS
        if norms >= enough:
            break
        module = network.get_submodule(part)
        keys += [f"{part}.{key}" for key in module.state_dict()]
        norms += sum(isinstance(child, nn.BatchNorm2d) for child in module.modules())
    return frozenset(keys)


def _in_turn(network: ResNet) -> Iterator[str]:
    """The paths of a network's children in the order in which they run, of its stages their blocks."""
    for name, child in network.named_children():
        if name.startswith("layer"):
            yield from (f"{name}.{index}" for index, _ in child.named_children())
        elif next(child.parameters(), None) is not None:
            yield name


def misfits(network: nn.Module, x: Tensor, may_go_on: Callable[[], bool] = lambda: True) -> Misfits:
    """How far what each of the first batch norms is given is from what it saw in training, of those whose
    weights are there: the mean over its channels of the difference of means, in deviations, and of the
    logarithms of deviations. The network's batch norms are replaced for it. Raises OverError once it may not
    go on."""
    found: Misfits = {}
    norms = {path: norm for path, norm in network.named_modules() if isinstance(norm, nn.BatchNorm2d)}
    there = {path: norm for path, norm in norms.items() if not norm.weight.is_meta}

    def note(path: str, misfit: float) -> None:
        found[path] = misfit
        if len(found) >= min(MOST_NORMS, len(there)):
            raise _EnoughError
        if not may_go_on():
            raise OverError

    for path, norm in there.items():
        network.set_submodule(path, _Comparing(norm, partial(note, path)))
    for module in network.modules():
        if isinstance(module, (nn.ReLU, nn.LeakyReLU)):
            module.inplace = True  # in half the memory
    with suppress(_EnoughError), torch.inference_mode():
        network(x)
    return found


class _Comparing(nn.Module):
    """A batch norm that notes how far its input is from what it saw in training, whose result is as if it had
    been given that."""

    def __init__(self, norm: nn.BatchNorm2d, note: Callable[[float], None]) -> None:
        super().__init__()
        self.norm, self.note = norm, note

    def forward(self, x: Tensor) -> Tensor:
        mean, variance = self.norm.running_mean, self.norm.running_var
        assert isinstance(mean, Tensor) and isinstance(variance, Tensor)
        seen = (variance.clamp(min=0) + 1e-6).sqrt()
        middle, spread = x.mean((0, 2, 3)), (x.var((0, 2, 3), correction=0) + 1e-6).sqrt()
        shift = ((middle - mean).abs() / seen).clamp(max=WORST)
        change = (spread / seen).log().abs().clamp(max=WORST)
        self.note(float((shift + change).mean()))
        scale = seen / spread * self.norm.weight / (variance + self.norm.eps).sqrt()
        return (x - middle[:, None, None]).mul_(scale[:, None, None]).add_(self.norm.bias[:, None, None])


def _photos_of(plan: Plan, side: int) -> int:
    """How many photos of a side go through a reading of a network at once."""
    work, numbers = _cost(plan, side)
    return int(min(MOST_PHOTOS, MOST_WORK / max(1, work), MOST_NUMBERS / max(1, numbers)))


def _cost(plan: Plan, side: int) -> tuple[float, int]:
    """Multiplications for one photo of this side, and the numbers of its largest features, up to the batch
    norms that are looked at."""
    side = 32 if side == NOISE else side
    work, norms, numbers = 0.0, 0, 0
    for convolution in plan.stem:
        side = -(-side // convolution.stride)
        work += _multiplications(convolution, side)
        numbers = max(numbers, convolution.out * side**2)
        norms += 1
    side = side if plan.pool == "none" else -(-side // 2)
    for block in itertools.chain.from_iterable(plan.stages):
        for convolution in block.convolutions:
            side = -(-side // convolution.stride)
            work += _multiplications(convolution, side)
            numbers = max(numbers, convolution.out * side**2)
        if block.shortcut is not None:
            work += _multiplications(block.shortcut.convolution, side)
        norms += len(block.convolutions)
        if norms > MOST_NORMS:
            break
    return work, numbers


def _multiplications(convolution: ConvolutionPlan, side: int) -> float:
    of_one = convolution.channels * convolution.out / convolution.groups
    return of_one * convolution.kernel**2 * side**2


def mean_of(off: Misfits) -> float:
    """The mean misfit; infinite where nothing could be found out."""
    return sum(off.values()) / len(off) if off else math.inf
