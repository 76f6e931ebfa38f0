"""What is read of a network is looked up once, in the network inside whatever wraps it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import attention_modules
from torch import nn

import attnviz

C = 16


def test_recognition_runs_once_and_leaves_a_training_network_as_it_was():
    network = attention_modules.Tiny(attention_modules.FunctionalCBAM(C), C)
    network(torch.randn(4, 3, 32, 32))
    passes = []
    network.register_forward_pre_hook(lambda *_: passes.append(1))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    for _ in range(3):
        attnviz.trace(network, torch.randn(3, 32, 32))
    assert len(passes) == 5 and network.training  # one of them stops at the first convolution
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_a_network_that_changed_is_looked_at_again():
    network = attention_modules.Tiny(attention_modules.SELayer(C), C).eval()
    network(torch.randn(1, 3, 32, 32))
    assert attnviz.trace(network, torch.randn(3, 32, 32)).layers["block"].kind == "channel"
    network.block = attention_modules.SpatialGate().eval()
    assert attnviz.trace(network, torch.randn(3, 32, 32)).layers["block"].kind == "spatial"


@pytest.mark.slow
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


def test_a_network_without_attention_is_refused_but_our_plain_one_is_there_to_compare():
    with pytest.raises(attnviz.TraceError, match="no attention"):
        attnviz.trace(
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()), torch.randn(3, 32, 32)
        )
    assert attnviz.trace(attnviz.load("resnet18"), torch.randn(3, 64, 64)).layers == {}
