"""What the same keys leave open is settled by numbers where it can be: each batch norm keeps the mean and the
variance of what it saw in training, and the right reading of a trained network gives it the like again.

Each batch norm passes on what it saw in training, whatever it is given: what is measured is then the step
from one to the next, which photos of anything will do for. On small networks trained for that, whose pooling,
stride, order of maps or activation was known, the right reading is off by 0.14 to 0.17, wrong ones by 0.20 to
0.45; only a stride of the stem can look like photos of another size."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from .._paths import EXAMPLES_FOLDER
from ..errors import PhotoError
from ..networks.plan import Plan
from ..networks.resnet import ResNet
from ..photos.geometry import Recipe
from ..photos.opening import open_photo
from .habits import Question

NOISE = 0  # among the sides: white noise of 32 pixels, which is what tests and calibrations use
SMALL, LARGE = (32, 48, NOISE), (64, 96, NOISE)  # pixels of the photos, by the kernel of the stem
MOST_PHOTOS = 16
MOST_NORMS = 20  # batch norms that are looked at, the first ones
ENOUGH_NORMS = 12  # with so many the last stage is left out
MOST_WORK = 3e9  # multiplications of a pass, some tenths of a second
MOST_NUMBERS = 5e6  # of the largest features of a pass, of which some are in memory at once: 20 MB each
WORST = 3.0  # what a mean or a deviation counts at most
TRAINED = 0.6  # the most that the right reading of a trained network is off
CLEARLY = 0.9  # how much of another reading's misfit the likeliest one has at most to be sure
OVERRULED = 0.8  # how much of the likeliest one's misfit another has at most to be taken instead

Misfits = list[float]  # of the first batch norms in turn; empty if they would take too long to find out
Judge = Callable[[Plan, int], Misfits]  # of a reading, on photos of this side


class _EnoughError(Exception):
    """A pass has gone far enough."""


def settled(
    plan: Plan, asked: Sequence[Question], weights: dict[str, Tensor]
) -> tuple[Plan, tuple[str, ...]]:
    """The plan, which has the likeliest answers, with the best answer to each question, and which of them are
    only assumed: "pool none" for one about the pooling that numbers don't settle. Photos at hand go through
    the beginning of each reading of the network, whose weights, ``looked_at``, these are."""
    if not asked:
        return plan, ()
    judge = _judge(weights)
    stem = [question for question in asked if question.about in ("pool", "stem")]
    if stem:
        plan, assumed, side, off = _settle_stem(plan, stem, judge)
    else:
        assumed = []
        off, side = _best_side(plan, judge)
    for question in asked:
        if question not in stem:
            plan, off, sure = _settle_one(plan, question, judge, side, off)
            assumed += [] if sure else [f"{question.about} {_answer(plan, question)}"]
    return plan, tuple(assumed)


def looked_at(plan: Plan) -> frozenset[str]:
    """The keys of the weights that settling takes: those up to the end of the block, or other child, in which
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
            yield from (f"{name}.{place}" for place, _ in child.named_children())
        elif next(child.parameters(), None) is not None:
            yield name


def _settle_stem(plan: Plan, asked: Sequence[Question], judge: Judge) -> tuple[Plan, list[str], int, Misfits]:
    """The answers about the stem together, each at the size of photos that fits it best: the plan, what is
    only assumed, and the size and the misfits of the plan. Its stride is never sure: it looks like photos of
    another size."""
    found = []
    for names in itertools.product(*(question.answers for question in asked)):
        candidate = plan
        for name, question in zip(names, asked):
            candidate = question.answers[name](candidate)
        off, side = _best_side(candidate, judge)
        found.append((off, side, names, candidate))
    usual = found[0]
    best = min(found, key=lambda reading: _mean(reading[0]))
    taken = best if _is_clear(best[0], usual[0], OVERRULED) else usual
    assumed = []
    for place, question in enumerate(asked):
        others = [reading[0] for reading in found if reading[2][place] != taken[2][place]]
        if question.about == "stem" or not _is_clear(taken[0], min(others, key=_mean), CLEARLY):
            assumed.append(f"{question.about} {taken[2][place]}")
    return taken[3], assumed, taken[1], taken[0]


