from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.checkout import ROOT
from helpers.small_networks import stirred

import attnviz
from attnviz.cli import main


def test_one_layer_of_one_photo(tmp_path, examples, capsys):
    assert (
        main(
            [
                "show",
                str(examples / "cat.jpg"),
                "--network",
                "cbam_resnet18",
                "--layer",
                "layer3.1",
                "--out",
                str(tmp_path),
            ]
        )
        == 0
    )
    names = {path.name for path in (tmp_path / "cat").iterdir()}
    figures = {
        f"layer3.1.{what}.{suffix}" for what in ("map", "channels", "steps") for suffix in ("png", "svg")
    }
    numbers = {"photo.png", "channels.csv", "arrays.npz", "manifest.json", "reproduce.py"}
    assert names == {"layer3.1.overlay.png"} | figures | numbers
    expected = attnviz.trace(attnviz.load("cbam_resnet18"), examples / "cat.jpg")
    with np.load(tmp_path / "cat" / "arrays.npz") as arrays:
        np.testing.assert_allclose(arrays["layer3.1.spatial"], expected.layers["layer3.1"].spatial, atol=1e-6)
    assert expected.top(1)[0][0] in capsys.readouterr().out


def test_without_a_layer_every_layer_and_an_overview(tmp_path, examples):
    assert main(["show", str(examples / "cat.jpg"), "--network", "se_resnet18", "--out", str(tmp_path)]) == 0
    names = {path.name for path in (tmp_path / "cat").iterdir()}
    assert {"overview.png", "overview.svg"} <= names and sum(
        name.endswith(".channels.png") for name in names
    ) == 8


def test_photos_of_one_name_do_not_overwrite_each_other_and_a_bad_one_stops_nothing(
    tmp_path, examples, capsys
):
    other, third, dots = tmp_path / "elsewhere" / "cat.jpg", tmp_path / "cat-2.jpg", tmp_path / "...jpg"
    other.parent.mkdir()
    for path in (other, third, dots):
        path.write_bytes((examples / "flower.jpg").read_bytes())
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    out = tmp_path / "out"
    photos = [str(examples / "cat.jpg"), str(bad), str(other), str(third), str(dots)]
    assert main(["show", *photos, "--network", "bam_resnet18", "--layer", "bam2", "--out", str(out)]) == 1
    assert sorted(path.name for path in out.iterdir()) == ["cat", "cat-2", "cat-2-2", "photo"]
    said = [
        json.loads((out / name / "manifest.json").read_text(encoding="utf-8")) for name in ("cat", "cat-2")
    ]
    sizes = [one["traces"][0]["photo"]["width"] for one in said]
    assert sizes == [451, 640]
    assert "“bad.png”" in capsys.readouterr().err


def test_in_a_container_torch_takes_the_processors_that_are_its_own(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr("attnviz.server.settings.cores", lambda: 1)
    try:
        for chosen, threads in (("2", before), (None, 1)):  # who has chosen a number keeps it
            monkeypatch.setenv("OMP_NUM_THREADS", chosen) if chosen else monkeypatch.delenv(
                "OMP_NUM_THREADS", raising=False
            )
            assert main(["layers", "cbam_resnet18"]) == 0 and torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    "arguments", [["--network", "vgg"], ["--network", "cbam_resnet18", "--layer", "layer9.9"]]
)
def test_what_does_not_exist_is_answered_with_what_does(arguments, tmp_path, examples, capsys):
    assert main(["show", str(examples / "cat.jpg"), "--out", str(tmp_path), *arguments]) == 1
    error = capsys.readouterr().err
    assert "choose one of" in error and ("cbam_resnet18" in error or "layer3.1" in error)


