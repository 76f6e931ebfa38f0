"""The layouts of public implementations: a state dict's keys and shapes tell whose network it is, and the
network is built that computes what the original does.

A layout is a row of the table at the foot: the sign it is told by, how its keys are renamed to those of
``networks.resnet.ResNet``, and what its code does that neither keys nor shapes tell. All else (depth, width,
hidden units, classes, biases, batch norms) is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..errors import NetworkError
from ..languages.catalogue import Phrase, Value
from ..networks.card import Card, with_card
from ..networks.resnet import DEPTHS, Design, ResNet
from .stored_weights import widened

Shapes = dict[str, tuple[int, ...]]

# Beyond these it is no ResNet that anybody trained.
WIDEST = 4096  # channels of the stem
DEEPEST = 200  # blocks of a stage
WIDEST_KERNEL = 31  # of a spatial gate; papers have 7, and a convolution can't be stopped halfway


@dataclass(frozen=True)
class Layout:
    """How one implementation names and builds its network."""

    name: str
    sign: str  # a pattern that one of its keys matches, and no other layout's
    # Patterns of keys -> our keys; the first that matches counts. A {3-1} in ours is a difference.
    renames: tuple[tuple[str, str], ...] = ()
    design: dict[str, Any] = field(default_factory=dict)  # of ``Design``: what keys and shapes don't tell


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


def open_state_dict(tensors: dict[str, Tensor], name: str) -> nn.Module:
    """The network that these tensors belong to, as ``open_weights``; they are taken out of the dict one by
    one."""
    return open_weights(HeldWeights(tensors), name)


def open_weights(weights: Weights, name: str, reserve: Callable[[int], None] | None = None) -> nn.Module:
    """The network that these weights belong to, in eval mode, with a ``card``; ``name`` is the file's, for
    the card and for messages.

    The tensors are taken one by one, and become the network's own, in float32. Before the first, ``reserve``
    is told how many bytes the network will have, and may raise. Of pytorchcv's two SE-ResNets whose keys are
    the same, ``seresnet50`` with its stride in the first convolution and ``seresnet50b``, the second one is
    taken if the name holds "resnet50b" (or 101b, 152b). Raises NetworkError, naming keys as they are in the
    file, for what is of no known layout, incomplete, or without attention."""
    shapes = weights.shapes
    layout = next((row for row in LAYOUTS if any(re.search(row.sign, key) for key in shapes)), None)
    if layout is None:
        raise _of_no_layout(shapes, name)
    theirs = {_renamed(key, layout): key for key in shapes}  # our key -> the file's
    if len(theirs) < len(shapes):
        raise NetworkError("weights_twice", name=name)
    ours: Shapes = {key: shapes[other] for key, other in theirs.items()}
    architecture, design = _read(ours, layout, name)
    with torch.device("meta"):
        network = ResNet(
            architecture["depth"],
            architecture["attention"],
            architecture["width"],
            architecture["reduction"],
            architecture["classes"],
            design,
        )
    empty = network.state_dict()
    expected = {key: tuple(value.shape) for key, value in empty.items()}
    _check_fit(ours, expected, theirs, layout, name)
    if architecture["attention"] is None:
        title = _plain_title(architecture["depth"])
        raise NetworkError("layout_without_attention", name=name, title=title)
    if reserve is not None:
        reserve(sum(value.nbytes for value in empty.values()))
    try:
        taken = {key: _as_weight(weights, theirs.get(key), shape) for key, shape in expected.items()}
    except RuntimeError:  # torch's word for memory that is not there
        raise NetworkError("checkpoint_out_of_memory", name=name) from None
    network.load_state_dict(taken, assign=True)
    network.requires_grad_(False)
    card = Card(name, {**architecture, "layout": layout.name}, title=_title(architecture))
    return with_card(network, card).eval()


def _renamed(key: str, layout: Layout) -> str:
    """Our name of a layout's key; the key itself if no pattern matches."""
    for pattern, ours in layout.renames:
        if re.match(pattern, key):
            renamed = re.sub(pattern, ours, key, count=1)
            return re.sub(r"\{(\d+)-1\}", lambda difference: str(int(difference[1]) - 1), renamed)
    return key


