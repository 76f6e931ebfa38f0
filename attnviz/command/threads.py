"""How many threads a command computes with."""

from __future__ import annotations

import os

import torch

from ..processors import cores


def take_threads(processors: int | None = None) -> None:
    """Let torch compute with as many threads as there are processors for this process, unless OMP_NUM_THREADS
    says how many: by itself it counts those of a container's host."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(min(torch.get_num_threads(), processors or cores()))
