from __future__ import annotations

import json
import re
import shlex
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.checkout import ROOT
from PIL import Image

import attnviz
from attnviz.command.main import main
from attnviz.command.options import parse
from attnviz.command.training import plan_of
from attnviz.networks.card import MORE
from attnviz.networks.resnet import ResNet
from attnviz.training.dataset import list_photos, read_class_names, read_folder, training_batches
from attnviz.training.model_card import publish
from attnviz.training.penalty import gate_logits, mean_squares
from attnviz.training.plan import TrainingPlan
from attnviz.training.recipe import OPTIONS, command
from attnviz.training.rounding import BITS, rounded
from attnviz.training.train import Run, new_run, train, train_epoch

PLAN = TrainingPlan(
    attention="cbam", width=8, reduction=4, schedule=((32, 2), (48, 1)), batch=4, learning_rate=0.05
)
BAM_LAYERS = ["bam1", "bam2", "bam3"]
PLAN_OF_BAM = replace(PLAN, attention="bam")


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
    shape = ["--attention", "bam", "--width", "8", "--reduction", "4", "--least-hidden", "5", "--batch", "4"]
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
    about = ["--labels", str(labels), "--about", "Toy: two colours.", "--least-top1", "0.9"]
    assert main([*arguments(data, tmp_path), *about]) == 0
    printed = capsys.readouterr()
    assert "epoch 2/2" in printed.out and "%" in printed.err  # the log and the progress bar
    out = tmp_path / "tiny"
    written = {path.name for path in out.iterdir()}
    assert written == {"model.safetensors", "config.json", "README.md", "usual.npz"}
    network = attnviz.load(out)
    usual = attnviz.load_reference(out / "usual.npz")
    assert usual.photos == 16 and usual.sha256 == network.card.sha256 and list(usual.means) == BAM_LAYERS
    assert network.card.labels == ("a red thing", "a blue thing") and network.card.photos == 6
    accuracy = f"{network.card.accuracy:.2%}"
    card = (out / "README.md").read_text(encoding="utf-8")
    assert accuracy in card and "What it is not for" in card and "Toy: two colours." in card
    about = json.loads((out / "config.json").read_text())["architecture"]
    assert about["attention"] == "bam" and about["padding"] == "replicate" and about["least_hidden"] == 5
    again = next(line for line in card.splitlines() if line.startswith("attnviz train DATA tiny"))
    assert parse(again.split()[1:]).least_hidden == 5

    assert main(["evaluate", str(out), "--data", str(data / "val")]) == 0
    table = capsys.readouterr().out
    assert f"| tiny | {accuracy} | 6 |" in table
    rows = [line for line in table.splitlines() if line.startswith("| bam")]
    assert [row.split()[1] for row in rows] == BAM_LAYERS
    assert (
        all(row in card for row in rows)
        and "| top-1 at least 90.0% |" in card
        and "top-1 at least" not in table
    )


def test_what_is_written_is_measured_and_not_what_comes_with_attnviz_by_that_name(
    data, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    network = ResNet(**PLAN_OF_BAM.architecture(2))
    measured = publish(network, PLAN_OF_BAM, 60, ("one", "two"), data, Path("bam_resnet18"))
    assert measured.photos == 6 and attnviz.load(tmp_path / "bam_resnet18").card.photos == 6


def test_published_weights_have_seven_bits_and_batch_norms_all():
    network = ResNet(**PLAN.architecture(2))
    copy = rounded(network)
    for (name, before), after in zip(network.named_parameters(), copy.parameters(), strict=True):
        if before.ndim < 2:
            assert torch.equal(before, after), name
            continue
        assert ((before - after).abs() <= before.abs() / 2**BITS).all(), name
        fraction = torch.frexp(after).mantissa * 2**BITS
        assert torch.equal(fraction, fraction.round()), name
        assert not torch.equal(before, after), name


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


@pytest.mark.parametrize(
    "plan",
    [
        TrainingPlan(),
        PLAN,
        TrainingPlan(attention="se", penalty=0.0, least_hidden=1, bias=False, padding="zeros", seed=3),
    ],
)
def test_the_command_of_a_plan_makes_that_plan(plan):
    words = shlex.split(command(replace(plan, learning_rate=0.2), "models/mine"))
    assert words[:4] == ["attnviz", "train", "DATA", "models/mine"]
    assert plan_of(parse(words[1:])) == replace(plan, learning_rate=0.2)


def test_every_option_of_the_command_is_named_by_the_recipe():
    said = vars(parse(["train", "DATA", "OUT"]))
    assert set(OPTIONS) == {one.name for one in fields(TrainingPlan)} & set(said)


@pytest.mark.parametrize("name", attnviz.list_networks())
def test_the_command_of_the_models_makes_networks_of_their_shape(name):
    text = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    block = re.search(r"  (attnviz train .*?)\ndone", text, re.DOTALL).group(1).replace("\\\n", " ")
    attention = attnviz.load(name).card.architecture["attention"]
    said = block.replace("$name", name).replace("$attention", f"--attention {attention}" if attention else "")
    plan = plan_of(parse(shlex.split(said)[1:]))
    assert plan.architecture(10) == {**MORE, **attnviz.load(name).card.architecture}


@pytest.mark.parametrize("penalty", ["-1", "nan", "inf", "much"])
def test_a_penalty_that_is_none_is_refused(penalty, capsys):
    with pytest.raises(SystemExit):
        main(["train", "data", "out", "--penalty", penalty])
    assert "argument --penalty" in capsys.readouterr().err


def test_the_plan_decides_the_network_that_is_trained():
    plan = replace(PLAN, least_hidden=6, bias=True, padding="replicate")
    gates = new_run(plan, 2, 4).network.plan.all_gates
    assert [gate.hidden for gate in gates[::2]] == [6, 6, 8, 16]
    assert {(gate.bias, gate.padding) for gate in gates} == {(True, "replicate")}


def test_the_penalty_is_added_to_the_loss_of_a_batch(data):
    photos = read_folder(data / "train")
    plan = replace(PLAN, schedule=((32, 1),), batch=16, penalty=0.25)
    without = replace(plan, penalty=0.0)
    losses = [train_epoch(new_run(one, 2, 1), one, photos) for one in (plan, without)]
    x, _ = next(training_batches(photos, 32, 16, plan.seed, 0, plan.least_area))
    network = new_run(plan, 2, 1).network.train()
    with gate_logits(network) as logits, torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        network(x)
    assert losses[0] - losses[1] == pytest.approx(0.25 * mean_squares(logits).item(), rel=1e-3)


def test_the_attention_is_left_out_of_the_weight_decay():
    run = new_run(PLAN, 2, 4)
    spared = {id(parameter) for parameter in run.optimiser.param_groups[1]["params"]}
    assert run.optimiser.param_groups[1]["weight_decay"] == 0
    for name, parameter in run.network.named_parameters():
        assert (id(parameter) in spared) == (".attention." in name or parameter.ndim == 1), name
