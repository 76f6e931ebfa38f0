"""An attention module told by the shapes of its parts, whatever they are called: SE, CBAM or BAM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..networks.plan import GatePlan
from .fault import CheckpointFault, printable
from .parts import Part, in_order

WIDEST_KERNEL = 31  # of a spatial gate; papers have 7, and a convolution can't be stopped halfway


@dataclass(frozen=True)
class ReadGate:
    """What was read: the plan, and where each part goes: from its path in the
    file's module to that in ours."""

    plan: GatePlan
    our_paths: dict[str, str]


def is_attention(path: str) -> bool:
    """Whether a module's path in a block is that of attention, or of a part of it."""
    return any(re.fullmatch(ATTENTION, word, re.IGNORECASE) for word in path.split("."))


def is_outer_attention(path: str) -> bool:
    """The same of a module outside of all blocks."""
    words = [word for word in path.split(".") if not re.fullmatch(BARE_LAYER, word)]
    return is_attention(".".join(words))


def read_gate(parts: Sequence[Part], where: str) -> ReadGate:
    """The gate that these parts make; ``where`` stands before their paths in the file. Raises
    CheckpointFault, which names what it can't be read from."""
    spatial = [part for part in parts if part.kind == "convolution" and part.weight[:2] == (1, 2)]
    if any(part.kind == "convolution" and part.side == 3 and part.weight[:2] != (1, 2) for part in parts):
        return _read_bam(parts, where)
    layers = [part for part in parts if part.is_pointwise and part not in spatial]
    norms = [part for part in parts if part.kind == "norm"]
    rest = [part for part in parts if part not in (*spatial, *layers, *norms)]
    if rest or len(layers) != 2 or len(spatial) > 1 or len(norms) > len(spatial):
        raise _unknown(rest or parts, where)
    first, second = layers if layers[0].out <= layers[0].inputs else layers[::-1]
    if first.out != second.inputs or first.inputs != second.out or first.bias != second.bias:
        raise _unknown(layers, where)
    plan = GatePlan("se", first.inputs, first.out, bias=first.bias)
    our_paths = {first.path: "fc1", second.path: "fc2"}
    names = " ".join(part.path for part in parts)  # what stands before them may be anybody's
    if spatial or re.search(CHANNELS_ONLY, names):
        our_paths = {path: f"channel.{ours}" for path, ours in our_paths.items()}
        plan = _cbam(plan, spatial, norms, our_paths, where, names)
    return ReadGate(plan, our_paths)


def _cbam(
    channel: GatePlan,
    spatial: list[Part],
    norms: list[Part],
    our_paths: dict[str, str],
    where: str,
    names: str,
) -> GatePlan:
    """The plan of CBAM with this channel gate; ``our_paths`` is added to."""
    released = re.search(RELEASED, names) is not None
    if not spatial:
        return GatePlan("cbam", channel.channels, channel.hidden, channel.bias, kernel=0, window=released)
    convolution = spatial[0]
    side = convolution.side
    if side > WIDEST_KERNEL or side % 2 == 0 or convolution.weight[2] != side:
        raise CheckpointFault("layout_kernel_wrong", side=side, limit=WIDEST_KERNEL)
    our_paths[convolution.path] = "spatial.conv"
    if norms:
        our_paths[norms[0].path] = "spatial.norm"
        if norms[0].size != 1:
            raise _unknown(norms, where)
    return GatePlan(
        "cbam",
        channel.channels,
        channel.hidden,
        channel.bias,
        kernel=side,
        spatial_bias=convolution.bias,
        spatial_norm=bool(norms),
        maximum_first=re.search(MAXIMUM_FIRST, names) is not None,
        window=released,
    )


