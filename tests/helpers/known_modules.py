"""Modules of other libraries that stand in the table of known ones, of ``C`` channels."""

from __future__ import annotations

import importlib

import pytest
from torch import nn

C = 16


def library(path: str, *args, **kwargs):
    """A maker of a module of another library; the test is skipped outside CI if that is not installed."""

    def make() -> nn.Module:
        where, name = path.rsplit(".", 1)
        return getattr(importlib.import_module(where), name)(*args, **kwargs)

    return pytest.param(make, id=f"{path}{kwargs or ''}")


KNOWN = [
    library("torchvision.ops.misc.SqueezeExcitation", C, 4),
    library("torchvision.ops.misc.SqueezeExcitation", C, 4, scale_activation=nn.Hardsigmoid),
    library("timm.layers.squeeze_excite.SEModule", C),
    library("timm.layers.squeeze_excite.SEModule", C, add_maxpool=True, gate_layer="hard_sigmoid"),
    library("timm.layers.squeeze_excite.EffectiveSEModule", C),
    library("timm.models.senet.SEModule", C, 4),
    library("timm.models._efficientnet_blocks.SqueezeExcite", C),
    library("timm.layers.eca.EcaModule", C),
    library("timm.layers.eca.EcaModule", C, use_mlp=True),
    library("timm.layers.eca.CecaModule", C),
    library("timm.layers.cbam.CbamModule", C, rd_ratio=0.25),
    library("timm.layers.cbam.LightCbamModule", C, rd_ratio=0.25),
    library("timm.layers.cbam.ChannelAttn", C, rd_ratio=0.25),
    library("timm.layers.cbam.LightChannelAttn", C, rd_ratio=0.25),
    library("timm.layers.cbam.SpatialAttn"),
    library("timm.layers.cbam.LightSpatialAttn"),
    library("timm.layers.gather_excite.GatherExcite", C, use_mlp=False),
    library("timm.layers.gather_excite.GatherExcite", C, use_mlp=False, extent=2),
    library("timm.layers.global_context.GlobalContext", C),
    library("timm.layers.coord_attn.CoordAttn", C),
    library("timm.layers.coord_attn.CoordAttn", C, has_skip=True),
    library("timm.layers.coord_attn.SimpleCoordAttn", C),
    library("timm.layers.coord_attn.EfficientLocalAttn", C),
    library("timm.layers.coord_attn.StripAttn", C),
    library("pytorchcv.models.common.att.SEBlock", C, 4),
    library("pytorchcv.models.common.att.SEBlock", C, 4, use_conv=False),
    library("pytorchcv.models.cbamresnet.CbamBlock", C, 4),
    library("pytorchcv.models.bamresnet.BamBlock", C),
    library("segmentation_models_pytorch.base.modules.SCSEModule", C, 4),
]


PATHS = [
    library("timm.layers.selective_kernel.SelectiveKernel", C),
    library("timm.layers.split_attn.SplitAttn", C),
    library("timm.layers.split_attn.SplitAttn", C, radix=4, groups=2),
    library("pytorchcv.models.common.att.SABlock", C, 1, 2),
    library("pytorchcv.models.sknet.SKConvBlock", C, C, 1, 4),
]


def around_paths(module: nn.Module) -> nn.Module:
    """A network around a module of PATHS: features of a photo, the module, means of its channels."""
    channels = C * getattr(module, "radix", 1) if type(module).__name__ == "SABlock" else C
    stem = nn.Conv2d(3, channels, 3, 2, 1)
    return nn.Sequential(stem, module, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
