"""Where attention lives in a network: modules say so themselves, or stand in the table at the foot of this
file.

A module says so with the class attributes ``attention_kind``, ``attention_taps`` (the path of a child -> the
role of its output) and, where its parts make no plain product, ``attention_formula``. The roles:

    "channel", "spatial"                  the factor on each channel (N, C), at each position (N, 1, h, w)
    "joint"                               a gate in [0, 1] (N, C, h, w); the factor is 1 + gate
    "channel_logits", "spatial_logits"    the signed branches of a joint gate
    "factor"                              any part of the factor that can be broadcast to (N, C, h, w)
    "paths"                               each path's share of each channel (N, P, C)
    "pooling"                             logits over positions (N, 1, h, w), whose softmax pools

It can also name what it computes on the way in ``attention_steps``: a name -> the arguments of ``StepRead``
but the name."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from torch import nn


@dataclass(frozen=True)
class Read:
    """One part of the attention: the output of a child, how often it runs in one call, and what still happens
    to it."""

    role: str
    child: str
    calls: int = 1
    then: str = ""  # "sigmoid" where the gate's last step is a function, not a module
    optional: bool = False  # it runs only in some forms of the module


@dataclass(frozen=True)
class StepRead:
    """Something that is computed on the way to a gate: the input or the output of a child, in one of its
    calls."""

    name: str
    child: str
    side: str  # "input" or "output"
    call: int = 1
    map: int | None = None  # which one, of an input of several maps


@dataclass(frozen=True)
class Row:
    """What somebody else's module computes, and where it can be read."""

    kind: str
    reads: tuple[Read, ...]
    formula: str = ""  # one of layers.FORMULAS; "" is what the roles say
    skip: str = ""  # the attribute that, if true, adds the input again: the factor is 1 more
    adds: str = ""  # the attribute that, if it is not None, adds something: there is no whole factor
    steps: tuple[StepRead, ...] = ()


@dataclass(frozen=True, eq=False)
class Tap:
    """One attention module of a network: its layer name, its kind, how it was found, and what is read of
    it."""

    layer: str
    kind: str
    module: nn.Module
    how: str  # "declared", "table" or "recognised"
    formula: str = "product"
    reads: tuple[Read, ...] = ()  # of children's outputs
    children: dict[str, nn.Module] = field(default_factory=dict)  # by their path in the module
    plus: float = 0.0  # what a skip adds to the factor
    ratios: tuple[tuple[nn.Module, str], ...] = ()  # recognised: output ÷ input of a module, and its kind
    sites: tuple[tuple[object, str], ...] = ()  # recognised: places in code where a gate is multiplied
    steps: tuple[StepRead, ...] = ()  # what is computed on the way, in that order


def find_taps(modules: dict[str, nn.Module]) -> list[Tap]:
    """Every attention module that declares itself or is in the table, in the order of
    ``dict(network.named_modules())``, which is what it takes. Modules inside another one's attention are part
    of that.

    A layer is named after the block that the module stands in: ``layer3.1.attention`` is layer ``layer3.1``.
    """
    taps: list[Tap] = []
    inside = ""
    for path, module in modules.items():
        kind: type = type(module)
        if _is_known(kind) and not (inside and path.startswith(inside)):
            taps.append(_tap(path, module, kind))
            inside = f"{path}." if path else ""
            if not path:  # the network itself is an attention module, and everything is inside it
                break
    return taps


@lru_cache(maxsize=4096)
def _is_known(kind: type) -> bool:
    """Whether a class declares its attention or stands in the table."""
    return hasattr(kind, "attention_taps") or _path_of(kind) in TABLE


def _path_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _tap(path: str, module: nn.Module, kind: type) -> Tap:
    declared = getattr(kind, "attention_taps", None)  # the class declares, so no slow nn.Module look-up
    if declared is not None:
        reads = tuple(Read(role, child) for child, role in declared.items())
        formula = getattr(kind, "attention_formula", "") or _formula(reads)
        name = path.removesuffix(".attention") or kind.__name__
        steps = tuple(
            StepRead(step, *where) for step, where in getattr(module, "attention_steps", {}).items()
        )
        return Tap(
            name,
            str(kind.attention_kind),  # type: ignore[attr-defined]
            module,
            "declared",
            formula,
            reads,
            _children(module, reads),
            steps=steps,
        )
    row = TABLE[_path_of(kind)]
    formula = (
        "none" if row.adds and getattr(module, row.adds) is not None else row.formula or _formula(row.reads)
    )
    plus = 1.0 if row.skip and getattr(module, row.skip) else 0.0
    return Tap(
        path or kind.__name__,
        row.kind,
        module,
        "table",
        formula,
        row.reads,
        _children(module, row.reads),
        plus,
        steps=row.steps,
    )


def _children(module: nn.Module, reads: tuple[Read, ...]) -> dict[str, nn.Module]:
    there = [
        read.child for read in reads if not read.optional or getattr(module, read.child, None) is not None
    ]
    return {child: module.get_submodule(child) for child in there}


def _formula(reads: tuple[Read, ...]) -> str:
    roles = {read.role for read in reads}
    return "bam sum" if "joint" in roles else "none" if "paths" in roles else "product"


_GATE, _SIGMOID = (Read("factor", "gate"),), (Read("factor", "sigmoid"),)
_CBAM = (Read("channel", "channel.gate"), Read("spatial", "spatial.gate"))