def _best_side(plan: Plan, judge: Judge) -> tuple[Misfits, int]:
    """The misfits of a reading on photos of the size that fits it best, and that size."""
    sides = SMALL if plan.stem[0].kernel <= 5 else LARGE
    return min(((judge(plan, side), side) for side in sides), key=lambda pair: _mean(pair[0]))


def _settle_one(
    plan: Plan, question: Question, judge: Judge, side: int, off: Misfits
) -> tuple[Plan, Misfits, bool]:
    """The plan with the best answer, its misfits, and whether that is clearly better than the others."""
    _, *more = question.answers.values()
    others = [(judge(answer(plan), side), answer(plan)) for answer in more]
    other, best = min(others, key=lambda reading: _mean(reading[0]))
    if _is_clear(other, off, OVERRULED):
        return best, other, True
    return plan, off, _is_clear(off, other, CLEARLY)


def _mean(off: Misfits) -> float:
    return sum(off) / len(off) if off else math.inf


def _is_clear(off: Misfits, others: Misfits, share: float) -> bool:
    """Whether a reading is that of a trained network, and off by at most this share of another one's misfit,
    over the batch norms that tell the two apart."""
    differing = [(one, other) for one, other in zip(off, others) if abs(one - other) > 1e-4]
    if not differing or _mean(off) > TRAINED:
        return False
    return sum(one for one, _ in differing) < share * sum(other for _, other in differing)


def _answer(plan: Plan, question: Question) -> str:
    """The name of the answer that a plan has."""
    return next(name for name, answer in question.answers.items() if answer(plan) == plan)


def _judge(weights: dict[str, Tensor]) -> Judge:
    """What tells how far a reading of the network with these weights is off."""

    def judge(plan: Plan, side: int) -> Misfits:
        photos = _photos(plan.stem[0].channels, side)
        work, numbers = _cost(plan, side)
        photos = photos[: int(min(MOST_WORK / max(1, work), MOST_NUMBERS / max(1, numbers)))]
        if len(photos) < 2:
            return []
        with torch.device("meta"):
            network = ResNet(plan=plan)
        network.load_state_dict(weights, strict=False, assign=True)
        return misfits(network.eval(), photos)

    return judge


def misfits(network: nn.Module, x: Tensor) -> Misfits:
    """How far what each of the first batch norms is given is from what it saw in training, of those whose
    weights are there: the mean over its channels of the difference of means, in deviations, and of the
    logarithms of deviations. The network's batch norms are replaced for it."""
    found: Misfits = []
    norms = {path: norm for path, norm in network.named_modules() if isinstance(norm, nn.BatchNorm2d)}
    there = {path: norm for path, norm in norms.items() if not norm.weight.is_meta}
    for path, norm in there.items():
        network.set_submodule(path, _Comparing(norm, found, min(MOST_NORMS, len(there))))
    for module in network.modules():
        if isinstance(module, (nn.ReLU, nn.LeakyReLU)):
            module.inplace = True  # in half the memory
    with suppress(_EnoughError), torch.inference_mode():
        network(x)
    return found


