"""A block of a ResNet told by the shapes of its parts: its convolutions in their order, the batch norm of
each, the shortcut, the attention."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..choices import PLACES
from ..networks.plan import BlockPlan, ConvolutionPlan, ShortcutPlan
from .fault import CheckpointFault, printable
from .gates import is_attention, read_gate
from .parts import Part

SHORTCUT = r"(^|[._])(down|short|skip|ident|proj|match|resize|res_?conv|residual_?conv|adjust|bypass)"
WIDEST = 65_536  # channels
NORM_LAST_ONLY = ("rectified", "norm", "output")  # places that blocks of batch norms first don't have


@dataclass(frozen=True)
class ReadBlock:
    """What was read: the plan with stride 1 everywhere, and where each part goes: from its path in the
    file's block to that in ours."""

    plan: BlockPlan
    our_paths: dict[str, str]


def read_block(parts: Sequence[Part], channels: int, where: str, norm_first: bool) -> ReadBlock:
    """The block that these parts make of ``channels`` channels; ``where`` is its path in the file. Raises
    CheckpointFault, which names the parts that do not belong in it."""
    attention, shortcut, main = _sorted(parts)
    convolutions = [part for part in main if part.kind == "convolution"]
    norms = [part for part in main if part.kind == "norm"]
    odd = [part for part in (*main, *shortcut) if part.kind not in ("convolution", "norm")]
    if odd:
        raise _unknown(odd, where)
    chain = _chain(convolutions, channels, bool(shortcut))
    if chain is None:
        raise _unknown([*convolutions, *norms] or parts, where)
    shortcut += [part for part in convolutions if part not in chain]
    plans = tuple(_planned(part, before) for part, before in zip(chain, _inputs(chain, channels)))
    sizes = [plan.channels if norm_first else plan.out for plan in plans]
    norms_of = _norms_of(chain, norms, sizes)
    if norms_of is None:
        raise _unknown([*norms, *convolutions], where)
    shortcut += [norm for norm in norms if norm not in norms_of]
    our_paths: dict[str, str] = {}
    for number, (convolution, norm) in enumerate(zip(chain, norms_of), 1):
        our_paths |= {convolution.path: f"conv{number}", norm.path: f"bn{number}"}
    bypass = _shortcut(shortcut, channels, plans[-1].out, where, our_paths)
    plan = BlockPlan(plans, bypass, norm_first=norm_first)
    if not attention:
        return ReadBlock(plan, our_paths)
    gate = read_gate(attention, where)
    if not fitting_places(replace(plan, gate=gate.plan)):
        raise CheckpointFault(
            "layout_gate_elsewhere",
            tensor=printable(f"{where}.{attention[0].path}"),
            channels=gate.plan.channels,
            out=plan.out,
        )
    our_paths |= {path: f"attention.{ours}" for path, ours in gate.our_paths.items()}
    return ReadBlock(replace(plan, gate=gate.plan), our_paths)


def fitting_places(block: BlockPlan) -> tuple[str, ...]:
    """The places of a block that have the channels of its attention, the likeliest first."""
    assert block.gate is not None
    channels = block.gate.channels
    return tuple(
        place
        for place in PLACES
        if _channels_at(block, place) == channels and not (block.norm_first and place in NORM_LAST_ONLY)
    )


def _channels_at(block: BlockPlan, place: str) -> int:
    """Channels of the features that attention in a place of a block weighs."""
    if place == "middle":
        return block.convolutions[-1].channels
    if place in ("input", "entry"):
        return block.convolutions[0].channels
    return block.out


def _sorted(parts: Sequence[Part]) -> tuple[list[Part], list[Part], list[Part]]:
    """The parts of attention, of the shortcut, and the others."""
    attention, shortcut, main = [], [], []
    squeezing = _squeezing(parts)
    for part in parts:
        named = is_attention(part.path) or part in squeezing
        if part.kind == "layer" or named or part.weight[:2] == (1, 2):
            attention.append(part)
        elif re.search(SHORTCUT, part.path.lower()):
            shortcut.append(part)
        else:
            main.append(part)
    return attention, shortcut, main


def _squeezing(parts: Sequence[Part]) -> list[Part]:
    """Two convolutions that no batch norm is left for, of which one takes to few channels and the other back:
    SE whose names don't say so, as StickCui's conv_down and conv_up. None where attention is named."""
    norms = [part for part in parts if part.kind == "norm"]
    convolutions = [part for part in parts if part.kind == "convolution"]
    if any(is_attention(part.path) or part.kind == "layer" for part in parts):
        return []
    if len(convolutions) < len(norms) + 2:
        return []
    alone = [part for part in convolutions if part.is_pointwise and _named_like(part, norms) is None]
    for down, up in itertools.permutations(alone, 2):
        if (down.inputs, down.out) == (up.out, up.inputs) and down.out < down.inputs:
            return [down, up]
    return []


