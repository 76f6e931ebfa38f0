"""Whose code a multiplication by a gate stands in, however that code is written."""

from __future__ import annotations

import functools
import logging

import numpy as np
import pytest
import torch
from helpers.attention_modules import GateOfChannels, GateOfPlaces, OpenBlock
from helpers.small_networks import with_spread_gates
from torch import nn

import attnviz

C = 16


class Block(nn.Module):
    """A residual block with both gates; how it multiplies by them is up to its subclasses. What went into the
    first multiplication and came out of the last is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.ca, self.sa = nn.Conv2d(C, C, 3, padding=1), GateOfChannels(C), GateOfPlaces()

    def forward(self, x):
        self.before = self.conv(x)
        self.after = self.weighed(self.before)
        return self.after + x


class AnotherName(Block):
    def forward(this, x):
        this.before = this.conv(x)
        y = this.ca(this.before) * this.before
        this.after = this.sa(y) * y
        return this.after + x


class Method(Block):
    def weighed(me, x):
        x = me.ca(x) * x
        return me.sa(x) * x


def scaled(gate, x):
    return gate(x) * x


class FreeFunction(Block):
    def weighed(self, x):
        return scaled(self.sa, scaled(self.ca, x))


def both_scaled(block, x):
    x = block.ca(x) * x
    return block.sa(x) * x


class FunctionOfTheBlock(Block):
    def weighed(self, x):
        return both_scaled(self, x)


class NestedFunction(Block):
    def forward(self, x):
        def weighed(y):
            y = self.ca(y) * y
            return self.sa(y) * y

        self.before = self.conv(x)
        self.after = weighed(self.before)
        return self.after + x


def attached(block):
    def weighed(x):
        x = block.ca(x) * x
        return block.sa(x) * x

    return weighed


class Closure(Block):
    def __init__(self) -> None:
        super().__init__()
        self.weighed = attached(self)


class Lambdas(Block):
    def __init__(self) -> None:
        super().__init__()
        self.channels, self.places = lambda x: x * self.ca(x), lambda x: x * self.sa(x)

    def weighed(self, x):
        return self.places(self.channels(x))


class Static(Block):
    @staticmethod
    def scaled(x, gate):
        return x * gate

    def weighed(self, x):
        x = self.scaled(x, self.ca(x))
        return self.scaled(x, self.sa(x))


def plainly_decorated(function):
    def inner(*arguments):
        return function(*arguments)

    return inner


def decorated(function):
    @functools.wraps(function)
    def inner(*arguments):
        return function(*arguments)

    return inner


class Decorated(Block):
    @decorated
    def forward(block, x):
        block.before = block.conv(x)
        y = block.ca(block.before) * block.before
        block.after = block.sa(y) * y
        return block.after + x


class PlainlyDecorated(Block):
    @torch.no_grad()
    @plainly_decorated
    def forward(block, x):
        block.before = block.conv(x)
        y = block.ca(block.before) * block.before
        block.after = block.sa(y) * y
        return block.after + x


class Loop(Block):
    def weighed(self, x):
        for gate in (self.ca, self.sa):
            x = x * gate(x)
        return x


class Inherited(Method):
    def weighed(self, x):
        return super().weighed(x)


class Weigher(nn.Module):
    def forward(it, x, ca, sa):
        x = ca(x) * x
        return sa(x) * x


class Unregistered(Block):
    """What multiplies is a module that the network does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = [Weigher()]

    def weighed(self, x):
        return self.hidden[0](x, self.ca, self.sa)


WAYS = [
    AnotherName,
    Method,
    FreeFunction,
    FunctionOfTheBlock,
    NestedFunction,
    Closure,
    Lambdas,
    Static,
    Decorated,
    PlainlyDecorated,
    Loop,
    Inherited,
    Unregistered,
]


class Chain(nn.Module):
    """A network of blocks; ``directly`` calls their ``forward`` past ``nn.Module.__call__``."""

    def __init__(self, *blocks: nn.Module, directly: bool = False) -> None:
        super().__init__()
        self.stem, self.blocks, self.directly = nn.Conv2d(3, C, 3, 2), nn.ModuleList(blocks), directly

    def forward(net, x):
        x = net.stem(x)
        for block in net.blocks:
            x = block.forward(x) if net.directly else block(x)
        return x.mean((2, 3))


def chain(kind, **options) -> Chain:
    return Chain(with_spread_gates(kind()), with_spread_gates(kind()), **options).eval()


@pytest.mark.parametrize(
    "kind, directly",
    [*((kind, False) for kind in WAYS), *((kind, True) for kind in WAYS if kind is not PlainlyDecorated)],
)
def test_both_blocks_have_both_gates_whatever_way_they_multiply(kind, directly):
    network, x = chain(kind, directly=directly), torch.randn(3, 32, 32)
    trace = attnviz.trace(network, x)
    assert [(layer.name, layer.kind) for layer in trace.layers.values()] == [
        ("blocks.0", "both"),
        ("blocks.1", "both"),
    ]
    for block, layer in zip(network.blocks, trace.layers.values()):
        before, after = block.before[0].detach().numpy(), block.after[0].detach().numpy()
        assert np.ptp(layer.factor()) > 0.1
        np.testing.assert_allclose(before * layer.factor(), after, atol=1e-5)


@pytest.mark.parametrize("kind", WAYS)
def test_features_stand_around_both_multiplications(kind):
    network, x = chain(kind), torch.randn(3, 32, 32)
    for block, name in zip(network.blocks, ("blocks.0", "blocks.1")):
        around = attnviz.features(network, x, name)
        np.testing.assert_allclose(around.before, block.before[0].detach().numpy(), atol=1e-6)
        np.testing.assert_allclose(around.after, block.after[0].detach().numpy(), atol=1e-6)


def test_a_forward_called_directly_behind_a_decorator_is_read_as_its_callers():
    network = chain(PlainlyDecorated, directly=True)
    layers = attnviz.trace(network, torch.randn(3, 32, 32)).layers
    assert {name: layer.kind for name, layer in layers.items()} == {"Chain": "both", "Chain #2": "both"}


def test_a_block_that_is_copied_has_gates_of_its_own():
    block = with_spread_gates(OpenBlock(C))
    network = Chain(block, block, with_spread_gates(OpenBlock(C))).eval()
    assert list(attnviz.trace(network, torch.randn(3, 32, 32)).layers) == [
        "blocks.0",
        "blocks.0 #2",
        "blocks.2",
    ]


class CallsItself(nn.Module):
    """A network that nothing calls the way modules are called, and whose functions know no module."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList([nn.Conv2d(3, C, 3, 2), GateOfChannels(C)])

    def __call__(*arguments):
        return run(arguments[-1], *arguments[0].parts)


def run(x, stem, gate):
    x = stem(x)
    return (x * gate(x)).mean((2, 3))


def test_a_gate_of_no_module_is_told_of(caplog):
    network = CallsItself().eval()
    with caplog.at_level(logging.WARNING, "attnviz"), pytest.raises(attnviz.TraceError, match="no attention"):
        attnviz.trace(network, torch.randn(3, 32, 32))
    assert "This CallsItself" in caplog.text and "(1 times)" in caplog.text
