"""What a person can say about a network where its weights don't, and what that makes of its plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, get_type_hints

from ..choices import BUILT
from ..networks.plan import BlockPlan, GatePlan, Plan
from .reading import with_strides

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Options(TypedDict, total=False):
    """What a person can say; the values are those of ``choices.BUILT``, and slopes from 0 to below 1."""

    pool: str  # behind the stem: "none", "padded" or "ceil"
    stem: int  # the stride of its first convolution, 1 or 2
    first_gate: str  # where attention stands behind the stem: "before pool" or "behind pool"
    stride: str  # which convolution of a bottleneck has it, "first" or "second"
    shortcut: str  # its convolution takes what a first batch norm gives, "normed", or the "plain" input
    zeros: str  # of channels, in shortcuts without weights: "around" or "behind"
    place: str  # of attention in its block, one of ``choices.PLACES``: see ``BlockPlan``
    sequence: str  # of CBAM's two gates: "channel first", "spatial first" or "parallel"
    squeeze: str  # what CBAM's channel gate takes: "both" average and maximum or the "average"
    order: str  # of the two maps that a spatial gate takes: "mean first" or "maximum first"
    branches: str  # what BAM does with its two: "added" or "multiplied"
    dilation: int  # of BAM's 3×3 convolutions, 1 to 32
    padding: str  # of CBAM's spatial convolution and BAM's 3×3 ones: "zeros" or "replicate"
    slope: float  # of its activations' negative side; 0 of ReLUs, 0.01 is LeakyReLU's usual one


@dataclass(frozen=True, init=False)
class Told:
    """What a person says: ``Options``, of which None says nothing."""

    said: dict[str, Any]  # by what it is about

    def __init__(self, **options: Unpack[Options]) -> None:
        """Raises TypeError for what is no option, and ValueError for a value that it can't have."""
        said = {about: value for about, value in options.items() if value is not None}
        object.__setattr__(self, "said", said)
        for about in options:
            if about not in Options.__annotations__:
                raise TypeError(
                    f"there is no option {about!r}: there are {', '.join(Options.__annotations__)}"
                )
        for about, value in self.said.items():
            _check_value(about, value)

    @classmethod
    def from_choices(cls, choices: Iterable[str]) -> Told:
        """What some of ``choices.CHOICES`` say together; of two that contradict each other the later
        counts."""
        values: dict[str, Any] = dict(choice.split(" ", 1) for choice in choices)
        kinds = get_type_hints(Options)
        return cls(**{about: kinds[about](value) for about, value in values.items()})  # type: ignore[typeddict-item]


NOTHING_TOLD = Told()


def _check_value(about: str, value: Any) -> None:
    if about == "slope":
        if not 0 <= value < 1:
            raise ValueError(f"slope is {value!r}; it can be from 0 to below 1")
    elif value not in BUILT[about]:
        values = BUILT[about]
        known = f"{values[0]} to {values[-1]}" if isinstance(values, range) else ", ".join(map(repr, values))
        raise ValueError(f"{about} is {value!r}; it can be {known}")


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
    """The plan with a value in a field of all blocks, or, if a value is ``meant``, whether it is that one."""
    taken = value if meant is None else value == meant
    return _each_block(plan, lambda block: replace(block, **{field: taken}))


def _gates_with(field: str, meant: Any, plan: Plan, value: Any) -> Plan:
    """The same for its gates."""
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
