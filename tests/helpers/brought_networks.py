"""Networks as people bring them: a stem, a block that is given, a head; and gates in the forms that public
code has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

C = 16
CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


def noise(*shape: int, seed: int = 7) -> Tensor:
    """Normal numbers, the same each time."""
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32))


def alive(network: nn.Module) -> nn.Module:
    """The network in eval mode, with weights by which every gate says something."""
    generator = np.random.default_rng(0)
    for name, tensor in network.state_dict().items():
        shape = tuple(tensor.shape)
        if not tensor.is_floating_point():
            continue
        if name.endswith("running_var") or (len(shape) < 2 and name.endswith("weight")):
            values = generator.uniform(0.5, 1.5, shape)
        else:
            values = generator.normal(0, 0.1 if len(shape) < 2 else np.prod(shape[1:]) ** -0.5, shape)
        tensor.copy_(torch.from_numpy(np.asarray(values, np.float32)))
    return network.eval()


class SE(nn.Module):
    """A channel gate on features with so many dimensions of positions."""

    def __init__(self, dimensions: int = 2) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(C, C // 4), nn.ReLU(), nn.Linear(C // 4, C), nn.Sigmoid())
        self.dimensions = dimensions

    def gate(self, x: Tensor) -> Tensor:
        return self.fc(x.mean(tuple(range(2, x.ndim))))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x).view(*x.shape[:2], *[1] * self.dimensions)


class LerpSE(SE):
    """The same by no multiplication."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.lerp(torch.zeros_like(x), x, self.gate(x)[:, :, None, None].expand_as(x))


class ChannelGate(nn.Module):
    """Gives the gate (N, C, 1, 1) back."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Conv2d(C, C // 4, 1), nn.ReLU(), nn.Conv2d(C // 4, C, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.fc(x.mean((2, 3), True)) + self.fc(x.amax((2, 3), True)))


class SpatialGate(nn.Module):
    """Gives the gate (N, 1, h, w) back; its batch norm can be dead."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.bn(self.conv(torch.cat((x.mean(1, True), x.amax(1, True)), 1))))


class CBAM(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.ca, self.sa = ChannelGate(), SpatialGate()

    def forward(self, x: Tensor) -> Tensor:
        x = x * self.ca(x)
        return x * self.sa(x)


class Times(nn.Module):
    """Multiplies by a gate."""

    def __init__(self, gate: nn.Module) -> None:
        super().__init__()
        self.gate = gate

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x)


class NestedCBAM(nn.Module):
    """A CBAM of two modules that each multiply."""

    def __init__(self) -> None:
        super().__init__()
        self.channel, self.spatial = Times(ChannelGate()), Times(SpatialGate())

    def forward(self, x: Tensor) -> Tensor:
        return self.spatial(self.channel(x))


class Small(nn.Module):
    """A stem, a block, a head; ``finish`` makes of the features (N, C) and the scores what is given back."""

    def __init__(
        self,
        block: nn.Module,
        channels: int = 3,
        dimensions: int = 2,
        halvings: int = 1,
        classes: int = 5,
        finish: Callable[[Tensor, Tensor], Any] = lambda features, scores: scores,
    ) -> None:
        super().__init__()
        convolution = CONVOLUTIONS[dimensions]
        stem = [convolution(channels if not i else C, C, 3, 2, 1) for i in range(halvings)]
        self.stem, self.att, self.fc = nn.Sequential(*stem, nn.ReLU()), block, nn.Linear(C, classes)
        self.finish = finish

    def forward(self, x: Tensor) -> Any:
        features = self.att(self.stem(x)).flatten(2).mean(2)
        return self.finish(features, self.fc(features))


class OpenBlock(nn.Module):
    """A residual block that multiplies by both gates in its own code, written out by ``written``."""

    def __init__(self, written: Callable[[Tensor, Tensor], Tensor] = lambda gate, x: gate) -> None:
        super().__init__()
        self.conv, self.ca, self.sa = nn.Conv2d(C, C, 3, padding=1), ChannelGate(), SpatialGate()
        self.written = written

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        y = self.written(self.ca(y), y) * y
        return x + y * self.written(self.sa(y), y)


class Folded(nn.Module):
    """Takes (N, T, 3, H, W) and folds the frames into the batch, photos first or frames first."""

    def __init__(self, block: nn.Module, frames_first: bool) -> None:
        super().__init__()
        self.base, self.frames_first = Small(block), frames_first

    def forward(self, x: Tensor) -> Tensor:
        count, frames = x.shape[:2]
        if self.frames_first:
            return self.base(x.transpose(0, 1).flatten(0, 1)).view(frames, count, -1).mean(0)
        return self.base(x.flatten(0, 1)).view(count, frames, -1).mean(1)


def kill(norm: nn.Module) -> None:
    """A batch norm that gives zero, as many begin."""
    nn.init.zeros_(norm.weight)
    nn.init.zeros_(norm.bias)


def interpolated(gate: Tensor, x: Tensor) -> Tensor:
    return F.interpolate(gate, size=x.shape[-2:]).repeat(1, x.shape[1] // gate.shape[1], 1, 1)