def test_networks_lists_what_load_takes(capsys):
    assert main(["networks"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert listed == [*attnviz.list_networks(), *attnviz.list_networks("imagenet")]


def test_layers_lists_a_networks_attention_and_a_file_of_weights_can_be_shown(tmp_path, examples, capsys):
    torch.save(stirred(18, "se").state_dict(), tmp_path / "mine.pth")
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\ne\n")
    assert main(["layers", str(tmp_path / "mine.pth")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8 and lines[0].split()[:3] == ["layer1.0", "se", "SqueezeExcite"]
    assert (
        main(
            [
                "show",
                str(examples / "cat.jpg"),
                "--network",
                str(tmp_path / "mine.pth"),
                "--labels",
                str(tmp_path / "labels.txt"),
                "--layer",
                "layer3.1",
                "--out",
                str(tmp_path / "out"),
            ]
        )
        == 0
    )
    assert capsys.readouterr().out.split()[1] in "abcde"
    assert (tmp_path / "out" / "cat" / "layer3.1.channels.png").is_file()
    assert main(["layers", str(tmp_path / "gone.pth")]) == 1 and "gone.pth" in capsys.readouterr().err


def test_a_page_in_one_file_lies_beside_the_rest(tmp_path, examples):
    assert (
        main(
            [
                "show",
                str(examples / "cat.jpg"),
                "--network",
                "bam_resnet18",
                "--layer",
                "bam3",
                "--html",
                "--out",
                str(tmp_path),
            ]
        )
        == 0
    )
    page = (tmp_path / "cat" / "attnviz.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>") and (tmp_path / "cat" / "manifest.json").is_file()


def test_the_choices_of_the_command_are_those_of_the_pictures():
    from attnviz import analysis, cli
    from attnviz.drawing import style

    assert style.COLORMAPS == cli.COLORMAPS
    for name in ("SCALES", "ORDERS"):
        assert getattr(cli, name) == tuple(getattr(analysis, name))


def test_the_command_writes_what_a_bundle_holds(tmp_path, examples):
    from attnviz.drawing.overlay import Look
    from attnviz.export.bundle import bundle
    from attnviz.export.selection import Selection

    network = attnviz.load("bam_resnet18")
    trace = attnviz.trace(network, examples / "cat.jpg")
    expected = dict(
        bundle([Selection(trace, network.card, ("bam2",))], Look(scale="stage", colormap="magma"), "surprise")
    )
    arguments = [
        "--layer",
        "bam2",
        "--scale",
        "stage",
        "--order",
        "surprise",
        "--colormap",
        "magma",
        "--out",
        str(tmp_path),
    ]
    assert main(["show", str(examples / "cat.jpg"), "--network", "bam_resnet18", *arguments]) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "cat").iterdir()} == expected


def test_the_colours_can_span_all_photos_that_are_shown(tmp_path, examples):
    photos = [str(examples / name) for name in ("cat.jpg", "flower.jpg")]
    written = {}
    for scale in ("map", "shown"):
        arguments = ["--layer", "bam3", "--scale", scale, "--out", str(tmp_path / scale)]
        assert main(["show", *photos, "--network", "bam_resnet18", *arguments]) == 0
        for name in ("cat", "flower"):
            svg = (tmp_path / scale / name / "bam3.map.svg").read_text(encoding="utf-8")
            written[scale, name] = re.findall(r">(\d\.\d+)</text>", svg)
    assert written["shown", "cat"] == written["shown", "flower"]
    assert written["map", "cat"] != written["map", "flower"]


def test_an_installed_wheel_works_outside_the_checkout(tmp_path, examples):
    tree, wheels = tmp_path / "tree", tmp_path / "wheels"
    shutil.copytree(
        ROOT, tree, ignore=shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "tests")
    )
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(tree)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = wheels.iterdir()
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel)],
        check=True,
    )
    run = [
        sys.executable,
        "-I",
        "-c",
        f"import sys; sys.path.insert(0, {str(site)!r}); from attnviz.cli import main; sys.exit(main())",
    ]
    listed = subprocess.run(
        [*run, "networks"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    names = [line.split()[0] for line in listed.splitlines() if line.startswith("  ")]
    assert names == [*attnviz.list_networks(), *attnviz.list_networks("imagenet")]
    shown = [*run, "show", str(examples / "cat.jpg"), "--layer", "layer3.1", "--out", "out"]
    subprocess.run(shown, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "out" / "cat" / "layer3.1.map.png").stat().st_size > 10_000
    page = f"import sys; sys.path.insert(0, {str(site)!r}); from attnviz.server import page; page.build(); print(page.EXAMPLES_FOLDER)"
    printed = subprocess.run(
        [sys.executable, "-I", "-c", page], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    assert (Path(printed.strip()) / "temple.jpg").is_file() and str(site) in printed