def _se_steps(first: str, activation: str, second: str) -> tuple[StepRead, ...]:
    return (
        StepRead("squeezed", first, "input"),
        StepRead("hidden", activation, "output"),
        StepRead("channel_logits", second, "output"),
    )


def _cbam_steps(
    first: str, activation: str, second: str, convolution: str, maximum_first: bool, gate: str
) -> tuple[StepRead, ...]:
    channels = [
        StepRead(path + name, child, side, call)
        for call, path in enumerate(("average", "maximum"), 1)
        for name, child, side in (
            ("", first, "input"),
            ("_hidden", activation, "output"),
            ("_logits", second, "output"),
        )
    ]
    return (
        *channels,
        StepRead("mean_map", convolution, "input", 1, int(maximum_first)),
        StepRead("maximum_map", convolution, "input", 1, int(not maximum_first)),
        StepRead("spatial_logits", gate, "input"),
    )


# Read in torchvision 0.29, timm 1.0.31, pytorchcv 0.0.74 and segmentation-models-pytorch 0.5; by class, for
# these are exact about what they compute. Subclasses may compute otherwise and are left to recognition.
TABLE: dict[str, Row] = {
    "torchvision.ops.misc.SqueezeExcitation": Row(
        "se", (Read("factor", "scale_activation"),), steps=_se_steps("fc1", "activation", "fc2")
    ),
    "timm.layers.squeeze_excite.SEModule": Row("se", _GATE, steps=_se_steps("fc1", "act", "fc2")),
    "timm.layers.squeeze_excite.EffectiveSEModule": Row("ese", _GATE),
    "timm.models.senet.SEModule": Row("se", _SIGMOID, steps=_se_steps("fc1", "relu", "fc2")),
    "timm.models._efficientnet_blocks.SqueezeExcite": Row(
        "se", _GATE, steps=_se_steps("conv_reduce", "act1", "conv_expand")
    ),
    "timm.layers.eca.EcaModule": Row("eca", (Read("channel", "gate"),)),
    "timm.layers.eca.CecaModule": Row("eca", (Read("channel", "gate"),)),
    "timm.layers.cbam.CbamModule": Row(
        "cbam",
        _CBAM,
        steps=_cbam_steps("channel.fc1", "channel.act", "channel.fc2", "spatial.conv", False, "spatial.gate"),
    ),
    "timm.layers.cbam.LightCbamModule": Row(
        "cbam", (Read("channel", "channel.fc2", then="sigmoid"), Read("spatial", "spatial.gate"))
    ),
    "timm.layers.cbam.ChannelAttn": Row("channel", _GATE),
    "timm.layers.cbam.LightChannelAttn": Row("channel", (Read("factor", "fc2", then="sigmoid"),)),
    "timm.layers.cbam.SpatialAttn": Row("spatial", _GATE),
    "timm.layers.cbam.LightSpatialAttn": Row("spatial", _GATE),
    "timm.layers.gather_excite.GatherExcite": Row("ge", _GATE),
    "timm.layers.global_context.GlobalContext": Row(
        "gc",
        (Read("channel", "gate", optional=True), Read("pooling", "conv_attn", optional=True)),
        adds="mlp_add",
    ),
    "timm.layers.selective_kernel.SelectiveKernel": Row("sk", (Read("paths", "attn"),)),
    "timm.layers.split_attn.SplitAttn": Row("split", (Read("paths", "rsoftmax"),)),
    "timm.layers.coord_attn.CoordAttn": Row("coord", (Read("factor", "gate", calls=2),), skip="has_skip"),
    "timm.layers.coord_attn.EfficientLocalAttn": Row(
        "coord", (Read("factor", "gate", calls=2),), skip="has_skip"
    ),
    "timm.layers.coord_attn.SimpleCoordAttn": Row("coord", _GATE, skip="has_skip"),
    "timm.layers.coord_attn.StripAttn": Row("coord", _GATE, skip="has_skip"),
    "pytorchcv.models.common.att.SEBlock": Row("se", _SIGMOID, steps=_se_steps("conv1", "activ", "conv2")),
    "pytorchcv.models.common.att.SABlock": Row("split", (Read("paths", "softmax"),)),
    "pytorchcv.models.sknet.SKConvBlock": Row("sk", (Read("paths", "softmax"),)),
    "pytorchcv.models.cbamresnet.CbamBlock": Row(
        "cbam",
        (Read("channel", "ch_gate.sigmoid"), Read("spatial", "sp_gate.sigmoid")),
        steps=_cbam_steps(
            "ch_gate.mlp.fc1", "ch_gate.mlp.activ", "ch_gate.mlp.fc2", "sp_gate.conv", True, "sp_gate.sigmoid"
        ),
    ),
    "pytorchcv.models.bamresnet.BamBlock": Row(
        "bam",
        (
            Read("channel_logits", "ch_att.final_fc"),
            Read("spatial_logits", "sp_att.final_conv"),
            Read("joint", "sigmoid"),
        ),
        "bam product",
        steps=(
            StepRead("squeezed", "ch_att.init_fc", "input"),
            StepRead("hidden", "ch_att.final_fc", "input"),
        ),
    ),
    "segmentation_models_pytorch.base.modules.SCSEModule": Row(
        "scse", (Read("channel", "cSE"), Read("spatial", "sSE")), "sum"
    ),
}
