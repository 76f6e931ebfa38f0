"""Layers changed over a folder: the means of what one photo after another says, in any number of goes."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from helpers.small_networks import hook_count, stirred
from PIL import Image
from torch import nn

import attnviz
from attnviz import Off
from attnviz.networks.card import Card, with_card
from attnviz.photos.geometry import Recipe

CLASSES = ("a", "b", "c", "d", "e")


@pytest.fixture
def folder(tmp_path):
    """Two photos of noise in each of five class folders."""
    random = np.random.default_rng(0)
    for name in CLASSES:
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(2):
            pixels = random.integers(0, 256, (72, 64 + 8 * number, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def network_of(attention: str) -> nn.Module:
    network = stirred(18, attention, least_hidden=6, bias=True)
    return with_card(network, Card("mine", labels=CLASSES, recipe=Recipe(resize=64, crop=64)))


@pytest.mark.parametrize("attention", ["se", "cbam", "bam"])
@pytest.mark.parametrize("recompute", [True, False])
def test_rows_are_the_means_of_one_intervention_after_another(folder, attention, recompute):
    network, layers = network_of(attention), None
    found = attnviz.ablate(network, folder, ("off", "usual"), recompute=recompute, batch_size=4)
    files = sorted(folder.rglob("*.png"))
    usual = attnviz.reference(network, files)
    for row in found.rows:
        edits = {row.layer: row.how}
        each = [
            attnviz.intervene(network, file, edits, recompute, view="crop", reference=usual) for file in files
        ]
        right = [one.after.top(1)[0][0] == file.parent.name for one, file in zip(each, files)]
        assert (row.photos, row.accuracy) == (10, np.mean(right))
        assert row.changed == np.mean([one.changed for one in each])
        np.testing.assert_allclose(
            row.divergence, np.mean([one.answer.divergence for one in each]), atol=1e-5
        )
        np.testing.assert_allclose(row.score_change, np.mean([one.score_change for one in each]), atol=1e-5)
        layers = each[0].before.layers
    assert [row.layer for row in found.rows] == [name for name in (*layers, "all") for _ in range(2)]
    assert found.reference.photos == 10 and found.photos == 10 and hook_count(network) == 0


def test_one_that_was_interrupted_goes_on_to_the_same_numbers_bit_for_bit(folder, tmp_path):
    network, state = network_of("se"), tmp_path / "state.json"
    whole = attnviz.ablate(network, folder, batch_size=3)

    class Interrupted(Exception):
        pass

    def interrupt(done: int, count: int) -> None:
        assert count == 10
        if done >= 6:
            raise Interrupted

    with pytest.raises(Interrupted):
        attnviz.ablate(network, folder, batch_size=3, state=state, progress=interrupt)
    seen: list[int] = []
    again = attnviz.ablate(
        network, folder, batch_size=3, state=state, progress=lambda done, _: seen.append(done)
    )
    assert again.rows == whole.rows and again.accuracy_before == whole.accuracy_before
    assert seen == [9, 10]
    assert attnviz.ablate(network, folder, batch_size=3, state=state).rows == whole.rows


def test_a_state_of_something_else_gets_one_sentence(folder, tmp_path):
    network, state = network_of("se"), tmp_path / "state.json"
    attnviz.ablate(network, folder, "off", ["layer1.0"], state=state)
    for other in (
        lambda: attnviz.ablate(network, folder, "flat", ["layer1.0"], state=state),
        lambda: attnviz.ablate(network, sorted(folder.rglob("0.png")), "off", ["layer1.0"], state=state),
        lambda: attnviz.ablate(network_of("cbam"), folder, "off", ["layer1.0"], state=state),
        lambda: attnviz.ablate(network, folder, "off", ["layer1.0"], recompute=False, state=state),
    ):
        with pytest.raises(attnviz.EditError, match="state of another ablation"):
            other()
    state.write_text("[]")
    with pytest.raises(attnviz.EditError, match="is no state of an ablation"):
        attnviz.ablate(network, folder, "off", ["layer1.0"], state=state)


def test_without_classes_there_is_no_accuracy(folder):
    network = network_of("se")
    for photos in (folder / "a", sorted(folder.rglob("*.png"))[:2]):
        found = attnviz.ablate(network, photos, "off", ["layer4.1"])
        (row,) = found.rows
        assert row.accuracy is found.accuracy_before is None and row.photos == 2
    with pytest.raises(attnviz.AttnvizError, match="class folders, but mine knows 5 classes"):
        (folder / "f").mkdir()
        attnviz.ablate(network, folder)


def test_a_photo_that_can_not_be_opened_is_left_out_and_named(folder):
    (folder / "c" / "broken.png").write_bytes(b"no picture")
    found = attnviz.ablate(network_of("se"), folder, "off", ["layer1.0", "all"])
    assert found.photos == 10 and [row.layer for row in found.rows] == ["layer1.0", "all"]
    assert any("broken.png" in str(remark) for remark in found.remarks)


def test_an_edit_that_no_layer_takes_gets_one_sentence(folder):
    with pytest.raises(attnviz.EditError, match="No layer of mine could be changed"):
        attnviz.ablate(network_of("se"), folder, Off("spatial"))
    with pytest.raises(attnviz.TraceError, match="no layer “layer9”"):
        attnviz.ablate(network_of("se"), folder, layers=["layer9"])
    with pytest.raises(ValueError, match="batch_size"):
        attnviz.ablate(network_of("se"), folder, batch_size=0)


def test_tables_say_that_the_network_was_changed(folder):
    found = attnviz.ablate(network_of("se"), folder, ("off", "flat"), ["layer1.0", "all"])
    lines = list(csv.DictReader(io.StringIO(found.to_csv().decode())))
    assert len(lines) == 4 and {line["network"] for line in lines} == {"changed network: mine"}
    said = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert said["changed_network"] == "mine" and [row["how"] for row in said["rows"]] == ["off", "flat"] * 2
    assert float(lines[0]["accuracy"]) == said["rows"][0]["accuracy"]
    assert any("batch norms behind layer1.0" in remark for remark in said["remarks"])
    assert "layer1.0 off" in repr(found)
