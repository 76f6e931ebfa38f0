"""What people's code does that neither keys nor shapes tell: where it pools, where its strides are, which of
two maps comes first. The names by which a code is known give the likeliest reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..networks.plan import BlockPlan, GatePlan, Plan
from .reading import Reading, with_strides

POOLS = ("padded", "ceil", "none")
ORDERS = ("mean first", "maximum first")
STRIDES = ("first", "second")


@dataclass(frozen=True)
class Told:
    """What a person says about a network where its weights don't: None where nothing is said.

    ``stem``: the stride of its first convolution, 1 or 2. ``pool``: the pooling behind the stem, one of
    ``POOLS``. ``order``: of the two maps that a spatial gate sees, one of ``ORDERS``. ``stride``: which
    convolution of a bottleneck has it, one of ``STRIDES``. ``slope``: of its activations' negative side,
    which is 0 of ReLUs: LeakyReLU's usual 0.01 leaves no mark that numbers could tell."""

    stem: int | None = None
    pool: str | None = None
    order: str | None = None
    stride: str | None = None
    slope: float | None = None

    def __post_init__(self) -> None:
        allowed = {"stem": (1, 2), "pool": POOLS, "order": ORDERS, "stride": STRIDES}
        for name, values in allowed.items():
            value = getattr(self, name)
            if value is not None and value not in values:
                raise ValueError(f"{name} is {value!r}; it can be {', '.join(map(repr, values))}")
        if self.slope is not None and not 0 <= self.slope < 1:
            raise ValueError(f"slope is {self.slope!r}; it can be from 0 to below 1")

    @classmethod
    def from_choices(cls, choices: Iterable[str]) -> Told:
        """What some of ``CHOICES`` say together; of two that contradict each other the later counts."""
        values: dict[str, Any] = dict(choice.split(" ", 1) for choice in choices)
        kinds = {"stem": int, "slope": float}
        return cls(**{name: kinds.get(name, str)(value) for name, value in values.items()})


NOTHING_TOLD = Told()
CHOICES = (  # what a person can say, in words as those of ``Card.assumed``
    "pool none",
    "pool padded",
    "stem 1",
    "stem 2",
    "stride first",
    "stride second",
    "order mean first",
    "order maximum first",
    "slope 0.01",
)


Answers = dict[str, Callable[[Plan], Plan]]


@dataclass(frozen=True)
class Question:
    """What the same keys and shapes leave open: the answers by name, each a change of the plan. The first is
    the likeliest."""

    about: str  # a field of ``Told``, or another word
    answers: Answers


def questions(reading: Reading, name: str, told: Told = NOTHING_TOLD) -> list[Question]:
    """What is open about the network of a file of this name, in the order in which it is to be settled, but
    for what is told."""
    plan, style = reading.plan, reading.style
    found = []
    if _has_small_stem(plan) and not _is_for_small_photos(plan, style):
        pools: Answers = {"padded": _pool("padded"), "none": _pool("none")}
        found.append(_ordered("pool", pools, False, told.pool))
        found.append(_ordered("stem", {"1": _stem(1), "2": _stem(2)}, False, told.stem))
    if _has_open_stride(plan) and not re.search(STRIDE_KNOWN, style, re.MULTILINE):
        strides: Answers = {"second": _stride_second, "first": _stride_first}
        found.append(_ordered("stride", strides, _strides_first(plan, style, name), told.stride))
    if any(gate.kind == "cbam" and gate.kernel for gate in plan.all_gates):
        known = re.search(ORDER_KNOWN, style, re.MULTILINE) or any(
            gate.maximum_first for gate in plan.all_gates
        )
        orders: Answers = {"mean first": _order(False), "maximum first": _order(True)}
        if not known:
            found.append(_ordered("order", orders, False, told.order))
    return [question for question in found if question is not None]


def usual(reading: Reading) -> Plan:
    """The plan with what the names of a code tell for sure."""
    plan, style = reading.plan, reading.style
    if _is_cadene(style):
        plan = with_strides(
            replace(plan, pool="ceil"), first=_has_open_stride(plan) and not _is_grouped(plan)
        )
    if re.search(UGENTERAAN, style, re.MULTILINE):
        plan = with_strides(plan, first=True)
    if _has_small_stem(plan) and _is_for_small_photos(plan, style):
        plan = replace(plan, pool="none")
    basic = len(plan.stages[0][0].convolutions) == 2
    if (_is_cadene(style) and basic) or re.search(WEIAICUNZAI, style, re.MULTILINE):
        plan = _each_block(plan, lambda block: replace(block, relu_first=True))
    return plan


def may_smooth(reading: Reading) -> bool:
    """Whether it can be one of timm's networks that average features where they make them smaller, which are
    not built here: SE-ResNeXts with a deep stem, whose keys and shapes are those of the others."""
    shortcut = reading.plan.stages[-1][0].shortcut
    deep = len(reading.plan.stem) == 3 and shortcut is not None and shortcut.average is not None
    return deep and _is_grouped(reading.plan) and re.search(TIMM, reading.style, re.MULTILINE) is not None


