"""A recording never breaks its caller's own correct loop, and leaves no trace in what it computes."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.attention_modules import RunsTwice
from helpers.brought_networks import SE, C, ChannelGate, LerpSE, OpenBlock, Small, alive, kill, noise
from helpers.small_networks import hook_count
from torch import nn

import attnviz

BATCH = noise(2, 3, 32, 32)


class InPlaceSE(SE):
    def forward(self, x):
        return x.mul_(self.gate(x)[:, :, None, None])


class Silent(RunsTwice):
    def forward(self, x):
        return x


class SquareOnly(nn.Module):
    """Fails on every input but the caller's."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE())

    def forward(self, x):
        assert x.shape == BATCH.shape and torch.equal(x, BATCH)
        return self.base(x)


@pytest.mark.parametrize("as_errors", [False, True])
@pytest.mark.parametrize(
    "network",
    [
        Small(RunsTwice()),
        Small(Silent()),
        Small(nn.Identity()),
        Small(SE(), finish=lambda features, scores: object()),
        Small(SE(), finish=lambda features, scores: None),
        Small(SE(), finish=lambda features, scores: {1: {2: [scores, ()]}}),
        SquareOnly(),
        nn.Linear(32, 4),
    ],
    ids=["twice", "silent", "no attention", "an object", "none", "nested", "one input", "no photos"],
)
def test_whatever_can_not_be_read_the_callers_pass_is_the_same(network, as_errors):
    network = alive(network)
    with torch.no_grad():
        expected = network(BATCH)
    with warnings.catch_warnings():
        warnings.simplefilter("error" if as_errors else "ignore")
        with attnviz.record(network) as trace, torch.no_grad():
            output = network(BATCH)
            network(BATCH)
    assert type(output) is type(expected) and hook_count(network) == 0
    if isinstance(output, torch.Tensor):
        assert torch.equal(output, expected)
    assert trace.error is not None or trace.count == 4
    assert len(repr(trace)) < 3000


def test_the_callers_own_errors_are_its_own_and_the_next_pass_is_recorded():
    network = alive(Small(SE()))
    with attnviz.record(network) as trace, torch.no_grad():
        with pytest.raises(RuntimeError, match="channels"):
            network(noise(2, 5, 32, 32))
        network(BATCH)
    assert trace.count == 2 and hook_count(network) == 0


@pytest.mark.parametrize(
    "inputs", [(), ("a text",), (torch.arange(6).view(2, 3),), (torch.empty(0, 3, 32, 32),), (None, [])]
)
def test_what_holds_no_photos_passes_through(inputs):
    class Takes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.base = Small(SE())

        def forward(self, *inputs):
            return len(inputs)

    network = alive(Takes())
    with warnings.catch_warnings(), attnviz.record(network) as trace:
        warnings.simplefilter("ignore")
        assert network(*inputs) == len(inputs)
    assert hook_count(network) == 0 and not any(each.layers for each in trace)


class Draws(nn.Module):
    """Draws random numbers, counts its calls, and caches a grid as it first runs."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.grid = Small(OpenBlock()), None
        self.register_buffer("mean", torch.zeros(5))

    def forward(self, x):
        if self.grid is None:
            self.grid = torch.linspace(0, 1, 5)
        scores = F.dropout(self.base(x), 0.3, self.training) * self.grid
        if self.training:
            self.mean.mul_(0.9).add_(scores.detach().mean(0) * 0.1)
        return scores


def trained(network: nn.Module) -> dict:
    torch.manual_seed(1)
    optimiser = torch.optim.SGD(network.parameters(), 0.5)
    for _ in range(4):
        loss = network.train()(torch.randn(4, 3, 32, 32)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.state_dict()


def test_training_with_random_numbers_and_buffers_goes_on_bit_for_bit():
    def begun() -> nn.Module:
        network = alive(Draws())
        kill(network.base.att.sa.bn)
        return network

    expected, network = trained(begun()), begun()
    with attnviz.record(network) as trace:
        found = trained(network)
    assert trace.count == 16 and trace.error is None
    assert all(torch.equal(found[key], expected[key]) for key in expected)


class ChangesItsInput(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE())

    def forward(self, x):
        x -= 1
        return self.base(x)


def test_an_input_that_the_network_changes_is_kept_as_it_was_given():
    network, x = alive(ChangesItsInput()), BATCH.clone()
    with attnviz.record(network) as trace, torch.no_grad():
        expected = network(x)
    assert torch.equal(x, BATCH - 1) and torch.equal(trace[0].source, BATCH[0])
    assert np.allclose(trace[1].logits, expected[1].numpy())


def test_a_traced_tensor_stays_as_it_was_given():
    network, x = alive(ChangesItsInput()), BATCH[0].clone()
    trace = attnviz.trace(network, x)
    assert torch.equal(x, BATCH[0]) and torch.equal(trace.source, x)


class Recursive(nn.Module):
    """Calls itself for a smaller picture."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE())

    def forward(self, x):
        return self.base(x) + (self(x[..., ::2, ::2]) if x.shape[-1] > 16 else 0)


def test_a_network_that_calls_itself_is_recorded_at_each_depth():
    network = alive(Recursive())
    with attnviz.record(network) as trace, torch.no_grad():
        network(BATCH)
    assert trace.error is None and [each.source.shape[-1] for each in trace] == [16, 16, 32, 32]
    assert list(trace[-1].layers)[:1] == ["base.att"]


def test_calls_of_another_thread_are_neither_recorded_nor_disturbed():
    network = alive(Small(SE()))
    with attnviz.record(network) as trace, ThreadPoolExecutor(1) as other, torch.no_grad():
        scores = other.submit(network, BATCH).result()
        assert torch.equal(network(BATCH), scores)
    assert trace.count == 2


@pytest.mark.parametrize("block", [SE, OpenBlock, LerpSE, InPlaceSE])
def test_a_loop_in_inference_mode_is_recorded(block):
    network = alive(Small(block()))
    expected = [layer.factor() for layer in attnviz.trace(network, BATCH[0]).layers.values()]
    again = alive(Small(block()))
    with attnviz.record(again) as trace, torch.inference_mode():
        again(BATCH.clone())
    assert trace.error is None
    found = [layer.factor() for layer in trace[0].layers.values()]
    assert len(found) == len(expected) == 1 and np.allclose(found[0], expected[0], atol=1e-5)


def test_half_precision_by_autocast_is_recorded():
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.gate = nn.Conv2d(C, C, 3, padding=1), ChannelGate()

        def forward(self, x):
            x = self.conv(x)
            return x * self.gate(x)

    network = alive(Small(Block()))
    with attnviz.record(network) as trace, torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        network(BATCH)
    assert trace.error is None and trace[0].layers["att.gate"].channel.dtype == np.float32
