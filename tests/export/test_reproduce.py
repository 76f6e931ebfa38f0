"""The script of a bundle makes the same arrays again, and notices when they are others.

Its functions are called here; as a program of its own it runs once, as a reader of a bundle runs it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.bundles import bundle_of_numbers, channel_of, noise_photo, selection_of, write
from helpers.checkout import ROOT
from helpers.small_networks import stirred

import attnviz
from attnviz.drawing.look import Look
from attnviz.export import reproduce
from attnviz.export.bundle import bundle
from attnviz.export.tables import channels_table


def count_of(files: dict[str, bytes]) -> int:
    """How many arrays a bundle of one photo holds."""
    with np.load(io.BytesIO(files["arrays.npz"])) as arrays:
        return len(arrays.files)


@pytest.mark.parametrize(
    ("name", "view"), [("cbam_resnet18", "whole"), ("bam_resnet18", "crop"), ("se_resnet18", "whole")]
)
def test_the_same_arrays_are_made_again(name, view, tmp_path, examples, capsys):
    files = bundle_of_numbers(
        selection_of(attnviz.load(name), attnviz.open_photo(examples / "pizza.jpg"), view)
    )
    assert reproduce.main(write(files, tmp_path), []) == 0
    assert capsys.readouterr().out == f"equal: {count_of(files)} arrays\n"


@pytest.mark.parametrize(
    ("name", "layer", "view"),
    [
        ("cbam_resnet18", "layer3.1", "crop"),
        ("bam_resnet18", "bam2", "whole"),
        ("se_resnet18", "layer4.1", "whole"),
    ],
)
def test_the_features_of_a_channel_are_made_again(name, layer, view, tmp_path, examples, capsys):
    photo = attnviz.open_photo(examples / "pizza.jpg")
    files = bundle_of_numbers(channel_of(attnviz.load(name), photo, layer, 7, view))
    assert reproduce.main(write(files, tmp_path), []) == 0
    assert capsys.readouterr().out == f"equal: {count_of(files)} arrays\n"


@pytest.mark.parametrize("recompute", [True, False])
def test_the_trace_of_a_changed_network_is_made_again_and_says_what_it_is(
    recompute, tmp_path, examples, capsys
):
    network, photo = attnviz.load("se_resnet18"), attnviz.open_photo(examples / "pizza.jpg")
    edits = {"layer3.0": "off", "layer4.1": attnviz.Set(channel={5: 0.0})}
    changed = attnviz.intervene(network, photo, edits, recompute)
    files = bundle_of_numbers(replace(selection_of(network, photo), trace=changed.after))
    assert b"se_resnet18 (changed network)" in files["README.txt"]
    assert b"changed gates (layer3.0, layer4.1)" in files["manifest.json"]
    assert b",se_resnet18 (changed network)," in channels_table([(changed.after, ("layer3.0",))])
    assert reproduce.main(write(files, tmp_path), []) == 0
    assert capsys.readouterr().out == f"equal: {count_of(files)} arrays\n"


def test_the_traces_of_a_fast_network_are_made_again(tmp_path, capsys):
    fast = attnviz.fast(attnviz.load("se_resnet18"))
    files = bundle_of_numbers(selection_of(fast, noise_photo()))
    assert reproduce.main(write(files, tmp_path), []) == 0
    assert capsys.readouterr().out == f"equal: {count_of(files)} arrays\n"


def test_a_comparison_and_a_tensor_are_made_again(tmp_path, examples, capsys):
    network = attnviz.load("bam_resnet18")
    photos = attnviz.open_photo(examples / "pizza.jpg"), torch.randn(3, 96, 128)
    selections = [replace(selection_of(network, photo), layers=("bam3",)) for photo in photos]
    folder = write(dict(bundle(selections, Look())), tmp_path)
    assert reproduce.main(folder, []) == 0 and capsys.readouterr().out.startswith("equal: ")


def test_a_channel_with_other_features_is_noticed(tmp_path, capsys):
    selection = channel_of(attnviz.load("se_resnet18"), torch.randn(3, 96, 128), "layer2.0", 3)
    assert reproduce.main(write(bundle_of_numbers(selection), tmp_path / "same"), []) == 0
    selection.channels[0].after[0, 0] += 0.5
    assert reproduce.main(write(bundle_of_numbers(selection), tmp_path / "other"), []) == 1
    said = capsys.readouterr().out
    assert "greatest difference" in said and "0.5" in said


@pytest.mark.parametrize(("change", "status"), [(5e-6, 0), (1e-3, 1), (np.nan, 1)])
def test_the_exit_status_says_whether_arrays_agree(change, status, tmp_path, capsys):
    selection = selection_of(attnviz.load("se_resnet18"), noise_photo())
    selection.trace.logits[0] += change  # not what the network computed
    assert reproduce.main(write(bundle_of_numbers(selection), tmp_path), []) == status
    assert "greatest difference" in capsys.readouterr().out


def test_undefined_numbers_equal_themselves_and_nothing_else():
    some = np.array([0.5, np.nan], np.float32)
    assert reproduce.difference(some, some.copy()) == 0
    assert reproduce.difference(some, np.array([0.5, 0.25], np.float32)) == 1.25


def own_network(tmp_path: Path) -> dict[str, bytes]:
    """A bundle of a network of one's own, whose weights are in mine.pth; those in other.pth are others."""
    torch.save(stirred(18, "cbam").state_dict(), tmp_path / "mine.pth")
    torch.save(stirred(18, "cbam").state_dict(), tmp_path / "other.pth")
    recipe = attnviz.Recipe(resize=96, crop=64, mean=(0.5, 0.5, 0.5))
    return bundle_of_numbers(selection_of(attnviz.load(tmp_path / "mine.pth", recipe=recipe), noise_photo()))


