from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from helpers.checkout import ROOT
from helpers.small_networks import stirred
from safetensors.torch import save_file

import attnviz
from attnviz.networks.card import MORE, Card
from attnviz.zoo import folders, registry

NAMES = ["cbam_resnet18", "se_resnet18", "bam_resnet18", "resnet18"]


def test_four_networks_come_with_the_project():
    assert attnviz.list_networks() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_is_trained_measured_and_small(name):
    folder = ROOT / "models" / name
    card = registry.card(name)
    assert card.accuracy >= 0.90 and card.photos == 3925
    assert (folder / "model.safetensors").stat().st_size < 10_000_000
    assert f"{card.accuracy:.2%}" in (folder / "README.md").read_text(encoding="utf-8")
    assert f"{card.accuracy:.2%}" in (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    assert len(card.labels) == 10 and "church" in card.labels


@pytest.mark.parametrize("name", NAMES)
def test_each_opens_in_eval_mode_and_names_the_temple_a_church(name, examples):
    network = attnviz.load(name)
    assert not network.training and network.card.name == name
    assert attnviz.trace(network, examples / "temple.jpg", view="crop").top(1)[0][0] == "church"


@pytest.fixture
def copy(tmp_path) -> Path:
    return Path(shutil.copytree(ROOT / "models" / "se_resnet18", tmp_path / "copy"))


def test_a_folder_opens_like_a_name(copy):
    ours, theirs = attnviz.load("se_resnet18").state_dict(), attnviz.load(copy).state_dict()
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize("damage", [flip, truncate, lambda path: path.write_bytes(b""), Path.unlink])
def test_damaged_weights_are_refused_and_never_replaced_by_random_ones(copy, damage):
    damage(copy / "model.safetensors")
    with pytest.raises(attnviz.NetworkError, match="se_resnet18") as caught:
        attnviz.load(copy)
    assert str(copy.parent) not in str(caught.value)


def test_weights_that_do_not_fit_their_card_are_refused(copy):
    (copy / "config.json").write_text(changed(copy, attention="cbam"))
    with pytest.raises(attnviz.NetworkError, match="don't fit"):
        attnviz.load(copy)


def changed(copy: Path, **architecture) -> str:
    config = json.loads((copy / "config.json").read_text())
    return json.dumps({**config, "architecture": {**config["architecture"], **architecture}})


def test_one_damaged_card_leaves_the_others_open(copy, monkeypatch):
    models = Path(shutil.copytree(ROOT / "models", copy.parent / "models"))
    (models / "se_resnet18" / "config.json").write_text("{}")
    monkeypatch.setattr(registry, "MODELS", models)
    assert attnviz.list_networks() == ["cbam_resnet18", "bam_resnet18", "resnet18"]
    assert attnviz.load("cbam_resnet18").card.name == "cbam_resnet18"
    with pytest.raises(attnviz.NetworkError, match=r"config\.json of se_resnet18"):
        attnviz.load("se_resnet18")


@pytest.mark.parametrize(
    "damage",
    [
        *("", "{}", "[]", '{"name": 3}', {"depth": 19}, {"attention": "eca"}, {"more": 1}),
        *({"padding": "reflect"}, {"bias": 1}, {"least_hidden": 0}, {"width": "32"}),
    ],
)
def test_a_damaged_card_is_refused(copy, damage):
    (copy / "config.json").write_text(damage if isinstance(damage, str) else changed(copy, **damage))
    with pytest.raises(attnviz.NetworkError, match=r"config\.json"):
        attnviz.load(copy)


@pytest.mark.parametrize("attention", ["se", "cbam", "bam"])
def test_a_folder_says_all_of_a_network_that_is_built_otherwise(attention, tmp_path):
    about = {"depth": 18, "attention": attention, "width": 8, "reduction": 4, "classes": 5}
    about |= {"least_hidden": 6, "bias": True, "padding": "replicate"}
    network = stirred(18, attention, 8, 5, **{name: about[name] for name in MORE})
    registry.save_folder(network, Card("mine", about), tmp_path / "mine")
    again = attnviz.load(tmp_path / "mine")
    assert again.plan == network.plan
    x = torch.randn(2, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(again(x), network(x), rtol=0.02, atol=0.02)  # half precision


@pytest.mark.parametrize("name", ["zzz19", "../models/se_resnet18x"])
def test_a_name_that_does_not_exist_is_answered_with_those_that_do(name):
    with pytest.raises(attnviz.NetworkError, match="cbam_resnet18"):
        attnviz.load(name)


def test_saving_and_opening_keeps_the_network_to_half_precision(tmp_path):
    network = stirred(18, "bam")
    architecture = {"depth": 18, "attention": "bam", "width": 8, "reduction": 4, "classes": 5}
    card = registry.save_folder(network, Card("mine", architecture), tmp_path / "mine")
    again = attnviz.load(tmp_path / "mine")
    assert again.card == card
    for key, value in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[key], value, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    "ending", [".pth", ".th", ".t7", ".model", ".chkpt", ".pyth", ".weights", ".mine", ""]
)
def test_a_file_opens_whatever_it_is_called(ending, tmp_path):
    path = tmp_path / f"weights{ending}"
    torch.save(stirred(18, "se").state_dict(), path)
    assert attnviz.load(path).card.title == "SE ResNet-18"


def test_a_file_that_is_no_checkpoint_is_never_called_unknown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("notes", "notes.onnx", "resnet18.x", "timm"):
        Path(name).write_text("nothing of weights")
        with pytest.raises(attnviz.NetworkError, match=f"“{name}” is a text"):
            attnviz.load(name)


def test_a_name_of_ours_is_no_folder_of_the_same_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("cbam_resnet18").mkdir()  # where somebody's pictures went
    assert attnviz.load("cbam_resnet18").card.name == "cbam_resnet18"


TIMM = {
    "architecture": "seresnet18",
    "num_classes": 5,
    "label_names": ["one", "two", "three", "four", "five"],
    "pretrained_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "classifier": "fc"},
}


def test_a_model_folder_of_timm_opens_with_its_preprocessing_and_labels(tmp_path):
    folder = tmp_path / "seresnet18.mine"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(TIMM))
    save_file(stirred(18, "se").state_dict(), folder / "model.safetensors")
    card = attnviz.load(folder).card
    assert card.name == "seresnet18.mine" and card.labels == tuple(TIMM["label_names"])
    assert (card.recipe.mean, card.recipe.std) == ((0.5,) * 3, (0.25,) * 3)


