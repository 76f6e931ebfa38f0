"""A penalty on large logits of gates, which keeps gates graded: a sigmoid is nearly 0 or 1 for all logits
beyond ±3, where its gradient is nearly zero, so that what once became a switch stays one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn, promote_types

from ..capture.hooks import Hooks, first_tensor

GATES = ("channel", "spatial", "joint")  # roles in ``attention_taps`` of what multiplies


def gates_of(network: nn.Module) -> list[nn.Sigmoid]:
    """The sigmoids that attention modules of ours declare as their gates, in the order of the modules."""
    return [
        gate
        for module in network.modules()
        for path, role in getattr(module, "attention_taps", {}).items()
        if role in GATES and isinstance(gate := module.get_submodule(path), nn.Sigmoid)
    ]


@contextmanager
def gate_logits(network: nn.Module) -> Iterator[list[Tensor]]:
    """What the gates of a network are given while this lasts, in running order: (N, C) of channel gates, (N,
    1, H, W) of spatial ones, (N, C, H, W) of BAM's; with gradients, where they are on."""
    logits: list[Tensor] = []

    def keep(_gate: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        logits.append(first_tensor(inputs, named))

    with Hooks() as hooks:
        for gate in gates_of(network):
            hooks.before(gate, keep)
        yield logits


def mean_squares(logits: list[Tensor]) -> Tensor:
    """The sum over gates of mean(logit²): each gate counts the same, however many numbers it has. 0 without
    any."""
    squares = [values.to(promote_types(values.dtype, torch.float32)).square().mean() for values in logits]
    return torch.stack(squares).sum() if squares else torch.zeros(())
