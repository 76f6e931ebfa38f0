"""One ResNet (He et al., CVPR 2016) that takes any of the three attention mechanisms, or none.

Without attention it is torchvision's ResNet, weight names included: stride in the 3×3 convolution, no bias before batch norm.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .attention import ATTENTION, CBAM, SqueezeExcite

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


class BasicBlock(nn.Module):
    """Two 3×3 convolutions; attention, if any, on their result before the addition."""

    expansion = 1

    def __init__(self, channels: int, planes: int, stride: int, attention: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, planes, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.attention = attention
        self.relu = nn.ReLU()
        self.downsample = _downsample(channels, planes, stride)

    def forward(self, x: Tensor) -> Tensor:
        branch = self.relu(self.bn1(self.conv1(x)))
        branch = self.bn2(self.conv2(branch))
        return _add(self, branch, x)


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 convolutions, the last to four times the planes; attention on their result before the addition."""

    expansion = 4

    def __init__(self, channels: int, planes: int, stride: int, attention: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, planes * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * self.expansion)
        self.attention = attention
        self.relu = nn.ReLU()
        self.downsample = _downsample(channels, planes * self.expansion, stride)

    def forward(self, x: Tensor) -> Tensor:
        branch = self.relu(self.bn1(self.conv1(x)))
        branch = self.relu(self.bn2(self.conv2(branch)))
        branch = self.bn3(self.conv3(branch))
        return _add(self, branch, x)


class ResNet(nn.Module):
    """Photos (N, 3, H, W), normalised, of any height and width -> logits (N, classes).

    ``attention`` is "se" or "cbam" (in every block, before the addition), "bam" (after stages 1 to 3: modules ``bam1`` to
    ``bam3``) or None. ``width`` is the number of channels after the stem, ``reduction`` the r of the attention's hidden layers.
    Raises ValueError for a depth or an attention that does not exist.
    """

    layer1: nn.Module
    layer2: nn.Module
    layer3: nn.Module
    layer4: nn.Module
    bam1: nn.Module
    bam2: nn.Module
    bam3: nn.Module

    def __init__(
        self, depth: int = 18, attention: str | None = None, width: int = 64, reduction: int = 16, classes: int = 1000
    ) -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise ValueError(f"depth is {depth}; a ResNet has one of {', '.join(map(str, DEPTHS))}")
        if attention is not None and attention not in ATTENTION:
            raise ValueError(f"attention is {attention!r}; it can be {', '.join(map(repr, ATTENTION))} or None")
        block = BasicBlock if depth < 50 else Bottleneck
        self.conv1 = nn.Conv2d(3, width, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        channels = width
        for stage, count in enumerate(DEPTHS[depth]):
            planes = width * 2**stage
            blocks = []
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                gate = ATTENTION[attention](planes * block.expansion, reduction) if attention in ("se", "cbam") else None
                blocks.append(block(channels, planes, stride, gate))
                channels = planes * block.expansion
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
            if stage < 3:
                self.add_module(f"bam{stage + 1}", ATTENTION["bam"](channels, reduction) if attention == "bam" else nn.Identity())
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)
        _start(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.bam1(self.layer1(x))
        x = self.bam2(self.layer2(x))
        x = self.bam3(self.layer3(x))
        x = self.layer4(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


def _downsample(channels: int, out: int, stride: int) -> nn.Module | None:
    if stride == 1 and channels == out:
        return None
    return nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))


def _add(block: BasicBlock | Bottleneck, branch: Tensor, x: Tensor) -> Tensor:
    attention: nn.Module | None = block.attention
    downsample: nn.Module | None = block.downsample
    if attention is not None:
        branch = attention(branch)
    return block.relu(branch + (x if downsample is None else downsample(x)))


def _start(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    for module in network.modules():
        if isinstance(module, (SqueezeExcite, CBAM)):
            module.reset_parameters()
