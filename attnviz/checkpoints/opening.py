"""The network that a state dict belongs to, built to compute what the original does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..errors import NetworkError
from ..languages.catalogue import ENGLISH, Phrase, Value, catalogue
from ..networks.card import Card, with_card
from ..networks.plan import Plan
from ..networks.resnet import ResNet
from .fault import CheckpointFault, printable
from .habits import Question, check_possible, likeliest, may_replicate, may_smooth, questions, usual
from .misfits import looked_at
from .parts import Shapes
from .reading import Reading, read_network
from .settling import settled, settling_memory
from .stored_weights import widened
from .told import NOTHING_TOLD, Told, answered

COUNT = "num_batches_tracked"  # of batches, at a key's end; older files don't have it

Reserve = Callable[[int, int], None]  # told of a network's bytes, and of how many more settling takes


class Weights(Protocol):
    """Tensors by key, whose shapes are known before the numbers are there."""

    shapes: Shapes

    def take(self, key: str) -> Tensor:
        """The tensor of this key, asked for once: in float32 if it is not of whole numbers."""
        ...


class HeldWeights:
    """The tensors of a dict, each of which leaves it when it is taken."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.shapes = {key: tuple(value.shape) for key, value in tensors.items()}
        self._tensors = tensors

    def take(self, key: str) -> Tensor:
        """The tensor of this key, in float32 if it is not of whole numbers."""
        return widened(self._tensors.pop(key))


def open_state_dict(tensors: dict[str, Tensor], name: str, told: Told = NOTHING_TOLD) -> nn.Module:
    """The network that these tensors belong to, as ``open_weights``; they are taken out of the dict one by
    one."""
    return open_weights(HeldWeights(tensors), name, told=told)


def open_weights(
    weights: Weights,
    name: str,
    reserve: Reserve | None = None,
    told: Told = NOTHING_TOLD,
    may_go_on: Callable[[], bool] = lambda: True,
) -> nn.Module:
    """The network that these weights belong to, in eval mode, with a ``card``; ``name`` is the file's, for
    the card and for messages. What keys and shapes don't tell, ``told`` can.

    The tensors are taken one by one, and become the network's own, in float32. Before the first, ``reserve``
    is told how many bytes the network will have, and how many more are needed to settle what is open; it may
    raise. Settling ends when it no longer ``may_go_on``: what is open then is assumed. Raises NetworkError,
    naming keys as they are in the file, for what is not understood, incomplete, or without attention."""
    reading, asked, plan, expected = _understood(weights.shapes, name, told)
    if reserve is not None:
        more_bytes = settling_memory(plan) if asked else 0
        reserve(_bytes(expected), more_bytes)

    def take(key: str) -> Tensor:
        return _as_weight(weights, reading.keys.get(key), expected[key])

    try:
        plan, assumed, taken = _settled_and_taken(plan, asked, expected, take, may_go_on)
    except RuntimeError:  # torch's word for memory that is not there
        raise NetworkError("checkpoint_out_of_memory", name=name) from None
    network = _empty(plan)
    network.load_state_dict(taken, assign=True)
    network.requires_grad_(False)
    assumed = (*assumed, *reading.assumed)
    if may_smooth(reading):
        assumed = (*assumed, "smoothing none")
    if may_replicate(reading) and "padding" not in told.said:
        assumed = (*assumed, "padding zeros")
    if reading.others:
        assumed = (*assumed, "one of several")
    taken_to_be = Told.from_choices(f"{question.about} {question.answer_of(plan)}" for question in asked)
    built = {**taken_to_be.said, **told.said}
    card = Card(name, _architecture(plan), title=_english(_title(plan)), assumed=assumed, built=built)
    network.assumed = [catalogue().phrase(ENGLISH, phrase) for phrase in card.assumptions]
    return with_card(network, card).eval()


def check_shapes(shapes: Shapes, name: str, told: Told = NOTHING_TOLD) -> None:
    """Raise NetworkError, as ``open_weights`` does, where weights of these shapes are not understood."""
    _understood(shapes, name, told)