def _chain(convolutions: Sequence[Part], channels: int, has_shortcut: bool) -> list[Part] | None:
    """Two or three convolutions in an order in which each takes what the one before gives. One more can be
    the shortcut, if none is known."""
    for chosen in _choices(convolutions, has_shortcut):
        given = channels
        for part in chosen:
            if given % part.inputs or part.weight[2] != part.side or part.side % 2 == 0:
                break
            if part.side == 1 and part.inputs != given:
                break
            given = part.out
        else:
            return list(chosen)
    return None


def _choices(convolutions: Sequence[Part], has_shortcut: bool) -> Iterator[Sequence[Part]]:
    """Orders to try: as they are named first."""
    if len(convolutions) in (2, 3):
        yield convolutions
    if len(convolutions) in (3, 4) and not has_shortcut:
        for left in reversed(range(len(convolutions))):
            yield [part for index, part in enumerate(convolutions) if index != left]
    if len(convolutions) in (2, 3):
        yield from itertools.permutations(convolutions)


def _inputs(chain: Sequence[Part], channels: int) -> list[int]:
    return [channels, *(part.out for part in chain[:-1])]


def _planned(part: Part, channels: int) -> ConvolutionPlan:
    return ConvolutionPlan(channels, part.out, part.side, 1, channels // part.inputs, part.bias)


def _norms_of(chain: Sequence[Part], norms: Sequence[Part], sizes: Sequence[int]) -> list[Part] | None:
    """The batch norm that belongs to each convolution; None if they don't fit."""
    named = [_named_like(part, norms) for part in chain]
    if all(norm is not None for norm in named) and len({id(norm) for norm in named}) == len(chain):
        found = [norm for norm in named if norm is not None]
    else:
        found = list(norms[: len(chain)])
    fit = len(found) == len(chain) and all(norm.size == size for norm, size in zip(found, sizes))
    return found if fit else None


def _named_like(part: Part, norms: Sequence[Part]) -> Part | None:
    """The batch norm whose name says that it belongs to a convolution: conv1 and bn1, 0 and 1 in a list,
    conv2.conv and conv2.bn."""
    by_path = {norm.path: norm for norm in norms}
    own = _bare(part.path)
    for path, norm in by_path.items():
        if _bare(path) == own:
            return norm
    listed = re.fullmatch(r"(.*?)(\d+)", part.path)
    if listed and (not listed[1] or listed[1].endswith(".")):
        return by_path.get(f"{listed[1]}{int(listed[2]) + 1}")
    return None


def _bare(path: str) -> str:
    """A path without the words for a convolution or batch norm: equal for those that belong together."""
    return re.sub(
        r"conv(olution)?(?![a-z])|batch_?norm|bn|norm(alization)?|adn\.N", "", path, flags=re.IGNORECASE
    )


def _shortcut(
    parts: Sequence[Part], channels: int, out: int, where: str, our_paths: dict[str, str]
) -> ShortcutPlan | None:
    """The plan of the shortcut; ``our_paths`` is added to."""
    if not parts:
        return None
    convolutions = [part for part in parts if part.kind == "convolution"]
    norms = [part for part in parts if part.kind == "norm"]
    if len(convolutions) != 1 or len(norms) > 1 or len(convolutions) + len(norms) != len(parts):
        raise _unknown(parts, where)
    convolution = convolutions[0]
    square = convolution.weight[2] == convolution.side and convolution.side % 2 == 1
    if (convolution.inputs, convolution.out) != (channels, out) or not square:
        raise _unknown(convolutions, where)
    average = 1 if convolution.path.endswith(".1") else None  # behind a pooling, which has no weights
    first = 0 if average is None else 1
    our_paths[convolution.path] = f"downsample.{first}"
    if norms:
        our_paths[norms[0].path] = f"downsample.{first + 1}"
        if norms[0].size != out or norms[0].path.endswith(".0"):
            raise _unknown(norms, where)
    return ShortcutPlan(_planned(convolution, channels), bool(norms), average)


def _unknown(parts: Sequence[Part], where: str) -> CheckpointFault:
    """The fault of parts, first those that lie deeper in the block than others: they are none of its own."""
    deepest = max(parts, key=lambda part: part.path.count("."))
    shallow = any("." not in part.path for part in parts)
    path = (deepest if shallow else parts[0]).path
    return CheckpointFault(
        "layout_block_unknown", block=printable(where), tensor=printable(f"{where}.{path}")
    )


def goes_first(parts: Sequence[Part], channels: int) -> bool | None:
    """Whether a block's batch norms stand before its convolutions, as their sizes tell; None where they
    don't."""
    _, shortcut, main = _sorted(parts)
    convolutions = [part for part in main if part.kind == "convolution"]
    norms = [part for part in main if part.kind == "norm"]
    chain = _chain(convolutions, channels, bool(shortcut))
    if chain is None:
        return None
    before = _norms_of(chain, norms, _inputs(chain, channels)) is not None
    after = _norms_of(chain, norms, [part.out for part in chain]) is not None
    return before if before != after else None