def _read(shapes: Shapes, layout: Layout, name: str) -> tuple[dict[str, Any], Design]:
    """What keys and shapes tell: the arguments of ``ResNet``."""
    width, _, kernel, _ = _shape(shapes, "conv1.weight", 4, name)
    counts = tuple(_block_count(shapes, stage) for stage in (1, 2, 3, 4))
    if not (1 <= width <= WIDEST and all(1 <= count <= DEEPEST for count in counts)):
        raise NetworkError("layout_stage_missing", name=name, layout=layout.name)
    if "fc.weight" not in shapes:
        raise NetworkError("layout_without_classifier", name=name)
    classes = _shape(shapes, "fc.weight", 2, name)[0]
    attention, hidden = _attention(shapes)
    bottleneck = "layer1.0.conv3.weight" in shapes
    architecture = {
        "depth": _depth(counts, bottleneck),
        "attention": attention,
        "width": width,
        "reduction": max((channels // units for channels, units in hidden.items() if units), default=16),
        "classes": classes,
    }
    design = {
        "bottleneck": bottleneck,
        "hidden": hidden,
        "stem": "small" if kernel == 3 else "padded",
        **_gate_design(shapes, name),
        **layout.design,
    }
    if layout.name == "pytorchcv" and attention == "se" and bottleneck and not _is_other_stride(name):
        design["stride_first"] = True
    return architecture, Design(**design)


def _attention(shapes: Shapes) -> tuple[str | None, dict[int, int]]:
    """The kind of attention, and its hidden units by channels; None and nothing of a plain ResNet."""
    for kind, pattern in FIRST_LAYERS.items():
        hidden = _hidden(shapes, pattern)
        if hidden:
            return kind, hidden
    return None, {}


FIRST_LAYERS = {  # kind -> the keys of its first layers
    "bam": r"bam\d\.spatial\.0\.weight",
    "se": r"layer\d+\.\d+\.attention\.fc1\.weight",
    "cbam": r"layer\d+\.\d+\.attention\.channel\.fc1\.weight",
}


def _depth(counts: tuple[int, ...], bottleneck: bool) -> int | tuple[int, ...]:
    """The usual number for these blocks a stage; the counts themselves if there is none."""
    for depth, usual in DEPTHS.items():
        if usual == counts and (depth >= 50) == bottleneck:
            return depth
    return counts


def _gate_design(shapes: Shapes, name: str) -> dict[str, Any]:
    """The arguments of ``Design`` that the first block's attention tells."""
    first = "layer1.0.attention."
    return {
        "bias": any(f"{first}{part}fc1.bias" in shapes for part in ("", "channel.")),
        "kernel": _kernel_side(shapes.get(f"{first}spatial.conv.weight", ()), name),
        "spatial_bias": f"{first}spatial.conv.bias" in shapes,
        "spatial_norm": f"{first}spatial.norm.weight" in shapes,
    }


def _kernel_side(shape: tuple[int, ...], name: str) -> int:
    """The side of a spatial gate's kernel; 7 where it has no such shape, which is told later."""
    side = shape[-1] if len(shape) == 4 else 7
    if side > WIDEST_KERNEL or side % 2 == 0:
        raise NetworkError("layout_kernel_wrong", name=name, side=side, limit=WIDEST_KERNEL)
    return side


def _is_other_stride(name: str) -> bool:
    """Whether a file's name is that of a ResNet whose stride is in the second convolution."""
    return re.search(r"resnet\d+b(?![a-z0-9])", name.lower()) is not None


def _shape(shapes: Shapes, key: str, dimensions: int, name: str) -> tuple[int, ...]:
    """The shape of a weight. Raises NetworkError unless it has so many dimensions, none of them empty."""
    shape = shapes.get(key, ())
    if len(shape) != dimensions or 0 in shape:
        raise NetworkError(
            "layout_dimensions_wrong", name=name, tensor=key, shape=str(shape), dimensions=dimensions
        )
    return shape


def _block_count(shapes: Shapes, stage: int) -> int:
    matches = (re.match(rf"layer{stage}\.(\d{{1,4}})\.", key) for key in shapes)
    return max((int(match[1]) for match in matches if match), default=-1) + 1


def _hidden(shapes: Shapes, pattern: str) -> dict[int, int]:
    """Channels -> hidden units of the first layers that match."""
    return {
        shape[1]: shape[0]
        for key, shape in shapes.items()
        if re.fullmatch(pattern, key) and len(shape) >= 2 and shape[0]
    }


def _check_fit(ours: Shapes, expected: Shapes, theirs: dict[str, str], layout: Layout, name: str) -> None:
    """Raise NetworkError unless these are all weights that the network has, in its shapes."""
    unknown = [theirs[key] for key in ours if key not in expected]
    if unknown:
        more: Value = Phrase("and_more", count=len(unknown) - 3) if len(unknown) > 3 else ""
        raise NetworkError(
            "layout_has_unknown_keys",
            name=name,
            layout=layout.name,
            tensors=tuple(map(_quoted, unknown[:3])),
            more=more,
        )
    missing = [key for key in expected if key not in ours and not key.endswith("num_batches_tracked")]
    if missing:
        raise NetworkError(
            "layout_misses_weights",
            name=name,
            layout=layout.name,
            count=len(missing),
            tensor=_printable(missing[0]),
        )
    for key, shape in expected.items():
        mine = ours.get(key, shape)
        if mine != shape and mine != (*shape, 1, 1):  # a 1×1 convolution is a layer on pooled channels
            raise NetworkError(
                "layout_shape_wrong",
                name=name,
                tensor=_printable(theirs[key]),
                shape=str(mine),
                layout=layout.name,
                expected=str(shape),
            )


def _as_weight(weights: Weights, key: str | None, shape: tuple[int, ...]) -> Tensor:
    """A weight as the network takes it; a count of batches that older files don't have is 0."""
    if key is None:
        return torch.zeros(shape, dtype=torch.int64)
    return weights.take(key).reshape(shape).contiguous()


def _title(architecture: dict[str, Any]) -> str:
    attention, depth = architecture["attention"], architecture["depth"]
    what = f"{attention.upper()} ResNet" if attention else "ResNet"
    return f"{what}-{depth}" if isinstance(depth, int) else f"{what} with {', '.join(map(str, depth))} blocks"


def _plain_title(depth: int | tuple[int, ...]) -> Value:
    """The title of a ResNet without attention, for a sentence."""
    if isinstance(depth, int):
        return f"ResNet-{depth}"
    return Phrase("resnet_of_blocks", network="ResNet", blocks=", ".join(map(str, depth)))


def _of_no_layout(shapes: Shapes, name: str) -> NetworkError:
    known = ", ".join(dict.fromkeys(row.name for row in LAYOUTS))
    first = tuple(map(_quoted, list(shapes)[:3]))
    return NetworkError("layout_unknown", name=name, tensors=first, known=known)


def _quoted(key: str) -> str:
    return f"“{_printable(key)}”"


def _printable(key: str) -> str:
    """A key from a file, fit for a sentence: at most 60 characters."""
    return f"{''.join(c if c.isprintable() else '�' for c in key[:60])}{'…' if len(key) > 60 else ''}"


_BLOCK = r"^(layer\d+\.\d+)\."
_UNIT = r"^features\.stage(\d+)\.unit(\d+)\."
_RELEASED = {"maximum_first": True, "released_bam": True}  # Jongchan's, and pytorchcv after it

# Read in the code of each; the first that is told is taken.
LAYOUTS: tuple[Layout, ...] = (
    Layout("attnviz", r"^layer\d+\.\d+\.attention\.|^bam\d\.channel\.\d"),
    Layout(
        "Jongchan/attention-module",
        r"\.cbam\.ChannelGate\.|^bam\d\.channel_att\.",
        (
            (_BLOCK + r"cbam\.ChannelGate\.mlp\.1\.", r"\1.attention.channel.fc1."),
            (_BLOCK + r"cbam\.ChannelGate\.mlp\.3\.", r"\1.attention.channel.fc2."),
            (_BLOCK + r"cbam\.SpatialGate\.spatial\.conv\.", r"\1.attention.spatial.conv."),
            (_BLOCK + r"cbam\.SpatialGate\.spatial\.bn\.", r"\1.attention.spatial.norm."),
            (r"^(bam\d)\.channel_att\.gate_c\.gate_c_fc_0\.", r"\1.channel.2."),
            (r"^(bam\d)\.channel_att\.gate_c\.gate_c_bn_1\.", r"\1.channel.3."),
            (r"^(bam\d)\.channel_att\.gate_c\.gate_c_fc_final\.", r"\1.channel.5."),
            (r"^(bam\d)\.spatial_att\.gate_s\.gate_s_conv_reduce0\.", r"\1.spatial.0."),
            (r"^(bam\d)\.spatial_att\.gate_s\.gate_s_bn_reduce0\.", r"\1.spatial.1."),
            (r"^(bam\d)\.spatial_att\.gate_s\.gate_s_conv_di_0\.", r"\1.spatial.3."),
            (r"^(bam\d)\.spatial_att\.gate_s\.gate_s_bn_di_0\.", r"\1.spatial.4."),
            (r"^(bam\d)\.spatial_att\.gate_s\.gate_s_conv_di_1\.", r"\1.spatial.6."),
            (r"^(bam\d)\.spatial_att\.gate_s\.gate_s_bn_di_1\.", r"\1.spatial.7."),
            (r"^(bam\d)\.spatial_att\.gate_s\.gate_s_conv_final\.", r"\1.spatial.9."),
        ),
        {**_RELEASED, "window_pool": True},
    ),
    Layout(
        "pytorchcv",
        r"^features\.init_block\.",
        (
            (r"^features\.init_block\.conv\.conv\.", "conv1."),
            (r"^features\.init_block\.conv\.bn\.", "bn1."),
            (_UNIT + r"(?:res_unit\.)?body\.conv(\d)\.conv\.", r"layer\1.{\2-1}.conv\3."),
            (_UNIT + r"(?:res_unit\.)?body\.conv(\d)\.bn\.", r"layer\1.{\2-1}.bn\3."),
            (_UNIT + r"(?:res_unit\.)?identity_conv\.conv\.", r"layer\1.{\2-1}.downsample.0."),
            (_UNIT + r"(?:res_unit\.)?identity_conv\.bn\.", r"layer\1.{\2-1}.downsample.1."),
            (_UNIT + r"se\.(?:conv|fc)(\d)\.", r"layer\1.{\2-1}.attention.fc\3."),
            (_UNIT + r"cbam\.ch_gate\.mlp\.fc(\d)\.", r"layer\1.{\2-1}.attention.channel.fc\3."),
            (_UNIT + r"cbam\.sp_gate\.conv\.conv\.", r"layer\1.{\2-1}.attention.spatial.conv."),
            (_UNIT + r"cbam\.sp_gate\.conv\.bn\.", r"layer\1.{\2-1}.attention.spatial.norm."),
            (r"^features\.stage(\d+)\.unit1\.bam\.ch_att\.init_fc\.fc\.", r"bam{\1-1}.channel.2."),
            (r"^features\.stage(\d+)\.unit1\.bam\.ch_att\.init_fc\.bn\.", r"bam{\1-1}.channel.3."),
            (r"^features\.stage(\d+)\.unit1\.bam\.ch_att\.final_fc\.", r"bam{\1-1}.channel.5."),
            (r"^features\.stage(\d+)\.unit1\.bam\.sp_att\.init_conv\.conv\.", r"bam{\1-1}.spatial.0."),
            (r"^features\.stage(\d+)\.unit1\.bam\.sp_att\.init_conv\.bn\.", r"bam{\1-1}.spatial.1."),
            (r"^features\.stage(\d+)\.unit1\.bam\.sp_att\.dil_convs\.conv1\.conv\.", r"bam{\1-1}.spatial.3."),
            (r"^features\.stage(\d+)\.unit1\.bam\.sp_att\.dil_convs\.conv1\.bn\.", r"bam{\1-1}.spatial.4."),
            (r"^features\.stage(\d+)\.unit1\.bam\.sp_att\.dil_convs\.conv2\.conv\.", r"bam{\1-1}.spatial.6."),
            (r"^features\.stage(\d+)\.unit1\.bam\.sp_att\.dil_convs\.conv2\.bn\.", r"bam{\1-1}.spatial.7."),
            (r"^features\.stage(\d+)\.unit1\.bam\.sp_att\.final_conv\.", r"bam{\1-1}.spatial.9."),
            (r"^output\.", "fc."),
        ),
        _RELEASED,
    ),
    Layout(
        "timm legacy_seresnet",
        r"^layer0\.conv1\.|^layer\d+\.\d+\.se_module\.",
        (
            (r"^layer0\.conv1\.", "conv1."),
            (r"^layer0\.bn1\.", "bn1."),
            (_BLOCK + r"se_module\.", r"\1.attention."),
            (r"^last_linear\.", "fc."),
        ),
        {"stride_first": True, "relu_first": True, "stem": "ceil"},
    ),
    Layout(
        "luuuyi/CBAM.PyTorch",
        r"^layer\d+\.\d+\.ca\.",
        (
            (_BLOCK + r"ca\.fc\.0\.|" + _BLOCK + r"ca\.fc1\.", r"\1\2.attention.channel.fc1."),
            (_BLOCK + r"ca\.fc\.2\.|" + _BLOCK + r"ca\.fc2\.", r"\1\2.attention.channel.fc2."),
            (_BLOCK + r"sa\.conv1?\.", r"\1.attention.spatial.conv."),
        ),
    ),
    Layout(
        "moskomule/senet.pytorch",
        r"^layer\d+\.\d+\.se\.fc\.\d\.",
        (
            (_BLOCK + r"se\.fc\.0\.", r"\1.attention.fc1."),
            (_BLOCK + r"se\.fc\.2\.", r"\1.attention.fc2."),
        ),
    ),
    Layout("timm", r"^layer\d+\.\d+\.se\.", ((_BLOCK + r"se\.fc(\d)\.", r"\1.attention.fc\2."),)),
    Layout("torchvision", r"^layer1\.0\.conv1\."),
)
