"""A page can ask for a network with changed gates, and gets what the library computes."""

from __future__ import annotations

import asyncio
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
from attnviz.errors import AttnvizError
from attnviz.export import reproduce
from attnviz.interventions.stairs import climb
from attnviz.server.inference import changed_trace
from attnviz.server.view_state import trace_key

OFF = {"layer3.0": [{"edit": "off"}]}
USUAL = {"layer3.0": [{"edit": "usual"}], "layer4.0": [{"edit": "usual"}]}


@pytest.fixture
def changes() -> list[tuple]:
    """The edits of each pass of a changed network."""
    return []


@pytest.fixture
def client(visitor, passes, changes):
    """A visitor of a page that counts such passes."""

    def changed(network, before, edits, view, reference):
        changes.append(tuple(edits))
        return changed_trace(network, before, edits, view, reference)

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


@pytest.mark.parametrize("network", ["se_resnet18", "bam_resnet18"])
@pytest.mark.parametrize("choice", ["off", "usual"])
def test_gates_of_every_mechanism_are_changed_and_shown(client, network, choice):
    layer = "bam2" if network.startswith("bam") else "layer2.0"
    capture = client.viewer.capture({**TEMPLE, "network": network, "edits": {layer: choice}})
    moved, names = capture["change"]["moved"], [one["name"] for one in capture["layers"]]
    assert [moved[name] > 1e-6 for name in names] == [name >= layer for name in names]
    edited = next(one for one in capture["layers"] if one["name"] == layer)
    if choice == "off":
        np.testing.assert_allclose(unpacked(capture["arrays"])[edited["arrays"]["channel"]], 1, atol=1e-6)


def test_a_network_as_it_is_has_no_change(client):
    assert "change" not in client.viewer.capture({**TEMPLE, "edits": {}})


def test_the_same_edits_take_one_pass_behind_that_of_the_network_as_it_is(client, passes, changes):
    client.viewer.capture({**TEMPLE, "edits": OFF})
    client.viewer.capture(TEMPLE)
    client.viewer.capture({**TEMPLE, "edits": {"layer3.0": "off"}})
    assert len(passes.traced) == 1 and changes == [("layer3.0",)]


def test_what_is_usual_lies_with_the_network_and_takes_no_pass(client, caplog):
    with caplog.at_level("INFO", "attnviz.passes"):
        capture = client.viewer.capture({**TEMPLE, "edits": USUAL})
    assert [record.message for record in caplog.records] == ["pass", "pass"]  # as it is, and changed
    assert not any("photos only" in remark["en"] for remark in capture["remarks"])


def test_a_photo_that_is_deleted_takes_its_changed_passes_with_it(client, changes, noise_file):
    photo = client.add_photo(noise_file)["photo"]
    asked = {**TEMPLE, "photo": photo, "edits": OFF}
    assert "change" in client.viewer.capture(asked)
    client.ask("remove_photo", photo=photo)
    assert "no longer here" in error_of(client.viewer.capture(asked))
    kept = client.service.inference.traces.keys()
    assert [key for key in kept if key.edits] == []


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


@pytest.mark.parametrize("layer", ["layer3.0", "layer4.1"])
def test_features_of_a_changed_network_are_before_and_after_its_changed_gates(client, cbam, examples, layer):
    after = attnviz.intervene(attnviz.fast(cbam), examples / "temple.jpg", {"layer3.0": "off"}).after
    asked = {**TEMPLE, "layer": layer, "channel": 7}
    answers = [client.viewer.channel({**asked, "edits": edits}) for edits in (OFF, {})]
    features, as_it_is = (
        [unpacked(one["arrays"])[one[part]] for part in ("before", "after")] for one in answers
    )
    factor = np.broadcast_to(after.layers[layer].factor()[7], features[0].shape)
    np.testing.assert_allclose(features[1], factor * features[0], atol=np.ptp(features[0]) / 1e4)
    assert not np.allclose(features[1], as_it_is[1], atol=1e-3)
    sizes = client.viewer.gallery({**asked, "edits": OFF})
    np.testing.assert_allclose(
        unpacked(sizes["arrays"])[sizes["sizes"]][7], np.abs(features[0]).mean(), rtol=1e-2
    )


def gates_of(photo: str) -> dict[str, list[dict]]:
    return {"layer3.0": [{"edit": "patch", "photo": photo}]}


