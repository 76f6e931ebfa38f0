"""What stands before and behind the blocks of a ResNet: the stem, attention at its ends, the head."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..networks.plan import ConvolutionPlan, GatePlan, LayerPlan
from .fault import CheckpointFault, printable
from .gates import ADDED, is_outer_attention, read_gate
from .parts import Part

MOST_STEM = 4  # convolutions


@dataclass(frozen=True)
class ReadStem:
    """The stem's convolutions with strides as they usually are, and where its parts go."""

    convolutions: tuple[ConvolutionPlan, ...]
    norm: bool
    pool: str  # as the plan has it
    places: dict[str, str]


def read_stem(parts: Sequence[Part], width: int) -> ReadStem:
    """The stem among the modules outside of all blocks: convolutions in a row that end with ``width``
    channels, the batch norm of each. Raises CheckpointFault."""
    convolutions = _row(parts, width)
    if not convolutions:
        raise CheckpointFault("layout_stem_missing", width=width)
    norms = [part for part in parts if part.kind == "norm" and not is_outer_attention(part.path)]
    places: dict[str, str] = {}
    found: list[Part] = []
    for place, part in enumerate(convolutions):
        last = place == len(convolutions) - 1
        places[part.path] = "conv1" if len(convolutions) == 1 else f"conv1.{3 * place}"
        norm = _norm_behind(part, norms, found)
        if norm is not None:
            found.append(norm)
            places[norm.path] = "bn1" if last else f"conv1.{3 * place + 1}"
        elif not last:
            raise CheckpointFault("layout_stem_unknown", tensor=printable(part.path))
    plans = _with_strides(convolutions)
    instead = len(plans) > 1 and "pool" in convolutions[-1].path  # a convolution in the pooling's place
    if instead:
        plans = (*plans[:-1], replace(plans[-1], stride=2))
    return ReadStem(plans, len(found) == len(plans), "none" if instead else "padded", places)


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
    alone = [norm for norm in free if _place_in_list(norm.path) is None]  # in no list, where others' are
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
    for place, part in enumerate(convolutions):
        stride = 2 if place == 0 and not keeps else 1
        plans.append(ConvolutionPlan(part.inputs, part.out, part.side, stride, 1, part.bias))
    return tuple(plans)


def read_head(parts: Sequence[Part], channels: int) -> tuple[tuple[LayerPlan, ...], dict[str, str]]:
    """The fully connected layers, the first of which takes ``channels``, and where they go. Raises
    CheckpointFault if there are none, or if they take something else."""
    layers = [part for part in parts if part.is_pointwise and not is_outer_attention(part.path)]
    row: list[Part] = []
    for part in layers:
        if part.inputs == (row[-1].out if row else channels):
            row.append(part)
    if not row:
        wrong = [part for part in layers if part.kind == "layer"]
        if wrong:
            raise CheckpointFault(
                "layout_head_takes_other",
                tensor=printable(wrong[0].path),
                inputs=wrong[0].inputs,
                channels=channels,
            )
        raise CheckpointFault("layout_without_classifier")
    norms = [part for part in parts if part.kind == "norm"]
    plans, places, modules = [], {}, 0
    for place, part in enumerate(row):
        norm = _norm_before(part, row[place - 1] if place else None, norms)
        relu = place > 0 and not _follows_at_once(row[place - 1], part)
        plans.append(LayerPlan(part.inputs, part.out, part.bias, norm is not None, relu))
        if norm is not None:
            places[norm.path] = f"fc.{modules}"
        modules += (norm is not None) + relu
        places[part.path] = f"fc.{modules}"
        modules += 1
    if len(plans) == 1 and not plans[0].norm:
        places = {row[0].path: "fc"}
    return tuple(plans), places


def _norm_before(part: Part, before: Part | None, norms: Sequence[Part]) -> Part | None:
    """The batch norm in a list of layers, between the layer before and this one."""
    place = _place_in_list(part.path)
    if place is None:
        return None
    start = _place_in_list(before.path) if before else None
    for norm in norms:
        at = _place_in_list(norm.path)
        if (
            at
            and at[0] == place[0]
            and (start[1] if start else -1) < at[1] < place[1]
            and norm.size == part.inputs
        ):
            return norm
    return None


def _follows_at_once(before: Part, part: Part) -> bool:
    """Whether nothing can stand between two layers of a list."""
    first, second = _place_in_list(before.path), _place_in_list(part.path)
    return first is not None and second is not None and first[0] == second[0] and second[1] == first[1] + 1


def _place_in_list(path: str) -> tuple[str, int] | None:
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
    places: dict[str, str] = {}
    for name, own in _by_module(parts).items():
        read = read_gate(own, name)
        stage = _stage_of(name, read.plan.channels, width, outs, gates)
        added = any(re.search(ADDED, part.path) for part in own)
        gates[stage] = replace(read.plan, added=added)
        ours = f"bam{stage}" if read.plan.kind == "bam" and stage else f"attention{stage}"
        places |= {path: f"{ours}.{place}" for path, place in read.places.items()}
    return gates, places


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
    fits, else the first free place that has its channels."""
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
