"""Gates of networks that attnviz did not build: known modules of other libraries, and modules it has never
seen."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch
from helpers import attention_modules
from helpers.small_networks import with_spread_gates
from torch import nn

import attnviz
from attnviz.analysis import summary
from attnviz.capture.known_modules import TABLE

C = 16


def run(module: nn.Module, x: torch.Tensor | None = None) -> tuple[attnviz.Trace, torch.Tensor, torch.Tensor]:
    """A trace of a small network around the module, and what went into the module and came out, taken by
    hooks of the test's own."""
    network = attention_modules.Tiny(module, C).eval()
    nn.init.uniform_(network.stem[1].weight, 0.2, 4)  # so that channels differ in size
    x = torch.randn(3, 36, 44) if x is None else x
    with torch.no_grad():
        network(x[None])  # makes the lazy head
    seen = {}
    handles = [
        module.register_forward_pre_hook(lambda _m, inputs: seen.update(x=inputs[0].clone())),
        module.register_forward_hook(lambda _m, _inputs, output: seen.update(y=output.clone())),
    ]
    hooks = [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules()]
    trace = attnviz.trace(network, x)
    assert hooks == [
        len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules()
    ], "all of ours are gone"
    for handle in handles:
        handle.remove()
    return trace, seen["x"][0], seen["y"][0]


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
SEEN_NEVER = [
    attention_modules.SELayer,
    attention_modules.InPlaceSE,
    attention_modules.ChannelGate,
    attention_modules.FunctionalCBAM,
    attention_modules.ResidualCBAM,
    attention_modules.ProductBAM,
    attention_modules.CoordAtt,
    attention_modules.SRMLayer,
    attention_modules.TripletAttention,
    attention_modules.SimAM,
    attention_modules.FcaLayer,
    attention_modules.ConcurrentSE,
    attention_modules.OneSigmoid,
    attention_modules.CallsGates,
]
PATHS = [
    library("timm.layers.selective_kernel.SelectiveKernel", C),
    library("timm.layers.split_attn.SplitAttn", C),
    library("timm.layers.split_attn.SplitAttn", C, radix=4, groups=2),
    library("pytorchcv.models.common.att.SABlock", C, 1, 2),
    library("pytorchcv.models.sknet.SKConvBlock", C, C, 1, 4),
]


@pytest.mark.parametrize("make", KNOWN)
def test_input_times_factor_is_output_for_known_modules(make):
    trace, x, y = run(with_spread_gates(make()))
    (layer,) = trace.layers.values()
    factor = layer.factor()
    assert np.isfinite(factor).all() and factor.shape == x.shape == layer.shape
    assert factor.std() > 0.01, "a gate that says nothing would pass whatever was read"
    assert np.abs(x.numpy() * factor - y.numpy()).max() <= 1e-5 * np.abs(y.numpy()).max()


@pytest.mark.parametrize("kind", SEEN_NEVER)
def test_input_times_factor_is_output_for_modules_that_nobody_described(kind):
    trace, x, y = run(with_spread_gates(kind(C)))
    (layer,) = trace.layers.values()
    factor = layer.factor()
    known = ~np.isnan(factor)
    assert (x.numpy()[~known] == 0).all(), "only what was multiplied with nothing is undefined"
    assert np.nanstd(factor) > 0.01
    assert np.abs((x.numpy() * factor - y.numpy())[known]).max() <= 1e-5 * np.abs(y.numpy()).max()


@pytest.mark.parametrize("make", PATHS)
def test_paths_are_shares_of_each_channel(make):
    module = with_spread_gates(make())
    channels = C * getattr(module, "radix", 1) if type(module).__name__ == "SABlock" else C
    network = nn.Sequential(
        nn.Conv2d(3, channels, 3, 2, 1), module, nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ).eval()
    (layer,) = attnviz.trace(network, torch.randn(3, 36, 36)).layers.values()
    paths = layer.paths
    assert paths.shape[1] == layer.shape[0] == C and paths.shape[0] in (2, 4) and paths.std() > 0.01
    assert np.abs(paths.sum(0) - 1).max() < 1e-5
    with pytest.raises(ValueError, match="does not multiply"):
        layer.factor()


