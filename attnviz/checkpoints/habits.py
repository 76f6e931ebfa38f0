"""What people's code does that neither keys nor shapes tell: where it pools, where its strides are, which of
two maps comes first. The names by which a code is known give the likeliest reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..choices import SEQUENCES
from ..networks.plan import DILATION, Plan
from .blocks import fitting_places
from .fault import CheckpointFault
from .reading import Reading, with_strides
from .told import NOTHING_TOLD, Told, changed

Answers = dict[str, Callable[[Plan], Plan]]


@dataclass(frozen=True)
class Question:
    """What the same keys and shapes leave open: the answers by name, each a change of the plan. The first is
    the likeliest."""

    about: str  # one of ``told.Options``
    answers: Answers
    when: Callable[[Plan], bool] = lambda plan: True  # whether the answers differ, as other answers have it

    def answer_of(self, plan: Plan) -> str:
        """The name of the answer that a plan has."""
        return next(name for name, answer in self.answers.items() if answer(plan) == plan)


def questions(reading: Reading, name: str, told: Told = NOTHING_TOLD) -> list[Question]:
    """What is open about the network of a file of this name, in the order in which it is to be settled, but
    for what is told."""
    found = [*_of_stem(reading), *_of_blocks(reading, name), *_of_gates(reading)]
    return [question for question in found if question.about not in told.said]


def _of_stem(reading: Reading) -> Iterator[Question]:
    plan = reading.plan
    if _has_small_stem(plan) and not _has_no_stem_pool(plan, reading.style):
        yield _question("pool", "padded", "none")
        yield _question("stem", 1, 2)
    if 0 in plan.gates:
        yield _question("first_gate", "before pool", "behind pool", when=lambda plan: plan.pool != "none")


def _of_blocks(reading: Reading, name: str) -> Iterator[Question]:
    plan = reading.plan
    blocks = [block for stage in plan.stages for block in stage]
    places = open_places(plan)
    if len(places) > 1 and not reading.is_by(PLACE_KNOWN):
        yield _question("place", *places)
    if _has_open_stride(plan) and not reading.is_by(STRIDE_KNOWN):
        first = _strides_first(plan, reading.style, name)
        yield _question("stride", *(("first", "second") if first else ("second", "first")))
    if any(block.norm_first and block.shortcut for block in blocks) and not reading.is_by(SHORTCUT_KNOWN):
        yield _question("shortcut", "normed", "plain")
    if any(block.shortcut is None and block.out > block.convolutions[0].channels for block in blocks):
        yield _question("zeros", "around", "behind")


def _of_gates(reading: Reading) -> Iterator[Question]:
    gates = reading.plan.all_gates
    known = reading.is_by(CBAM_KNOWN)
    if any(gate.kind == "cbam" for gate in gates) and not known:
        yield _question("squeeze", "both", "average")
    if any(gate.kind == "cbam" and gate.kernel for gate in gates):
        if not known:
            yield _question("sequence", *SEQUENCES)
        if not reading.is_by(ORDER_KNOWN) and not any(gate.maximum_first for gate in gates):
            yield _question("order", "mean first", "maximum first")
    bam = next((gate for gate in gates if gate.kind == "bam"), None)
    if bam is not None and not reading.is_by(BAM_KNOWN):
        yield _question("branches", *(("multiplied", "added") if bam.product else ("added", "multiplied")))
        yield _question("dilation", DILATION, *(way for way in (1, 2) if way != DILATION))


def open_places(plan: Plan) -> tuple[str, ...]:
    """Where in its blocks a network's attention can stand by its channels, the likeliest first."""
    blocks = [block for stage in plan.stages for block in stage if block.gate]
    fitting = [fitting_places(block) for block in blocks]
    return tuple(place for place in (fitting[0] if fitting else ()) if all(place in own for own in fitting))


