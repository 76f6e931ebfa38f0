"""How large each channel's features are before its gate is kept beside the gate."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.small_networks import stirred
from torch import nn

import attnviz
from attnviz.capture.parts import sizes_of


@pytest.mark.parametrize("attention", ["se", "cbam", "bam"])
def test_sizes_are_the_mean_sizes_of_the_features_before_the_gate(attention, noise):
    network = stirred(18, attention)
    trace = attnviz.trace(network, noise)
    for name, layer in trace.layers.items():
        before = attnviz.features(network, noise, name).before
        np.testing.assert_allclose(layer.sizes, np.abs(before).mean((1, 2)), rtol=1e-4)


def test_each_photo_of_a_batch_has_its_own(noise):
    network = stirred(18, "cbam")
    photos = [noise, noise[::-1].copy()]
    alone = [attnviz.trace(network, photo).layers["layer2.0"].sizes for photo in photos]
    together = [
        trace.layers["layer2.0"].sizes for trace in attnviz.traces(network, photos, batch_size=2, steps=True)
    ]
    np.testing.assert_allclose(together, alone, rtol=1e-4)


def test_where_no_steps_are_kept_there_are_none(noise):
    (trace,) = attnviz.traces(stirred(18, "se"), [noise])
    assert trace.layers["layer1.0"].sizes is None and trace.layers["layer1.0"].steps == ()


def test_features_of_another_form_have_no_sizes():
    assert sizes_of(torch.ones(2, 3)) is None and sizes_of(torch.ones(2, 3, 4, 5, 6)) is None
    assert sizes_of(torch.ones(1, 2, 2, 2, dtype=torch.int64)) is None
    half = torch.full((1, 1, 64, 64), 60_000.0, dtype=torch.float16)  # whose sum is no number of theirs
    assert sizes_of(half)[0, 0] == pytest.approx(60_000, rel=1e-3)
    assert sizes_of(nn.Parameter(-torch.ones(1, 2, 3, 4))).tolist() == [[1, 1]]
