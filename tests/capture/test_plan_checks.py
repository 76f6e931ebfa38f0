"""What is read of a network does not depend on what ran before: not on its first input, nor on its weights at
that time."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch
from helpers.brought_networks import (
    CBAM,
    SE,
    C,
    ChannelGate,
    LerpSE,
    NestedCBAM,
    OpenBlock,
    Small,
    alive,
    kill,
    noise,
)
from torch import nn

import attnviz

X = noise(3, 64, 64)


def kinds(trace: attnviz.Trace) -> dict[str, str]:
    return {name: layer.kind for name, layer in trace.layers.items()}


@pytest.mark.parametrize("kind", [CBAM, NestedCBAM, OpenBlock])
def test_a_spatial_gate_that_is_dead_at_first_is_read_as_one(kind):
    network = alive(Small(kind()))
    norm = next(module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    kill(norm)
    dead = attnviz.trace(network, X)
    assert kinds(dead) == {"att": "both"} and np.allclose(dead.layers["att"].spatial, 0.5)
    nn.init.ones_(norm.weight)
    again = attnviz.trace(network, X)
    assert kinds(again) == {"att": "both"} and np.ptp(again.layers["att"].spatial) > 0.1


class DeadBranch(nn.Module):
    """A residual block whose branch is zero as long as its batch norm is dead."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn, self.se = nn.Conv2d(C, C, 3, padding=1), nn.BatchNorm2d(C), LerpSE()

    def forward(self, x):
        return x + self.se(self.bn(self.conv(x)))


def test_a_branch_of_zeros_is_said_and_read_when_it_lives():
    network = alive(Small(DeadBranch()))
    kill(network.att.bn)
    with pytest.raises(attnviz.TraceError, match=r"could not be told.*att\.se.*zero"):
        attnviz.trace(network, X)
    nn.init.ones_(network.att.bn.weight)
    assert kinds(attnviz.trace(network, X)) == {"att.se": "channel"}


class Residual(nn.Module):
    """A residual block whose branch a dead batch norm can make zero, before or behind its attention."""

    def __init__(self, attention: nn.Module, is_last: bool) -> None:
        super().__init__()
        self.conv, self.bn, self.attention = nn.Conv2d(C, C, 3, padding=1), nn.BatchNorm2d(C), attention
        self.is_last = is_last

    def forward(self, x):
        y = self.conv(x)
        branch = self.bn(self.attention(y)) if self.is_last else self.attention(self.bn(y))
        return torch.relu(x + branch)


@pytest.mark.parametrize("is_last", [False, True])
@pytest.mark.parametrize("kind", [SE, CBAM, NestedCBAM, OpenBlock])
def test_a_residual_block_with_a_dead_branch_is_no_gate_of_ones(kind, is_last):
    network = alive(Small(Residual(kind(), is_last)))
    kill(network.att.bn)
    dead = attnviz.trace(network, X)
    assert list(dead.layers) in (["att.attention"], ["att.attention.channel", "att.attention.spatial"])
    nn.init.ones_(network.att.bn.weight)
    alive_again = attnviz.trace(network, X)
    assert list(alive_again.layers) == ["att.attention"] and alive_again.remarks == ()


class Switch(SE):
    """A gate that a setting turns on."""

    is_on = False

    def forward(self, x):
        return super().forward(x) if self.is_on else x


def test_a_gate_that_is_turned_on_or_put_in_later_is_read():
    network = alive(Small(nn.Sequential(Switch(), nn.Identity())))
    assert attnviz.find(network, X[None]) == []
    network.att[0].is_on = True
    assert list(attnviz.trace(network, X).layers) == ["att.0"]
    network.att[1].forward = lambda x: x * torch.sigmoid(x.mean((2, 3), True))
    assert list(attnviz.trace(network, X).layers) == ["att.0", "att.1"]


class Pyramid(nn.Module):
    """Gates on maps that become smaller and smaller."""

    def __init__(self) -> None:
        super().__init__()
        steps = [nn.Sequential(nn.Conv2d(C, C, 3, 2, 1), LerpSE()) for _ in range(6)]
        self.steps = nn.Sequential(*steps)

    def forward(self, x):
        return self.steps(x)


def test_a_gate_on_a_map_of_few_cells_is_read_if_it_can_be_told_on_a_larger_one():
    network = alive(Small(Pyramid()))
    for side in (32, 256, 64):
        assert len(attnviz.trace(network, noise(3, side, side)).layers) == 6


