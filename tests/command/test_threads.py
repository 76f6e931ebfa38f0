from __future__ import annotations

import pytest
import torch

from attnviz.command.threads import take_threads


@pytest.mark.parametrize(("chosen", "threads"), [("2", 3), (None, 1)])
def test_in_a_container_torch_takes_the_processors_that_are_its_own(chosen, threads, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if chosen:  # who has chosen a number keeps it
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        take_threads(processors=1)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