class _Comparing(nn.Module):
    """A batch norm that notes how far its input is from what it saw in training, whose result is as if it had
    been given that; the last of ``most`` ends the pass."""

    def __init__(self, norm: nn.BatchNorm2d, found: Misfits, most: int) -> None:
        super().__init__()
        self.norm, self.found, self.most = norm, found, most

    def forward(self, x: Tensor) -> Tensor:
        mean, variance = self.norm.running_mean, self.norm.running_var
        assert isinstance(mean, Tensor) and isinstance(variance, Tensor)
        seen = (variance.clamp(min=0) + 1e-6).sqrt()
        middle, spread = x.mean((0, 2, 3)), (x.var((0, 2, 3), correction=0) + 1e-6).sqrt()
        shift = ((middle - mean).abs() / seen).clamp(max=WORST)
        change = (spread / seen).log().abs().clamp(max=WORST)
        self.found.append(float((shift + change).mean()))
        if len(self.found) >= self.most:
            raise _EnoughError
        scale = seen / spread * self.norm.weight / (variance + self.norm.eps).sqrt()
        return (x - middle[:, None, None]).mul_(scale[:, None, None]).add_(self.norm.bias[:, None, None])


@cache
def _examples() -> Tensor:
    """Squares of photos that come with attnviz, some whole and some in quarters, 96 pixels wide, 0 to 1."""
    paths = sorted(EXAMPLES_FOLDER.glob("*.jpg"))
    every = [(path, part) for path in paths for part in range(5)]
    mixed = [every[7 * place % len(every)] for place in range(min(MOST_PHOTOS, len(every)))]
    squares = []
    for path, part in mixed:
        try:
            pixels = torch.from_numpy(open_photo(path).pixels).permute(2, 0, 1)[None]
        except PhotoError:  # damaged, which others say
            continue
        squares.append(_resized(_square(pixels, part).float(), max(LARGE)) / 255)
    return torch.cat(squares) if squares else torch.empty(0, 3, max(LARGE), max(LARGE))


def _square(pixels: Tensor, part: int) -> Tensor:
    """The square at a photo's upper left, or one of its quarters, which are 1 to 4."""
    side = min(pixels.shape[2:])
    if part == 0:
        return pixels[:, :, :side, :side]
    half = side // 2
    y, x = divmod(part - 1, 2)
    return pixels[:, :, y * half : (y + 1) * half, x * half : (x + 1) * half]


def _photos(channels: int, side: int) -> Tensor:
    """Normalised photos (N, channels, side, side): grey ones for one channel, colours in turn for more than
    three; or noise."""
    if side == NOISE:
        return torch.randn(MOST_PHOTOS, channels, 32, 32, generator=torch.Generator().manual_seed(0))
    recipe = Recipe()
    mean, deviation = torch.tensor(recipe.mean)[:, None, None], torch.tensor(recipe.std)[:, None, None]
    photos = (_resized(_examples(), side) - mean) / deviation
    if channels == 1:
        return photos.mean(1, keepdim=True)
    return photos[:, torch.arange(channels) % 3]


def _resized(photos: Tensor, side: int) -> Tensor:
    if not len(photos):
        return photos
    return interpolate(photos, (side, side), mode="bilinear", antialias=True)


def _cost(plan: Plan, side: int) -> tuple[float, int]:
    """Multiplications for one photo of this side, and the numbers of its largest features, up to the batch
    norms that are looked at."""
    side = side or 32
    work, norms, numbers = 0.0, 0, 0
    for convolution in plan.stem:
        side = -(-side // convolution.stride)
        work += _multiplications(convolution.channels, convolution.out, convolution.kernel, 1, side)
        numbers = max(numbers, convolution.out * side**2)
        norms += 1
    side = side if plan.pool == "none" else -(-side // 2)
    for block in itertools.chain.from_iterable(plan.stages):
        for convolution in block.convolutions:
            side = -(-side // convolution.stride)
            work += _multiplications(
                convolution.channels, convolution.out, convolution.kernel, convolution.groups, side
            )
            numbers = max(numbers, convolution.out * side**2)
        if block.shortcut is not None:
            bypass = block.shortcut.convolution
            work += _multiplications(bypass.channels, bypass.out, bypass.kernel, 1, side)
        norms += len(block.convolutions)
        if norms > MOST_NORMS:
            break
    return work, numbers


def _multiplications(channels: int, out: int, kernel: int, groups: int, side: int) -> float:
    return channels * out / groups * kernel**2 * side**2
