"""The numbers of a bundle are those of the trace."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.bundles import noise_photo, selection_of, table
from helpers.made_traces import layer, trace_of
from helpers.small_networks import stirred

from attnviz.export.numbers import arrays, arrays_npz, channels_csv
from attnviz.export.selection import Selection
from attnviz.networks.card import card_of


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


def test_the_table_has_a_row_for_every_channel():
    selection = selection_of(stirred(18, "cbam"), noise_photo())
    trace, rows = selection.trace, table(channels_csv([selection]))
    assert len(rows) == sum(len(attention.channel) for attention in trace.layers.values())
    assert list(rows[0]) == ["photo", "network", "layer", "channel", "weight"]
    for row in rows:
        assert np.float32(row["weight"]) == trace.layers[row["layer"]].channel[int(row["channel"])]


def test_an_unknown_weight_is_an_empty_cell_and_a_layer_without_weights_has_no_rows():
    network = stirred(18, "se")
    known = layer(None, "se", np.array([0.5, np.nan], np.float32))
    for attention, weights in ((known, ["0.5", ""]), (replace(known, channel=None), [])):
        selection = Selection(trace_of(attention), card_of(network), ("layer4.1",))
        assert [row["weight"] for row in table(channels_csv([selection]))] == weights


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
    network = stirred(18, "se")
    network.card = replace(card_of(network), name="-1+1")
    selection = selection_of(network, noise_photo(name))
    row = table(channels_csv([replace(selection, layers=selection.layers[:1])]))[0]
    assert (row["photo"], row["network"]) == (f"'{name}", "'-1+1")
