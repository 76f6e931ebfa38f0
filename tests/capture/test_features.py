"""The features before and after a layer's attention."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from helpers.attention_modules import InPlaceSE, SELayer
from helpers.small_networks import hook_count, stirred
from torch import nn

import attnviz
from attnviz.capture.run import features_of_layers


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(3, 64, 96)


@pytest.mark.parametrize("kind", [SELayer, InPlaceSE])
def test_features_of_a_network_whose_attention_is_recognised(kind, x):
    network = nn.Sequential(nn.Conv2d(3, 16, 3), kind(16)).eval()
    ((name, layer),) = attnviz.trace(network, x).layers.items()
    around = attnviz.features(network, x, name)
    np.testing.assert_allclose(around.after, around.before * layer.factor(), atol=1e-5)
    assert around.before.shape == layer.shape and not np.array_equal(around.before, around.after)


def test_each_run_of_a_module_has_its_own_features_and_one_pass_gives_several_layers(x):
    network, runs = stirred(18, "se"), []
    network.layer1[1].attention = network.layer1[0].attention
    attnviz.find(network)  # recognising runs it too, once
    network.layer1[0].attention.register_forward_hook(
        lambda _module, inputs, output: runs.append((inputs[0][0].clone(), output[0].clone()))
    )
    around = features_of_layers(network, x, ("layer1.0 #2", "layer1.0", "layer4.1"))
    assert list(around) == ["layer1.0 #2", "layer1.0", "layer4.1"] and len(runs) == 2
    for name, (before, after) in zip(("layer1.0", "layer1.0 #2"), runs):
        assert np.array_equal(around[name].before, before) and np.array_equal(around[name].after, after)


def test_features_of_what_has_none_are_a_sentence(x):
    network = stirred(18, "se")
    with pytest.raises(attnviz.TraceError, match="no layer “nowhere”"):
        attnviz.features(network, x, "nowhere")
    choosing = timm.create_model("skresnet18", pretrained=False)
    name = next(iter(attnviz.trace(choosing, x).layers))
    with pytest.raises(attnviz.TraceError, match="no before and after"):
        attnviz.features(choosing, x, name)
    assert hook_count(network) == hook_count(choosing) == 0