def test_a_branch_that_comes_alive_during_a_recording_is_read_from_that_pass_on():
    network = alive(Small(DeadBranch()))
    kill(network.att.bn)
    with attnviz.record(network) as trace, torch.no_grad():
        network(X[None])
        network.att.bn.weight.data.fill_(1)
        network(X[None])
    assert kinds(trace[0]) == {} and "zero" in str(trace[0].remarks[0])
    assert kinds(trace[1]) == {"att.se": "channel"} and trace[1].remarks == ()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_a_first_batch_that_says_nothing_leaves_the_network_open(value):
    network = alive(Small(SE()))
    assert [row.kind for row in attnviz.find(network, torch.full((1, 3, 64, 64), value))] == ["channel"]
    assert kinds(attnviz.trace(network, X)) == {"att": "channel"}


@pytest.mark.parametrize("block", [OpenBlock, CBAM, LerpSE])
def test_a_photo_too_small_to_tell_gives_what_a_large_one_gives(block):
    small_first, large = alive(Small(block(), halvings=5)), alive(Small(block(), halvings=5))
    assert kinds(attnviz.trace(small_first, noise(3, 32, 32))) == kinds(attnviz.trace(large, X))


class FixedSize(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.base = nn.ModuleList([Small(LerpSE(), halvings=2), Small(LerpSE(), halvings=5)])

    def forward(self, x):
        assert x.shape[-1] == 32
        return self.base[0](x) + self.base[1](x)


def test_what_a_network_of_one_size_does_not_tell_is_said_for_this_input():
    trace = attnviz.trace(alive(FixedSize()), noise(3, 32, 32))
    assert kinds(trace) == {"base.0.att": "channel"}
    (remark,) = trace.remarks
    assert "base.1.att" in str(remark) and "too few positions" in str(remark)


class OtherCode(nn.Module):
    """Multiplies on one line or on another."""

    def __init__(self, other) -> None:
        super().__init__()
        self.conv, self.ca, self.other = nn.Conv2d(C, C, 3, padding=1), ChannelGate(), other

    def forward(self, x):
        y = self.conv(x)
        if self.other(self, x):
            return x + y * self.ca(y)
        y = self.ca(y) * y
        return x + y


def test_code_that_another_input_runs_is_read_too():
    network = alive(Small(OtherCode(lambda module, x: x.shape[-1] > 16)))
    sizes = [64, 32, 64, 24, 32]
    for size in sizes:
        assert kinds(attnviz.trace(network, noise(3, size, size))) == {"att.ca": "channel"}
    with attnviz.record(network) as trace, torch.no_grad():
        for size in sizes:
            network(noise(1, 3, size, size))
    assert [kinds(each) for each in trace] == [{"att.ca": "channel"}] * len(sizes)


def test_code_that_runs_in_training_only_is_read_from_the_second_pass_on_and_the_first_says_so():
    network = alive(Small(OtherCode(lambda module, x: module.training))).train()
    with attnviz.record(network) as trace:
        for _ in range(3):
            network(noise(1, 3, 64, 64)).sum().backward()
    assert [kinds(each) for each in trace] == [{}, {"att.ca": "channel"}, {"att.ca": "channel"}]
    assert "att.ca ran other code" in str(trace[0].remarks[0])


class MultipliesItself(Small):
    """A network whose own code multiplies by no gate, beside a block that does."""

    def forward(self, x):
        features = self.att(self.stem(x))
        return self.fc((features * features.mean((2, 3), True)).mean((2, 3)))


@pytest.mark.parametrize("network", [Small, MultipliesItself])
def test_what_is_known_of_a_network_does_not_keep_it_alive(network):
    network = alive(network(OpenBlock()))
    attnviz.trace(network, X)
    with attnviz.record(network), torch.no_grad():
        network(X[None].expand(2, -1, -1, -1))
    seen = weakref.ref(network)
    del network
    gc.collect()
    assert seen() is None


class Switched(SE):
    """A channel gate, or a gate on channels and positions."""

    joint = False

    def forward(self, x):
        gate = torch.sigmoid(x.flip(1) + x.roll(1, -1)) if self.joint else self.gate(x)[:, :, None, None]
        return torch.einsum("nchw,nchw->nchw", x, gate.expand_as(x))


def test_a_module_that_scales_otherwise_than_at_first_is_read_as_what_it_does_now():
    network = alive(Small(Switched()))
    assert kinds(attnviz.trace(network, X)) == {"att": "channel"}
    network.att.joint = True
    layer = attnviz.trace(network, X).layers["att"]
    assert layer.kind == "joint" and layer.factor().shape == (C, 32, 32)
