"""The page without a server changes gates: its numbers are the library's, and so is what is said of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.site_page import FEATURES, assert_as_traced, captured
from playwright.sync_api import Error

import attnviz
from attnviz._paths import EXAMPLES_FOLDER
from attnviz.interventions.intervention import changed_features

CHANGED = [
    ("se_resnet18", "whole", {"layer4.1": [{"edit": "usual"}], "layer2.0": [{"edit": "off"}]}),
    ("cbam_resnet18", "crop", {"layer1.0": [{"edit": "usual"}], "layer3.0": [{"edit": "flat"}]}),
    ("cbam_resnet18", "whole", {"layer3.1": [{"edit": "patch", "photo": "example:cat"}]}),
    ("bam_resnet18", "crop", {"bam2": [{"edit": "usual"}], "bam3": [{"edit": "usual", "part": "spatial"}]}),
    ("bam_resnet18", "whole", {"bam1": [{"edit": "set", "channel": [[3, 2.0]], "cells": [[0, 1, 2.5]]}]}),
    ("bam_resnet18", "whole", {"all": [{"edit": "usual"}]}),
]


@pytest.mark.parametrize(("name", "view", "edits"), CHANGED)
def test_changed_gates_are_the_librarys_and_so_is_what_is_said_of_them(
    site_page, networks, name, view, edits
):
    from attnviz.viewer.encoding import pack

    photo = EXAMPLES_FOLDER / "springer.jpg"
    asked = json.loads(json.dumps(edits).replace("example:cat", str(EXAMPLES_FOLDER / "cat.jpg")))
    result = attnviz.intervene(networks[name], photo, attnviz.edits_from_json(asked), view=view)
    found = captured(site_page, "example:springer", name, view, edits)
    assert_as_traced(found, result.after)
    about = {"photo": "example:springer", "network": name, "view": view, "example": True, "edits": edits}
    packed = json.loads(json.dumps(pack(result.after, networks[name].card, about, result.before)))
    for key in ("asked", "network", "seen", "diagrams", "doubt", "remarks"):
        assert found[key] == packed[key], key
    for ours, theirs in zip(found["layers"], packed["layers"]):
        plain = {key for key in theirs if key not in ("arrays", "steps")}
        assert {key: ours[key] for key in plain} == {key: theirs[key] for key in plain}
    ours, theirs = found["change"], packed["change"]
    as_named = json.dumps(theirs["edits"]).replace(str(EXAMPLES_FOLDER / "cat.jpg"), "cat.jpg")
    assert ours["edits"] == json.loads(as_named) and ours["isOther"] == theirs["isOther"]
    assert ours["moved"] == pytest.approx(theirs["moved"], abs=1e-5)
    assert ours["scoreChange"] == pytest.approx(theirs["scoreChange"], abs=2e-4)
    assert ours["sharesBefore"] == pytest.approx(theirs["sharesBefore"], abs=1e-5)
    assert [label for label, _ in ours["before"]] == [label for label, _ in theirs["before"]]


def test_features_and_the_gallery_of_a_changed_network_are_its_own(site_page, networks):
    photo, layer = EXAMPLES_FOLDER / "springer.jpg", "layer4.0"
    edits = {"layer3.0": [{"edit": "off"}], "layer4.0": [{"edit": "usual"}]}
    network, made = networks["se_resnet18"], attnviz.edits_from_json(edits)
    features = changed_features(network, attnviz.trace(network, photo), made, [layer])[layer]
    request = {"photo": "example:springer", "network": "se_resnet18", "view": "whole", "layer": layer}
    as_it_is = site_page.evaluate(FEATURES, {**request, "channel": 7})
    before, past, *_, sizes = site_page.evaluate(FEATURES, {**request, "channel": 7, "edits": edits})
    np.testing.assert_allclose(before, features.before[7].ravel(), atol=1e-4)
    np.testing.assert_allclose(past, features.after[7].ravel(), atol=1e-4)
    np.testing.assert_allclose(sizes, np.abs(features.before).mean((1, 2)), atol=1e-4)
    assert site_page.evaluate(FEATURES, {**request, "channel": 7}) == as_it_is != [before, past, *_, sizes]


STAIRS = "([request, how]) => attnviz.viewer.host.stairs(request, { how })"


@pytest.mark.parametrize("how", ["usual", "off"])
def test_stairs_are_the_librarys(site_page, networks, how):
    photo, network = EXAMPLES_FOLDER / "springer.jpg", networks["bam_resnet18"]
    request = {"photo": "example:springer", "network": "bam_resnet18", "view": "whole"}
    stairs = site_page.evaluate(STAIRS, [request, how])
    layers = [step["layer"] for step in stairs["steps"]]
    assert stairs["how"] == how and layers == ["bam1", "bam2", "bam3"] and stairs["leftOut"] == []
    for place, step in enumerate(stairs["steps"]):
        for part, edited in (("alone", layers[place : place + 1]), ("together", layers[: place + 1])):
            found = attnviz.intervene(network, photo, dict.fromkeys(edited, how))
            share = dict(found.after.top(10))[found.before.top(1)[0][0]]
            assert step[part]["answer"] == found.answer.label and step[part]["isOther"] == found.changed
            assert step[part]["scoreChange"] == pytest.approx(found.score_change, abs=2e-4)
            assert step[part]["share"] == pytest.approx(share, abs=1e-4)
    assert [stairs["before"]["answer"], stairs["before"]["share"]] == [
        found.answer.label_before,
        pytest.approx(found.before.top(1)[0][1], abs=1e-4),
    ]


@pytest.mark.parametrize(
    ("edits", "sentence"),
    [
        ({"layer9.9": [{"edit": "off"}]}, "The gates of layer9.9 can’t be changed so in CBAM ResNet-18"),
        ({"layer3.0": [{"edit": "patch", "photo": "own:99"}]}, "that photo is no longer here"),
        (
            {"layer3.0": [{"edit": "patch", "photo": f"own:{place}"} for place in range(9)]},
            "The gates of at most 8 other photos",
        ),
    ],
    ids=["no such layer", "no such photo", "too many photos"],
)
def test_gates_that_can_not_be_changed_are_told(site_page, edits, sentence):
    with pytest.raises(Error, match=sentence):
        captured(site_page, "example:cat", "cbam_resnet18", edits=edits)
