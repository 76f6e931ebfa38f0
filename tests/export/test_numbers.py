"""The numbers of a bundle are those of the trace."""

from __future__ import annotations

import io

import numpy as np
import torch
from helpers.bundles import noise_photo, selection_of
from helpers.small_networks import stirred

from attnviz.export.numbers import arrays, arrays_npz


def test_arrays_come_back_as_they_were():
    selection = selection_of(stirred(18, "bam"), noise_photo())
    trace = selection.trace
    with np.load(io.BytesIO(arrays_npz(selection))) as stored:
        assert np.array_equal(stored["logits"], trace.logits)
        for name, attention in trace.layers.items():
            for part in ("channel", "spatial", "channel_logits", "spatial_logits"):
                assert np.array_equal(stored[f"{name}.{part}"], getattr(attention, part))
            for step in attention.steps:
                assert np.array_equal(stored[f"{name}.step.{step.name}"], step.values)


def test_the_input_is_there_only_if_no_photo_could_make_it_again():
    network, tensor = stirred(18, "se"), torch.randn(3, 64, 64)
    assert np.array_equal(arrays(selection_of(network, tensor))["input"], tensor.numpy())
    assert "input" not in arrays(selection_of(network, noise_photo()))