def _understood(shapes: Shapes, name: str, told: Told) -> tuple[Reading, list[Question], Plan, Shapes]:
    """What keys and shapes tell, what they leave open, the likeliest plan, and the shapes of its weights."""
    try:
        reading = read_network(shapes)
        check_possible(reading.plan, told)
    except CheckpointFault as fault:
        raise fault.error(name) from None
    asked = questions(reading, name, told)
    plan = answered(likeliest(usual(reading), asked), told)
    expected = {key: tuple(value.shape) for key, value in _empty(plan).state_dict().items()}
    _check_fit(reading, shapes, expected, name)
    if plan.attention is None:
        raise NetworkError("layout_without_attention", name=name, title=_title(plan))
    return reading, asked, plan, expected


def _bytes(shapes: Shapes) -> int:
    """How much memory weights of these shapes take as a network's: float32, and counts of batches."""
    return sum(math.prod(shape) * (8 if key.endswith(COUNT) else 4) for key, shape in shapes.items())


def _empty(plan: Plan) -> ResNet:
    with torch.device("meta"):
        return ResNet(plan=plan)


def _settled_and_taken(
    plan: Plan,
    asked: Sequence[Question],
    expected: Shapes,
    take: Callable[[str], Tensor],
    may_go_on: Callable[[], bool],
) -> tuple[Plan, tuple[str, ...], dict[str, Tensor]]:
    """The plan with what numbers settle, what is only assumed of it, and all weights. What settling needs
    besides weights is let go of before most of them are taken."""
    first = looked_at(plan) if asked else ()
    taken = {key: take(key) for key in expected if key in first}
    plan, assumed = settled(plan, asked, taken, may_go_on)
    for key in expected:
        if key not in taken:
            taken[key] = take(key)
    return plan, assumed, taken


def _check_fit(reading: Reading, shapes: Shapes, expected: Shapes, name: str) -> None:
    """Raise NetworkError unless these are all weights that the network has, in its shapes."""
    title = _title(reading.plan)
    unknown = [key for ours, key in reading.keys.items() if ours not in expected]
    if unknown:
        more: Value = Phrase("and_more", count=len(unknown) - 3) if len(unknown) > 3 else ""
        raise NetworkError(
            "layout_has_unknown_keys",
            name=name,
            title=title,
            tensors=tuple(f"“{printable(key)}”" for key in unknown[:3]),
            more=more,
        )
    missing = [key for key in expected if key not in reading.keys and not key.endswith(COUNT)]
    if missing:
        raise NetworkError(
            "layout_misses_weights",
            name=name,
            title=title,
            count=len(missing),
            tensor=printable(missing[0]),
        )
    for key, shape in expected.items():
        mine = shapes[reading.keys[key]] if key in reading.keys else shape
        if mine != shape and mine != (*shape, 1, 1):  # a 1×1 convolution is a layer on pooled channels
            raise NetworkError(
                "layout_shape_wrong",
                name=name,
                tensor=printable(reading.keys[key]),
                shape=str(mine),
                title=title,
                expected=str(shape),
            )


def _as_weight(weights: Weights, key: str | None, shape: tuple[int, ...]) -> Tensor:
    """A weight as the network takes it; a count of batches that older files don't have is 0."""
    if key is None:
        return torch.zeros(shape, dtype=torch.int64)
    return weights.take(key).reshape(shape).contiguous()


def _architecture(plan: Plan) -> dict[str, Any]:
    """What a card says of it."""
    hidden = [gate.channels // gate.hidden for gate in plan.all_gates]
    return {
        "depth": plan.depth,
        "attention": plan.attention,
        "width": plan.stem[-1].out,
        "reduction": max(hidden, default=16),
        "classes": plan.head[-1].outputs,
    }


def _title(plan: Plan) -> Value:
    """What it is, for a sentence: "CBAM ResNet-50"."""
    attention = plan.attention
    network = f"{attention.upper()} {_family(plan)}" if attention else _family(plan)
    if isinstance(plan.depth, int) and "SENet" not in network:
        return f"{network}-{plan.depth}"
    if network == "SE SENet" and plan.depth == 152:
        return "SENet-154"  # its own count: with a stem of three convolutions
    return Phrase("resnet_of_blocks", network=network, blocks=", ".join(map(str, plan.counts)))


def _family(plan: Plan) -> str:
    first = plan.stages[0][0]
    if first.convolutions[-1].channels > first.convolutions[0].out:  # widened between, as in SENet-154
        return "SENet"
    grouped = any(convolution.groups > 1 for convolution in first.convolutions)
    return "ResNeXt" if grouped else "ResNet"


def _english(title: Value) -> str:
    if not isinstance(title, Phrase):
        return str(title)
    return f"{title.values['network']} with {title.values['blocks']} blocks"
