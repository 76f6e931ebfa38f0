"""``attnviz intervene``, ``sweep`` and ``ablate``: what is printed, and the files."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch
from helpers.small_networks import stirred
from PIL import Image

from attnviz.command.main import main
from attnviz.command.what_if import edits_in
from attnviz.interventions.edits import Off, Patch, Scale, Set, Shuffle, Usual

CLASSES = "abcde"


@pytest.fixture
def network(tmp_path) -> list[str]:
    """The options of a small network with labels."""
    weights, labels = tmp_path / "mine.pth", tmp_path / "labels.txt"
    torch.save(stirred(18, "se", least_hidden=6, bias=True).state_dict(), weights)
    labels.write_text("\n".join(CLASSES))
    return ["--network", str(weights), "--labels", str(labels)]


@pytest.fixture
def folder(tmp_path):
    """A photo of noise in each of five class folders."""
    random = np.random.default_rng(0)
    for name in CLASSES:
        (tmp_path / "photos" / name).mkdir(parents=True)
        pixels = random.integers(0, 256, (72, 72, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / name / "0.png")
    return tmp_path / "photos"


def test_an_edit_is_written_in_a_word_or_in_json():
    assert edits_in("off, usual:spatial,scale:0.5") == [Off(), Usual("spatial"), Scale(0.5)]
    assert edits_in("set:17=0") == [Set({17: 0.0})] and edits_in("shuffle:7") == [Shuffle(7)]
    assert edits_in("patch:a.jpg") == [Patch("a.jpg")]
    assert edits_in('{"edit": "set", "cells": [[1, 2, 0.5]]}') == [Set(cells={(1, 2): 0.5})]


def test_intervene_prints_before_and_after_and_writes_json(network, folder, tmp_path, capsys):
    out, photo = tmp_path / "out.json", str(folder / "a" / "0.png")
    edits = ["-e", "layer3.0=off", "-e", "layer3.0=set:1=0.5", "-e", "layer4.1=flat"]
    assert main(["intervene", photo, *network, *edits, "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    assert (
        printed.startswith("Changed network: ")
        and "the score of" in printed
        and "batch norms behind" in printed
    )
    assert [line.split()[-1] for line in printed.splitlines() if line.startswith("layer3.0")] == ["edited"]
    said = json.loads(out.read_text())
    assert said["changed_network"].startswith("mine") and len(said["edits"]["layer3.0"]) == 2
    (tmp_path / "edits.json").write_text(json.dumps(said["edits"]))
    assert (
        main(["intervene", photo, *network, "--edits", str(tmp_path / "edits.json"), "--json", str(out)]) == 0
    )
    assert json.loads(out.read_text()) == said


def test_sweep_prints_a_row_a_layer_or_channel_and_writes_csv(network, folder, tmp_path, capsys):
    out, photo = tmp_path / "out.csv", str(folder / "a" / "0.png")
    assert main(["sweep", photo, *network, "--how", "off,flat", "--csv", str(out)]) == 0
    printed = capsys.readouterr().out
    assert sum(line.startswith("layer") for line in printed.splitlines()) == 17  # a heading among them
    lines = list(csv.DictReader(out.read_text().splitlines()))
    assert len(lines) == 16 and all(line["network"].startswith("changed network: ") for line in lines)
    assert main(["sweep", photo, *network, "--layer", "layer4.1"]) == 0
    assert "20 of 64 channels" in capsys.readouterr().out
    assert main(["sweep", photo, *network, "--layer", "layer4.1", "--all"]) == 0
    assert "layer4.1 channel 63" in capsys.readouterr().out


def test_ablate_prints_a_row_a_layer_and_all_and_writes_both_files(network, folder, tmp_path, capsys):
    files = ["--csv", str(tmp_path / "out.csv"), "--json", str(tmp_path / "out.json")]
    more = ["--how", "off", "--state", str(tmp_path / "state.json"), "--reestimate", str(folder)]
    assert main(["ablate", str(folder), *network, *files, *more]) == 0
    printed = capsys.readouterr().out
    assert "5 photos" in printed and "all off, with the batch norms' statistics taken anew" in printed
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 1 + 8 + 1
    said = json.loads((tmp_path / "out.json").read_text())
    assert said["changed_network"].startswith("mine") and set(said["accuracy_reestimated"]) == {"off"}
    assert [row["layer"] for row in said["rows"]][-1] == "all"
    assert main(["ablate", str(folder), *network, *files, *more]) == 0
    assert json.loads((tmp_path / "out.json").read_text())["rows"] == said["rows"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Nothing is changed"),
        (["-e", "off"], "says no layer"),
        (["-e", "layer1.0=of"], "did you mean off"),
        (["-e", "layer1.0=scale:much"], "can’t stand behind scale"),
        (["-e", "layer1.0={off}"], "is none"),
        (["-e", "layer1=off"], "no layer “layer1”"),
        (["--edits", "gone.json"], "gone.json"),
        (["-e", "layer1.0=usual", "--reference", "gone.npz"], "gone.npz"),
    ],
)
def test_what_can_not_be_done_gets_one_sentence(network, folder, words, sentence, capsys):
    assert main(["intervene", str(folder / "a" / "0.png"), *network, *words]) == 1
    said = capsys.readouterr().err
    assert sentence in said and len(said.strip().splitlines()) == 1
