"""How gates are measured, against the formulas over arrays of made-up gates, all of them at once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from helpers.small_networks import stirred

import attnviz
from attnviz.capture.layer_attention import LayerAttention, Step
from attnviz.capture.trace import Trace
from attnviz.photos.geometry import Recipe, Region
from attnviz.training.following import following
from attnviz.training.gates import GateMeter, LayerGates, Share, saturated_in
from attnviz.training.moments import Moments

PHOTOS, CHANNELS, GRID = 7, 12, (14, 21)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


def trace_of(*layers: LayerAttention) -> Trace:
    region = Region((0.0, 0.0, 4.0, 4.0), (4, 4))
    made = {layer.name: layer for layer in layers}
    return Trace("made up", torch.zeros(3, 4, 4), Recipe(), region, np.zeros(2, np.float32), ("a", "b"), made)


def measured(layers: list[LayerAttention], activations: np.ndarray | None = None) -> LayerGates:
    """One layer over photos, each with its class activation map."""
    meter = GateMeter()
    for number, layer in enumerate(layers):
        meter.add(trace_of(layer), None if activations is None else activations[number])
    return meter.measured()[0]


def cbam(channel: np.ndarray, plane: np.ndarray | None, *steps: Step) -> LayerAttention:
    return LayerAttention("layer1.0", "cbam", (len(channel), *GRID), channel, plane, steps=steps)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return torch.from_numpy(np.asarray(values)).sigmoid().float().numpy()


def test_channel_gates_are_measured_over_all_photos(random):
    gates = sigmoid(random.normal(0, 3, (PHOTOS, CHANNELS)))
    layer = measured([cbam(own, None) for own in gates])
    whole = gates.astype(float)
    assert layer.mean == pytest.approx(whole.mean())
    assert layer.saturated == Share(int(((gates < 0.05) | (gates > 0.95)).sum()), gates.size)
    assert layer.across_channels == pytest.approx(whole.std(1).mean())
    assert layer.across_photos == pytest.approx(whole.std(0).mean())
    assert layer.map_range is None and layer.map_explained is None and layer.map_following is None
    assert layer.map_saturated == Share() and layer.all_off == Share()


def test_maps_are_measured_over_all_photos_and_cells(random):
    maps = sigmoid(random.normal(0, 2, GRID) + random.normal(0, 1, (PHOTOS, *GRID)))
    layer = measured([cbam(np.full(CHANNELS, 0.5, np.float32), own) for own in maps])
    assert layer.map_range == pytest.approx(np.ptp(maps.reshape(PHOTOS, -1), axis=1).mean())
    assert layer.map_saturated == Share(int(((maps < 0.05) | (maps > 0.95)).sum()), maps.size)
    whole = maps.astype(float)
    assert layer.map_explained == pytest.approx(whole.mean(0).var() / whole.var())


@pytest.mark.parametrize("formula", ["bam sum", "bam product"])
def test_of_bam_the_joint_gate_is_measured(formula, random):
    channel = random.normal(0, 3, (PHOTOS, CHANNELS)).astype(np.float32)
    spatial = random.normal(0, 3, (PHOTOS, *GRID)).astype(np.float32)
    both = channel[:, :, None, None], spatial[:, None]
    joint = sigmoid(both[0] + both[1] if formula == "bam sum" else both[0] * both[1]).astype(float)
    layers = [
        LayerAttention(
            *("bam1", "bam", (CHANNELS, *GRID)),
            channel=1 + joint[n].mean((1, 2)),
            spatial=1 + joint[n].mean(0),
            channel_logits=channel[n],
            spatial_logits=spatial[n],
            formula=formula,
        )
        for n in range(PHOTOS)
    ]
    layer = measured(layers)
    channels, maps = joint.mean((2, 3)), joint.mean(1)
    assert layer.mean == pytest.approx(joint.mean(), abs=1e-6)
    assert layer.across_channels == pytest.approx(channels.std(1).mean(), abs=1e-6)
    assert layer.across_photos == pytest.approx(channels.std(0).mean(), abs=1e-6)
    assert layer.map_range == pytest.approx(np.ptp(maps.reshape(PHOTOS, -1), axis=1).mean(), abs=1e-6)
    assert layer.map_explained == pytest.approx(maps.mean(0).var() / maps.var(), abs=1e-6)
    share = ((joint < 0.05) | (joint > 0.95)).mean()
    assert layer.saturated == layer.map_saturated and layer.saturated.whole == joint.size
    assert layer.saturated.value == pytest.approx(share, abs=1e-3)  # some lie within rounding of the end


def test_a_photo_counts_as_off_where_no_hidden_unit_is_on_in_any_pass():
    def layer(average: list[float], maximum: list[float]) -> LayerAttention:
        steps = {"average_hidden": average, "maximum_hidden": maximum, "average": [0.0, 0.0]}
        made = (Step(name, np.array(values, np.float32)) for name, values in steps.items())
        return cbam(np.full(2, 0.5, np.float32), None, *made)

    layers = [layer([0, 0], [0, 0]), layer([0, 1], [0, 0]), layer([0, 0], [2, 0]), layer([0, 0], [0, 0])]
    assert measured(layers).all_off == Share(2, 4)


def test_factors_that_can_not_be_known_count_nowhere():
    gates = np.array([[0.02, np.nan, 0.5], [0.4, np.nan, np.nan]], np.float32)
    layer = measured([cbam(own, None) for own in gates])
    assert layer.saturated == Share(1, 3)
    assert layer.mean == pytest.approx(np.nanmean(np.nanmean(gates.astype(float)[:, [0, 2]], 0)))
    assert layer.across_channels == pytest.approx(np.nanstd(gates.astype(float), 1).mean())


def test_maps_of_several_sizes_have_no_mean_map():
    maps = [np.linspace(0, 1, cells * cells, dtype=np.float32).reshape(cells, cells) for cells in (4, 6)]
    layer = measured([cbam(np.full(2, 0.5, np.float32), own) for own in maps])
    assert layer.map_explained is None and layer.map_range == pytest.approx(1)


def test_saturation_over_a_network_counts_each_number_once():
    layers = [LayerGates("a", saturated=Share(1, 4)), LayerGates("b", saturated=Share(0, 12))]
    assert saturated_in(layers) == (Share(1, 16), Share())


def test_moments_are_those_of_all_arrays_at_once_but_for_nan(random):
    arrays = 1e4 + random.normal(0, 1, (50, 3, 4))
    arrays[random.random(arrays.shape) < 0.2] = np.nan
    moments = Moments()
    for values in arrays:
        moments.add(values)
    np.testing.assert_allclose(moments.means, np.nanmean(arrays, 0), rtol=1e-12)
    np.testing.assert_allclose(moments.variances, np.nanvar(arrays, 0), rtol=1e-9)
    with pytest.raises(ValueError, match=r"\(3, 4\) and of \(2,\)"):
        moments.add(np.zeros(2))


@pytest.mark.parametrize(("noise", "share"), [(0.0, 1.0), (1e9, 0.02)])
def test_the_mean_explains_all_of_arrays_that_are_the_same_and_little_of_noise(noise, share, random):
    same, moments = random.normal(0, 1, (8, 8)), Moments()
    for _ in range(50):
        moments.add(same + random.normal(0, noise, (8, 8)))
    assert moments.explained == pytest.approx(share, abs=0.01)
    constant = Moments()
    constant.add(np.ones(4))
    assert constant.explained is None and Moments().explained is None


def test_following_is_the_mean_correlation_with_the_own_photo_minus_that_with_others(random):
    activations = random.normal(0, 1, (6, 49))
    maps = 0.5 * activations + random.normal(0, 1, (6, 49)) + np.linspace(0, 3, 49)
    found = following(maps, activations)
    every = np.corrcoef(maps, activations)[:6, 6:]
    assert found.own == pytest.approx(np.diag(every).mean())
    assert found.others == pytest.approx(every[~np.eye(6, dtype=bool)].mean())
    assert found.difference == pytest.approx(found.own - found.others)


def test_chance_is_the_spread_over_all_pairings_of_photos(random):
    maps, activations = random.normal(0, 1, (2, 5, 9))
    differences = [
        following(maps, activations[list(order)]).difference for order in itertools.permutations(range(5))
    ]
    assert np.mean(differences) == pytest.approx(0, abs=1e-12)
    assert following(maps, activations).chance == pytest.approx(np.std(differences))


def test_a_map_that_does_not_vary_follows_nothing(random):
    assert following(np.full((4, 9), 0.3), random.random((4, 9))).difference == 0
    assert following(np.ones((1, 9)), np.ones((1, 9))) is None


def test_maps_that_are_the_class_activation_on_a_finer_grid_follow_it(random):
    activations = random.random((PHOTOS, 7, 7)).astype(np.float32)
    maps = activations.repeat(2, 1).repeat(3, 2)
    channel = np.full(CHANNELS, 0.5, np.float32)
    layer = measured([cbam(channel, own) for own in maps], activations)
    assert layer.map_following.own == pytest.approx(1)
    assert layer.map_following.difference > 5 * layer.map_following.chance


@pytest.mark.parametrize("attention", ["se", "cbam", "bam"])
def test_every_layer_of_a_network_is_measured(attention):
    network, meter = stirred(18, attention), GateMeter()
    found = list(attnviz.traces(network, torch.randn(4, 3, 64, 64), steps=True))
    for trace in found:
        meter.add(trace)
    layers = meter.measured()
    assert [layer.layer for layer in layers] == list(found[0].layers)
    assert all(layer.all_off.whole == 4 and layer.saturated.whole for layer in layers)
    assert all((layer.map_range is None) == (attention == "se") for layer in layers)
