"""The manifest says what was done; file names are safe and differ."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace

import pytest
import torch
from helpers.bundles import NOISE, noise_photo, selection_of
from helpers.doubtful_networks import doubting
from helpers.small_networks import stirred

from attnviz.drawing.look import Look
from attnviz.export.bundle import bundle
from attnviz.export.manifest import file_names


def test_the_manifest_is_strict_json_and_says_what_was_done():
    selection = replace(selection_of(stirred(18, "cbam"), noise_photo()), layers=("layer4.1",))
    trace, files = selection.trace, dict(bundle([selection], Look()))
    contents = json.loads(files["manifest.json"], parse_constant=lambda constant: pytest.fail(constant))
    (entry,) = contents["traces"]
    assert entry["photo"]["rgb_sha256"] == hashlib.sha256(NOISE.tobytes()).hexdigest()
    assert entry["preprocessing"]["input_size"] == list(trace.region.size) == [256, 398]
    assert entry["predictions"][0]["label"] == trace.top(1)[0][0]
    assert entry["doubtful"] is None and entry["doubt"] is None
    assert entry["layers"]["layer4.1"]["shape"] == [64, 8, 13]
    assert contents["versions"]["torch"] == torch.__version__
    assert contents["settings"] == {
        "opacity": 0.6,
        "colormap": "viridis",
        "scale": "fixed",
        "smooth": False,
        "way": "colours",
        "dark": False,
        "order": "index",
        "bars": "fixed",
    }
    assert entry["channels"] == contents["beside"] == contents["pairs"] == []


def test_names_become_safe_file_names_that_differ():
    names = ["layer3.1", "layer3.1 #2", "layer3.1-2", "LAYER3.1", "../x", "a:b\\c", "", "層"]
    assert file_names(names) == [
        "layer3.1",
        "layer3.1-2",
        "layer3.1-2-2",
        "LAYER3.1-3",
        "x",
        "a-b-c",
        "unnamed",
        "層",
    ]
    assert len(file_names(["a" * 300])[0]) <= 80


def test_the_manifest_says_that_an_answer_is_doubtful_and_how_that_is_known():
    selection = replace(selection_of(doubting(1.1), noise_photo()), layers=("layer4.1",))
    (entry,) = json.loads(dict(bundle([selection], Look()))["manifest.json"])["traces"]
    assert entry["doubtful"] is True and entry["doubt"] == asdict(selection.trace.doubt)
