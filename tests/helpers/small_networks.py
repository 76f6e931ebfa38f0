"""Small networks for tests, with weights that are not trained."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from attnviz.networks import ResNet


def stirred(depth: int, attention: str | None, width: int = 8, classes: int = 5, **more: Any) -> ResNet:
    """A small network whose batch norms have seen something, so that no branch is trivially zero; ``more`` is
    what else ``ResNet`` takes."""
    network = ResNet(depth, attention, width, reduction=4, classes=classes, **more)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
            module.momentum = 1.0  # the statistics of the next batch as they are
    with torch.no_grad():
        network.train()(torch.randn(8, 3, 64, 64))
    return network.eval()


def hook_count(network: nn.Module) -> int:
    """How many forward hooks and pre-hooks there are on all modules of a network."""
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules())


def with_spread_gates(module: nn.Module) -> nn.Module:
    """Weights large enough that gates spread over (0, 1), batch norms that have seen something."""
    for name, values in module.named_parameters():
        if values.ndim > 1:
            nn.init.normal_(
                values, 0.3 / values[0].numel(), 1.5 * values[0].numel() ** -0.5
            )  # a little up: hidden units stay alive
        elif name.endswith("bias"):
            nn.init.normal_(values, 0.2, 0.5)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(norm.running_var, 0.5, 1.5)
            nn.init.normal_(norm.running_mean, 0, 0.2)
    return module.eval()