def test_selective_kernel_weighs_its_paths():
    from timm.layers.selective_kernel import SelectiveKernel

    module, kept = with_spread_gates(SelectiveKernel(C)), {}
    for index, path in enumerate(module.paths):
        path.register_forward_hook(lambda _m, _i, y, index=index: kept.update({index: y.clone()}))
    trace, _, y = run(module)
    (layer,) = trace.layers.values()
    made = sum(kept[index][0].numpy() * layer.paths[index][:, None, None] for index in kept)
    assert np.abs(made - y.numpy()).max() <= 1e-5 * np.abs(y.numpy()).max()
    assert len(kept) == 2


@pytest.mark.parametrize(
    "kind, expected",
    [
        (attention_modules.SELayer, "channel"),
        (attention_modules.InPlaceSE, "channel"),
        (attention_modules.ChannelGate, "channel"),
        (attention_modules.SRMLayer, "channel"),
        (attention_modules.FcaLayer, "channel"),
        (attention_modules.FunctionalCBAM, "both"),
        (attention_modules.OneSigmoid, "both"),
        (attention_modules.CallsGates, "both"),
        (attention_modules.ProductBAM, "joint"),
        (attention_modules.CoordAtt, "joint"),
        (attention_modules.TripletAttention, "joint"),
        (attention_modules.SimAM, "joint"),
        (attention_modules.ConcurrentSE, "joint"),
        (attention_modules.ResidualCBAM, "joint"),
    ],
)
def test_the_residual_tells_the_kinds_apart(kind, expected):
    trace, _, _ = run(with_spread_gates(kind(C)))
    assert [layer.kind for layer in trace.layers.values()] == [expected]


def test_both_gates_of_a_functional_cbam_are_its_own():
    module = with_spread_gates(attention_modules.FunctionalCBAM(C))
    seen = {}
    module.ChannelGate.mlp.register_forward_hook(
        lambda _m, _i, y: seen.setdefault("logits", []).append(y.clone())
    )
    module.SpatialGate.spatial.register_forward_hook(lambda _m, _i, y: seen.update(map=y.clone()))
    (layer,) = run(module)[0].layers.values()
    average, maximum = seen["logits"][-2:]
    assert np.allclose(layer.channel, torch.sigmoid(average + maximum)[0].numpy(), atol=1e-5)
    assert np.allclose(layer.spatial, torch.sigmoid(seen["map"])[0, 0].numpy(), atol=1e-5)


def test_gates_that_a_block_multiplies_in_its_own_code_are_found():
    module = with_spread_gates(attention_modules.OpenBlock(C))
    seen = {}
    module.ca.register_forward_hook(lambda _m, _i, y: seen.update(ca=y.clone()))
    module.sa.register_forward_hook(lambda _m, _i, y: seen.update(sa=y.clone()))
    trace, _, _ = run(module)
    (layer,) = trace.layers.values()
    assert (layer.name, layer.kind) == ("block", "both")
    assert np.array_equal(layer.channel, seen["ca"].flatten().numpy()) and np.array_equal(
        layer.spatial, seen["sa"][0, 0].numpy()
    )


