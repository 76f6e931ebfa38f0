"""A page can ask for a network with changed gates, and gets what the library computes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from helpers.encoded_captures import unpacked
from helpers.page_client import TEMPLE, error_of

import attnviz
from attnviz.server.inference import changed_trace

OFF = {"layer3.0": [{"edit": "off"}]}
USUAL = {"layer3.0": [{"edit": "usual"}], "layer4.0": [{"edit": "usual"}]}


@pytest.fixture
def changes() -> list[tuple]:
    """The edits of each pass of a changed network."""
    return []


@pytest.fixture
def client(visitor, passes, changes):
    """A visitor of a page that counts such passes."""

    def changed(network, before, edits, view, usual):
        changes.append(tuple(edits))
        return changed_trace(network, before, edits, view, usual)

    return visitor(compute=passes.compute(changed=changed))


@pytest.mark.parametrize("edits", [OFF, USUAL], ids=["off", "usual"])
def test_a_capture_of_a_changed_network_is_what_the_library_says(client, cbam, examples, edits):
    expected = attnviz.intervene(
        attnviz.fast(cbam), examples / "temple.jpg", attnviz.edits_from_json(edits), view="whole"
    )
    capture = client.viewer.capture({**TEMPLE, "edits": edits})
    arrays = unpacked(capture["arrays"])
    for layer in capture["layers"]:
        after = expected.after.layers[layer["name"]]
        for part in ("channel", "map"):
            np.testing.assert_allclose(arrays[layer["arrays"][part]], getattr(after, part), atol=1e-4)
    assert [label for label, _ in capture["top"]] == [label for label, _ in expected.after.top(5)]
    change = capture["change"]
    assert change["edits"] == capture["asked"]["edits"] == edits
    assert change["isOther"] == expected.changed
    assert change["scoreChange"] == pytest.approx(expected.score_change, abs=1e-4)
    assert change["moved"] == pytest.approx(expected.moved, abs=1e-6)
    assert change["before"] == [list(row) for row in expected.before.top(5)]
    shares = dict(expected.before.top(10))
    assert change["sharesBefore"] == [shares[label] for label, _ in capture["top"]]
    assert any("not the network that was trained" in remark["en"] for remark in capture["remarks"])


def test_a_network_as_it_is_has_no_change(client):
    assert "change" not in client.viewer.capture({**TEMPLE, "edits": {}})


def test_the_same_edits_take_one_pass_behind_that_of_the_network_as_it_is(client, passes, changes):
    client.viewer.capture({**TEMPLE, "edits": OFF})
    client.viewer.capture(TEMPLE)
    client.viewer.capture({**TEMPLE, "edits": {"layer3.0": "off"}})
    assert len(passes.traced) == 1 and changes == [("layer3.0",)]


def test_a_photo_that_is_deleted_takes_its_changed_passes_with_it(client, changes, noise_file):
    photo = client.add_photo(noise_file)["photo"]
    asked = {**TEMPLE, "photo": photo, "edits": OFF}
    assert "change" in client.viewer.capture(asked)
    client.ask("remove_photo", photo=photo)
    assert "no longer here" in error_of(client.viewer.capture(asked))
    assert [key for key in client.service.inference.traces.keys() if key.edits] == []


@pytest.mark.parametrize(
    ("edits", "sentence"),
    [
        ({"layer9.9": "off"}, "no layer “layer9.9”"),
        ({"layer3.0": {"edit": "set", "channel": [[10**4, 0]]}}, "there is no channel 10000"),
        ({"layer3.0": {"edit": "patch", "photo": "/etc/passwd"}}, "Another photo’s gates"),
        ("off", "no edit of a gate"),
    ],
)
def test_edits_that_can_not_be_made_are_answered_with_a_sentence(client, edits, sentence):
    assert sentence in error_of(client.viewer.capture({**TEMPLE, "edits": edits}))


def test_features_of_a_changed_network_are_not_taken_from_the_network_as_it_is(client):
    asked = {**TEMPLE, "layer": "layer4.1", "channel": 7, "edits": OFF}
    for answer in (client.viewer.channel(asked), client.viewer.gallery(asked)):
        assert "as it is" in error_of(answer)


def test_what_is_saved_of_a_changed_network_says_so_and_makes_it_again(client):
    shown = [{**TEMPLE, "edits": OFF}]
    request = {"what": "screen", "tab": "explore", "layer": "layer4.1", "channel": 7, "shown": shown}
    path = Path(unquote(client.viewer.save(request)["url"].removeprefix("gradio_api/file=")))
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    (entry,) = json.loads(files["manifest.json"])["traces"]
    assert entry["edits"] == {"layers": OFF, "recompute": True}
    assert any("not the network that was trained" in remark for remark in entry["remarks"])
    assert all("(changed network)" in row for row in files["channels.csv"].decode().splitlines()[1:])
    capture = client.viewer.capture(shown[0])
    layer = next(layer for layer in capture["layers"] if layer["name"] == "layer4.1")
    expected = unpacked(capture["arrays"])[layer["arrays"]["channel"]]
    with np.load(io.BytesIO(files["arrays.npz"])) as arrays:
        np.testing.assert_allclose(arrays["layer4.1.channel"], expected, atol=1e-4)
