"""Factors are what the features were multiplied by: seen by hooks of the tests' own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import attention_modules
from helpers.small_networks import stirred
from torch import nn

import attnviz
from attnviz.capture.taps import find_taps

ALL = [(18, "se"), (18, "cbam"), (18, "bam"), (50, "se"), (50, "cbam"), (50, "bam")]


def inside(network: nn.Module, x: torch.Tensor) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """What went into and came out of every attention module, seen by hooks of the test's own."""
    seen, handles = {}, []
    for tap in find_taps(dict(network.named_modules())):

        def hook(_module, inputs, output, layer=tap.layer):
            seen[layer] = inputs[0].clone(), output.clone()

        handles.append(tap.module.register_forward_hook(hook))
    with torch.inference_mode():
        network(x)
    for handle in handles:
        handle.remove()
    return seen


def check_reconstruction(network: nn.Module, x: torch.Tensor) -> None:
    seen = inside(network, x)
    for row, trace in enumerate(attnviz.traces(network, x)):
        assert list(trace.layers) == list(seen)
        for name, layer in trace.layers.items():
            before, after = (side[row].numpy() for side in seen[name])
            assert layer.factor().dtype == np.float32
            assert layer.factor().shape == layer.shape == before.shape
            np.testing.assert_allclose(
                before * layer.factor(), after, rtol=1e-5, atol=1e-6 * np.abs(after).max()
            )


@pytest.mark.parametrize(("depth", "attention"), ALL)
def test_block_input_times_factor_is_block_output(depth, attention):
    check_reconstruction(stirred(depth, attention), torch.randn(2, 3, 70, 101))


@pytest.mark.parametrize("name", ["se_resnet18", "cbam_resnet18", "bam_resnet18"])
def test_block_input_times_factor_is_block_output_in_the_trained_networks(name):
    check_reconstruction(attnviz.load(name), torch.randn(2, 3, 96, 130))


@pytest.mark.parametrize(("depth", "attention"), ALL)
def test_a_photo_alone_and_in_a_batch_agree(depth, attention):
    # In double precision, so that only a real difference shows: float32 kernels round differently for other
    # batch sizes.
    network, x = stirred(depth, attention).double(), torch.randn(4, 3, 64, 80).double()
    for index, together in enumerate(attnviz.traces(network, x, batch_size=4)):
        alone = attnviz.trace(network, x[index])
        np.testing.assert_allclose(alone.logits, together.logits, atol=1e-6)
        for name, layer in alone.layers.items():
            np.testing.assert_allclose(layer.factor(), together.layers[name].factor(), atol=1e-6)


@pytest.mark.parametrize(("depth", "attention"), ALL)
def test_logits_with_capture_are_those_without_bit_for_bit(depth, attention):
    network, x = stirred(depth, attention), torch.randn(3, 3, 64, 64)
    with torch.inference_mode():
        bare = network(x).numpy()
    assert np.array_equal(np.stack([trace.logits for trace in attnviz.traces(network, x)]), bare)


def test_se_weighs_channels_only_and_bam_has_branches():
    x = torch.randn(3, 64, 64)
    se = attnviz.trace(stirred(18, "se"), x).layers["layer2.0"]
    assert se.spatial is None and se.channel.shape == (16,) and se.channel_logits is None
    bam = attnviz.trace(stirred(18, "bam"), x).layers["bam2"]
    assert bam.channel_logits.shape == (16,) and bam.spatial_logits.shape == (8, 8)
    np.testing.assert_allclose(bam.channel, bam.factor().mean((1, 2)), atol=1e-5)
    np.testing.assert_allclose(bam.spatial, bam.factor().mean(0), atol=1e-5)


def test_gates_stay_in_their_closed_ranges():
    x = 50 * torch.randn(3, 64, 64)
    for attention, (low, high) in {"se": (0, 1), "cbam": (0, 1), "bam": (1, 2)}.items():
        for layer in attnviz.trace(stirred(18, attention), x).layers.values():
            for values in (layer.channel, layer.spatial, layer.factor()):
                assert values is None or (values.min() >= low and values.max() <= high)


def test_the_gates_know_no_class():
    network, x = stirred(18, "cbam"), torch.randn(3, 64, 64)
    before = attnviz.trace(network, x)
    for parameter in (*network.layer4.parameters(), *network.fc.parameters()):
        nn.init.normal_(parameter)
    after = attnviz.trace(network, x)
    assert not np.array_equal(before.logits, after.logits)
    for name in ("layer1.0", "layer2.1", "layer3.1"):
        assert np.array_equal(before.layers[name].factor(), after.layers[name].factor())


def test_one_photo_in_place_of_many_is_refused():
    with pytest.raises(TypeError, match="one photo"):
        attnviz.traces(stirred(18, "se"), "dog.jpg")


def test_a_view_that_does_not_exist_is_refused_at_the_call():
    with pytest.raises(ValueError, match="left half"):
        attnviz.traces(stirred(18, "se"), [], view="left half")


def test_find_lists_what_trace_reads(cbam):
    network = attention_modules.Tiny(attention_modules.FunctionalCBAM(16), 16).eval()
    network(torch.randn(1, 3, 32, 32))
    (row,) = attnviz.find(network, torch.randn(1, 3, 32, 40))
    assert (row.layer, row.kind, row.how, row.module) == ("block", "both", "recognised", "FunctionalCBAM")
    assert (row.shape, row.channel, row.spatial) == ((16, 16, 20), (16,), (16, 20))
    assert [(row.layer, row.how) for row in attnviz.find(cbam)][:2] == [
        ("layer1.0", "declared"),
        ("layer1.1", "declared"),
    ]
