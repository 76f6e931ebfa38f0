"""What stands before and behind the blocks of a ResNet: the stem, attention at its ends, the head."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from ..networks.plan import ConvolutionPlan, GatePlan, LayerPlan
from .fault import CheckpointFault, printable
from .gates import ADDED, is_outer_attention, read_gate
from .parts import Part

MOST_STEM = 4  # convolutions
# Words of modules that train a network, or measure it, and are no part of what it computes.
ONLY_TRAIN = (
    r"loss|criterion|metric|(^|[._])(acc|aux)|center|queue|ema_|_ema|project|predictor|prototype|(^|\.)proj"
    r"|confmat|(^|[._])(train|val|valid|test)_\w+\."
)


@dataclass(frozen=True)
class ReadStem:
    """The stem's convolutions with strides as they usually are, and where each part goes: from
    its path in the file to that in our network."""

    convolutions: tuple[ConvolutionPlan, ...]
    norm: bool
    pool: str  # as the plan has it
    our_paths: dict[str, str]


def read_stem(parts: Sequence[Part], width: int) -> ReadStem:
    """The stem among the modules outside of all blocks: convolutions in a row that end with ``width``
    channels, the batch norm of each. Raises CheckpointFault."""
    convolutions = _row(parts, width)
    if not convolutions:
        raise CheckpointFault("layout_stem_missing", width=width)
    norms = [part for part in parts if part.kind == "norm" and not is_outer_attention(part.path)]
    our_paths: dict[str, str] = {}
    found: list[Part] = []
    for index, part in enumerate(convolutions):
        last = index == len(convolutions) - 1
        our_paths[part.path] = "conv1" if len(convolutions) == 1 else f"conv1.{3 * index}"
        norm = _norm_behind(part, norms, found)
        if norm is not None:
            found.append(norm)
            our_paths[norm.path] = "bn1" if last else f"conv1.{3 * index + 1}"
        elif not last:
            raise CheckpointFault("layout_stem_unknown", tensor=printable(part.path))
    plans = _with_strides(convolutions)
    instead = len(plans) > 1 and "pool" in convolutions[-1].path  # a convolution in the pooling's place
    if instead:
        plans = (*plans[:-1], replace(plans[-1], stride=2))
    return ReadStem(plans, len(found) == len(plans), "none" if instead else "padded", our_paths)


def _row(parts: Sequence[Part], width: int) -> list[Part]:
    """Convolutions in the order of their names, each of which takes what the one before gives, from the one
    that takes the fewest channels on."""
    convolutions = [
        part
        for part in parts
        if part.kind == "convolution" and part.side % 2 and not is_outer_attention(part.path)
    ]
    for first in sorted(convolutions, key=lambda part: part.inputs):
        row = [first]
        for part in convolutions:
            if part is not first and part.inputs == row[-1].out and part.side > 1:
                row.append(part)
        while row[-1].out != width and len(row) > 1:
            row.pop()
        if row[-1].out == width and len(row) <= MOST_STEM:
            return row
    return []


def _norm_behind(part: Part, norms: Sequence[Part], taken: Sequence[Part]) -> Part | None:
    """The batch norm that belongs to a stem's convolution, by name, else the first of its size."""
    free = [norm for norm in norms if norm.size == part.out and norm not in taken]
    names = _names_of_norm(part.path)
    named = [norm for norm in free if norm.path in names]
    if named:
        return named[0]
    alone = [norm for norm in free if _index_in_list(norm.path) is None]  # in no list, where others' are
    return next(iter([*alone, *free]), None)


def _names_of_norm(path: str) -> set[str]:
    """What the batch norm behind a convolution of this path is called."""
    names = {re.sub(r"conv(?!.*conv)", word, path) for word in ("bn", "norm", "batch_norm", "batchnorm")}
    listed = re.fullmatch(r"(.*?)(\d+)", path)
    if listed and (not listed[1] or listed[1].endswith(".")):
        names.add(f"{listed[1]}{int(listed[2]) + 1}")
    return names - {path}


