from __future__ import annotations

import json
import os
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
from attnviz.cli import COMMANDS, main


def show(*arguments: str | Path) -> int:
    return main(["show", *map(str, arguments)])


def test_one_layer_of_one_photo(tmp_path, examples, capsys):
    assert (
        show(examples / "cat.jpg", "--network", "cbam_resnet18", "--layer", "layer3.1", "--out", tmp_path)
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


@pytest.mark.slow
def test_without_a_layer_every_layer_and_an_overview(tmp_path, examples):
    assert show(examples / "cat.jpg", "--network", "se_resnet18", "--out", tmp_path) == 0
    names = {path.name for path in (tmp_path / "cat").iterdir()}
    assert {"overview.png", "overview.svg"} <= names
    assert sum(name.endswith(".channels.png") for name in names) == 8


@pytest.mark.slow
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
    photos = [examples / "cat.jpg", bad, other, third, dots]
    assert show(*photos, "--network", "bam_resnet18", "--layer", "bam2", "--out", out) == 1
    assert sorted(path.name for path in out.iterdir()) == ["cat", "cat-2", "cat-2-2", "photo"]
    manifests = [
        json.loads((out / name / "manifest.json").read_text(encoding="utf-8")) for name in ("cat", "cat-2")
    ]
    widths = [manifest["traces"][0]["photo"]["width"] for manifest in manifests]
    assert widths == [451, 640]
    assert "“bad.png”" in capsys.readouterr().err


@pytest.mark.parametrize(("chosen", "threads"), [("2", 3), (None, 1)])
def test_in_a_container_torch_takes_the_processors_that_are_its_own(chosen, threads, monkeypatch):
    monkeypatch.setattr("attnviz.cli.cores", lambda: 1)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if chosen:  # who has chosen a number keeps it
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert main(["layers", "cbam_resnet18"]) == 0 and torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    "arguments", [["--network", "vgg"], ["--network", "cbam_resnet18", "--layer", "layer9.9"]]
)
def test_what_does_not_exist_is_answered_with_what_does(arguments, tmp_path, examples, capsys):
    assert show(examples / "cat.jpg", "--out", tmp_path, *arguments) == 1
    error = capsys.readouterr().err
    assert "choose one of" in error and ("cbam_resnet18" in error or "layer3.1" in error)


def test_networks_lists_what_load_takes(capsys):
    assert main(["networks"]) == 0
    assert listed(capsys.readouterr().out) == [*attnviz.list_networks(), *attnviz.list_networks("imagenet")]


def listed(printed: str) -> list[str]:
    return [line.split()[0] for line in printed.splitlines() if line.startswith("  ")]


def test_layers_lists_a_networks_attention_and_a_file_of_weights_can_be_shown(tmp_path, examples, capsys):
    weights, labels = tmp_path / "mine.pth", tmp_path / "labels.txt"
    torch.save(stirred(18, "se").state_dict(), weights)
    labels.write_text("a\nb\nc\nd\ne\n")
    assert main(["layers", str(weights)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8 and lines[0].split()[:3] == ["layer1.0", "se", "SqueezeExcite"]
    chosen = ["--network", weights, "--labels", labels, "--layer", "layer3.1"]
    assert show(examples / "cat.jpg", *chosen, "--out", tmp_path / "out") == 0
    assert capsys.readouterr().out.split()[1] in "abcde"
    assert (tmp_path / "out" / "cat" / "layer3.1.channels.png").is_file()
    assert main(["layers", str(tmp_path / "gone.pth")]) == 1 and "gone.pth" in capsys.readouterr().err


def test_a_page_in_one_file_lies_beside_the_rest(tmp_path, examples):
    chosen = ["--network", "bam_resnet18", "--layer", "bam3", "--html"]
    assert show(examples / "cat.jpg", *chosen, "--out", tmp_path) == 0
    page = (tmp_path / "cat" / "attnviz.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>") and (tmp_path / "cat" / "manifest.json").is_file()


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_help_is_written_without_starting_what_the_commands_need(command, capsys, monkeypatch):
    heavy = ("matplotlib", "gradio", "attnviz.training.train", "attnviz.server.launch", "huggingface_hub")
    for name in heavy:
        monkeypatch.setitem(sys.modules, name, None)  # to import it is an error
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    printed = capsys.readouterr().out
    assert ended.value.code == 0 and printed.startswith(" ".join(["usage: attnviz", *command]))
    assert command or all(f"    {name} " in printed for name in COMMANDS)


def test_the_command_writes_what_a_bundle_holds(tmp_path, examples):
    from attnviz.drawing.overlay import Look
    from attnviz.export.bundle import bundle
    from attnviz.export.selection import Selection

    network = attnviz.load("bam_resnet18")
    trace = attnviz.trace(network, examples / "cat.jpg")
    expected = dict(
        bundle([Selection(trace, network.card, ("bam2",))], Look(scale="stage", colormap="magma"), "surprise")
    )
    look = ["--scale", "stage", "--order", "surprise", "--colormap", "magma"]
    chosen = ["--network", "bam_resnet18", "--layer", "bam2"]
    assert show(examples / "cat.jpg", *chosen, *look, "--out", tmp_path) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "cat").iterdir()} == expected


