"""A network's own class activation map."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.small_networks import hook_count, stirred
from torch import nn

from attnviz.training.grad_cam import grad_cam


@pytest.mark.parametrize("attention", [None, "cbam"])
def test_before_a_mean_and_one_layer_grad_cam_is_the_class_activation_map(attention):
    """As in Selvaraju et al., section 3.1: there a channel's weight is that of the layer, divided by the
    positions."""
    network, x = stirred(18, attention), torch.randn(3, 96, 128)
    beginning = nn.Sequential(*(child for name, child in network.named_children() if name not in LAST))
    with torch.no_grad():
        features = beginning(x[None])[0]
        expected = torch.einsum("k,khw->hw", network.fc.weight[2], features).relu() / features[0].numel()
    found = grad_cam(network, x, 2)
    assert found.shape == (3, 4) and found.max() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


LAST = ("avgpool", "fc")


def test_a_network_comes_back_as_it_was():
    network = stirred(18, "cbam").train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with torch.no_grad():
        grad_cam(network, torch.randn(3, 64, 64), 0)
    assert network.training and hook_count(network) == 0
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_frozen_weights_have_one_too_and_features_of_one_position_none():
    network, x = stirred(18, "se").requires_grad_(False), torch.randn(3, 64, 64)
    assert grad_cam(network, x, 1).shape == (2, 2)
    flat = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    assert grad_cam(flat, x, 1) is None
