"""One ResNet (He et al., CVPR 2016) that takes any of the three attention mechanisms, or none.

Without attention it is torchvision's ResNet, weight names included: stride in the 3×3 convolution, no bias
before batch norm. What released code does otherwise is a ``Design``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from .attention import ATTENTION, BAM, CBAM, ReleasedBAM, SqueezeExcite

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


@dataclass(frozen=True)
class Design:
    """How a ResNet is built where code differs. The defaults are torchvision's ResNet and the papers'
    attention."""

    bottleneck: bool | None = None  # None: as the depth has it
    stride_first: bool = False  # a bottleneck's stride is in its first convolution, as in Caffe
    relu_first: bool = False  # a basic block's attention comes after a ReLU (timm's legacy_seresnet18 and 34)
    # the pooling after the 7×7: "padded", or "ceil" without padding; "small": a 3×3 and no pooling
    stem: str = "padded"
    hidden: Mapping[int, int] = field(
        default_factory=dict
    )  # channels -> hidden units of attention, where not channels / reduction
    bias: bool = False  # of the layers in SE and in CBAM's channel gate
    kernel: int = 7  # of CBAM's spatial convolution
    spatial_bias: bool = False
    spatial_norm: bool = False  # a batch norm behind it
    maximum_first: bool = False  # its first input is the maximum, not the mean
    released_bam: bool = False  # the branches are multiplied
    window_pool: bool = (
        False  # attention averages over positions by a window of their size, see attention.WindowPool
    )


class BasicBlock(nn.Module):
    """Two 3×3 convolutions; attention, if any, on their result before the addition."""

    expansion = 1

    def __init__(
        self, channels: int, planes: int, stride: int, attention: nn.Module | None, design: Design = Design()
    ) -> None:
        super().__init__()
        self.relu_first = design.relu_first
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
        if self.relu_first:
            branch = self.relu(branch)
        return _add(self, branch, x)


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 convolutions, the last to four times the planes; attention on their result before the
    addition."""

    expansion = 4

    def __init__(
        self, channels: int, planes: int, stride: int, attention: nn.Module | None, design: Design = Design()
    ) -> None:
        super().__init__()
        first, second = (stride, 1) if design.stride_first else (1, stride)
        self.conv1 = nn.Conv2d(channels, planes, 1, first, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, second, padding=1, bias=False)
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

    ``attention`` is "se" or "cbam" (in every block, before the addition), "bam" (after stages 1 to 3: modules
    ``bam1`` to ``bam3``) or None. ``depth`` can be the four stages' numbers of blocks, ``width`` is the
    number of channels after the stem, ``reduction`` the r of the attention's hidden layers. Raises ValueError
    for a depth or an attention that does not exist."""

    layer1: nn.Module
    layer2: nn.Module
    layer3: nn.Module
    layer4: nn.Module
    bam1: nn.Module
    bam2: nn.Module
    bam3: nn.Module

    def __init__(
        self,
        depth: int | tuple[int, ...] = 18,
        attention: str | None = None,
        width: int = 64,
        reduction: int = 16,
        classes: int = 1000,
        design: Design = Design(),
    ) -> None:
        super().__init__()
        if isinstance(depth, int) and depth not in DEPTHS:
            raise ValueError(f"depth is {depth}; a ResNet has one of {', '.join(map(str, DEPTHS))}")
        if attention is not None and attention not in ATTENTION:
            raise ValueError(
                f"attention is {attention!r}; it can be {', '.join(map(repr, ATTENTION))} or None"
            )
        counts = DEPTHS[depth] if isinstance(depth, int) else depth
        bottleneck = (
            design.bottleneck if design.bottleneck is not None else isinstance(depth, int) and depth >= 50
        )
        block = Bottleneck if bottleneck else BasicBlock
        self.conv1 = (
            nn.Conv2d(3, width, 3, 1, padding=1, bias=False) if design.stem == "small" else _large_stem(width)
        )
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = STEM_POOLS[design.stem]()
        channels = width
        for stage, count in enumerate(counts):
            planes = width * 2**stage
            blocks = []
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                gate = (
                    _gate(attention, planes * block.expansion, reduction, design)
                    if attention in ("se", "cbam")
                    else None
                )
                blocks.append(block(channels, planes, stride, gate, design))
                channels = planes * block.expansion
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
            if stage < 3:
                after = _gate(attention, channels, reduction, design) if attention == "bam" else nn.Identity()
                self.add_module(f"bam{stage + 1}", after)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)
        if not self.fc.weight.is_meta:  # where no numbers are, torch would load its compiler to draw some
            _start(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.bam1(self.layer1(x))
        x = self.bam2(self.layer2(x))
        x = self.bam3(self.layer3(x))
        x = self.layer4(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


def _large_stem(width: int) -> nn.Module:
    return nn.Conv2d(3, width, 7, 2, padding=3, bias=False)


def _gate(attention: str, channels: int, reduction: int, design: Design) -> nn.Module:
    hidden = design.hidden.get(channels)
    if attention == "se":
        return SqueezeExcite(channels, reduction, hidden, design.bias)
    if attention == "cbam":
        return CBAM(
            channels,
            reduction,
            hidden,
            design.bias,
            design.kernel,
            design.spatial_bias,
            design.maximum_first,
            design.spatial_norm,
            design.window_pool,
        )
    if design.released_bam:
        return ReleasedBAM(channels, reduction, hidden=hidden, window=design.window_pool)
    return BAM(channels, reduction, hidden=hidden)


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


STEM_POOLS: dict[str, Callable[[], nn.Module]] = {
    "padded": lambda: nn.MaxPool2d(3, 2, padding=1),
    "ceil": lambda: nn.MaxPool2d(3, 2, ceil_mode=True),
    "small": nn.Identity,
}