def saved_files(client, shown: dict) -> dict[str, bytes]:
    """The files of a zip of what a capture shows of layer4.1 and a channel of it."""
    request = {"what": "screen", "tab": "explore", "layer": "layer4.1", "channel": 7, "shown": [shown]}
    path = Path(unquote(client.viewer.save(request)["url"].removeprefix("gradio_api/file=")))
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_another_photos_gates_are_put_in_by_its_name_and_no_path_of_ours_is_told(
    client, cbam, examples, noise_file, passes
):
    photo = client.add_photo(noise_file)["photo"]
    other = {"layer3.0": attnviz.Patch(noise_file)}
    expected = attnviz.intervene(attnviz.fast(cbam), examples / "temple.jpg", other)
    capture = client.viewer.capture({**TEMPLE, "edits": gates_of(photo)})
    assert capture["change"]["scoreChange"] == pytest.approx(expected.score_change, abs=1e-4)
    assert capture["asked"]["edits"] == gates_of(photo)
    assert capture["change"]["edits"] == gates_of(noise_file.name)
    assert str(client.service.uploads.path) not in json.dumps(capture)
    client.viewer.capture({**TEMPLE, "photo": photo})
    assert len(passes.traced) == 2  # the other photo's pass is kept as any other


def test_a_photo_that_is_deleted_takes_along_what_its_gates_were_put_into(client, noise_file):
    photo = client.add_photo(noise_file)["photo"]
    asked = {**TEMPLE, "edits": gates_of(photo)}
    assert "change" in client.viewer.capture(asked)
    client.ask("remove_photo", photo=photo)
    assert "Another photo’s gates" in error_of(client.viewer.capture(asked))
    kept = client.service.inference.traces.keys()
    assert [key for key in kept if key.edits] == []


def test_a_bundle_has_the_other_photo_and_makes_the_same_again(client, noise_file, tmp_path, capsys):
    photo = client.add_photo(noise_file)["photo"]
    files = saved_files(client, {**TEMPLE, "edits": gates_of(photo)})
    (entry,) = json.loads(files["manifest.json"])["traces"]
    ((edit,),) = entry["edits"]["layers"].values()
    assert edit["photo"] in files and entry["others"][edit["photo"]]["name"] == noise_file.name
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert reproduce.main(tmp_path, []) == 0
    (tmp_path / edit["photo"]).unlink()
    with pytest.raises(SystemExit, match="gates of another photo"):
        reproduce.main(tmp_path, [])


def test_what_is_saved_of_a_changed_network_says_so_and_makes_it_again(client, tmp_path, capsys):
    shown = {**TEMPLE, "edits": OFF}
    files = saved_files(client, shown)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert reproduce.main(tmp_path, []) == 0 and "arrays" in capsys.readouterr().out
    (entry,) = json.loads(files["manifest.json"])["traces"]
    assert entry["edits"] == {"layers": OFF, "recompute": True}
    assert any("not the network that was trained" in remark for remark in entry["remarks"])
    assert all("(changed network)" in row for row in files["channels.csv"].decode().splitlines()[1:])
    capture = client.viewer.capture(shown)
    before = {each["label"]: each["probability"] for each in entry["before"]["predictions"]}
    assert before == pytest.approx(dict(capture["change"]["before"]), abs=1e-5)
    assert entry["before"]["score_change"] == pytest.approx(capture["change"]["scoreChange"], abs=1e-4)
    layer = next(layer for layer in capture["layers"] if layer["name"] == "layer4.1")
    expected = unpacked(capture["arrays"])[layer["arrays"]["channel"]]
    with np.load(io.BytesIO(files["arrays.npz"])) as arrays:
        np.testing.assert_allclose(arrays["layer4.1.channel"], expected, atol=1e-4)


@pytest.mark.parametrize("how", ["usual", "off"])
def test_stairs_are_those_of_the_library(client, cbam, examples, how):
    answer = client.viewer.stairs({**TEMPLE, "how": how, "saving": "stairs"})
    expected = list(climb(attnviz.fast(cbam), examples / "temple.jpg", how))
    assert [step["layer"] for step in answer["steps"]] == [stair.layer for stair in expected]
    for step, stair in zip(answer["steps"], expected):
        for part in ("alone", "together"):
            wanted = getattr(stair, part).to_json()
            assert step[part] == pytest.approx(wanted, abs=1e-3, nan_ok=True)
    assert answer["how"] == how and answer["leftOut"] == []
    assert answer["before"]["answer"] == client.viewer.capture(TEMPLE)["top"][0][0]


def test_stairs_that_are_given_up_end_before_the_next_layer(client):
    found = []

    def report(done: int, total: int) -> None:
        found.append((done, total))
        if done == 2:
            raise AttnvizError("saving_given_up")

    with pytest.raises(AttnvizError, match="given up"):
        asyncio.run(client.service.inference.stairs(trace_key(TEMPLE, client.service.photos), "off", report))
    assert found == [(0, 8), (1, 8), (2, 8)]
