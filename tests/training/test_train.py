from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.checkout import ROOT
from PIL import Image

import attnviz
from attnviz.training import train as training
from attnviz.training.dataset import list_photos, read_folder, training_batches
from attnviz.training.evaluate import measure
from attnviz.training.train import Plan, train

PLAN = Plan(attention="cbam", width=8, reduction=4, schedule=((32, 2), (48, 1)), batch=4, learning_rate=0.05)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Two classes that differ in colour: eight photos of each to train on, three to measure on."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for split, count in (("train", 8), ("val", 3)):
        for name, channel in (("n1", 0), ("n2", 2)):
            (folder / split / name).mkdir(parents=True)
            for index in range(count):
                pixels = random.integers(0, 90, (70, 60 + 10 * index, 3), dtype=np.uint8)
                pixels[..., channel] += 150
                Image.fromarray(pixels).save(folder / split / name / f"{index}.jpg")
    return folder


def weights(run) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in run.average.state_dict().items()}


def test_a_resumed_run_ends_like_an_uninterrupted_one(data, tmp_path, monkeypatch):
    whole, _ = train(PLAN, data, tmp_path / "whole", resume=False)
    epochs = []

    def interrupted(run, plan, photos):
        if len(epochs) == 2:
            raise KeyboardInterrupt
        epochs.append(run.epoch)
        return original(run, plan, photos)

    original = training.train_epoch
    monkeypatch.setattr(training, "train_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(PLAN, data, tmp_path / "parts", resume=False)
    monkeypatch.setattr(training, "train_epoch", original)
    resumed, _ = train(PLAN, data, tmp_path / "parts", resume=True)
    assert resumed.epoch == PLAN.epochs == 3
    for key, value in weights(whole).items():
        assert torch.equal(value, weights(resumed)[key]), key


def test_a_run_of_another_plan_is_not_resumed(data, tmp_path):
    train(PLAN, data, tmp_path, resume=False)
    with pytest.raises(SystemExit, match="another plan"):
        train(
            Plan(attention="se", width=8, reduction=4, schedule=PLAN.schedule, batch=4),
            data,
            tmp_path,
            resume=True,
        )


def test_the_seed_decides_the_batches(data):
    photos = read_folder(data / "train")

    def batches(seed, epoch):
        return torch.cat([x for x, _ in training_batches(photos, 32, 4, seed, epoch, 0.3)])

    assert torch.equal(batches(0, 0), batches(0, 0))
    assert not torch.equal(batches(0, 0), batches(0, 1)) and not torch.equal(batches(0, 0), batches(1, 0))


def test_the_command_leaves_a_model_folder_that_opens(data, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("n1 a red thing\nn2 a blue thing\n")
    out = tmp_path / "tiny"
    options = {
        "attention": "bam",
        "width": 8,
        "reduction": 4,
        "schedule": "32:2",
        "batch": 4,
        "labels": labels,
        "runs": tmp_path / "runs",
        "about": "Toy: two colours.",
    }
    command = [sys.executable, "-m", "attnviz.training.train", str(data), str(out)]
    command += [text for name, value in options.items() for text in (f"--{name}", str(value))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "epoch 2/2" in done.stdout and "%" in done.stderr  # the log and the progress bar
    assert {path.name for path in out.iterdir()} == {"model.safetensors", "config.json", "README.md"}
    network = attnviz.load(out)
    assert network.card.labels == ("a red thing", "a blue thing") and network.card.photos == 6
    card = (out / "README.md").read_text()
    assert (
        f"{network.card.accuracy:.2%}" in card
        and "What it is not for" in card
        and "Toy: two colours." in card
    )
    assert json.loads((out / "config.json").read_text())["architecture"]["attention"] == "bam"
    measured = measure(network, data / "val")
    assert measured.top1 == pytest.approx(network.card.accuracy, abs=1e-4) and measured.photos == 6
    assert [row.layer for row in measured.layers] == ["bam1", "bam2", "bam3"]


def test_a_network_is_not_measured_on_other_classes(data):
    with pytest.raises(ValueError, match="2 class folders, but cbam_resnet18 knows 10"):
        measure(attnviz.load("cbam_resnet18"), data / "val")


def test_a_folder_without_photos_is_an_error(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no class folders"):
        list_photos(tmp_path)


def test_the_attention_is_left_out_of_the_weight_decay():
    run = training.start(PLAN, 2, 4)
    spared = {id(parameter) for parameter in run.optimiser.param_groups[1]["params"]}
    assert run.optimiser.param_groups[1]["weight_decay"] == 0
    for name, parameter in run.network.named_parameters():
        assert (id(parameter) in spared) == (".attention." in name or parameter.ndim == 1), name
