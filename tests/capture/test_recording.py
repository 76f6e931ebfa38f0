"""Listening to a network inside a block of the user's own code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import attention_modules
from helpers.small_networks import hook_count, stirred
from torch import nn

import attnviz


def test_a_validation_loop_leaves_a_trace_of_every_photo():
    network, photos = stirred(18, "cbam"), torch.randn(10, 3, 48, 48)
    expected = list(attnviz.traces(network, photos))
    with attnviz.record(network) as trace, torch.no_grad():
        logits = torch.cat([network(batch) for batch in photos.split(4)])
    assert trace.count == len(trace) == 10 and hook_count(network) == 0
    for index, (seen, alone) in enumerate(zip(trace, expected)):
        assert np.array_equal(seen.logits, logits[index].numpy())
        assert list(seen.layers) == list(alone.layers)
        for name, layer in seen.layers.items():
            assert np.allclose(layer.factor(), alone.layers[name].factor(), atol=1e-5)
    assert trace.layers["layer3.1"] is trace[-1].layers["layer3.1"]


def test_a_network_that_nobody_described_is_recognised_at_its_first_call():
    network = attention_modules.Tiny(attention_modules.FunctionalCBAM(16)).eval()
    network(torch.randn(1, 3, 32, 32))
    with attnviz.record(network) as trace:
        logits = network(torch.randn(2, 3, 32, 32))
        logits.sum().backward()  # the user's own pass keeps its gradients
    assert trace.count == 2 and [layer.kind for layer in trace.layers.values()] == ["both"]
    assert network.block.ChannelGate.mlp[1].weight.grad is not None


def test_training_goes_on_as_it_would_without():
    def train(network: nn.Module) -> dict:
        torch.manual_seed(1)
        optimiser = torch.optim.SGD(network.parameters(), 0.1)
        for _ in range(3):
            loss = network.train()(torch.randn(4, 3, 32, 32)).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return network.state_dict()

    def fresh() -> nn.Module:
        torch.manual_seed(0)
        network = attention_modules.Tiny(attention_modules.FunctionalCBAM(16))
        network(torch.randn(2, 3, 32, 32))
        return network

    expected, network = train(fresh()), fresh()
    with attnviz.record(network) as trace:
        found = train(network)
    assert trace.count == 12 and network.training
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_only_the_latest_are_kept():
    network = stirred(18, "se")
    with attnviz.record(network, kept=3) as trace, torch.no_grad():
        for batch in torch.randn(8, 3, 32, 32).split(2):
            network(batch)
    assert (trace.count, len(trace)) == (8, 3)


def test_no_more_than_the_limit_in_memory_is_kept_but_always_the_latest():
    traces = list(attnviz.traces(stirred(18, "se"), torch.randn(4, 3, 32, 32)))
    size = traces[0].source.nbytes + sum(layer.channel.nbytes for layer in traces[0].layers.values())
    for most_bytes, expected in ((2 * size, traces[2:]), (2 * size - 1, traces[3:]), (1, traces[3:])):
        recording = attnviz.Recording(100, most_bytes)
        for trace in traces:
            recording.add(trace)
        assert recording.count == 4 and list(recording) == expected


def test_no_hook_is_left_when_the_block_or_the_network_fails():
    network = stirred(18, "cbam")
    with pytest.raises(ZeroDivisionError), attnviz.record(network):
        network(torch.randn(1, 3, 32, 32))
        raise ZeroDivisionError
    assert hook_count(network) == 0
    with attnviz.record(network) as trace:
        with pytest.raises(RuntimeError):
            network(torch.randn(1, 4, 32, 32))
        network(torch.randn(1, 3, 32, 32))
    assert trace.count == 1 and hook_count(network) == 0


def test_what_can_not_be_recorded_says_so():
    with attnviz.record(stirred(18, "se")) as trace:
        pass
    with pytest.raises(attnviz.TraceError, match="Nothing ran"):
        _ = trace.layers
    with (
        pytest.raises(attnviz.TraceError, match="compiled"),
        attnviz.record(torch.compile(stirred(18, "se"))),
    ):
        pass
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.warns(attnviz.errors.TraceRemark, match="no attention"), attnviz.record(plain) as trace:
        plain(torch.randn(1, 3, 8, 8))
    with pytest.raises(attnviz.TraceError, match="no attention"):
        _ = trace.layers
    assert hook_count(plain) == 0
