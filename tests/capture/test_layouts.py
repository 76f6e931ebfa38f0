"""Features whose dimensions stand in another order are read as what they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.brought_networks import SE, C, ChannelGate, Small, SpatialGate, alive, noise
from torch import nn

import attnviz
from attnviz.capture.layouts import Layouts, canonical

X = noise(3, 64, 64)


@pytest.mark.parametrize(
    ("layout", "turned"),
    [
        ("N01C", lambda x: x.permute(0, 2, 3, 1)),
        ("01NC", lambda x: x.movedim((0, 1), (2, 3))),
        ("NC0", lambda x: x.flatten(2)),
        ("N0C", lambda x: x.flatten(2).transpose(1, 2)),
        ("NCC01", lambda x: x.unflatten(1, (4, 4))),
        ("NC01", lambda x: x.reshape(8, 4, 6, 10)),
        ("N10C", lambda x: x.transpose(1, 3)),
    ],
)
def test_a_tensor_is_followed_from_a_convolution_through_what_turns_it(layout, turned):
    layouts, x = Layouts(), torch.randn(2, 16, 6, 10)
    followed = [x]

    class Follows(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            layouts.follow(func, args, kwargs or {}, result)
            followed.append(result)
            return result

    with Follows():
        result = turned(torch.conv2d(x, torch.randn(16, 16, 1, 1)))
    assert layouts.of(result) == layout


def test_values_of_any_layout_come_back_as_channels_and_positions():
    x = torch.randn(2, 16, 6, 10)
    assert torch.equal(canonical(x.permute(0, 2, 3, 1), "N01C", torch.Size((2, 6, 10, 16))), x)
    grouped = x.unflatten(1, (4, 4))
    assert torch.equal(canonical(grouped, "NCC01", grouped.shape), x)
    gate = torch.randn(2, 4, 1, 1, 1)
    assert torch.equal(canonical(gate, "NCC01", grouped.shape), gate.expand(2, 4, 4, 1, 1).flatten(1, 2))


class Turned(nn.Module):
    """Multiplies features in another layout by a gate; both are kept as (N, C, h, w)."""

    def __init__(self, weigh, gate: type[nn.Module] = ChannelGate) -> None:
        super().__init__()
        self.conv, self.gate, self.weigh = nn.Conv2d(C, C, 3, padding=1), gate(), weigh

    def forward(self, x):
        self.before = self.conv(x)
        self.after = self.weigh(self.before, self.gate(self.before))
        return x + self.after


WAYS = {
    "channels last": lambda y, g: (y.permute(0, 2, 3, 1) * g.permute(0, 2, 3, 1)).permute(0, 3, 1, 2),
    "merged positions": lambda y, g: (y.flatten(2) * g.flatten(2)).view_as(y),
    "tokens": lambda y, g: (y.flatten(2).mT * g.flatten(2).mT).mT.reshape(y.shape),
    "split channels": lambda y, g: (
        y.unflatten(1, (4, 4)) * g.expand(-1, C, -1, -1).unflatten(1, (4, 4))
    ).flatten(1, 2),
    "einsum": lambda y, g: torch.einsum("nchw,nchw->nchw", y, g.expand_as(y)),
    "keywords": lambda y, g: torch.mul(input=y, other=g),
    "added to": lambda y, g: torch.addcmul(torch.zeros_like(y), y, g),
}


@pytest.mark.parametrize("gate", [ChannelGate, SpatialGate])
@pytest.mark.parametrize("way", WAYS)
def test_a_gate_is_read_whatever_the_layout_and_the_function_that_multiplies(way, gate):
    block = Turned(WAYS[way], gate)
    network = alive(Small(block))
    (layer,) = attnviz.trace(network, X).layers.values()
    assert layer.kind == ("channel" if gate is ChannelGate else "spatial")
    around = attnviz.features(network, X, layer.name)
    np.testing.assert_allclose(layer.factor() * around.before, around.after, atol=1e-5)
    np.testing.assert_allclose(
        around.before.reshape(block.before[0].shape), block.before[0].detach(), atol=1e-6
    )
    np.testing.assert_allclose(around.after.reshape(block.after[0].shape), block.after[0].detach(), atol=1e-5)


class LastSE(nn.Module):
    """A module that takes its channels last."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(C, C)

    def forward(self, x):
        return torch.lerp(torch.zeros_like(x), x, self.fc(x.mean((1, 2), True)).sigmoid().expand_as(x))


