"""Gates in the forms that public code has are read, or named as not read."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.brought_networks import (
    SE,
    C,
    ChannelGate,
    OpenBlock,
    Small,
    alive,
    interpolated,
    kill,
    noise,
)
from torch import nn

import attnviz

X = noise(3, 64, 64)


def layers_of(block: nn.Module) -> dict[str, attnviz.LayerAttention]:
    return attnviz.trace(alive(Small(block)), X).layers


WRITTEN_OUT = {
    "repeat": lambda gate, x: gate.repeat(*(whole // part for whole, part in zip(x.shape, gate.shape))),
    "expand": lambda gate, x: gate.expand_as(x),
    "contiguous": lambda gate, x: gate.expand_as(x).contiguous(),
    "broadcast": lambda gate, x: gate.broadcast_to(x.shape),
    "times ones": lambda gate, x: gate * torch.ones_like(x),
    "interpolate": interpolated,
    "repeat_interleave": lambda gate, x: (
        gate.repeat_interleave(x.shape[1] // gate.shape[1], 1)
        .repeat_interleave(x.shape[2] // gate.shape[2], 2)
        .repeat_interleave(x.shape[3] // gate.shape[3], 3)
    ),
}


@pytest.mark.parametrize("is_dead", [False, True])
@pytest.mark.parametrize("how", WRITTEN_OUT)
def test_gates_that_are_written_out_in_full_are_both_read(how, is_dead):
    network, plain = alive(Small(OpenBlock(WRITTEN_OUT[how]))), alive(Small(OpenBlock()))
    if is_dead:
        kill(network.att.sa.bn), kill(plain.att.sa.bn)
    layer, expected = (attnviz.trace(each, X).layers["att"] for each in (network, plain))
    assert layer.kind == "both" and np.allclose(layer.factor(), expected.factor(), atol=1e-6)


class ResidualMask(nn.Module):
    """Residual attention: (1 + mask) × trunk."""

    def __init__(self, plus: bool) -> None:
        super().__init__()
        self.trunk, self.down, self.plus = nn.Conv2d(C, C, 3, padding=1), nn.Conv2d(C, C, 3, 2, 1), plus
        self.mask = nn.Sequential(nn.Conv2d(C, C, 1), nn.Sigmoid())

    def forward(self, x):
        trunk, mask = self.trunk(x), self.mask(F.interpolate(self.down(x), size=x.shape[-2:]))
        self.factor = (1 + mask) if self.plus else mask
        return (1 + mask) * trunk if self.plus else trunk + mask * trunk


@pytest.mark.parametrize("plus", [True, False])
def test_a_mask_multiplied_in_open_code_is_a_joint_gate(plus):
    block = ResidualMask(plus)
    (layer,) = layers_of(block).values()
    assert (layer.name, layer.kind) == ("att", "joint")
    assert np.allclose(layer.factor(), block.factor[0].numpy(), atol=1e-6)


class SelectiveKernel(nn.Module):
    """Features of two paths (N, 2, C, h, w), and each one's share of each channel."""

    def __init__(self) -> None:
        super().__init__()
        self.paths = nn.ModuleList([nn.Conv2d(C, C, size, padding=size // 2) for size in (3, 5)])
        self.squeeze, self.shares = nn.Linear(C, 4), nn.Linear(4, 2 * C)

    def forward(self, x):
        features = torch.stack([path(x) for path in self.paths], 1)
        logits = self.shares(F.relu(self.squeeze(features.sum(1).mean((2, 3)))))
        self.seen = logits.view(-1, 2, C).softmax(1)
        return (features * self.seen[..., None, None]).sum(1)


def test_the_shares_of_paths_are_read_from_a_product_of_five_dimensions():
    block = SelectiveKernel()
    (layer,) = layers_of(block).values()
    assert (layer.kind, layer.formula, layer.shape) == ("paths", "none", (C, 32, 32))
    assert np.allclose(layer.paths, block.seen[0].numpy(), atol=1e-6)


class SplitAttention(SelectiveKernel):
    """The same as a sum of products, one a path."""

    def forward(self, x):
        features = [path(x) for path in self.paths]
        logits = self.shares(F.relu(self.squeeze(sum(features).mean((2, 3)))))
        self.seen = logits.view(-1, 2, C).softmax(1)
        return sum(each * self.seen[:, place, :, None, None] for place, each in enumerate(features))


def test_each_paths_share_is_a_channel_gate_where_paths_are_multiplied_one_by_one():
    block = SplitAttention()
    layers = list(layers_of(block).values())
    assert [layer.kind for layer in layers] == ["channel", "channel"]
    assert np.allclose([layer.channel for layer in layers], block.seen[0].numpy(), atol=1e-6)


class MultiScaleBlock(nn.Module):
    """Whose name alone could make it a fixed scale; ``squash`` makes its gate."""

    def __init__(self, squash) -> None:
        super().__init__()
        self.conv, self.squash = nn.Conv2d(C, C, 3, padding=1), squash

    def forward(self, x):
        y = self.conv(x)
        self.seen = self.squash(4 * y.mean((2, 3), True))
        return x + y * self.seen


@pytest.mark.parametrize(
    "squash",
    [torch.tanh, lambda y: 3 * torch.sigmoid(y + 3), lambda y: y.softmax(1) * C, F.hardsigmoid, F.relu],
    ids=["tanh", "3 × sigmoid", "softmax × C", "hardsigmoid", "relu"],
)
def test_gates_of_any_range_are_read_and_names_do_not_matter(squash):
    block = MultiScaleBlock(squash)
    (layer,) = layers_of(block).values()
    assert layer.kind == "channel" and np.allclose(layer.channel, block.seen[0].flatten().numpy(), atol=1e-6)


class ThreeInTurn(OpenBlock):
    def forward(self, x):
        y = self.conv(x)
        y = y * self.ca(y)
        y = y * self.sa(y)
        self.last = torch.sigmoid(y.mean((2, 3), True))
        return x + y * self.last


def test_a_third_gate_in_turn_is_a_layer_of_its_own():
    block = ThreeInTurn()
    first, second = layers_of(block).values()
    assert (first.kind, second.kind) == ("both", "channel")
    assert np.allclose(second.channel, block.last[0].flatten().numpy(), atol=1e-6)


class ByMatrices(OpenBlock):
    """Multiplies by a gate in a way that is not listened to."""

    def forward(self, x):
        y = self.conv(x)
        return x + torch.bmm(torch.diag_embed(self.ca(y).flatten(1)), y.flatten(2)).view_as(y)


def test_gates_that_multiply_in_another_way_are_named_as_not_read():
    with pytest.raises(attnviz.TraceError, match=r"att may have gates"):
        layers_of(ByMatrices())
    trace = attnviz.trace(alive(Small(nn.Sequential(SE(), ByMatrices()))), X)
    assert list(trace.layers) == ["att.0"] and "att.1" in str(trace.remarks[0])


class AnotherInstance(nn.Module):
    def __init__(me) -> None:
        super().__init__()
        me.fc = nn.Linear(C, C)

    def forward(me, x):
        return x * torch.sigmoid(me.fc(x.mean((2, 3))))[:, :, None, None] + 1


def test_a_module_that_calls_its_instance_otherwise_owns_its_gate():
    assert {name: layer.kind for name, layer in layers_of(AnotherInstance()).items()} == {"att": "channel"}


class ScriptedGate(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(x.mean((2, 3), keepdim=True))


class WithScript(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.se, self.scripted = SE(), torch.jit.script(ChannelGate())

    def forward(self, x):
        return self.se(x).relu() + self.scripted(x)


def test_what_is_scripted_inside_is_named_and_the_rest_is_read():
    trace = attnviz.trace(alive(Small(WithScript())), X)
    assert list(trace.layers) == ["att.se"] and "TorchScript" in str(trace.remarks[0])
    assert "att.scripted." in str(trace.remarks[0])
    with pytest.raises(attnviz.TraceError, match=r"Some of it is TorchScript.*\(att\)"):
        attnviz.trace(alive(Small(torch.jit.script(ScriptedGate()))), X)


def test_a_frozen_script_inside_disturbs_nothing():
    network = alive(Small(SE()))
    network.stem[1] = torch.jit.freeze(torch.jit.script(nn.ReLU().eval()))
    assert list(attnviz.trace(network, X).layers) == ["att"]


def test_a_graph_made_of_a_network_has_its_gates():
    network = alive(Small(OpenBlock()))
    (layer,) = attnviz.trace(torch.fx.symbolic_trace(copy.deepcopy(network)), X).layers.values()
    expected = attnviz.trace(network, X).layers["att"]
    assert layer.kind == "both" and np.allclose(layer.factor(), expected.factor(), atol=1e-6)


@pytest.mark.slow
def test_modules_that_are_compiled_inside_a_network_are_read_as_they_were_written():
    network = alive(Small(OpenBlock()))
    expected = attnviz.trace(network, X).layers["att"].channel
    network.att = torch.compile(network.att, backend="eager")
    (layer,) = attnviz.trace(network, X).layers.values()
    assert np.allclose(layer.channel, expected, atol=1e-6)
    with attnviz.record(network) as trace, torch.no_grad():
        network(X[None])
    assert np.allclose(trace[0].layers[layer.name].channel, expected, atol=1e-6)


class Star(nn.Module):
    """Features multiplied by features."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Conv2d(C, C, 1), nn.Conv2d(C, C, 1)

    def forward(self, x):
        return x + F.relu6(self.one(x)) * self.other(x)


class Halves(nn.Module):
    """A gated linear unit: one half of the channels multiplies the other."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C, 2 * C, 1)

    def forward(self, x):
        one, other = self.conv(x).chunk(2, 1)
        return x + one * torch.sigmoid(other)


class HalvesOfASum(Halves):
    def forward(self, x):
        one, other = (self.conv(x) + 1).split(C, 1)
        return x + one * other.sigmoid()


class Twins(Star):
    """The same of two layers, the norm of one of which stands behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(C)

    def forward(self, x):
        return x + torch.tanh(self.bn(self.one(x))) * torch.sigmoid(self.other(x))


class RootMeanSquare(nn.Module):
    """A normalisation in open code."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C, C, 1)

    def forward(self, x):
        y = 3 * self.conv(x)
        return x + y * torch.rsqrt(y.square().mean(1, keepdim=True) + 1e-6)


class Normalises(nn.Module):
    """The same as a module that is not called a normalisation."""

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean((2, 3), keepdim=True) + 1e-6)


class LearnedScale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gamma, self.conv = nn.Parameter(torch.rand(C)), nn.Conv2d(C, C, 1)

    def forward(self, x):
        return x + self.conv(x) * self.gamma.view(1, -1, 1, 1)


class OpenSwish(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C, C, 1)

    def forward(self, x):
        y = self.conv(x)
        return x + y * torch.sigmoid(1.702 * y)


class Mish(nn.Module):
    def forward(self, x):
        return x * torch.tanh(F.softplus(x))


@pytest.mark.parametrize(
    "kind", [Star, Halves, HalvesOfASum, Twins, RootMeanSquare, Normalises, LearnedScale, OpenSwish, Mish]
)
def test_products_that_are_by_no_gate_are_not_read(kind):
    assert attnviz.find(alive(Small(kind())), X[None]) == []


def test_features_around_a_gate_that_multiplies_in_place_are_those_before_it():
    class InPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.gate = nn.Conv2d(C, C, 3, padding=1), ChannelGate()

        def forward(self, x):
            y = self.conv(x)
            y *= self.gate(y)
            return x + y

    network = alive(Small(InPlace()))
    seen, layer = attnviz.features(network, X, "att.gate"), attnviz.trace(network, X).layers["att.gate"]
    np.testing.assert_allclose(seen.before * layer.factor(), seen.after, atol=1e-6)
    assert not np.allclose(seen.before, seen.after)
