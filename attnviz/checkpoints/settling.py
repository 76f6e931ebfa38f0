"""What the same keys leave open is settled by numbers where it can be: each batch norm keeps the mean and the
variance of what it saw in training, and the right reading of a trained network gives it the like again.

Each batch norm passes on what it saw in training, whatever it is given: what is measured is then the step
from one to the next, which photos of anything will do for. On small networks trained for that, whose pooling,
stride, order of maps or activation was known, the right reading is off by 0.14 to 0.17, wrong ones by 0.20 to
0.45; only a stride of the stem can look like photos of another size."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
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
MOST_WORK = 3e9  # multiplications of a pass, some tenths of a second
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
    each reading of the network with these weights."""
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
        photos = photos[: int(MOST_WORK / max(1, _work(plan, side)))]
        if len(photos) < 2:
            return []
        with torch.device("meta"):
            network = ResNet(plan=plan)
        network.load_state_dict(weights, assign=True)
        return misfits(network.eval(), photos)

    return judge


def misfits(network: nn.Module, x: Tensor) -> Misfits:
    """How far what each of the first batch norms is given is from what it saw in training: the mean over its
    channels of the difference of means, in deviations, and of the logarithms of deviations. The network's
    batch norms are replaced for it."""
    found: Misfits = []
    for path, module in list(network.named_modules()):
        if isinstance(module, nn.BatchNorm2d):
            network.set_submodule(path, _Comparing(module, found))
    with suppress(_EnoughError), torch.inference_mode():
        network(x)
    return found


class _Comparing(nn.Module):
    """A batch norm that notes how far its input is from what it saw in training."""

    def __init__(self, norm: nn.BatchNorm2d, found: Misfits) -> None:
        super().__init__()
        self.norm, self.found = norm, found

    def forward(self, x: Tensor) -> Tensor:
        if len(self.found) >= MOST_NORMS:
            raise _EnoughError
        misfit, again = _compared(self.norm, x)
        self.found.append(misfit)
        return self.norm(again)


def _compared(norm: nn.BatchNorm2d, x: Tensor) -> tuple[float, Tensor]:
    """How far a batch norm's input is from what it saw in training, and the input brought to that."""
    mean, variance = norm.running_mean, norm.running_var
    assert isinstance(mean, Tensor) and isinstance(variance, Tensor)
    seen = (variance.clamp(min=0) + 1e-6).sqrt()
    middle, spread = x.mean((0, 2, 3)), (x.var((0, 2, 3), correction=0) + 1e-6).sqrt()
    shift = ((middle - mean).abs() / seen).clamp(max=WORST)
    change = (spread / seen).log().abs().clamp(max=WORST)
    factor = (seen / spread)[:, None, None]
    return float((shift + change).mean()), (x - middle[:, None, None]) * factor + mean[:, None, None]


@cache
def _examples() -> Tensor:
    """Squares of the photos that come with attnviz, whole and in quarters, 96 pixels wide, 0 to 1."""
    squares = []
    for path in sorted(EXAMPLES_FOLDER.glob("*.jpg")):
        try:
            pixels = torch.from_numpy(open_photo(path).pixels).permute(2, 0, 1)[None].float() / 255
        except PhotoError:  # damaged, which others say
            continue
        side = min(pixels.shape[2:])
        half = side // 2
        square = pixels[:, :, :side, :side]
        parts = [square, *(square[:, :, y : y + half, x : x + half] for y in (0, half) for x in (0, half))]
        squares += [_resized(part, max(LARGE)) for part in parts]
    return torch.cat(squares) if squares else torch.empty(0, 3, max(LARGE), max(LARGE))


def _photos(channels: int, side: int) -> Tensor:
    """Normalised photos (N, channels, side, side): grey ones for one channel, colours in turn for more than
    three; or noise."""
    if side == NOISE:
        return torch.randn(MOST_PHOTOS, channels, 32, 32, generator=torch.Generator().manual_seed(0))
    recipe = Recipe()
    mean, deviation = torch.tensor(recipe.mean)[:, None, None], torch.tensor(recipe.std)[:, None, None]
    photos = _examples()
    mixed = torch.arange(len(photos)).mul(7).remainder(max(1, len(photos)))[:MOST_PHOTOS]  # some of each
    photos = (_resized(photos[mixed], side) - mean) / deviation
    if channels == 1:
        return photos.mean(1, keepdim=True)
    return photos[:, torch.arange(channels) % 3]


def _resized(photos: Tensor, side: int) -> Tensor:
    if not len(photos):
        return photos
    return interpolate(photos, (side, side), mode="bilinear", antialias=True)


def _work(plan: Plan, side: int) -> float:
    """Multiplications for one photo of this side, up to the batch norms that are looked at."""
    side = side or 32
    work, norms = 0.0, 0
    for convolution in plan.stem:
        side = -(-side // convolution.stride)
        work += _multiplications(convolution.channels, convolution.out, convolution.kernel, 1, side)
        norms += 1
    side = side if plan.pool == "none" else -(-side // 2)
    for block in itertools.chain.from_iterable(plan.stages):
        for convolution in block.convolutions:
            side = -(-side // convolution.stride)
            work += _multiplications(
                convolution.channels, convolution.out, convolution.kernel, convolution.groups, side
            )
        if block.shortcut is not None:
            bypass = block.shortcut.convolution
            work += _multiplications(bypass.channels, bypass.out, bypass.kernel, 1, side)
        norms += len(block.convolutions)
        if norms > MOST_NORMS:
            break
    return work


def _multiplications(channels: int, out: int, kernel: int, groups: int, side: int) -> float:
    return channels * out / groups * kernel**2 * side**2
