"""What stands on the terminal: names that give no orders, in any encoding; and no traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
import torch
from helpers.checkout import ROOT
from helpers.small_networks import stirred

from attnviz.command.main import main

ORDERS = "\x1b]0;owned\x07\x9b31m\u202e\r\n.png"


def test_a_name_gives_the_terminal_no_orders(tmp_path, examples, capsys):
    good, bad = tmp_path / f"good{ORDERS}", tmp_path / f"bad{ORDERS}"
    shutil.copyfile(examples / "cat.jpg", good)
    bad.write_text("no picture")
    assert main(["show", str(good), str(bad), "-l", "layer1.0", "-o", str(tmp_path / "out")]) == 1
    assert main(["layers", f"none{ORDERS}"]) == 1
    with pytest.raises(SystemExit):
        main(["show", "a.png", f"--{ORDERS}"])
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert all(character.isprintable() or character == "\n" for character in text)
    assert r"good\x1b]0;owned\x07\x9b31m\u202e\r\n.png: " in said.out


WITHOUT_OUTPUT = """
import os, sys
from attnviz.command.terminal import open_streams
for number in (0, 1, 2):
    os.close(number)
open_streams()
inheritable = [os.get_inheritable(number) for number in (0, 1, 2)]
with open(sys.argv[1], "w") as answer:
    print(*inheritable, os.path.realpath("/proc/self/fd/1"), file=answer)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_programs_that_are_started_without_an_output_have_one_that_goes_nowhere(tmp_path):
    command = [sys.executable, "-c", WITHOUT_OUTPUT, str(tmp_path / "answer")]
    assert subprocess.run(command, cwd=ROOT, timeout=60).returncode == 0
    assert (tmp_path / "answer").read_text(encoding="utf-8").split() == ["True"] * 3 + ["/dev/null"]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
@pytest.mark.parametrize(
    "words",
    [["show", "{}"], ["layers", "{}"], ["show", "assets/examples/cat.jpg", "--labels", "{}"]],
)
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


@pytest.mark.slow
def test_a_name_that_the_terminal_has_no_letters_for_stops_nothing(tmp_path, examples):
    for name in ("猫 照片.jpg", "plain.jpg"):
        shutil.copyfile(examples / "cat.jpg", tmp_path / name)
    command = [
        sys.executable,
        "-m",
        "attnviz",
        "show",
        "猫 照片.jpg",
        "plain.jpg",
        "-l",
        "layer1.0",
        "-o",
        "out",
    ]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=100)
    assert run.returncode == 0 and rb"\u732b" in run.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["plain", "猫 照片"]


@pytest.mark.slow
def test_who_has_read_enough_is_not_told_of_it():
    command = [sys.executable, "-m", "attnviz", "networks"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        run.stdout.close()
        assert run.stderr.read() == b""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="the streams are closed by a shell")
def test_without_any_output_photos_are_written_all_the_same(tmp_path, examples):
    words = [sys.executable, "-m", "attnviz", "show", str(examples / "cat.jpg"), "-l", "layer1.0"]
    run = subprocess.run(
        ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *words, "-o", str(tmp_path)], cwd=ROOT, check=False
    )
    assert run.returncode == 0 and (tmp_path / "cat" / "manifest.json").is_file()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk that is always full")
def test_a_full_disk_is_said_of_the_file_and_leaves_none_half_written(tmp_path, examples, capsys):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / ".overview.png.part").symlink_to("/dev/full")
    assert main(["show", str(examples / "cat.jpg"), "-l", "layer1.0", "-o", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "overview.png” can't be used" in said and not list((tmp_path / "cat").iterdir())