def likeliest(plan: Plan, asked: Sequence[Question]) -> Plan:
    """The plan with the likeliest answer to each question."""
    for question in asked:
        plan = next(iter(question.answers.values()))(plan)
    return plan


def answered(plan: Plan, told: Told) -> Plan:
    """The plan with what a person says."""
    if told.pool is not None:
        plan = _pool(told.pool)(plan)
    if told.stem is not None:
        plan = _stem(told.stem)(plan)
    if told.order is not None:
        plan = _order(told.order == "maximum first")(plan)
    if told.stride is not None:
        plan = with_strides(plan, told.stride == "first")
    return plan if told.slope is None else replace(plan, slope=told.slope)


def _ordered(about: str, answers: Answers, second: bool, told: object) -> Question | None:
    """The question whose likeliest answer is the second of two, or the first; None if it is told."""
    if told is not None:
        return None
    items = list(answers.items())
    return Question(about, dict(items[::-1] if second else items))


def _has_small_stem(plan: Plan) -> bool:
    return len(plan.stem) == 1 and plan.stem[0].kernel <= 5


def _is_for_small_photos(plan: Plan, style: str) -> bool:
    """Whether a stem of one small convolution is followed by no pooling, as in code for CIFAR: three stages,
    batch norms first, or names that only such code has."""
    few = len(plan.stages) < 4 or plan.stages[0][0].norm_first
    return few or re.search(CIFAR, style, re.MULTILINE) is not None


def _has_open_stride(plan: Plan) -> bool:
    first = plan.stages[-1][0].convolutions
    return len(first) == 3 and first[0].out == first[1].out


def _is_grouped(plan: Plan) -> bool:
    return any(convolution.groups > 1 for convolution in plan.stages[-1][0].convolutions)


def _strides_first(plan: Plan, style: str, name: str) -> bool:
    """Whether bottlenecks are likely to have their stride in the first convolution, as in Caffe:
    pytorchcv's SE-ResNets for ImageNet but those with a b behind the depth."""
    pytorchcv = re.search(r"\binit_block\.conv(\.conv)?$", style, re.MULTILINE) is not None
    other = re.search(r"resnet(bc)?\d+b(?![a-z0-9])", name.lower()) is not None
    ungrouped = plan.attention == "se" and len(plan.stages) == 4 and not _is_grouped(plan)
    return pytorchcv and ungrouped and not other


def _is_cadene(style: str) -> bool:
    return re.search(r"^(.*\.)?layer0\.conv1$", style, re.MULTILINE) is not None


def _pool(pool: str) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, pool=pool)


def _stem(stride: int) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, stem=(replace(plan.stem[0], stride=stride), *plan.stem[1:]))


def _order(maximum_first: bool) -> Callable[[Plan], Plan]:
    return lambda plan: _each_gate(plan, lambda gate: replace(gate, maximum_first=maximum_first))


def _stride_first(plan: Plan) -> Plan:
    return with_strides(plan, True)


def _stride_second(plan: Plan) -> Plan:
    return with_strides(plan, False)


def _each_block(plan: Plan, change: Callable[[BlockPlan], BlockPlan]) -> Plan:
    return replace(plan, stages=tuple(tuple(map(change, stage)) for stage in plan.stages))


def _each_gate(plan: Plan, change: Callable[[GatePlan], GatePlan]) -> Plan:
    blocks = _each_block(plan, lambda block: replace(block, gate=change(block.gate)) if block.gate else block)
    return replace(blocks, gates={stage: change(gate) for stage, gate in plan.gates.items()})


WEIAICUNZAI = r"\.residual\.0$"
TIMM = r"\.se\.fc1$"
UGENTERAAN = r"\.identity_connection\.0$"
# Code that has no pooling behind a 3×3, the last two asdf2kr's.
CIFAR = r"ChannelGate|shortcut\.|residual_function|^(.*\.)?linear$|\.atte\.mlp\.|\.bn2_1d$"
# Code whose habit is known: attnviz's, timm's, Jongchan's, Cadene's; asdf2kr's, elbuco1's, weiaicunzai's;
# StickCui's; Ugenteraan's.
STRIDE_KNOWN = (
    r"\.attention\.fc1$|\.se\.fc1$|\.attention\.channel\.fc1$|ChannelGate|^(.*\.)?layer0\.conv1$"
    r"|\.atte\.mlp\.|\.bn2_1d$|channel_attention\.bottleneck|\.residual\.0$"
    r"|\.conv_up$|\.selayer\.conv1$|\.identity_connection\.0$"
)
ORDER_KNOWN = r"\.attention\.spatial\.conv$|\.spatial\.conv\.conv$"
