"""A call of an attention module is whole when each of its gates has run as often as it should."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.attention_modules import RunsTwice
from helpers.small_networks import stirred
from torch import nn

import attnviz


def test_a_declared_gate_that_does_not_run_is_an_error():
    network = stirred(18, "se")
    network.layer2[0].attention = nn.Identity()
    network.add_module(
        "spare", stirred(18, "se").layer2[0].attention
    )  # declared, but no part of the forward pass
    with pytest.raises(attnviz.TraceError, match="spare did not run"):
        attnviz.trace(network, torch.randn(3, 64, 64))


def test_a_sigmoid_that_two_modules_share_is_read_in_its_own_place():
    network, x = stirred(18, "se"), torch.randn(3, 64, 64)
    expected = attnviz.trace(network, x)
    network.layer1[1].attention.gate = network.layer1[0].attention.gate
    shared = attnviz.trace(network, x)
    for name, layer in expected.layers.items():
        assert np.array_equal(shared.layers[name].channel, layer.channel)


def test_a_module_that_runs_twice_is_two_layers():
    network, x = stirred(18, "se"), torch.randn(3, 64, 64)
    network.layer1[1].attention = network.layer1[0].attention
    layers = attnviz.trace(network, x).layers
    assert list(layers)[:3] == ["layer1.0", "layer1.0 #2", "layer2.0"]
    assert not np.array_equal(layers["layer1.0"].channel, layers["layer1.0 #2"].channel)


def test_a_declared_gate_that_runs_twice_in_one_call_is_an_error():
    with pytest.raises(attnviz.TraceError, match="twice"):
        attnviz.trace(nn.Sequential(RunsTwice(), nn.AdaptiveAvgPool2d(1), nn.Flatten()), torch.randn(3, 8, 8))
