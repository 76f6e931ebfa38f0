from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
import torch
from conftest import stirred
from PIL import Image

import attnviz
from attnviz.export import files
from attnviz.networks.card import card_of
from attnviz.render import Look


def made(attention: str, name: str = "noise.png") -> tuple[attnviz.Trace, dict[str, bytes]]:
    network = stirred(18, attention)
    pixels = np.random.default_rng(0).integers(0, 256, (90, 140, 3), dtype=np.uint8)
    trace = attnviz.trace(network, attnviz.Photo(pixels, name))
    return trace, files(trace, card_of(network), list(trace.layers), Look(), overview=True)


def test_arrays_come_back_as_they_were():
    trace, written = made("bam")
    with np.load(io.BytesIO(written["arrays.npz"])) as arrays:
        assert np.array_equal(arrays["logits"], trace.logits)
        for name, layer in trace.layers.items():
            for part in ("channel", "spatial", "channel_logits", "spatial_logits"):
                assert np.array_equal(arrays[f"{name}.{part}"], getattr(layer, part))


def test_the_table_has_a_row_for_every_channel():
    trace, written = made("cbam")
    rows = list(csv.DictReader(io.StringIO(written["channels.csv"].decode())))
    assert len(rows) == sum(len(layer.channel) for layer in trace.layers.values())
    assert list(rows[0]) == ["photo", "network", "layer", "channel", "weight"]
    for row in rows:
        assert np.float32(row["weight"]) == trace.layers[row["layer"]].channel[int(row["channel"])]


@pytest.mark.parametrize("name", ["=HYPERLINK(1).png", "+1.png", "@x.png"])
def test_a_file_name_is_no_formula(name):
    _, written = made("se", name)
    assert next(csv.DictReader(io.StringIO(written["channels.csv"].decode())))["photo"] == f"'{name}"


def test_every_picture_opens_and_se_has_no_map():
    _, written = made("cbam")
    pictures = [name for name in written if name.endswith(".png")]
    assert len(pictures) == 3 * 8 + 1
    for name in pictures:
        assert Image.open(io.BytesIO(written[name])).size > (100, 80)
    _, written = made("se")
    assert not [name for name in written if name.endswith((".map.png", ".overlay.png"))]


def test_the_description_is_strict_json_and_says_what_was_done():
    trace, written = made("cbam")
    said = json.loads(written["trace.json"], parse_constant=lambda constant: pytest.fail(constant))
    assert said["preprocessing"]["input_size"] == list(trace.region.size) == [256, 398]
    assert said["predictions"][0]["label"] == trace.top(1)[0][0]
    assert said["layers"]["layer4.1"]["shape"] == [64, 8, 13]
    assert said["versions"]["torch"] == torch.__version__
