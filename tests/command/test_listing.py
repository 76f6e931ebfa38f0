from __future__ import annotations

import re

import pytest
import torch
from helpers.public_networks import untold
from helpers.small_networks import stirred

import attnviz
from attnviz.command.main import main


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
    assert main(["show", str(examples / "cat.jpg"), *map(str, chosen), "--out", str(tmp_path / "out")]) == 0
    assert re.search(r"\b[a-e] [\d.]+ ?%", capsys.readouterr().out)
    assert (tmp_path / "out" / "cat" / "layer3.1.channels.png").is_file()
    assert main(["layers", str(tmp_path / "gone.pth")]) == 1 and "gone.pth" in capsys.readouterr().err


def test_what_is_assumed_of_a_checkpoint_is_printed(tmp_path, capsys):
    torch.save(untold(), tmp_path / "mine.pth")
    assert main(["layers", str(tmp_path / "mine.pth")]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 4 and said.err.count(" assumed (") == 6


def test_how_a_network_is_built_can_be_said(tmp_path, capsys):
    torch.save(untold(), tmp_path / "mine.pth")
    told = ["pool=none", "stem=2", "place=sum", "squeeze=both", "sequence=parallel", "order=maximum first"]
    words = [word for value in told for word in ("--built", value)]
    assert main(["layers", str(tmp_path / "mine.pth"), *words]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("plaice=sum", "did you mean place?"),
        ("place=summ", "did you mean sum?"),
        ("stem=3", "choose one of 1, 2"),
    ],
)
def test_what_can_not_be_said_of_a_network_is_answered_with_what_can(word, hint, capsys):
    with pytest.raises(SystemExit):
        main(["layers", "mine.pth", "--built", word])
    assert hint in capsys.readouterr().err
