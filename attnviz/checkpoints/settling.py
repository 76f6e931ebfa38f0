"""What the same keys leave open is settled by numbers where it can be, see ``misfits``.

On small networks trained for that, whose pooling, stride, order of maps or activation was known, the right
reading is off by 0.12 to 0.17, wrong ones by 0.19 to 0.65; only a stride of the stem, and a dilation, can
look like photos of another size."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from torch import Tensor

from ..networks.plan import Plan
from .habits import Question
from .misfits import Judge, Misfits, OverError, mean_of, memory_of
from .sample_photos import NOISE

SMALL, LARGE = (32, 48, NOISE), (64, 96, NOISE)  # pixels of the photos, by the kernel of the stem
TRAINED = 0.6  # the most that the right reading of a trained network is off
UNTRAINED = 1.5  # more than any wrong reading of a trained network is off
CLEARLY = 0.9  # how much of another reading's misfit the taken one has at most to be sure
OVERRULED = 0.8  # how much of the likeliest one's misfit another has at most to be taken instead
MOST_ROUNDS = 3  # through all questions, as the answer to one can change that to another
OF_STEM = ("pool", "stem")  # questions that are answered together
NEVER_SURE = ("stem", "dilation")  # each looks like photos of another size
NEVER_SURELY_UNUSUAL = ("sequence",)  # gates that were hardly trained tell it badly
DIFFERING = 0.01  # by how much a batch norm's misfits differ that tells two readings apart
FEWEST = 3  # batch norms that do


def settled(
    plan: Plan,
    asked: Sequence[Question],
    weights: dict[str, Tensor],
    may_go_on: Callable[[], bool] = lambda: True,
) -> tuple[Plan, tuple[str, ...]]:
    """The plan, which has the likeliest answers, with the best answer to each question, and which of them are
    only assumed: "pool none" for one about the pooling that numbers don't settle. Photos at hand go through
    the beginning of each reading of the network, whose weights, ``looked_at``, these are. Once it may not go
    on, what is not settled is assumed."""
    state = _Settling(plan, Judge(weights, may_go_on))
    with suppress(OverError):
        state.settle(asked)
    assumed = []
    for question in asked:
        if question.when(state.plan) and question.about not in state.sure:
            assumed.append(f"{question.about} {question.answer_of(state.plan)}")
    return state.plan, tuple(assumed)


def settling_memory(plan: Plan) -> int:
    """About how many bytes settling takes, beside the network."""
    return memory_of(plan, _sides(plan))


@dataclass
class _Settling:
    """What is settled so far."""

    plan: Plan
    judge: Judge
    side: int = NOISE  # of the photos that fit best
    sure: set[str] = field(default_factory=set)  # what the answers are about that are not only assumed

    def settle(self, asked: Sequence[Question]) -> None:
        """Answer all questions, until no answer changes another."""
        stem = [question for question in asked if question.about in OF_STEM]
        others = [[question] for question in asked if question not in stem]
        for _ in range(MOST_ROUNDS if asked else 0):
            before = self.plan
            off, self.side = _best_side(self.plan, self.judge)
            if mean_of(off) > UNTRAINED:
                return
            for together in ([stem] if stem else []) + others:
                if all(self._can_answer(question) for question in together):
                    self._answer(together)
            if self.plan == before:
                return

    def _can_answer(self, question: Question) -> bool:
        """Whether numbers can tell the answers apart. They can't tell a dilation where photos of many sizes
        are likely."""
        return question.when(self.plan) and (question.about != "dilation" or _has_small_kernel(self.plan))

    def _answer(self, asked: Sequence[Question]) -> None:
        """Answer some questions together."""
        found = self._readings(asked)
        taken = self._taken(found)
        self.plan, self.side = taken.plan, taken.side
        for index, question in enumerate(asked):
            if _is_sure(question, index, taken, found):
                self.sure.add(question.about)
            else:
                self.sure.discard(question.about)

    def _readings(self, asked: Sequence[Question]) -> list[_Reading]:
        """All answers to some questions, the likeliest first, each on photos of the size that was found to
        fit, or, if they are about the stem, of the one that fits it best."""
        found = []
        for names in itertools.product(*(question.answers for question in asked)):
            plan = self.plan
            for name, question in zip(names, asked):
                plan = question.answers[name](plan)
            if asked[0].about in OF_STEM:
                off, side = _best_side(plan, self.judge)
            else:
                off, side = self.judge(plan, self.side), self.side
            found.append(_Reading(names, plan, off, side))
        return found

    def _taken(self, found: Sequence[_Reading]) -> _Reading:
        """The likeliest reading, unless another fits better than that on photos of any size."""
        usual = found[0]
        best = min(found, key=lambda reading: mean_of(reading.off))
        if best is usual:
            return usual
        offs = [self.judge(usual.plan, side) for side in _sides(usual.plan)]
        return best if all(_is_clear(best.off, off, OVERRULED) for off in offs) else usual


@dataclass(frozen=True)
class _Reading:
    """Answers to some questions, the plan with them, and how far it is off on photos of a side."""

    names: tuple[str, ...]
    plan: Plan
    off: Misfits
    side: int


def _is_sure(question: Question, index: int, taken: _Reading, found: Sequence[_Reading]) -> bool:
    """Whether the answer to the question of this number, in the reading that was taken, is not only
    assumed."""
    own, usual = taken.names[index], found[0].names[index]
    never = NEVER_SURE if own == usual else (*NEVER_SURE, *NEVER_SURELY_UNUSUAL)
    others = [reading.off for reading in found if reading.names[index] != own]
    return question.about not in never and all(_is_clear(taken.off, off, CLEARLY) for off in others)


def _has_small_kernel(plan: Plan) -> bool:
    return plan.stem[0].kernel <= 5


def _sides(plan: Plan) -> tuple[int, ...]:
    return SMALL if _has_small_kernel(plan) else LARGE


def _best_side(plan: Plan, judge: Judge) -> tuple[Misfits, int]:
    """The misfits of a reading on photos of the size that fits it best, and that size."""
    return min(((judge(plan, side), side) for side in _sides(plan)), key=lambda pair: mean_of(pair[0]))


def _is_clear(off: Misfits, others: Misfits, share: float) -> bool:
    """Whether a reading is that of a trained network, and off by at most this share of another one's misfit,
    over the batch norms that tell the two apart. A batch norm of attention runs earlier or later by where
    that stands: each is held against itself."""
    both = [(off[path], others[path]) for path in off if path in others]
    differing = [(one, other) for one, other in both if abs(one - other) > DIFFERING]
    if len(differing) < FEWEST or mean_of(off) > TRAINED:
        return False
    return sum(one for one, _ in differing) < share * sum(other for _, other in differing)
