"""The uploads' folder is this user's own, is swept, and goes with its server."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers.checkout import ROOT

from attnviz.server.sweeping import PREFIX, Sweeper, keep_swept, make_again, new_folder


def test_only_this_user_can_read_the_folder(tmp_path):
    folder = new_folder(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_servers_of_one_process_have_folders_beside_each_other(tmp_path):
    one = new_folder(tmp_path)
    assert new_folder(tmp_path, one.parent).parent == one.parent
    assert new_folder(tmp_path, tmp_path).parent not in (one.parent, tmp_path)
    assert new_folder(tmp_path, tmp_path / f"{PREFIX}gone").parent != one.parent


@pytest.mark.slow
def test_what_a_killed_app_left_behind_goes_at_the_next_start_and_what_a_running_one_has_stays(tmp_path):
    code = f"""
import sys
from pathlib import Path
sys.path.append("attnviz/server")
from sweeping import new_folder
print(new_folder(Path({str(tmp_path)!r})), flush=True)
input()
"""
    command, pipes = [sys.executable, "-c", code], {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as other:
        theirs = Path(other.stdout.readline().strip())
        (theirs / "photo.jpg").write_bytes(b"x")
        mine = new_folder(tmp_path)
        assert theirs.exists()  # whatever its process is called there, and here
        other.kill()
        other.wait(20)
    new_folder(tmp_path)
    assert not theirs.parent.exists() and mine.exists()


def test_a_folder_of_process_number_1_that_nobody_holds_goes(tmp_path):
    left = tmp_path / f"{PREFIX}1-x" / "server-x"
    left.mkdir(parents=True)
    (left / "photo.jpg").write_bytes(b"x")
    new_folder(tmp_path)
    assert not left.parent.exists()


def test_a_folder_that_somebody_deleted_is_made_again_for_this_user_alone_and_stays(tmp_path):
    folder = new_folder(tmp_path)
    shutil.rmtree(folder.parent)
    make_again(folder)
    make_again(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    run = [
        sys.executable,
        "-c",
        f"import sys; from pathlib import Path; sys.path.append('attnviz/server'); "
        f"from sweeping import new_folder; new_folder(Path({str(tmp_path)!r}))",
    ]
    subprocess.run(run, cwd=ROOT, check=True, timeout=60)
    assert folder.is_dir()


@pytest.mark.slow
@pytest.mark.parametrize(
    "ending",
    ["pass", "raise SystemExit", "raise KeyboardInterrupt", "os.kill(os.getpid(), signal.SIGTERM); input()"],
)
def test_nothing_is_left_when_the_program_ends(tmp_path, ending):
    code = f"""
import os, signal, sys
from pathlib import Path
sys.path.append("attnviz/server")  # alone, since to import all of attnviz takes seconds
from sweeping import Sweeper, keep_swept, new_folder
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
folder = new_folder(Path({str(tmp_path)!r}))
keep_swept(Sweeper(folder, 3600), lambda: None)
for index in range(500):
    (folder / str(index)).write_bytes(b"x")
print("written", flush=True)
{ending}
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.stdout == "written\n", ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_old_files_and_empty_folders_go_and_new_ones_stay(tmp_path):
    for name in ("old/a.png", "new/b.png", "orphan"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert Sweeper(tmp_path, 3600).sweep() == 0
    assert Sweeper(tmp_path / "old", older_than=-1).sweep() == 1
    # An empty folder may be in use.
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["b.png", "new", "old", "orphan"]
    assert Sweeper(tmp_path, older_than=-1).sweep() == 2
    assert list(tmp_path.iterdir()) == []


def test_a_clock_that_jumps_deletes_nothing_and_keeps_nothing_longer(tmp_path):
    now = [1000.0]
    (tmp_path / "a").write_bytes(b"x")
    sweeper = Sweeper(tmp_path, 3600, clock=lambda: now[0])
    assert sweeper.sweep() == 0
    for changed in (0, 4 * 10**9):  # by a clock that runs elsewhere
        os.utime(tmp_path / "a", (changed, changed))
        assert sweeper.sweep() == 0
    now[0] += 3000
    assert sweeper.sweep() == 0
    os.utime(tmp_path / "a", (1, 1))  # used
    assert sweeper.sweep() == 0
    now[0] += 3000
    assert sweeper.sweep() == 0
    now[0] += 1000
    assert sweeper.sweep() == 1


def test_the_sweep_survives_what_it_cannot_delete(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").write_bytes(b"x")
    unlink = Path.unlink

    def stubborn(path, **more):
        if path.name == "b":
            raise PermissionError(path)
        unlink(path, **more)

    monkeypatch.setattr(Path, "unlink", stubborn)
    assert Sweeper(tmp_path, older_than=-1).sweep() == 1


def test_a_sweep_that_fails_is_not_the_last_and_the_folder_goes_at_the_end(tmp_path):
    folder, swept, failures = tmp_path / "uploads", threading.Event(), [OSError("once")]
    folder.mkdir()

    def also() -> None:
        if failures:
            raise failures.pop()
        swept.set()

    end = keep_swept(Sweeper(folder, 3600), also, every=0.01)
    assert swept.wait(10)
    end()
    assert not folder.exists()
