from __future__ import annotations

import subprocess
import sys

import pytest
from helpers.checkout import ROOT

from attnviz import __version__
from attnviz.command.main import main
from attnviz.command.options import COMMANDS, VIEWS
from attnviz.networks.attention import ATTENTION
from attnviz.networks.plan import DEPTHS
from attnviz.photos.geometry import VIEWS as VIEWS_OF_PHOTOS
from attnviz.training.plan import ATTENTION_NAMES, DEPTH_NUMBERS

SLOW = ("torch", "numpy", "matplotlib", "gradio", "PIL", "huggingface_hub")
RUN_WITHOUT = f"""
import sys
sys.modules.update(dict.fromkeys({SLOW}))  # to import one of them is an error
from attnviz.command.main import main
sys.exit(main(sys.argv[1:]))
"""


def run_without_what_is_slow(*words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", RUN_WITHOUT, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_help_starts_nothing_that_is_slow(command):
    run = run_without_what_is_slow(*command, "--help")
    assert run.returncode == 0 and run.stdout.startswith(" ".join(["usage: attnviz", *command]))
    assert command or all(f"  {name} " in run.stdout for name in COMMANDS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--version"], __version__),
        (["shwo", "a.png"], "did you mean show?"),
        (["explain", "a.png"], "choose one of show, networks"),
        (["show", "a.png", "--opacty", "1"], "did you mean --opacity?"),
        (["show", "a.png", "--qqq"], "there is no option --qqq: see --help"),
        (["show", "a.png", "--opacity", "much"], "“much” is not a number"),
        (["show", "a.png", "--colormap", "virids"], "did you mean viridis?"),
        (["app", "--port", "70000"], "70000 is not a port"),
        (["show", "--version"], __version__),
        (["app", "-V"], __version__),
        (["help"], "usage: attnviz COMMAND"),
        (["help", "show"], "usage: attnviz show"),
        (["--versoin"], "did you mean --version?"),
        (["show", "--opacty", "1"], "did you mean --opacity?"),  # before the photo that is missing too
        (["show", "-x"], "there is no option -x"),
        (["show", "--", "-gone.png"], "“-gone.png” is not there"),
        (["show", "https://example.org/a.png"], "is an address, not a file"),
        (["networks", "extra"], "“extra” is one word too many"),
        (["train", "data", "out", "--attention", "sen"], "did you mean se?"),
        (["show", "gone.png"], "“gone.png” is not there"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_word_is_answered_without_what_is_slow(words, said):
    run = run_without_what_is_slow(*words)
    assert said in run.stdout + run.stderr and "Traceback" not in run.stderr


def test_what_can_be_chosen_is_what_there_is():
    assert set(ATTENTION_NAMES) == set(ATTENTION) and set(DEPTH_NUMBERS) == set(DEPTHS)
    assert set(VIEWS) == set(VIEWS_OF_PHOTOS)


def test_no_word_at_all_is_answered_with_the_usage(capsys):
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2 and "usage: attnviz COMMAND" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["show", "--all"])
    assert "PHOTO" in capsys.readouterr().err


def test_a_photo_whose_name_begins_as_options_do_is_told_from_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-photo.png").write_bytes(b"")
    with pytest.raises(SystemExit):
        main(["show", "--html", "-photo.png"])
    assert "a file of this name is given as ./-photo.png" in capsys.readouterr().err
    assert main(["show", "./-photo.png"]) == 1
    assert "“-photo.png” is empty" in capsys.readouterr().err