def test_the_weights_of_ones_own_network_are_taken_and_no_others(tmp_path, capsys):
    folder = write(own_network(tmp_path), tmp_path / "bundle")
    assert reproduce.main(folder, [str(tmp_path / "other.pth"), str(tmp_path / "mine.pth")]) == 0
    assert capsys.readouterr().out.startswith("equal: ")
    for weights in ([], [str(tmp_path / "other.pth")]):
        with pytest.raises(SystemExit, match=r"python reproduce\.py WEIGHTS"):
            reproduce.main(folder, weights)


def test_a_network_of_ones_own_is_built_again_as_a_person_told(tmp_path, capsys):
    network = stirred(18, "cbam", padding="replicate")
    torch.save(network.state_dict(), tmp_path / "mine.pth")
    opened = attnviz.load(tmp_path / "mine.pth", padding="replicate")
    folder = write(bundle_of_numbers(selection_of(opened, noise_photo())), tmp_path / "bundle")
    assert reproduce.main(folder, [str(tmp_path / "mine.pth")]) == 0
    assert capsys.readouterr().out.startswith("equal: ")


@pytest.mark.slow
def test_the_script_is_a_program_that_takes_weights(tmp_path):
    folder = write(own_network(tmp_path), tmp_path / "bundle")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ends = []
    for weights in ([str(tmp_path / "mine.pth")], []):
        command = [sys.executable, str(folder / "reproduce.py"), *weights]
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        ends.append(
            (ran.returncode, ran.stdout.partition(":")[0], "python reproduce.py WEIGHTS" in ran.stderr)
        )
    assert ends == [(0, "equal", False), (1, "", True)]


@pytest.mark.slow  # starts an interpreter
def test_where_attnviz_is_missing_the_script_says_how_to_get_it(tmp_path):
    (tmp_path / "reproduce.py").write_bytes(Path(reproduce.__file__).read_bytes())
    (tmp_path / "attnviz.py").write_text("raise ModuleNotFoundError(name='attnviz')", encoding="utf-8")
    run = subprocess.run([sys.executable, "reproduce.py"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 1 and "Traceback" not in run.stderr
    assert "attnviz is not installed here" in run.stderr and "python -m pip install ." in run.stderr
