"""Tables hold the trace's numbers, to six digits, and no formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.bundles import noise_photo, table
from helpers.made_traces import layer, random_map, trace_of
from helpers.small_networks import stirred

import attnviz
from attnviz.drawing.channel import Channel
from attnviz.drawing.pair import Pair
from attnviz.export.tables import (
    answers_table,
    channel_table,
    channels_table,
    layers_table,
    map_table,
    pair_table,
    photos_table,
    steps_table,
    weights_table,
)


def column(rows: list[dict[str, str]], name: str) -> list[float]:
    return [float(row[name]) if row[name] else np.nan for row in rows]


def test_the_table_has_a_row_for_every_channel():
    trace = attnviz.trace(stirred(18, "cbam"), noise_photo())
    rows = table(channels_table([(trace, tuple(trace.layers))]))
    assert len(rows) == sum(len(attention.channel) for attention in trace.layers.values())
    assert list(rows[0]) == ["photo", "network", "layer", "channel", "weight"]
    for row in rows:
        weight = trace.layers[row["layer"]].channel[int(row["channel"])]
        assert float(row["weight"]) == pytest.approx(float(weight), rel=5e-6)
        assert len(row["weight"].lstrip("0.").partition("e")[0].replace(".", "")) <= 6


def test_an_unknown_weight_is_an_empty_cell_and_a_layer_without_weights_has_no_rows():
    known = layer(None, "se", np.array([0.5, np.nan], np.float32))
    for attention, weights in ((known, ["0.5", ""]), (replace(known, channel=None), [])):
        rows = table(channels_table([(trace_of(attention), ("layer4.1",))]))
        assert [row["weight"] for row in rows] == weights


@pytest.mark.parametrize(
    "name",
    [
        "=1.png",
        "+1.png",
        "@x.png",
        "＝1.png",
        "＋1.png",
        "－1.png",
        "＠x.png",
        "﹦1.png",
        "−1.png",
        " =1.png",
        "\u3000＝1",
        "\ufeff=1",
    ],
)
def test_a_file_name_is_no_formula(name):
    trace = replace(trace_of(layer(None, "se"), name=name), network="-1+1")
    row = table(channels_table([(trace, ("layer4.1",))]))[0]
    assert (row["photo"], row["network"]) == (f"'{name}", "'-1+1")


def test_a_map_has_a_row_a_cell():
    values = random_map(3, 5)
    values[1, 2] = np.nan
    rows = table(map_table(layer(values)))
    assert [(row["row"], row["column"]) for row in rows[:6]] == [
        *(("1", str(column)) for column in range(1, 6)),
        ("2", "1"),
    ]
    np.testing.assert_allclose(column(rows, "gate"), values.ravel(), rtol=1e-5)


def test_a_layers_weights_have_a_row_a_channel():
    weights = np.linspace(0, 1, 16, dtype=np.float32)
    rows = table(weights_table(layer(None, "se", weights)))
    np.testing.assert_allclose(column(rows, "gate"), weights, rtol=1e-5)


def test_a_channel_is_before_times_gate_is_after():
    attention = layer(random_map(2, 3))
    before = np.arange(6, dtype=np.float32).reshape(2, 3)
    features = Channel("layer4.1", 7, before, before * attention.factor()[7])
    rows = table(channel_table(attention, features))
    product = np.multiply(column(rows, "before"), column(rows, "gate"))
    np.testing.assert_allclose(product, column(rows, "after"), rtol=1e-4)


def test_steps_have_a_row_a_number_under_the_step_that_it_is_of():
    trace = attnviz.trace(stirred(18, "cbam"), noise_photo())
    attention = trace.layers["layer4.1"]
    rows = table(steps_table(attention))
    for step in attention.steps:
        of_step = [row for row in rows if row["step"] == step.name]
        np.testing.assert_allclose(column(of_step, "value"), step.values.ravel(), rtol=1e-5, atol=1e-30)
        assert all(bool(row["channel"]) == (step.values.ndim == 1) for row in of_step)
    gates = [row for row in rows if row["step"] == "spatial"]
    np.testing.assert_allclose(column(gates, "value"), attention.spatial.ravel(), rtol=1e-5)


def test_answers_are_all_classes_the_most_like_first():
    rows = table(answers_table(trace_of(layer(None, "se"))))
    assert [row["class"] for row in rows] == ["$c$", "b", "a"]
    np.testing.assert_allclose(
        column(rows, "probability"), np.exp([2, 1, 0]) / np.exp([2, 1, 0]).sum(), rtol=1e-5
    )


def test_photos_have_their_mean_and_deviation_for_each_channel():
    weights = np.random.default_rng(0).random((3, 16)).astype(np.float32)
    traces = [trace_of(layer(None, "se", row), name=f"{name}.png") for name, row in enumerate(weights)]
    rows = table(photos_table(traces, "layer4.1"))
    np.testing.assert_allclose(column(rows, "mean"), weights.mean(0), rtol=1e-5)
    np.testing.assert_allclose(column(rows, "standard deviation"), weights.std(0), rtol=1e-4)
    np.testing.assert_allclose(column(rows, "2.png"), weights[2], rtol=1e-5)


def test_layers_have_the_numbers_of_their_weights_and_maps():
    values, weights = random_map(), np.linspace(0, 1, 16, dtype=np.float32)
    (row,) = table(layers_table([(trace_of(layer(values, channel=weights)), ("layer4.1",))]))
    numbers = [float(text) for text in list(row.values())[3:]]
    expected = [weights.mean(), weights.std(), values.min(), values.max()]
    np.testing.assert_allclose(numbers, expected, rtol=1e-5)
    (row,) = table(layers_table([(trace_of(layer(None, "se", weights)), ("layer4.1",))]))
    assert (row["map least"], row["map greatest"]) == ("", "")


def test_a_pair_has_a_row_a_channel_and_leaves_the_unknown_empty():
    a, b = (np.random.default_rng(seed).random(16).astype(np.float32) for seed in (0, 1))
    a[9] = np.nan
    first, second = (trace_of(layer(None, "se", weights)) for weights in (a, b))
    rows = table(pair_table(Pair("layer4.1", first, second)))
    assert list(rows[9].values())[1] == list(rows[9].values())[3] == ""
    np.testing.assert_allclose(column(rows, "difference"), b - a, rtol=1e-4)