def test_a_module_that_takes_its_channels_last_has_a_channel_gate():
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.se = nn.Conv2d(C, C, 3, padding=1), LastSE()

        def forward(self, x):
            self.before = F.gelu(self.conv(x))
            return self.se(self.before.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    network = alive(Small(Block()))
    (layer,) = attnviz.trace(network, X).layers.values()
    assert (layer.kind, layer.shape) == ("channel", (C, 32, 32))
    around = attnviz.features(network, X, layer.name)
    np.testing.assert_allclose(around.before, network.att.before[0].detach(), atol=1e-6)
    np.testing.assert_allclose(layer.factor() * around.before, around.after, atol=1e-5)


class Pair(nn.Module):
    """Multiplies features by a gate on channels and then by one on positions, in another layout."""

    def __init__(self, weigh) -> None:
        super().__init__()
        self.conv, self.weigh = nn.Conv2d(C, C, 3, padding=1), weigh
        self.ca, self.sa = ChannelGate(), SpatialGate()

    def forward(self, x):
        y = self.conv(x)
        y = self.weigh(y, self.ca(y))
        return x + self.weigh(y, self.sa(y))


def last(x):
    return x.permute(0, 2, 3, 1)


class LastPair(Pair):
    """The same without turning the features back in between."""

    def forward(self, x):
        y = last(self.conv(x))
        y = y * last(self.ca(y.permute(0, 3, 1, 2)))
        y = y * last(self.sa(y.permute(0, 3, 1, 2)))
        return x + y.permute(0, 3, 1, 2)


class CopiedPair(LastPair):
    """The same with a copy of the features in between."""

    def __init__(self, copied) -> None:
        super().__init__(None)
        self.copied = copied

    def forward(self, x):
        y = self.conv(x)
        y = self.copied((last(y) * last(self.ca(y))).permute(0, 3, 1, 2))
        return x + y * self.sa(y)


COPIES = [torch.Tensor.contiguous, torch.clone, lambda y: y.double().float()]


BLOCKS = [Pair(way) for name, way in WAYS.items() if name != "added to"]  # a sum is no product of two gates


@pytest.mark.parametrize("block", [*BLOCKS, LastPair(None), *map(CopiedPair, COPIES)])
def test_two_gates_in_turn_are_one_layer_in_every_layout(block):
    expected = attnviz.trace(alive(Small(Pair(torch.mul))), X).layers["att"]
    (layer,) = attnviz.trace(alive(Small(block)), X).layers.values()
    assert layer.kind == "both"
    np.testing.assert_allclose(layer.factor().reshape(C, 32, 32), expected.factor(), atol=1e-5)


class ChangedBetween(Pair):
    """Adds to the features in place between its two gates."""

    def forward(self, x):
        y = self.conv(x)
        y = y * self.ca(y)
        y += x
        return y * self.sa(y)


class Halves(Pair):
    """Multiplies another half of the channels by each gate."""

    def forward(self, x):
        y = self.conv(x)
        y.mul_(self.ca(y))
        return torch.cat((y[:, : C // 2] * self.sa(y), y[:, C // 2 :]), 1)


@pytest.mark.parametrize("kind", [ChangedBetween, Halves])
def test_gates_on_other_features_are_layers_of_their_own(kind):
    layers = attnviz.trace(alive(Small(kind(None))), X).layers.values()
    assert [layer.kind for layer in layers] == ["channel", "spatial"]


class Vectorised(Pair):
    """Computes each row by itself inside vmap, where tensors have no numbers to look at."""

    def __init__(self, of_row) -> None:
        super().__init__(None)
        self.of_row = of_row

    def forward(self, x):
        y = self.conv(x)
        return x + torch.vmap(self.of_row)((y * self.ca(y))[:, None])[:, 0]


def halves_gated(row):
    one, other = row.chunk(2, 1)
    return torch.cat((one * other.sigmoid(), other), 1)


@pytest.mark.parametrize(
    "of_row", [lambda row: row * row.mean((2, 3), True).sigmoid(), torch.nn.SiLU(), halves_gated, SE()]
)
def test_what_is_computed_inside_vmap_disturbs_nothing(of_row):
    (layer,) = attnviz.trace(alive(Small(Vectorised(of_row))), X).layers.values()
    assert layer.kind == "channel"