def _with_strides(convolutions: Sequence[Part]) -> tuple[ConvolutionPlan, ...]:
    """Their plans: a stem of one 3×3 keeps the size, any other halves it with its first convolution."""
    keeps = len(convolutions) == 1 and convolutions[0].side <= 3
    plans = []
    for index, part in enumerate(convolutions):
        stride = 2 if index == 0 and not keeps else 1
        plans.append(ConvolutionPlan(part.inputs, part.out, part.side, stride, 1, part.bias))
    return tuple(plans)


@dataclass(frozen=True)
class ReadHead:
    """The fully connected layers, where each part goes, as in ``ReadStem``, and what of them is only
    assumed, in words of ``Card.assumed``."""

    layers: tuple[LayerPlan, ...]
    our_paths: dict[str, str]
    assumed: tuple[str, ...]


def read_head(parts: Sequence[Part], channels: int, has_last_norm: bool) -> ReadHead:
    """The head among what is left of a network: layers, the first of which takes ``channels``.
    ``has_last_norm`` tells that a batch norm of that size may follow the last stage. Raises CheckpointFault
    if there are no layers, if they take something else, or if there is more than one head."""
    row = _layers_in_row(parts, channels)
    norms = [part for part in parts if part.kind == "norm"]
    plans: list[LayerPlan] = []
    our_paths: dict[str, str] = {}
    modules = 0
    for index, part in enumerate(row):
        before = row[index - 1] if index else None
        norm = _norm_before(part, before, norms, has_last_norm)
        plan = _planned(part, before, norm)
        plans.append(plan)
        if norm is not None:
            our_paths[norm.path] = f"fc.{modules + plan.relu_first}"
        modules += plan.norm + plan.relu
        our_paths[part.path] = f"fc.{modules}"
        modules += 1
    if modules == 1:
        our_paths = {row[0].path: "fc"}
    return ReadHead(tuple(plans), our_paths, _assumed_of_head(row, plans))


def _layers_in_row(parts: Sequence[Part], channels: int) -> list[Part]:
    """The fully connected layers of the head, each of which takes what the one before gives."""
    layers = [part for part in parts if part.is_pointwise]
    own = [part for part in layers if not only_trains(part)]
    row = _row_of(own, channels) or _row_of(layers, channels)
    if not row:
        _refuse_without_head(layers, channels)
    others = [
        part
        for part in own
        if part not in row
        and (part.kind, part.inputs) == ("layer", channels)
        and not part.path.startswith(f"{row[0].path}.")  # what is added to it
    ]
    if others:
        names = tuple(f"“{printable(part.path)}”" for part in (row[0], *others[:2]))
        raise CheckpointFault("layout_of_several_heads", names=names)
    return row


def _row_of(layers: Sequence[Part], channels: int) -> list[Part]:
    row: list[Part] = []
    for part in layers:
        if part.inputs == (row[-1].out if row else channels):
            row.append(part)
    return row


def _refuse_without_head(layers: Sequence[Part], channels: int) -> NoReturn:
    wrong = [part for part in layers if part.kind == "layer"]
    if not wrong:
        raise CheckpointFault("layout_without_classifier")
    raise CheckpointFault(
        "layout_head_takes_other",
        tensor=printable(wrong[0].path),
        inputs=wrong[0].inputs,
        channels=channels,
    )


def only_trains(part: Part) -> bool:
    """Whether a module, by its path or the names of all that it holds, only trains or measures a network."""
    return all(re.search(ONLY_TRAIN, f"{part.path}.{name}".lower()) for name in part.shapes)


def _planned(part: Part, before: Part | None, norm: Part | None) -> LayerPlan:
    """A layer of the head with what stands before it. In a list, numbers that are left out belong to what has
    no weights: behind a layer that is an activation first, then what does nothing but in training."""
    relu = relu_first = False
    if before is not None:
        gap = _gap(before, norm or part)
        relu_first = norm is not None and gap is not None and gap > 0
        relu = relu_first or gap is None or _gap(norm or before, part) != 0
    return LayerPlan(part.inputs, part.out, part.bias, norm is not None, relu, relu_first)