def _read_bam(parts: Sequence[Part], where: str) -> ReadGate:
    """BAM: two layers on pooled channels, and a branch of four convolutions, two of them 3×3."""
    found = _branches(parts)
    if len(found) != 2:
        found = _branches_by_kind(parts)
    branches = sorted(found, key=lambda own: any(part.side == 3 for part in own if part.weight))
    if len(branches) != 2:
        raise _unknown(parts, where)
    channel, spatial = branches
    layers = [part for part in channel if part.is_pointwise]
    dilated = [part for part in spatial if part.kind == "convolution" and part.side == 3]
    ends = [part for part in spatial if part.is_pointwise]
    if len(layers) != 2 or len(dilated) != 2 or len(ends) != 2:
        raise _unknown(parts, where)
    first, second = layers if layers[0].out <= layers[0].inputs else layers[::-1]
    reduce, final = ends if ends[1].out == 1 else ends[::-1]
    norms = [part for part in channel if part.kind == "norm"]
    spatial_norms = [part for part in spatial if part.kind == "norm"]
    chain = [reduce, *dilated, final]
    released = [norm.size for norm in norms] == [first.out] and len(spatial_norms) == 3
    rectified = _is_rectified(norms, spatial_norms, first.out)
    if released:
        our_paths = {first.path: "channel.2", norms[0].path: "channel.3", second.path: "channel.5"}
        for convolution, norm, index in zip(chain, _paired(chain[:3], spatial_norms), (0, 3, 6)):
            our_paths |= {convolution.path: f"spatial.{index}", norm.path: f"spatial.{index + 1}"}
        our_paths[final.path] = "spatial.9"
    elif rectified:
        our_paths = {first.path: "channel.2", norms[0].path: "channel.3"}
        our_paths |= {second.path: "channel.5", norms[1].path: "channel.6"}
        for convolution, norm, index in zip(chain, spatial_norms, (0, 3, 6, 9)):
            our_paths |= {convolution.path: f"spatial.{index}", norm.path: f"spatial.{index + 1}"}
    elif [norm.size for norm in norms] == [second.out] and len(spatial_norms) == 1:
        our_paths = {first.path: "channel.2", second.path: "channel.4", norms[0].path: "channel.5"}
        our_paths |= {part.path: f"spatial.{index}" for part, index in zip(chain, (0, 2, 4, 6))}
        our_paths[spatial_norms[0].path] = "spatial.7"
    else:
        raise _unknown([*norms, *spatial_norms] or parts, where)
    window = any("gate_c" in part.path for part in channel)  # Jongchan's
    product = released or rectified
    plan = GatePlan(
        "bam",
        first.inputs,
        first.out,
        True,
        released=released,
        rectified=rectified,
        product=product,
        window=window,
    )
    return ReadGate(plan, our_paths)


def _is_rectified(norms: Sequence[Part], spatial_norms: Sequence[Part], hidden: int) -> bool:
    """Whether a batch norm stands behind every layer of both branches. That ReLUs follow the last ones is
    known of one code only, by its names."""
    known = all(re.search(r"\dd$", norm.path) for norm in (*norms, *spatial_norms))
    everywhere = len(norms) == 2 and norms[0].size == hidden
    sizes = [norm.size for norm in spatial_norms]
    return known and everywhere and sizes == [hidden, hidden, hidden, 1]


def _branches(parts: Sequence[Part]) -> list[list[Part]]:
    """Parts by the first word of their paths in which not all are the same."""
    words = [part.path.split(".") for part in parts]
    same = 0
    while len({tuple(path[: same + 1]) for path in words}) == 1 and all(
        len(path) > same + 1 for path in words
    ):
        same += 1
    found: dict[str, list[Part]] = {}
    for part, path in zip(parts, words):
        found.setdefault(path[same], []).append(part)
    return list(found.values())


def _branches_by_kind(parts: Sequence[Part]) -> list[list[Part]]:
    """Parts that lie side by side: the layers with their batch norms (of one dimension, by name), and the
    others."""
    channel = [part for part in parts if part.kind == "layer" or part.path.endswith("1d")]
    return [channel, [part for part in parts if part not in channel]]


def _paired(convolutions: Sequence[Part], norms: Sequence[Part]) -> list[Part]:
    """The batch norm behind each convolution: the one of the same name but for the word, else by order."""
    by_name = {_without_words(norm.path): norm for norm in norms}
    named = [by_name.get(_without_words(convolution.path)) for convolution in convolutions]
    whole = [norm for norm in named if norm is not None]
    return whole if len({norm.path for norm in whole}) == len(convolutions) else list(norms)


def _without_words(path: str) -> str:
    return re.sub(r"conv(olution)?|batch_?norm|bn|norm|adn\.N", "", path)


def _unknown(parts: Sequence[Part], where: str) -> CheckpointFault:
    first = min(parts, key=lambda part: in_order(part.path))
    return CheckpointFault("layout_gate_unknown", tensor=printable(f"{where}.{first.path}"))


# Words of paths by which attention is told from a block's own convolutions; the shapes say what it is.
ATTENTION = (
    r"(se|ca|sa|cbam|bam|scse|eca|channel|spatial|att\w*|excit\w*|squeeze\w*|gate\w*|mlp\w*|fc)_?\d*"
    r"|(se|ca|sa|ch|sp|c|s|cbam|bam|channel|spatial|spacial)"
    r"_?(module|layer|block|net|gate|att|attention|attn|atten|excitation)_?\d*"
    r"|\w*(attention|attn|cbam|selayer|channel_?gate|spatial_?gate|channel_?att|spatial_?att)\w*"
)
BARE_LAYER = r"fc_?\d*"  # of attention in a block; outside of blocks it is the head
CHANNELS_ONLY = r"(^|[. _])(ca\d*|cbam\w*|ch_gate|ChannelGate|channel\w*)\."
RELEASED = r"ChannelGate|SpatialGate"  # Jongchan's
# Jongchan's, pytorchcv's, elbuco1's, asdf2kr's, Ugenteraan's.
MAXIMUM_FIRST = (
    r"SpatialGate|sp_gate|channel_attention\.bottleneck|\batte\.conv1\b|(spatial_attention\.){2}0\b"
)
ADDED = r"channel_attention\.bottleneck"  # elbuco1's outside of blocks
