from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.small_networks import stirred

import attnviz
from attnviz.training.liveliness import liveliness


def test_liveliness_is_the_three_spreads_over_photos():
    traces = list(attnviz.traces(stirred(18, "cbam"), torch.randn(5, 3, 64, 64)))
    row = liveliness(traces)[2]
    channels = np.stack([trace.layers["layer2.0"].channel for trace in traces]).astype(float)
    assert row.layer == "layer2.0"
    assert row.across_channels == pytest.approx(channels.std(1).mean())
    assert row.across_photos == pytest.approx(channels.std(0).mean())
    assert row.across_positions == pytest.approx(
        np.mean([np.ptp(trace.layers["layer2.0"].spatial) for trace in traces])
    )


def test_a_dead_gate_is_not_alive():
    network = stirred(18, "se")
    for module in network.modules():
        if hasattr(module, "fc2"):
            torch.nn.init.zeros_(module.fc2.weight)  # every gate is 0.5
    for row in liveliness(attnviz.traces(network, torch.randn(3, 3, 64, 64))):
        assert row.mean == 0.5 and row.alive == {"across_channels": False, "across_photos": False}