def _norm_before(part: Part, before: Part | None, norms: Sequence[Part], has_last_norm: bool) -> Part | None:
    """The batch norm between the layer before and this one: by its index in their list; else the only one of
    its size, but for one before all layers that may follow the last stage."""
    fitting = [norm for norm in norms if norm.size == part.inputs]
    own = _index_in_list(part.path)
    start = _index_in_list(before.path) if before else None
    for norm in fitting:
        at = _index_in_list(norm.path)
        if at and own and at[0] == own[0] and (start[1] if start else -1) < at[1] < own[1]:
            return norm
    if has_last_norm and before is None:
        return None
    alone = [norm for norm in fitting if _index_in_list(norm.path) is None]
    return alone[0] if len(alone) == 1 else None


def _gap(before: Part, part: Part) -> int | None:
    """How many modules of a list are left out between two of its modules; None if they are of no list."""
    first, second = _index_in_list(before.path), _index_in_list(part.path)
    if first is None or second is None or first[0] != second[0]:
        return None
    return second[1] - first[1] - 1


def _assumed_of_head(row: Sequence[Part], plans: Sequence[LayerPlan]) -> tuple[str, ...]:
    """What keys don't tell of a head."""
    assumed = []
    if any(plan.relu for plan in plans):
        assumed.append("head rectified")
    if plans[0].norm:
        assumed.append("head normed")
    listed = _index_in_list(row[-1].path)
    # A layer that is the first of a list is likely to have something behind it, such as a softmax.
    if len(row) == 1 and listed is not None and listed[0] and listed[1] == 0:
        assumed.append("head ends")
    if len(row) == 1 and not plans[0].bias and not plans[0].norm:
        assumed.append("head linear")
    return tuple(assumed)


def _index_in_list(path: str) -> tuple[str, int] | None:
    """The path of the list that a module lies in, with a dot behind it, and its index there."""
    listed = re.fullmatch(r"(.*?)(\d+)", path)
    if listed is None or (listed[1] and not listed[1].endswith(".")):
        return None
    return listed[1], int(listed[2])


def read_outer_gates(
    parts: Sequence[Part], width: int, outs: Sequence[int]
) -> tuple[dict[int, GatePlan], dict[str, str]]:
    """Attention outside of all blocks: behind which stage it stands (0: the stem), and where its parts go.
    ``outs`` are the channels of each stage."""
    gates: dict[int, GatePlan] = {}
    our_paths: dict[str, str] = {}
    for name, own in _by_module(parts).items():
        if len(own) == 1 and own[0].kind == "layer":  # a head whose name speaks of attention
            continue
        read = read_gate(own, name)
        stage = _stage_of(name, read.plan.channels, width, outs, gates)
        added = any(re.search(ADDED, part.path) for part in own)
        gates[stage] = replace(read.plan, added=added)
        module = f"bam{stage}" if read.plan.kind == "bam" and stage else f"attention{stage}"
        our_paths |= {path: f"{module}.{ours}" for path, ours in read.our_paths.items()}
    return gates, our_paths


def _by_module(parts: Sequence[Part]) -> dict[str, list[Part]]:
    """Parts of attention by the module that they are of, ``ca1`` and ``sa1`` together."""
    found: dict[str, list[Part]] = {}
    for part in parts:
        words = part.path.split(".")
        word = next((word for word in words if is_outer_attention(word)), None)
        if word is None:
            continue
        number = re.search(r"\d*$", word)
        name = re.sub(r"\d+$", "", word)
        pair = re.sub(
            r"^(ca|sa|ch_?att\w*|sp_?att\w*|channel\w*|spatial\w*)$", "cbam", name, flags=re.IGNORECASE
        )
        found.setdefault(f"{pair}{number[0] if number else ''}", []).append(part)
    return found


def _stage_of(name: str, channels: int, width: int, outs: Sequence[int], taken: dict[int, GatePlan]) -> int:
    """Behind which stage attention of so many channels stands: the one that its name's number says if that
    fits, else the first without any that has its channels."""
    number = re.search(r"(\d+)$", name)
    widths = [width, *outs]
    fitting = [stage for stage, out in enumerate(widths) if out == channels and stage not in taken]
    if number and int(number[1]) in fitting:
        return int(number[1])
    if not fitting:
        raise CheckpointFault(
            "layout_gate_elsewhere", tensor=printable(name), channels=channels, out=outs[-1]
        )
    return fitting[0]