def check_possible(plan: Plan, told: Told) -> None:
    """Raise CheckpointFault where attention can't stand where a person says, for its channels."""
    places = open_places(plan)
    place = told.said.get("place")
    if place is not None and places and place not in places:
        raise CheckpointFault("told_place_impossible", place=place, places=places)


def _question(about: str, *values: Any, when: Callable[[Plan], bool] = lambda plan: True) -> Question:
    """The question whose answers are some values, the first the likeliest."""
    return Question(about, {str(value): partial(changed, about, value) for value in values}, when)


def usual(reading: Reading) -> Plan:
    """The plan with what the names of a code tell for sure."""
    plan, style = reading.plan, reading.style
    if _is_cadene(style):
        plan = with_strides(
            replace(plan, pool="ceil"), first=_has_open_stride(plan) and not _is_grouped(plan)
        )
    if re.search(UGENTERAAN, style, re.MULTILINE):
        plan = with_strides(plan, first=True)
    if _has_small_stem(plan) and _has_no_stem_pool(plan, style):
        plan = replace(plan, pool="none")
    basic = len(plan.stages[0][0].convolutions) == 2
    if (_is_cadene(style) and basic) or re.search(WEIAICUNZAI, style, re.MULTILINE):
        plan = changed("place", "rectified", plan)
    return plan


def may_smooth(reading: Reading) -> bool:
    """Whether it can be one of timm's networks that average features where they make them smaller, which are
    not built here: SE-ResNeXts with a deep stem, whose keys and shapes are those of the others."""
    shortcut = reading.plan.stages[-1][0].shortcut
    deep = len(reading.plan.stem) == 3 and shortcut is not None and shortcut.average is not None
    return deep and _is_grouped(reading.plan) and re.search(TIMM, reading.style, re.MULTILINE) is not None


def may_replicate(reading: Reading) -> bool:
    """Whether its spatial gates may be padded with the values at the edge, as those of attnviz's own networks
    can be; all others are known to have zeros. Numbers don't tell: there are networks whose batch norms fit
    the wrong padding better."""
    return reading.is_by(PADDING_OPEN)


def likeliest(plan: Plan, asked: Sequence[Question]) -> Plan:
    """The plan with the likeliest answer to each question."""
    for question in asked:
        plan = next(iter(question.answers.values()))(plan)
    return plan


def _has_small_stem(plan: Plan) -> bool:
    return len(plan.stem) == 1 and plan.stem[0].kernel <= 5


def _has_no_stem_pool(plan: Plan, style: str) -> bool:
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
# attnviz's, pytorchcv's; Cadene's; asdf2kr's, elbuco1's, weiaicunzai's; StickCui's; Ugenteraan's.
PLACE_KNOWN = (
    r"\.attention\.fc1$|\.attention\.channel\.fc1$|\binit_block\.|\.se_module\.fc1$|^(.*\.)?layer0\.conv1$"
    r"|\.atte\.mlp\.|\.bn2_1d$|channel_attention\.bottleneck|\.residual\.0$|\.conv_up$"
    r"|\.identity_connection\.0$"
)
SHORTCUT_KNOWN = r"\binit_block\."  # pytorchcv's
# attnviz's, timm's; Jongchan's, pytorchcv's; asdf2kr's, elbuco1's; Ugenteraan's.
CBAM_KNOWN = (
    r"\.attention\.channel\.fc1$|\.channel\.fc1$|ChannelGate|ch_gate"
    r"|\.atte\.mlp\.|channel_attention\.bottleneck|\.shared_mlp\."
)
# attnviz's own networks with a spatial gate, which are trained with either.
PADDING_OPEN = r"(^|\.)attention\d?\.spatial\.conv$|(^|\.)bam\d\.spatial\.0$"
BAM_KNOWN = r"(^|\.)bam\d\.spatial\.0$|\bch_att\b|\.bn2_1d$"  # attnviz's, pytorchcv's, asdf2kr's
