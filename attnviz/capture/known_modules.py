"""Attention modules of other libraries, known by their class: a row each in the table at the foot."""

from __future__ import annotations

from dataclasses import dataclass

from .reads import Read, StepRead


@dataclass(frozen=True)
class KnownModule:
    """What a module of another library computes, and where it can be read: a row of the table."""

    kind: str
    reads: tuple[Read, ...]
    formula: str = ""  # one of layer_attention.FORMULAS; "" is what the roles say
    skip: str = ""  # the attribute that, if true, adds the input again: the factor is 1 more
    adds: str = ""  # the attribute that, if it is not None, adds something: there is no whole factor
    steps: tuple[StepRead, ...] = ()
    form: tuple[str, ...] = ()  # as in LayerAttention; "variant": not what its kind's paper draws


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
TABLE: dict[str, KnownModule] = {
    "torchvision.ops.misc.SqueezeExcitation": KnownModule(
        "se", (Read("factor", "scale_activation"),), steps=_se_steps("fc1", "activation", "fc2")
    ),
    "timm.layers.squeeze_excite.SEModule": KnownModule("se", _GATE, steps=_se_steps("fc1", "act", "fc2")),
    "timm.layers.squeeze_excite.EffectiveSEModule": KnownModule("ese", _GATE),
    "timm.models.senet.SEModule": KnownModule("se", _SIGMOID, steps=_se_steps("fc1", "relu", "fc2")),
    "timm.models._efficientnet_blocks.SqueezeExcite": KnownModule(
        "se", _GATE, steps=_se_steps("conv_reduce", "act1", "conv_expand")
    ),
    "timm.layers.eca.EcaModule": KnownModule("eca", (Read("channel", "gate"),)),
    "timm.layers.eca.CecaModule": KnownModule("eca", (Read("channel", "gate"),)),
    "timm.layers.cbam.CbamModule": KnownModule(
        "cbam",
        _CBAM,
        steps=_cbam_steps("channel.fc1", "channel.act", "channel.fc2", "spatial.conv", False, "spatial.gate"),
    ),
    "timm.layers.cbam.LightCbamModule": KnownModule(
        "cbam", (Read("channel", "channel.fc2", then="sigmoid"), Read("spatial", "spatial.gate"))
    ),
    "timm.layers.cbam.ChannelAttn": KnownModule("channel", _GATE),
    "timm.layers.cbam.LightChannelAttn": KnownModule("channel", (Read("factor", "fc2", then="sigmoid"),)),
    "timm.layers.cbam.SpatialAttn": KnownModule("spatial", _GATE),
    "timm.layers.cbam.LightSpatialAttn": KnownModule("spatial", _GATE),
    "timm.layers.gather_excite.GatherExcite": KnownModule("ge", _GATE),
    "timm.layers.global_context.GlobalContext": KnownModule(
        "gc",
        (Read("channel", "gate", optional=True), Read("pooling", "conv_attn", optional=True)),
        adds="mlp_add",
    ),
    "timm.layers.selective_kernel.SelectiveKernel": KnownModule("sk", (Read("paths", "attn"),)),
    "timm.layers.split_attn.SplitAttn": KnownModule("split", (Read("paths", "rsoftmax"),)),
    "timm.layers.coord_attn.CoordAttn": KnownModule(
        "coord", (Read("factor", "gate", calls=2),), skip="has_skip"
    ),
    "timm.layers.coord_attn.EfficientLocalAttn": KnownModule(
        "coord", (Read("factor", "gate", calls=2),), skip="has_skip", form=("variant",)
    ),
    "timm.layers.coord_attn.SimpleCoordAttn": KnownModule("coord", _GATE, skip="has_skip", form=("variant",)),
    "timm.layers.coord_attn.StripAttn": KnownModule("coord", _GATE, skip="has_skip", form=("variant",)),
    "pytorchcv.models.common.att.SEBlock": KnownModule(
        "se", _SIGMOID, steps=_se_steps("conv1", "activ", "conv2")
    ),
    "pytorchcv.models.common.att.SABlock": KnownModule("split", (Read("paths", "softmax"),)),
    "pytorchcv.models.sknet.SKConvBlock": KnownModule("sk", (Read("paths", "softmax"),)),
    "pytorchcv.models.cbamresnet.CbamBlock": KnownModule(
        "cbam",
        (Read("channel", "ch_gate.sigmoid"), Read("spatial", "sp_gate.sigmoid")),
        steps=_cbam_steps(
            "ch_gate.mlp.fc1", "ch_gate.mlp.activ", "ch_gate.mlp.fc2", "sp_gate.conv", True, "sp_gate.sigmoid"
        ),
    ),
    "pytorchcv.models.bamresnet.BamBlock": KnownModule(
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
        form=("released",),
    ),
    "segmentation_models_pytorch.base.modules.SCSEModule": KnownModule(
        "scse", (Read("channel", "cSE"), Read("spatial", "sSE")), "sum"
    ),
}
