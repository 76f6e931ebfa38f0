from __future__ import annotations

import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from helpers.checkout import ROOT
from helpers.small_networks import stirred

import attnviz
from attnviz.server.uploads import PREFIX, Asked, Results, Sweeper, keep_swept, new_folder, trace_bytes


def test_only_this_user_can_read_the_folder(tmp_path):
    folder = new_folder(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_a_killed_app_left_behind_goes_at_the_next_start_and_what_a_running_one_has_stays(tmp_path):
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    left = tmp_path / f"{PREFIX}{gone.stdout.strip()}-x"
    left.mkdir()
    (left / "photo.jpg").write_bytes(b"x")
    running = new_folder(tmp_path)
    new_folder(tmp_path)
    assert not left.exists() and running.exists()


@pytest.mark.parametrize(
    "ending",
    ["pass", "raise SystemExit", "raise KeyboardInterrupt", "os.kill(os.getpid(), signal.SIGTERM); input()"],
)
def test_nothing_is_left_when_the_program_ends(tmp_path, ending):
    code = f"""
import os, signal, sys
from pathlib import Path
from attnviz.uploads import keep_swept, new_folder
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
folder = new_folder(Path({str(tmp_path)!r}))
keep_swept(folder, lambda: None)
for index in range(500):
    (folder / str(index)).write_bytes(b"x")
{ending}
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert list(tmp_path.iterdir()) == []


def test_old_files_and_empty_folders_go_and_new_ones_stay(tmp_path):
    for name in ("old/a.png", "new/b.png", "orphan"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert Sweeper(tmp_path).sweep() == 0
    assert Sweeper(tmp_path / "old", older_than=-1).sweep() == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "b.png",
        "new",
        "old",
        "orphan",
    ]  # an empty folder may be in use
    assert Sweeper(tmp_path, older_than=-1).sweep() == 2
    assert list(tmp_path.iterdir()) == []


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


def test_the_folder_goes_when_the_app_does(tmp_path, monkeypatch):
    monkeypatch.setattr("attnviz.server.uploads.SWEEP_SECONDS", 0.01)
    folder, swept = tmp_path / "uploads", threading.Event()
    folder.mkdir()
    end = keep_swept(folder, swept.set)
    assert swept.wait(10)
    end()
    assert not folder.exists()


@pytest.fixture(scope="module")
def a_trace() -> attnviz.Trace:
    return attnviz.trace(stirred(18, "se"), torch.randn(3, 64, 64))


def test_each_trace_is_computed_once_however_many_ask(a_trace):
    asked, started = [], threading.Barrier(8)

    def compute(question):
        asked.append(question)
        return a_trace

    traces = Results(compute, trace_bytes)

    def ask(_):
        started.wait()
        return traces.get(Asked("a", "b", "whole"))

    with ThreadPoolExecutor(8) as pool:
        assert all(trace is a_trace for trace in pool.map(ask, range(8)))
    assert asked == [Asked("a", "b", "whole")]


def test_a_failure_is_raised_and_not_kept(a_trace):
    answers = [attnviz.PhotoError("photo_unknown", name="a.png"), a_trace]

    def compute(_):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    traces = Results(compute, trace_bytes)
    with pytest.raises(attnviz.PhotoError):
        traces.get(Asked("a", "b", "whole"))
    assert traces.get(Asked("a", "b", "whole")) is a_trace


def test_the_least_recently_used_goes_first(a_trace):
    asked = []
    size = trace_bytes(a_trace)
    traces = Results(
        lambda question: asked.append(question.photo) or a_trace, trace_bytes, kept_bytes=2 * size
    )
    for photo in ("a", "b", "a", "c", "a", "b"):
        traces.get(Asked(photo, "n", "whole"))
    assert asked == ["a", "b", "c", "b"]


def test_what_is_older_than_its_time_goes(a_trace):
    asked = []
    traces = Results(lambda question: asked.append(question) or a_trace, trace_bytes, kept_seconds=-1)
    for _ in range(2):
        traces.get(Asked("a", "n", "whole"))
    assert len(asked) == 2
