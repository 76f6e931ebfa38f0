from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import attnviz
from attnviz.command.main import main
from attnviz.training.dataset import list_photos, read_class_names, read_folder, training_batches
from attnviz.training.plan import TrainingPlan
from attnviz.training.train import Run, new_run, train

PLAN = TrainingPlan(
    attention="cbam", width=8, reduction=4, schedule=((32, 2), (48, 1)), batch=4, learning_rate=0.05
)


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


def weights(run: Run) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in run.average.state_dict().items()}


@pytest.mark.slow  # the first optimiser of a process takes seconds to import
def test_a_resumed_run_ends_like_an_uninterrupted_one(data, tmp_path):
    def interrupt(line: str) -> None:
        if line.startswith("epoch 2/3"):
            raise KeyboardInterrupt

    whole = train(PLAN, data, tmp_path / "whole", resume=False)
    with pytest.raises(KeyboardInterrupt):
        train(PLAN, data, tmp_path / "parts", resume=False, report=interrupt)
    lines: list[str] = []
    resumed = train(PLAN, data, tmp_path / "parts", resume=True, report=lines.append)
    assert [line.split(":")[0] for line in lines] == ["epoch 3/3"] and resumed.epoch == 3
    for key, value in weights(whole).items():
        assert torch.equal(value, weights(resumed)[key]), key


def test_the_seed_decides_the_batches(data):
    photos = read_folder(data / "train")

    def batches(seed: int, epoch: int) -> torch.Tensor:
        return torch.cat([x for x, _ in training_batches(photos, 32, 4, seed, epoch, 0.3)])

    assert torch.equal(batches(0, 0), batches(0, 0))
    assert not torch.equal(batches(0, 0), batches(0, 1)) and not torch.equal(batches(0, 0), batches(1, 0))


def arguments(data: Path, folder: Path, schedule: str = "32:2") -> list[str]:
    """Of ``attnviz train``, for the smallest network; what it writes goes below ``folder``."""
    shape = ["--attention", "bam", "--width", "8", "--reduction", "4", "--batch", "4"]
    return [
        "train",
        str(data),
        str(folder / "tiny"),
        *shape,
        "--schedule",
        schedule,
        "--runs",
        str(folder / "runs"),
    ]


@pytest.mark.slow
def test_the_command_leaves_a_model_folder_that_opens_and_is_measured_again_as_its_card_says(
    data, tmp_path, capsys
):
    labels = tmp_path / "labels.txt"
    labels.write_text("n1 a red thing\n\nn2\ta blue thing \n", encoding="utf-8")
    about = ["--labels", str(labels), "--about", "Toy: two colours."]
    assert main([*arguments(data, tmp_path), *about]) == 0
    printed = capsys.readouterr()
    assert "epoch 2/2" in printed.out and "%" in printed.err  # the log and the progress bar
    out = tmp_path / "tiny"
    assert {path.name for path in out.iterdir()} == {"model.safetensors", "config.json", "README.md"}
    network = attnviz.load(out)
    assert network.card.labels == ("a red thing", "a blue thing") and network.card.photos == 6
    accuracy = f"{network.card.accuracy:.2%}"
    card = (out / "README.md").read_text(encoding="utf-8")
    assert accuracy in card and "What it is not for" in card and "Toy: two colours." in card
    assert json.loads((out / "config.json").read_text())["architecture"]["attention"] == "bam"

    assert main(["evaluate", str(out), "--data", str(data / "val")]) == 0
    table = capsys.readouterr().out
    assert f"| tiny | {accuracy} | 6 |" in table
    assert [line.split()[1] for line in table.splitlines() if line.startswith("| bam")] == [
        "bam1",
        "bam2",
        "bam3",
    ]


def test_a_run_of_another_plan_is_not_resumed(data, tmp_path, capsys):
    assert main(arguments(data, tmp_path, "32:1")) == 0
    capsys.readouterr()
    assert main([*arguments(data, tmp_path, "32:2"), "--resume"]) == 1
    assert "was made by another plan" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("schedule", ["96", "96:", "96:0", "a:1", "96:1;128:2", ""])
def test_a_schedule_that_is_none_is_refused(schedule, capsys):
    with pytest.raises(SystemExit):
        main(["train", "data", "out", "--schedule", schedule])
    assert "argument --schedule" in capsys.readouterr().err


def test_training_is_refused_before_it_begins_in_a_sentence(data, tmp_path, capsys):
    def refused(*command: str) -> str:
        assert main(list(command)) == 1
        assert not (tmp_path / "tiny").exists()
        return capsys.readouterr().err

    (tmp_path / "labels.txt").write_text("n1 a red thing\nn2\n")
    given = arguments(data, tmp_path)
    assert "no label for n2" in refused(*given, "--labels", str(tmp_path / "labels.txt"))
    assert "can't be read" in refused(*given, "--labels", str(tmp_path / "gone.txt"))
    assert "16 photos" in refused(*given, "--batch", "17")
    (tmp_path / "file").write_text("in the way")
    assert "file" in refused(given[0], str(data), str(tmp_path / "file" / "tiny"), *given[3:])
    (tmp_path / "train" / "empty").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "gone"):
        assert "holds no class folders with photos" in refused(*arguments(folder, tmp_path))
    (tmp_path / "train" / "empty" / "bad.jpg").write_bytes(b"no picture")
    assert "\nattnviz: “bad.jpg” can't be decoded" in refused(*arguments(tmp_path, tmp_path))


def test_a_network_is_not_measured_on_other_classes(data, capsys):
    assert main(["evaluate", "cbam_resnet18", "--data", str(data / "val")]) == 1
    assert "2 class folders, but cbam_resnet18 knows 10 classes" in capsys.readouterr().err


def test_class_folders_without_a_file_of_labels_keep_their_names(data):
    assert read_class_names(None, list_photos(data / "val").classes) == ("n1", "n2")


def test_the_attention_is_left_out_of_the_weight_decay():
    run = new_run(PLAN, 2, 4)
    spared = {id(parameter) for parameter in run.optimiser.param_groups[1]["params"]}
    assert run.optimiser.param_groups[1]["weight_decay"] == 0
    for name, parameter in run.network.named_parameters():
        assert (id(parameter) in spared) == (".attention." in name or parameter.ndim == 1), name
