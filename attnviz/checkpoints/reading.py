"""A state dict's keys and shapes become the plan of the network that they are of, and each key gets one of
ours. Stem, blocks, attention and head are each told by themselves, whosever code they come from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..languages.catalogue import Phrase, Value
from ..networks.plan import BlockPlan, Plan, ShortcutPlan
from .blocks import goes_first
from .ends import only_trains, read_head, read_outer_gates, read_stem
from .fault import CheckpointFault, printable
from .forms import check_form, check_statistics
from .gates import is_attention, is_outer_attention
from .parts import Grouped, Part, Shapes, grouped, parts_of
from .stages import read_stages

WIDEST = 4096  # channels of the stem: beyond these it is no ResNet that anybody trained
DEEPEST = 200  # blocks of a stage
MOST_STAGES = 6
# Names by which two layers on pooled channels are known to be SE and not the first half of CBAM: those of SE
# itself, attnviz's, kuangliu's.
SE_NAMES = r"(^|[._])[cs]?se(net|lay|blo|mod|[_.\d]|$)|squee|excit|recal|\.(attention|\d+)\.fc1$|conv_down$"
FLAGS = re.IGNORECASE | re.MULTILINE
# Numbers beside a network's layers that only count or measure: what training adds.
COUNTED = (
    r"(^|[._])(steps?|epochs?|iters?|iteration\w*|best|acc|accuracy|loss\w*|metrics?|num|n|decay"
    r"|init(ted|ialized)?|version|device|queue|lr|flops)([._\d]|$)"
    r"|(^|(class|loss|pos|kd|aux)_)weights?$"
)


@dataclass(frozen=True)
class Reading:
    """What was read."""

    plan: Plan
    keys: dict[str, str]  # our key -> the file's
    style: str  # the paths of all modules, by which people's habits are told
    others: tuple[str, ...] = ()  # prefixes of other networks in the file, which are left out
    assumed: tuple[str, ...] = ()  # what of its head is only assumed, in words of ``Card.assumed``

    def is_by(self, names: str) -> bool:
        """Whether a module's path has names, a pattern, that only a certain code gives."""
        return re.search(names, self.style, re.MULTILINE) is not None


def read_network(shapes: Shapes) -> Reading:
    """What keys and shapes tell of a ResNet. Raises CheckpointFault, which names what was not understood."""
    check_form(shapes)
    parts = parts_of(shapes)
    found = grouped(parts)
    check_statistics(parts)
    _check_size(found)
    outside, paths_in_file = _unprefixed(found)
    channels = _first_channels(found)
    if channels > WIDEST:
        raise CheckpointFault("layout_stem_missing", width=channels)
    norm_first = _norm_first(found, channels)
    blocks, our_paths, early = read_stages(found, channels, norm_first)
    stem = read_stem(outside, channels)
    stages = tuple(tuple(block.plan for block in stage) for stage in blocks)
    outs = [stage[-1].out for stage in stages]
    attention = [part for part in outside if is_outer_attention(part.path)]
    gates, gate_paths = read_outer_gates(attention, channels, outs)
    rest = [part for part in outside if part.path not in stem.our_paths and part.path not in gate_paths]
    has_last_norm = norm_first or not stem.norm  # those that follow the blocks in place of the stem's
    head = read_head(rest, outs[-1], has_last_norm)
    outer = {**stem.our_paths, **gate_paths, **head.our_paths}
    last = has_last_norm and _last_norm([part for part in rest if part.path not in outer], outs[-1], outer)
    every = {**gates, **early}
    plan = Plan(stem.convolutions, stages, head.layers, stem.pool, stem.norm, last, every)
    _check_left([part for part in outside if part.path not in outer], found.prefix)
    our_paths |= {paths_in_file[path]: ours for path, ours in outer.items()}
    style = "\n".join(part.path for part in parts)
    assumed = [*head.assumed]
    if _has_loose_numbers(outside):
        assumed.append("numbers left out")
    if any(gate.kind == "se" for gate in plan.all_gates) and not re.search(SE_NAMES, style, FLAGS):
        assumed.append("gates average")
    return Reading(with_strides(plan), _keys(shapes, our_paths), style, found.others, tuple(assumed))


def _check_size(found: Grouped) -> None:
    counts = [len(stage) for stage in found.stages]
    if len(counts) > MOST_STAGES or max(counts) > DEEPEST:
        raise CheckpointFault("layout_too_deep", stages=len(counts), blocks=max(counts))