def make(*names: str, config: str | None = None):
    def write(folder: Path) -> None:
        folder.mkdir()
        for name in names:
            (folder / name).write_bytes(b"x")
        if config is not None:
            (folder / "config.json").write_text(config)

    return write


FOLDERS = {
    "transformers": (
        make("model.safetensors", config='{"model_type": "resnet", "architectures": ["ResNetModel"]}'),
        r"of the transformers library \(resnet\)",
    ),
    "Core ML": (lambda folder: (folder / "Data" / "com.apple.CoreML").mkdir(parents=True), "Core ML"),
    "Orbax": (make("_METADATA", "manifest.ocdbt"), "Orbax"),
    "a checkpoint of TensorFlow": (
        make("checkpoint", "model.ckpt-1.index", "model.ckpt-1.data-00000-of-00001"),
        "folder of TensorFlow",
    ),
    "TensorFlow's for browsers": (make("model.json", "group1-shard1of1.bin"), "folder of TensorFlow"),
    "a network of another program": (make("network.onnx"), "“network.onnx” is"),
    "hidden files": (make(".a.pth", "._b.pth"), "without a checkpoint"),
    "what training saves beside weights": (make("optimizer.pt", "rng_state.pth"), "without a checkpoint"),
    "an unzipped checkpoint": (make("data.pkl", "version"), "was unzipped"),
    "a saved model": (make("saved_model.pb"), "TensorFlow"),
    "a distributed checkpoint": (make(".metadata", "__0_0.distcp"), "dcp_to_torch_save"),
    "nothing": (make(), "without a checkpoint"),
    "pictures": (make("a.png", "b.png"), "without a checkpoint"),
    "several": (make("best.pth", "last.pth"), "“best.pth”, “last.pth”"),
    "one that is none": (make("best.pth"), "“best.pth” is"),
    "timm's, damaged": (make("model.safetensors", config=json.dumps(TIMM)), "“model.safetensors” is"),
    "timm's, without weights": (make(config=json.dumps(TIMM)), "without a checkpoint"),
    "timm's, of odd settings": (
        make(
            "pytorch_model.bin",
            config='{"architecture": "x", "pretrained_cfg": {"mean": "a", "std": [0, 0, 0]}}',
        ),
        "“pytorch_model.bin” is",
    ),
}


@pytest.mark.parametrize(("write", "words"), FOLDERS.values(), ids=FOLDERS)
def test_a_folder_says_what_it_is(write, words, tmp_path):
    write(tmp_path / "mine")
    with pytest.raises(attnviz.NetworkError, match=words):
        attnviz.load(tmp_path / "mine")


def test_a_folder_with_one_checkpoint_opens(tmp_path):
    torch.save(stirred(18, "cbam").state_dict(), tmp_path / "best.pth")
    (tmp_path / "log.txt").write_text("epoch 1")
    assert attnviz.load(tmp_path).card.title == "CBAM ResNet-18"


