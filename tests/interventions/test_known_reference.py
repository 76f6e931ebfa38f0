"""What is usual where nobody says it: the file that lies with a network, or else the example photos."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.checkout import ROOT
from helpers.small_networks import stirred
from PIL import Image

import attnviz
from attnviz.command.main import main
from attnviz.interventions.compact_means import FINE, compact, whole
from attnviz.interventions.known_reference import FILE, kept_reference, spread_photos
from attnviz.networks.card import Card
from attnviz.zoo.registry import home_of, save_folder

WITH_GATES = ("se_resnet18", "cbam_resnet18", "bam_resnet18")


@pytest.mark.parametrize("name", WITH_GATES)
def test_what_is_usual_comes_with_each_network_that_has_gates(name, examples):
    network = attnviz.load(name)
    usual = kept_reference(network)
    assert usual.sha256 == network.card.sha256 and usual.photos == 1000
    assert (ROOT / "models" / name / FILE).stat().st_size < 70_000
    trace = attnviz.trace(network, examples / "temple.jpg", "crop")
    assert list(usual.means) == list(trace.layers)
    for layer in trace.layers.values():
        for part in ["joint"] if layer.averaged else ["channel", "spatial"]:
            if part == "joint" or getattr(layer, part) is not None:
                values, is_by_cell = usual.usual(layer, part)
                assert is_by_cell and np.isfinite(values).all()


def test_a_network_without_gates_has_none():
    assert kept_reference(attnviz.load("resnet18")) is None


def test_what_lies_with_a_network_is_taken_and_costs_no_pass(examples):
    network = attnviz.load("se_resnet18")
    counts: list[int] = []
    network.conv1.register_forward_hook(lambda _m, inputs, _o: counts.append(len(inputs[0])))
    found = attnviz.intervene(network, examples / "cat.jpg", {"all": "usual"}, view="crop")
    assert counts == [1, 1] and found.reference.photos == 1000
    assert not any("photos only" in str(remark) for remark in found.remarks)
    swept = attnviz.sweep(network, examples / "cat.jpg", "usual")
    ablated = attnviz.ablate(attnviz.fast(network), [examples / "cat.jpg"], "usual", ["layer4.1"])
    assert swept.reference.photos == ablated.reference.photos == 1000


@pytest.mark.parametrize("attention", ["cbam", "bam"])
def test_means_take_few_bytes_and_come_back(attention):
    network = stirred(18, attention)
    photos = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    for means in attnviz.reference(network, photos).means.values():
        small = compact(means)
        again = whole(small)
        assert {values.dtype for values in small.values()} == {np.dtype(np.float16)}
        assert again.keys() == means.keys()
        for part, values in means.items():
            error = np.abs(again[part] - values).max()
            assert error <= (FINE + 1e-3 if part == "joint" else 1e-3 * max(1, np.abs(values).max())), part


@pytest.fixture
def copy(tmp_path) -> Path:
    return Path(shutil.copytree(ROOT / "models" / "se_resnet18", tmp_path / "copy"))


@pytest.mark.parametrize("damage", ["another network's", "cut short", "empty"])
def test_a_file_that_is_not_the_networks_is_refused_in_a_sentence(copy, examples, damage):
    content = (copy / FILE).read_bytes()
    if damage == "another network's":
        shutil.copy(ROOT / "models" / "cbam_resnet18" / FILE, copy)
    else:
        (copy / FILE).write_bytes(content[: len(content) // 2 if damage == "cut short" else 0])
    sentence = "its weights are not those" if damage.startswith("another") else "“usual.npz” is not there or"
    network = attnviz.load(copy)
    for _ in range(2):
        with pytest.raises(attnviz.EditError, match=sentence):
            attnviz.intervene(network, examples / "cat.jpg", {"layer4.1": "usual"})
    assert attnviz.intervene(network, examples / "cat.jpg", {"layer4.1": "off"}).reference is None


def test_it_is_not_taken_for_other_weights_or_another_preprocessing(copy):
    assert home_of(attnviz.load(copy)) == copy
    assert home_of(attnviz.fast(attnviz.load(copy))) == copy
    again = attnviz.Recipe(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    assert home_of(attnviz.load(copy, recipe=again)) == copy
    assert home_of(attnviz.load(copy, recipe=attnviz.Recipe(resize=160, crop=128))) is None
    network = attnviz.load(copy)
    network.card = replace(network.card, sha256="")  # as of re-estimated statistics
    assert home_of(network) is None
    network = attnviz.load(copy)
    shutil.rmtree(copy)
    assert home_of(network) is None


@pytest.fixture
def photos(tmp_path) -> Path:
    """Nine photos of one class, three of another."""
    for name, count in (("a", 9), ("b", 3)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.random.default_rng(number).integers(0, 256, (72, 72, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def test_photos_are_chosen_by_a_seed_as_many_of_each_folder(photos):
    chosen = spread_photos(photos, 8)
    assert [path.parent.name for path in chosen] == ["a"] * 4 + ["b"] * 3
    assert chosen == spread_photos(photos, 8) and len({*chosen}) == 7
    assert [path.name for path in chosen[:4]] != ["0.png", "1.png", "2.png", "3.png"]
    assert len(spread_photos(photos, 1)) == 1 and len(spread_photos(photos)) == 12


def own_network(folder: Path, attention: str | None) -> Path:
    architecture = {"depth": 18, "attention": attention, "width": 8, "reduction": 4, "classes": 2}
    network = stirred(18, attention, classes=2)
    save_folder(network, Card(folder.name, architecture, labels=("one", "two")), folder)
    return folder


def test_the_command_writes_it_into_the_networks_folder(photos, tmp_path, capsys):
    folder = own_network(tmp_path / "mine", "cbam")
    assert main(["usual", str(folder), "--data", str(photos)]) == 0
    assert capsys.readouterr().out.startswith("mine: 12 photos, ")
    network = attnviz.load(folder)
    usual = kept_reference(network)
    expected = attnviz.reference(network, spread_photos(photos))
    for layer, means in expected.means.items():
        for part, values in means.items():
            np.testing.assert_allclose(usual.means[layer][part], values, atol=1e-3)


@pytest.mark.parametrize("wrong", ["a file of weights", "no gates", "no photos"])
def test_where_nothing_is_usual_the_command_says_why(photos, tmp_path, capsys, wrong):
    folder = own_network(tmp_path / "mine", None if wrong == "no gates" else "se")
    network = folder / "model.safetensors" if wrong == "a file of weights" else folder
    data = tmp_path / "none" if wrong == "no photos" else photos
    (tmp_path / "none").mkdir()
    assert main(["usual", str(network), "--data", str(data)]) == 1
    sentences = {
        "a file of weights": "“model.safetensors” is no folder with a config.json",
        "no gates": "mine has no gates",
        "no photos": "none",
    }
    assert sentences[wrong] in capsys.readouterr().err and not (folder / FILE).exists()
