"""Attention modules that nobody described are found by what they do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import attention_modules
from helpers.attention_modules import UNDESCRIBED, traced_inside
from helpers.brought_networks import Small
from helpers.small_networks import with_spread_gates
from torch import nn

import attnviz
from attnviz.analysis import summary

C = 16


@pytest.mark.parametrize("kind", UNDESCRIBED)
def test_input_times_factor_is_output_for_modules_that_nobody_described(kind):
    trace, x, y = traced_inside(with_spread_gates(kind(C)))
    (layer,) = trace.layers.values()
    factor = layer.factor()
    known = ~np.isnan(factor)
    assert (x.numpy()[~known] == 0).all(), "only what was multiplied with nothing is undefined"
    assert np.nanstd(factor) > 0.01
    assert np.abs((x.numpy() * factor - y.numpy())[known]).max() <= 1e-5 * np.abs(y.numpy()).max()


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
    trace, _, _ = traced_inside(with_spread_gates(kind(C)))
    assert [layer.kind for layer in trace.layers.values()] == [expected]


def test_both_gates_of_a_functional_cbam_are_its_own():
    module = with_spread_gates(attention_modules.FunctionalCBAM(C))
    seen = {}
    module.ChannelGate.mlp.register_forward_hook(
        lambda _m, _i, y: seen.setdefault("logits", []).append(y.clone())
    )
    module.SpatialGate.spatial.register_forward_hook(lambda _m, _i, y: seen.update(map=y.clone()))
    (layer,) = traced_inside(module)[0].layers.values()
    average, maximum = seen["logits"][-2:]
    assert np.allclose(layer.channel, torch.sigmoid(average + maximum)[0].numpy(), atol=1e-5)
    assert np.allclose(layer.spatial, torch.sigmoid(seen["map"])[0, 0].numpy(), atol=1e-5)


def test_gates_that_a_block_multiplies_in_its_own_code_are_found():
    module = with_spread_gates(attention_modules.OpenBlock(C))
    seen = {}
    module.ca.register_forward_hook(lambda _m, _i, y: seen.update(ca=y.clone()))
    module.sa.register_forward_hook(lambda _m, _i, y: seen.update(sa=y.clone()))
    trace, _, _ = traced_inside(module)
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


class GatesItsInput(nn.Module):
    """Multiplies what it is given, or a part of it, by the gate of a module, and convolves that."""

    def __init__(self, part) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C, C, 3, padding=1)
        self.ca = nn.Sequential(nn.Conv2d(C, C, 1), nn.Sigmoid())
        self.part = part

    def forward(self, x):
        y = self.part(x)
        gate = self.ca(x.mean((2, 3), True))
        return self.conv(torch.cat((y * gate[:, : y.shape[1]], x[:, y.shape[1] :]), 1))


PARTS = [lambda x: x, torch.relu_, lambda x: x[:, : C // 2], torch.clone, lambda x: torch.clone(input=x)]


@pytest.mark.parametrize("part", PARTS)
def test_a_block_that_gates_its_input_gives_the_layer_its_name(part):
    network = Small(GatesItsInput(part)).eval()
    assert list(attnviz.trace(network, torch.randn(3, 32, 32)).layers) == ["att"]


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


@pytest.mark.slow
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
