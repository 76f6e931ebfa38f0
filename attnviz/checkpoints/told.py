"""What a person can say about a network where its weights don't, and what that makes of its plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from ..choices import BUILT, PADDINGS, PLACES, SEQUENCES
from ..networks.plan import BlockPlan, GatePlan, Plan
from .reading import with_strides


@dataclass(frozen=True)
class Told:
    """What a person says: None where nothing is said. The values are those of ``choices.BUILT``.

    ``stem``: the stride of its first convolution, 1 or 2. ``pool``: the pooling behind the stem. ``order``:
    of the two maps that a spatial gate sees. ``stride``: which convolution of a bottleneck has it. ``slope``:
    of its activations' negative side, which is 0 of ReLUs: LeakyReLU's usual 0.01 leaves no mark that numbers
    could tell. ``place``: where in a block its attention stands, see ``BlockPlan``. ``dilation``: of BAM's
    3×3 convolutions. ``sequence``: of CBAM's two gates. ``squeeze``: what CBAM's channel gate takes, "both"
    average and maximum or the "average". ``branches``: what BAM does with its two. ``zeros``: where a
    shortcut without weights has its channels of zeros. ``shortcut``: what the shortcut's convolution takes in
    a block of batch norms first, what the first one gives or the block's own input. ``first_gate``: where
    attention stands behind the stem. ``padding``: what stands around the features of CBAM's spatial
    convolution and of BAM's 3×3 ones."""

    stem: int | None = None
    pool: str | None = None
    order: str | None = None
    stride: str | None = None
    slope: float | None = None
    place: str | None = None
    dilation: int | None = None
    sequence: str | None = None
    squeeze: str | None = None
    branches: str | None = None
    zeros: str | None = None
    shortcut: str | None = None
    first_gate: str | None = None
    padding: str | None = None

    def __post_init__(self) -> None:
        for name, values in BUILT.items():
            value = getattr(self, name)
            if value is not None and value not in values:
                known = (
                    f"{values[0]} to {values[-1]}"
                    if isinstance(values, range)
                    else ", ".join(map(repr, values))
                )
                raise ValueError(f"{name} is {value!r}; it can be {known}")
        if self.slope is not None and not 0 <= self.slope < 1:
            raise ValueError(f"slope is {self.slope!r}; it can be from 0 to below 1")

    @classmethod
    def from_choices(cls, choices: Iterable[str]) -> Told:
        """What some of ``CHOICES`` say together; of two that contradict each other the later counts."""
        values: dict[str, Any] = dict(choice.split(" ", 1) for choice in choices)
        kinds = {"stem": int, "slope": float, "dilation": int}
        return cls(**{name: kinds.get(name, str)(value) for name, value in values.items()})

    @property
    def said(self) -> dict[str, Any]:
        """What is said, by what it is about."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


NOTHING_TOLD = Told()
CHOICES = (  # what a person can say, in words as those of ``Card.assumed``
    "pool none",
    "pool padded",
    "stem 1",
    "stem 2",
    "first_gate before pool",
    "first_gate behind pool",
    "stride first",
    "stride second",
    "shortcut normed",
    "shortcut plain",
    "zeros around",
    "zeros behind",
    *(f"place {place}" for place in PLACES),
    *(f"sequence {sequence}" for sequence in SEQUENCES),
    "squeeze both",
    "squeeze average",
    "order mean first",
    "order maximum first",
    "branches added",
    "branches multiplied",
    "dilation 1",
    "dilation 2",
    "dilation 4",
    *(f"padding {padding}" for padding in PADDINGS),
    "slope 0.01",
)


def changed(about: str, value: Any, plan: Plan) -> Plan:
    """The plan with what is said about one thing."""
    return CHANGES[about](plan, value)


def answered(plan: Plan, told: Told) -> Plan:
    """The plan with all that a person says."""
    for about, value in told.said.items():
        plan = changed(about, value, plan)
    return plan


def _each_block(plan: Plan, change: Callable[[BlockPlan], BlockPlan]) -> Plan:
    return replace(plan, stages=tuple(tuple(map(change, stage)) for stage in plan.stages))


def _each_gate(plan: Plan, change: Callable[[GatePlan], GatePlan]) -> Plan:
    blocks = _each_block(plan, lambda block: replace(block, gate=change(block.gate)) if block.gate else block)
    return replace(blocks, gates={stage: change(gate) for stage, gate in plan.gates.items()})


def _with_stem(plan: Plan, stride: int) -> Plan:
    return replace(plan, stem=(replace(plan.stem[0], stride=stride), *plan.stem[1:]))


def _blocks_with(field: str, meant: Any, plan: Plan, value: Any) -> Plan:
    """The plan whose blocks have a value in a field, or whether it is the one that is ``meant``."""
    taken = value if meant is None else value == meant
    return _each_block(plan, lambda block: replace(block, **{field: taken}))


def _gates_with(field: str, meant: Any, plan: Plan, value: Any) -> Plan:
    """The same of its gates."""
    taken = value if meant is None else value == meant
    return _each_gate(plan, lambda gate: replace(gate, **{field: taken}))


CHANGES: dict[str, Callable[[Plan, Any], Plan]] = {
    "stem": _with_stem,
    "pool": lambda plan, value: replace(plan, pool=value),
    "stride": lambda plan, value: with_strides(plan, value == "first"),
    "slope": lambda plan, value: replace(plan, slope=value),
    "first_gate": lambda plan, value: replace(plan, gate_behind_pool=value == "behind pool"),
    "place": partial(_blocks_with, "place", None),
    "zeros": partial(_blocks_with, "zeros_behind", "behind"),
    "shortcut": partial(_blocks_with, "shortcut_first", "normed"),
    "order": partial(_gates_with, "maximum_first", "maximum first"),
    "sequence": partial(_gates_with, "sequence", None),
    "squeeze": partial(_gates_with, "average_only", "average"),
    "branches": partial(_gates_with, "product", "multiplied"),
    "dilation": partial(_gates_with, "dilation", None),
    "padding": partial(_gates_with, "padding", None),
}