class ChannelsOnly(nn.Module):
    """A block that multiplies by a gate of one child, and adds what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.ca = nn.Conv2d(C, C, 3, padding=1), attention_modules.GateOfChannels(C)

    def forward(self, x):
        out = self.conv(x)
        return x + out * self.ca(out)


def test_a_gate_is_named_after_the_module_that_made_it():
    blocks = with_spread_gates(ChannelsOnly()), with_spread_gates(ChannelsOnly())
    network = nn.Sequential(nn.Conv2d(3, C, 3, 2), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert list(attnviz.trace(network, torch.randn(3, 32, 32)).layers) == ["1.ca", "2.ca"]


def test_a_dead_channel_is_undefined_and_the_others_are_not():
    network = attention_modules.Tiny(with_spread_gates(attention_modules.SELayer(C)), C).eval()
    with torch.no_grad():
        network.stem[1].weight[3] = 0
        network.stem[1].bias[3] = 0
        network(torch.randn(1, 3, 32, 32))
    (layer,) = attnviz.trace(network, torch.randn(3, 32, 32)).layers.values()
    assert np.flatnonzero(np.isnan(layer.channel)).tolist() == [3]
    numbers = summary(layer.channel, layer.kind)
    assert numbers.undefined == 1 and np.isfinite(numbers.mean)


def test_a_known_module_knows_its_dead_channels_too():
    from timm.layers import SEModule

    trace, _, _ = run(with_spread_gates(SEModule(C)), torch.zeros(3, 32, 32))
    (layer,) = trace.layers.values()
    assert np.isfinite(layer.channel).all()


@pytest.mark.parametrize(
    "name", ["resnet18", "mobilenet_v2", "densenet121", "convnext_tiny", "squeezenet1_1", "swin_t"]
)
def test_networks_without_attention_have_none(name):
    import torchvision

    network = torchvision.models.get_model(
        name, weights=None, **({"zero_init_residual": True} if name == "resnet18" else {})
    ).eval()
    assert attnviz.find(network, torch.randn(1, 3, 96, 96)) == []
    with pytest.raises(attnviz.TraceError, match=r"no attention.*SE.*each channel"):
        attnviz.trace(network, torch.randn(3, 96, 96))


class Swish(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(x)


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.rand(1, C, 1, 1))

    def forward(self, x):
        return x * self.gamma


@pytest.mark.parametrize(
    "module", [Swish(), Scaled(), nn.Hardswish(), nn.PReLU(C), nn.Sequential(nn.Dropout(0.5))]
)
def test_activations_and_fixed_scales_are_no_attention(module):
    assert attnviz.find(attention_modules.Tiny(module, C).eval(), torch.randn(1, 3, 32, 32)) == []


@pytest.mark.parametrize(
    "name, gates, kind",
    [
        ("torchvision.mobilenet_v3_small", 9, "se"),
        ("torchvision.efficientnet_b0", 16, "se"),
        ("torchvision.regnet_y_400mf", 16, "se"),
        ("timm.ecaresnet26t", 8, "eca"),
        ("timm.skresnet18", 8, "sk"),
        ("timm.resnest14d", 4, "split"),
        ("timm.ese_vovnet19b_dw", 4, "ese"),
        ("pytorchcv.seresnet18", 8, "se"),
        ("pytorchcv.cbam_resnet18", 8, "cbam"),
        ("pytorchcv.bam_resnet18", 3, "bam"),
    ],
)
def test_whole_networks_have_their_gates(name, gates, kind):
    where, short = name.split(".")
    if where == "torchvision":
        import torchvision

        network = torchvision.models.get_model(short, weights=None)
    elif where == "timm":
        import timm

        network = timm.create_model(short)
    else:
        from pytorchcv.model_provider import get_model

        network = get_model(short, pretrained=False)
    found = attnviz.find(network.eval())
    assert [(row.kind, row.how) for row in found] == [(kind, "table")] * gates


def test_find_lists_what_trace_reads(cbam):
    network = attention_modules.Tiny(attention_modules.FunctionalCBAM(C), C).eval()
    network(torch.randn(1, 3, 32, 32))
    (row,) = attnviz.find(network, torch.randn(1, 3, 32, 40))
    assert (row.layer, row.kind, row.how, row.module) == ("block", "both", "recognised", "FunctionalCBAM")
    assert (row.shape, row.channel, row.spatial) == ((C, 16, 20), (C,), (16, 20))
    assert [(row.layer, row.how) for row in attnviz.find(cbam)][:2] == [
        ("layer1.0", "declared"),
        ("layer1.1", "declared"),
    ]


def test_every_row_of_the_table_is_a_class_that_exists():
    for path in TABLE:
        where, name = path.rsplit(".", 1)
        assert hasattr(importlib.import_module(where), name), path


def test_recognition_runs_once_and_leaves_a_training_network_as_it_was():
    network = attention_modules.Tiny(attention_modules.FunctionalCBAM(C), C)
    network(torch.randn(4, 3, 32, 32))
    passes = []
    network.register_forward_pre_hook(lambda *_: passes.append(1))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    for _ in range(3):
        attnviz.trace(network, torch.randn(3, 32, 32))
    assert len(passes) == 4 and network.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_a_network_that_changed_is_looked_at_again():
    network = attention_modules.Tiny(attention_modules.SELayer(C), C).eval()
    network(torch.randn(1, 3, 32, 32))
    assert attnviz.trace(network, torch.randn(3, 32, 32)).layers["block"].kind == "channel"
    network.block = attention_modules.SpatialGate().eval()
    assert attnviz.trace(network, torch.randn(3, 32, 32)).layers["block"].kind == "spatial"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize(
    "kind, expected", [(attention_modules.SELayer, "channel"), (attention_modules.FunctionalCBAM, "both")]
)
def test_other_precisions(dtype, kind, expected):
    network = attention_modules.Tiny(with_spread_gates(kind(C)), C).eval()
    network(torch.randn(1, 3, 32, 32))
    x = torch.randn(3, 32, 32)
    full = attnviz.trace(network, x).layers["block"]
    other = attnviz.trace(network.to(dtype), x).layers["block"]
    assert other.kind == expected and other.channel.dtype == np.float32
    assert (
        np.abs(other.channel - full.channel).max()
        < {torch.float16: 0.01, torch.bfloat16: 0.06, torch.float64: 1e-5}[dtype]
    )


def test_compiled_and_parallel_networks_are_read_through(cbam):
    x = torch.randn(3, 64, 64)
    expected = attnviz.trace(cbam, x)
    for wrapped in (nn.DataParallel(cbam), torch.compile(cbam)):
        assert np.array_equal(
            attnviz.trace(wrapped, x).layers["layer3.1"].channel, expected.layers["layer3.1"].channel
        )


def test_what_is_no_network_is_refused():
    with pytest.raises(attnviz.TraceError, match="OrderedDict, not a network"):
        attnviz.trace(nn.Linear(2, 2).state_dict(), torch.randn(3, 8, 8))
    with pytest.raises(attnviz.TraceError, match="TorchScript"):
        attnviz.trace(torch.jit.trace(nn.Conv2d(3, 3, 1), torch.randn(1, 3, 8, 8)), torch.randn(3, 8, 8))


def test_features_can_go_straight_into_a_module():
    module = with_spread_gates(attention_modules.SELayer(C))
    x = torch.randn(1, C, 9, 9)
    (layer,) = attnviz.trace(module, x).layers.values()
    assert layer.name == "SELayer"
    assert np.allclose(x[0].numpy() * layer.factor(), module(x)[0].detach().numpy(), atol=1e-5)


class Places(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(x.mean(1, keepdim=True))


class Whole(nn.Module):
    """A network that is nothing but attention."""

    def __init__(self) -> None:
        super().__init__()
        self.channels, self.places = attention_modules.SELayer(C), Places()

    def forward(self, x):
        return self.places(self.channels(x))


def test_attention_that_is_the_network_itself_is_one_layer():
    network, x = with_spread_gates(Whole()), torch.randn(C, 9, 9)
    (layer,) = attnviz.trace(network, x).layers.values()
    assert (layer.name, layer.kind) == ("Whole", "both")
    np.testing.assert_allclose(x * layer.factor(), network(x[None])[0].detach(), atol=1e-5)


class Told(attention_modules.SELayer):
    """Attention that is called with more than its features."""

    def forward(self, x, strength, *, offset):
        return super().forward(x) * strength + offset


class Tells(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.told = nn.Conv2d(3, C, 3), Told(C)

    def forward(self, x):
        return self.told(self.stem(x), 0.5, offset=0.0).mean((2, 3))


def test_a_module_that_is_called_with_more_than_features_is_read():
    (layer,) = attnviz.trace(with_spread_gates(Tells()), torch.randn(3, 32, 32)).layers.values()
    assert (layer.name, layer.kind) == ("told", "channel") and layer.channel.max() <= 0.5


class TwoOutputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block = attention_modules.SELayer(4)

    def forward(self, x):
        x = self.block(x.repeat(1, 2, 1, 1)[:, :4])
        return {"out": x, "aux": x}


def test_a_network_that_gives_no_class_scores_says_nothing():
    trace = attnviz.trace(TwoOutputs(), torch.randn(3, 16, 16))
    assert trace.logits.shape == (0,) and trace.top() == [] and list(trace.layers) == ["block"]
