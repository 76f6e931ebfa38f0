from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.made_traces import layer, trace_of

from attnviz import LayerAttention, Trace
from attnviz.analysis import SCALES, map_range, stage_of, summary


def test_summary_counts_saturation_of_the_gate():
    values = np.array([0.05, 0.5, 0.95, 1.0])
    numbers = summary(values, "se")
    assert (numbers.mean, numbers.least, numbers.greatest) == (0.625, 0.05, 1.0)
    assert (numbers.high_share, numbers.low_share) == (0.5, 0.25)
    assert numbers.std == pytest.approx(values.std())
    joint = summary(values + 1, "bam")
    assert (joint.high_share, joint.low_share, joint.mean) == (0.5, 0.25, 1.625)


def test_each_scale_spans_the_maps_that_it_names():
    def network(**maps: list[float]) -> Trace:
        layers = {name: layer(np.array([values], np.float32), name=name) for name, values in maps.items()}
        return replace(trace_of(layers["bam3"]), layers=layers)

    trace = network(layer2=[0.0, 1.0], layer3=[0.25, 0.5], bam3=[0.375, 0.75])
    other = network(bam3=[0.5, 1.5], layer3=[np.nan, np.nan])
    ranges = {scale: map_range(trace, "bam3", scale, [trace, other]) for scale in SCALES}
    assert ranges == {
        "fixed": (0, 1),
        "map": (0.375, 0.75),
        "stage": (0.25, 0.75),
        "network": (0, 1),
        "shown": (0, 1.5),
    }
    assert map_range(other, "layer3", "map") == (0, 1)
    with pytest.raises(ValueError, match="stretched"):
        map_range(trace, "bam3", "stretched")


def test_shares_of_a_context_are_on_no_scale_with_factors():
    pooling = np.array([[0.25, 0.75]], np.float32)
    shares = LayerAttention("layer4.0", "gc", (16, 1, 2), pooling=pooling, formula="none")
    trace = trace_of(layer(np.array([[0.0, 1.0]], np.float32)))
    trace = replace(trace, layers={**trace.layers, "layer4.0": shares})
    assert map_range(trace, "layer4.0", "network") == (0.25, 0.75)


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("layer3.1", "stage 3"),
        ("bam3", "after stage 3"),
        ("features.stage3.unit2.se", "stage 3"),
        ("blocks.3.0", "stage 3"),
        ("neck", ""),
    ],
)
def test_a_layers_name_says_its_stage(name, stage):
    assert stage_of(name) == stage


@pytest.mark.parametrize("values", [np.array([np.nan, 0.25, np.inf]), np.array([np.nan, np.nan])])
def test_what_is_undefined_is_left_out_and_counted(values):
    numbers, finite = summary(values, "se"), values[np.isfinite(values)]
    assert numbers.undefined == len(values) - len(finite)
    expected = float(finite.mean()) if len(finite) else float("nan")
    assert numbers.mean == pytest.approx(expected, nan_ok=True)
