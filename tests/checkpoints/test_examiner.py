"""Checkpoints are looked at in a process of their own, whose end harms nobody."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from helpers.small_networks import stirred

from attnviz.checkpoints.examiner import Examiner
from attnviz.checkpoints.state_dict import LIMIT
from attnviz.checkpoints.told import Told
from attnviz.choices import BUILT
from attnviz.errors import NetworkError
from attnviz.zoo.registry import open_checkpoint

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def examiner():
    started = Examiner()
    yield started
    started.close()


def saved(path: Path, attention: str | None = "se", depth: int = 18, **more: torch.Tensor) -> Path:
    torch.save({**stirred(depth, attention).state_dict(), **more}, path)
    return path


def odd_files(folder: Path) -> list[Path]:
    """Files that are refused: as no checkpoint, as damaged, for their keys, for their shapes."""
    texts = {"notes.pth": b"nothing that is a network", "picture.pth": b"\x89PNG\r\n\x1a\n" + bytes(90)}
    for name, content in texts.items():
        (folder / name).write_bytes(content)
    short = saved(folder / "short.pth")
    short.write_bytes(short.read_bytes()[:-5000])
    plain = saved(folder / "plain.pth", None)
    more = saved(folder / "more.pth", **{"layer1.0.conv7.weight": torch.zeros(3, 3)})
    wrong = saved(folder / "wrong.pth", **{"layer1.0.conv1.weight": torch.zeros(8, 9, 3, 3)})
    return [*(folder / name for name in texts), short, plain, more, wrong]


def test_what_is_refused_is_refused_in_the_same_words(examiner, tmp_path):
    for path in odd_files(tmp_path):
        with pytest.raises(NetworkError) as here:
            open_checkpoint(path)
        with pytest.raises(NetworkError) as there:
            examiner.check(path, LIMIT)
        for language in ("en", "zh"):
            assert there.value.sentence(language) == here.value.sentence(language)


def refusal(work: Callable[[], object]) -> str:
    """What is said against something; "" for nothing."""
    try:
        work()
    except NetworkError as error:
        return str(error)
    return ""


def test_what_opens_passes_with_what_is_told_of_it(examiner, tmp_path):
    path = saved(tmp_path / "mine.pth", depth=50)
    said = []
    for place in BUILT["place"]:  # in which of them attention can stand its channels tell
        told = Told(place=place)
        said.append(refusal(partial(examiner.check, path, LIMIT, told)))
        assert said[-1] == refusal(partial(open_checkpoint, path, told=told))
    assert "" in said and any("attention that can" in refused for refused in said)


def test_a_file_that_is_larger_than_is_allowed_is_refused(examiner, tmp_path):
    path = saved(tmp_path / "large.pth", large=torch.zeros(600_000))
    assert "more than the 1.0 MB that are opened here" in refusal(partial(examiner.check, path, 1_000_000))


def test_a_process_that_was_killed_is_replaced(examiner, tmp_path):
    path = saved(tmp_path / "mine.pth")
    examiner.check(path, LIMIT)
    killed = examiner.process_id
    os.kill(killed, signal.SIGKILL)
    os.waitpid(killed, 0)
    examiner.check(path, LIMIT)
    assert examiner.process_id not in (0, killed)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of a process's own time here")
def test_a_file_that_takes_too_long_ends_the_process_and_says_so(tmp_path):
    examiner = Examiner(seconds=0.001)
    try:
        with pytest.raises(NetworkError, match=r"“mine\.pth” takes more than 600 MB or 0\.001 s to look at"):
            examiner.check(saved(tmp_path / "mine.pth"), LIMIT)
    finally:
        examiner.close()


def test_a_process_that_nobody_needs_ends(tmp_path):
    now = 100.0
    examiner = Examiner(clock=lambda: now)
    examiner.check(saved(tmp_path / "mine.pth"), LIMIT)
    now = 150.0
    examiner.expire(60)
    assert examiner.process_id
    now = 161.0
    examiner.expire(60)
    assert not examiner.process_id