@pytest.mark.slow
def test_the_colours_can_span_all_photos_that_are_shown(tmp_path, examples):
    photos = [examples / name for name in ("cat.jpg", "flower.jpg")]
    chosen = ["--network", "bam_resnet18", "--layer", "bam3"]
    limits = {}
    for scale in ("map", "shown"):
        assert show(*photos, *chosen, "--scale", scale, "--out", tmp_path / scale) == 0
        for name in ("cat", "flower"):
            svg = (tmp_path / scale / name / "bam3.map.svg").read_text(encoding="utf-8")
            limits[scale, name] = re.findall(r">(\d\.\d+)</text>", svg)
    assert limits["shown", "cat"] == limits["shown", "flower"]
    assert limits["map", "cat"] != limits["map", "flower"]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder in which the wheel of this checkout is installed, and nothing else."""
    tree, wheels, folder = (tmp_path_factory.mktemp("wheel") / name for name in ("tree", "wheels", "site"))
    left_out = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "tests")
    shutil.copytree(ROOT, tree, ignore=left_out)
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(tree)]
    subprocess.run([sys.executable, *build], check=True, capture_output=True)
    (wheel,) = wheels.iterdir()
    install = ["-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), str(wheel)]
    subprocess.run([sys.executable, *install], check=True)
    return folder


EVERYTHING = """
import importlib, pkgutil, attnviz
names = [module.name for module in pkgutil.walk_packages(attnviz.__path__, "attnviz.")]
for name in names:
    if name != "attnviz.__main__":
        importlib.import_module(name)
from attnviz.server import page
page.build()
print(page.EXAMPLES_FOLDER)
print(*names)
"""
COMMANDS_RUN = """
import sys
from attnviz.cli import main
sys.exit(main(["networks"]) or main(["show", *sys.argv[1:]]))
"""


@pytest.mark.slow
def test_an_installed_wheel_works_outside_the_checkout(site, tmp_path, examples):
    def run(code: str, *arguments: str | Path) -> str:
        outside = f"import sys; sys.path.insert(0, {str(site)!r})\n{code}"
        command = [sys.executable, "-I", "-c", outside, *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    (about,) = site.glob("attnviz-*.dist-info")
    said = (about / "METADATA").read_text(encoding="utf-8")
    assert "License-Expression: MIT AND BSD-3-Clause AND CC-BY-2.0 AND CC0-1.0\n" in said
    files = {path.name: path.read_text(encoding="utf-8") for path in (about / "licenses").rglob("*.*")}
    assert "CC BY 2.0" in files["SOURCES.md"] and "imagenet-labels.txt" in files["SOURCES.md"]

    *_, folder, names = run(EVERYTHING).splitlines()
    parts = [path.relative_to(ROOT).with_suffix("").parts for path in (ROOT / "attnviz").rglob("*.py")]
    modules = {".".join(part).removesuffix(".__init__") for part in parts}
    assert {*names.split(), "attnviz"} == modules
    assert (Path(folder) / "temple.jpg").is_file() and Path(folder).is_relative_to(site)

    printed = run(COMMANDS_RUN, examples / "cat.jpg", "--layer", "layer3.1", "--out", "out")
    assert listed(printed) == [*attnviz.list_networks(), *attnviz.list_networks("imagenet")]
    assert (tmp_path / "out" / "cat" / "layer3.1.map.png").stat().st_size > 10_000


ORDERS = "\x1b]0;owned\x07\x9b31m\u202e\r\n.png"


def test_a_name_gives_the_terminal_no_orders(tmp_path, examples, capsys):
    good, bad = tmp_path / f"good{ORDERS}", tmp_path / f"bad{ORDERS}"
    shutil.copyfile(examples / "cat.jpg", good)
    bad.write_text("no picture")
    assert show(good, bad, "--layer", "layer1.0", "--out", tmp_path / "out") == 1
    assert main(["layers", f"none{ORDERS}"]) == 1
    with pytest.raises(SystemExit):
        main(["show", "a.png", f"--{ORDERS}"])
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert all(character.isprintable() or character == "\n" for character in text)
    assert r"good\x1b]0;owned\x07\x9b31m\u202e\r\n.png: " in said.out


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
@pytest.mark.parametrize("words", [["show", "{}"], ["layers", "{}"], ["show", "x", "--labels", "{}"]])
def test_what_is_no_file_on_a_disk_is_refused_without_waiting(words, tmp_path):
    pipe = tmp_path / "pipe.pth"
    os.mkfifo(pipe)
    arguments = [word.format(pipe) for word in words]
    if "--labels" in words:
        torch.save(stirred(18, "se").state_dict(), tmp_path / "net.pth")
        arguments += ["--network", str(tmp_path / "net.pth")]
    command = [sys.executable, "-m", "attnviz", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1 and "“pipe.pth”" in run.stderr and "Traceback" not in run.stderr


@pytest.mark.slow
def test_an_endless_pipe_is_refused():
    program = "import itertools, sys; [sys.stdout.buffer.write(bytes(100_000)) for _ in itertools.count()]"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as endless:
        command = [sys.executable, "-m", "attnviz", "show", "/dev/stdin"]
        run = subprocess.run(
            command, cwd=ROOT, stdin=endless.stdout, capture_output=True, text=True, timeout=60
        )
        endless.kill()
    assert run.returncode == 1 and "“stdin” is not a file on a disk" in run.stderr
