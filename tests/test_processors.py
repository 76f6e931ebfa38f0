"""As many processors as the container has, not its host."""

from __future__ import annotations

import os
from pathlib import Path

from attnviz.processors import cores


def test_the_cores_of_a_container_are_counted(monkeypatch):
    assert 1 <= cores() <= (os.cpu_count() or 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(96)), raising=False)
    for limit, expected in (("200000 100000", 2), ("max 100000", 96), ("50000 100000", 1), ("", 96)):
        monkeypatch.setattr(Path, "read_text", lambda *_, limit=limit, **__: limit)
        assert cores() == expected