@pytest.mark.parametrize(
    "names",
    [
        ["weights"],
        ["runs/version_0/checkpoints/epoch=3.ckpt", "runs/version_0/metrics.csv"],
        ["best.dat", "optimizer.pt", "rng_state.pth", "training_args.bin"],
        ["blobs/0a1b", "snapshots/0a/model.safetensors"],
    ],
)
def test_the_checkpoint_in_a_folder_is_found_by_its_content(names, tmp_path):
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.name == "model.safetensors":
            path.symlink_to(tmp_path / names[0])
        elif path.suffix == ".csv":
            path.write_text("epoch,loss")
        else:
            torch.save(stirred(18, "se").state_dict(), path)
    assert attnviz.load(tmp_path).card.title == "SE ResNet-18"


def test_checkpoints_in_folders_below_are_named_with_them(tmp_path):
    for number in (500, 1000):
        (tmp_path / f"step-{number}").mkdir()
        save_file(stirred(18, "se").state_dict(), tmp_path / f"step-{number}" / "model.safetensors")
    with pytest.raises(attnviz.NetworkError, match=r"“step-1000/model\.safetensors”"):
        attnviz.load(tmp_path)


@pytest.mark.parametrize(
    "config", ['{"depth": 18, "width": 8}', '{"model_type": "seresnet", "architectures": ["SEResNet"]}']
)
def test_a_folder_of_somebody_elses_description_opens_by_its_weights(config, tmp_path):
    (tmp_path / "config.json").write_text(config)
    save_file(stirred(18, "se").state_dict(), tmp_path / "model.safetensors")
    assert attnviz.load(tmp_path).card.title == "SE ResNet-18"


@contextmanager
def as_anybody() -> Iterator[Path]:
    """A folder that anybody can write to, while this process is not an administrator."""
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        mine = os.geteuid()
        if mine == 0:
            os.seteuid(65_534)
        try:
            yield Path(folder)
        finally:
            os.seteuid(mine)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="folders have no such permissions here")
@pytest.mark.parametrize("mode", [0o000, 0o400, 0o100])
def test_folders_that_can_not_be_read_are_passed_over_or_named(mode):
    with as_anybody() as folder:
        (folder / "locked").mkdir()
        (folder / "locked").chmod(mode)
        with pytest.raises(attnviz.NetworkError, match="is a folder without a checkpoint"):
            attnviz.load(folder)
        with pytest.raises(attnviz.NetworkError, match=r"“locked” is not there or can't be read"):
            attnviz.load(folder / "locked")
        torch.save(stirred(18, "se").state_dict(), folder / "weights.pth")
        assert attnviz.load(folder).card.title == "SE ResNet-18"


def test_no_more_names_of_a_folder_are_looked_at_than_all_folders_may_have(tmp_path):
    for number in range(3):
        (tmp_path / f"empty-{number}").mkdir()
    for number in range(folders.MOST_ENTRIES):
        (tmp_path / "empty-0" / f"{number}.txt").touch()
    torch.save(stirred(18, "se").state_dict(), tmp_path / "empty-1" / "weights.pth")
    with pytest.raises(attnviz.NetworkError, match="more than 2,000 files and folders, and no checkpoint"):
        attnviz.load(tmp_path)


def in_parts(folder: Path) -> list[Path]:
    """A network's weights in two files, and no index."""
    weights = list(stirred(18, "se").state_dict().items())
    paths = [folder / f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    for path, part in zip(paths, (weights[::2], weights[1::2])):
        save_file(dict(part), path)
    return paths


def test_a_checkpoint_in_parts_opens_by_each_of_them_and_by_its_folder(tmp_path):
    for source in (tmp_path, *in_parts(tmp_path)):
        assert attnviz.load(source).card.title == "SE ResNet-18"


def test_a_part_that_is_missing_or_none_is_named(tmp_path):
    first, second = in_parts(tmp_path)
    second.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(attnviz.NetworkError, match=f"“{second.name}” is a Git LFS pointer"):
        attnviz.load(first)
    second.unlink()
    with pytest.raises(attnviz.NetworkError, match=f"one of 2 parts .* “{second.name}” is not beside it"):
        attnviz.load(first)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "“” is not there"),
        ("https://example.org/weights.pth", "is an address"),
        ("weights.tflite", "“weights.tflite” is not there"),
        ("w" * 5000, "There is no network called “www"),
        ("w" * 5000 + ".pth", "is not there"),
    ],
)
def test_what_can_be_no_file_is_said_shortly(name, words):
    with pytest.raises(attnviz.NetworkError, match=words) as caught:
        attnviz.load(name)
    assert len(str(caught.value)) < 300


def test_tensorflows_checkpoints_are_named_as_people_name_them(tmp_path):
    (tmp_path / "model.ckpt-100.index").write_bytes(bytes(300) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb")
    with pytest.raises(attnviz.NetworkError, match="TensorFlow"):
        attnviz.load(tmp_path / "model.ckpt-100")