def _unprefixed(found: Grouped) -> tuple[list[Part], dict[str, str]]:
    """The modules outside of blocks without the network's prefix, and from each path to that in the file."""
    taken: dict[str, str] = {}
    parts = []
    for part in found.outside:
        path = part.path.removeprefix(found.prefix)
        if path in taken:
            path = part.path
        taken[path] = part.path
        parts.append(Part(path, part.shapes))
    return parts, taken


def _first_channels(found: Grouped) -> int:
    """Channels that the first block takes: what its first convolution does."""
    for part in found.stages[0][0]:
        if part.kind == "convolution" and part.weight[:2] != (1, 2) and not is_attention(part.path):
            return part.inputs
    raise CheckpointFault("layout_without_blocks")


def _norm_first(found: Grouped, channels: int) -> bool:
    """Whether batch norms stand before the convolutions, as the first block tells whose sizes do."""
    for stage in found.stages:
        for parts in stage:
            told = goes_first(parts, channels)
            if told is not None:
                return told
            channels = _out_of(parts, channels)
    return False


def _out_of(parts: Sequence[Part], channels: int) -> int:
    """Channels of a block's result, as far as can be told at once: those of its widest convolution."""
    outs = [part.out for part in parts if part.kind == "convolution" and not is_attention(part.path)]
    return max(outs, default=channels)


def _last_norm(parts: Sequence[Part], channels: int, our_paths: dict[str, str]) -> bool:
    """Whether one batch norm of the last channels is left; ``our_paths`` is added to."""
    norms = [part for part in parts if part.kind == "norm" and part.size == channels]
    if len(norms) != 1:
        return False
    our_paths[norms[0].path] = "last_norm"
    return True


def _check_left(parts: Sequence[Part], prefix: str) -> None:
    """Raise CheckpointFault for modules that do not belong in the network, unless they are a loss's or the
    like."""
    left = [part for part in parts if part.path and not only_trains(part)]
    left += [part for part in parts if not part.path and not prefix and _computes(part)]
    if left:
        names = tuple(f"“{printable(_name_of(part))}”" for part in left[:3])
        more: Value = Phrase("and_more", count=len(left) - 3) if len(left) > 3 else ""
        raise CheckpointFault("layout_has_unknown_parts", tensors=names, more=more)


def _name_of(part: Part) -> str:
    """What a module is called, or the first of its tensors if it may be none of a kind of its own."""
    first = next(iter(part.shapes))
    return part.path if "weight" in part.shapes else f"{part.path}.{first}".strip(".")


def _computes(part: Part) -> bool:
    """Whether loose tensors of a network could belong to what it computes."""
    return any(len(shape) > 1 for shape in part.shapes.values())


def _has_loose_numbers(parts: Sequence[Part]) -> bool:
    """Whether a few numbers lie beside a network's layers that it may compute with, such as a temperature."""
    loose = next((part for part in parts if not part.path), None)
    if loose is None:
        return False
    return any(
        0 not in shape and not re.search(COUNTED, name.lower()) for name, shape in loose.shapes.items()
    )


def _keys(shapes: Shapes, our_paths: dict[str, str]) -> dict[str, str]:
    """Our key -> the file's."""
    found = {}
    for key in shapes:
        path, _, name = key.rpartition(".")
        if path in our_paths:
            found[f"{our_paths[path]}.{name}"] = key
    return found


def with_strides(plan: Plan, first: bool = False) -> Plan:
    """The plan with stride 2 in the first block of each stage but the first, where the number of channels
    changes: in the 3×3 convolution, or, if ``first``, in the first one."""
    stages = []
    channels = plan.stem[-1].out
    for number, stage in enumerate(plan.stages):
        stride = 2 if number > 0 and (stage[0].shortcut or stage[0].out != channels) else 1
        stages.append((_strided(stage[0], stride, first), *stage[1:]))
        channels = stage[-1].out
    return replace(plan, stages=tuple(stages))


def _strided(block: BlockPlan, stride: int, first: bool) -> BlockPlan:
    convolutions = [replace(convolution, stride=1) for convolution in block.convolutions]
    strided = 0 if first or len(convolutions) == 2 else 1
    convolutions[strided] = replace(convolutions[strided], stride=stride)
    shortcut = block.shortcut
    if shortcut is not None:
        shortcut = _strided_shortcut(shortcut, stride)
    return replace(block, convolutions=tuple(convolutions), shortcut=shortcut)


def _strided_shortcut(shortcut: ShortcutPlan, stride: int) -> ShortcutPlan:
    """A pooling before the convolution has the stride, if there is one."""
    if shortcut.average is not None:
        return replace(shortcut, average=stride)
    return replace(shortcut, convolution=replace(shortcut.convolution, stride=stride))
