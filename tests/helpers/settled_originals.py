"""Public networks whose code is known by its names for weights, which tell what shapes leave open; small,
written anew from what they compute."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet

from helpers.public_networks import ONE_EACH, Elbuco1, with_module
from helpers.reference_networks import resnet


class Asdf2krBAM(nn.Module):
    """asdf2kr/BAM-CBAM-pytorch: every layer of both branches has a batch norm and a ReLU behind it; the
    branches are multiplied."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // 16
        self.fc1, self.bn1_1d = nn.Linear(channels, hidden), nn.BatchNorm1d(hidden)
        self.fc2, self.bn2_1d = nn.Linear(hidden, channels), nn.BatchNorm1d(channels)
        dilated = {"padding": 4, "dilation": 4, "bias": False}
        self.conv1, self.bn1_2d = nn.Conv2d(channels, hidden, 1, bias=False), nn.BatchNorm2d(hidden)
        self.conv2, self.bn2_2d = nn.Conv2d(hidden, hidden, 3, **dilated), nn.BatchNorm2d(hidden)
        self.conv3, self.bn3_2d = nn.Conv2d(hidden, hidden, 3, **dilated), nn.BatchNorm2d(hidden)
        self.conv4, self.bn4_2d = nn.Conv2d(hidden, 1, 1, bias=False), nn.BatchNorm2d(1)

    def forward(self, x: Tensor) -> Tensor:
        channel = F.relu(self.bn1_1d(self.fc1(x.mean((2, 3)))))
        channel = F.relu(self.bn2_1d(self.fc2(channel)))[:, :, None, None]
        spatial = x
        for number in range(1, 5):
            convolution, norm = (
                self.get_submodule(f"conv{number}"),
                self.get_submodule(f"bn{number}_2d"),
            )
            spatial = F.relu(norm(convolution(spatial)))
        return x * (1 + torch.sigmoid(channel * spatial))


class Asdf2krCBAM(nn.Module):
    """asdf2kr/BAM-CBAM-pytorch: an MLP with biases, the maximum first, a spatial convolution called conv1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(channels, channels // 16), nn.ReLU(), nn.Linear(channels // 16, channels)
        )
        self.conv1 = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        logits = self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))
        x = x * torch.sigmoid(logits)[:, :, None, None]
        return x * torch.sigmoid(self.conv1(torch.stack((x.amax(1), x.mean(1)), 1)))


class Asdf2kr(nn.Module):
    """asdf2kr/BAM-CBAM-pytorch: stages conv2 to conv5 behind a stem in a list; a 3×3 stem has no pooling, a
    7×7 stem has its pooling in the list."""

    def __init__(self, attention: str, small: bool) -> None:
        super().__init__()
        attach = with_module("atte", Asdf2krCBAM) if attention == "cbam" else None
        inner = resnet(ONE_EACH, attach, classes=9)
        stem = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
        if not small:
            stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), *stem[1:], nn.MaxPool2d(3, 2, 1)]
        self.conv1 = nn.Sequential(*stem)
        for stage in range(1, 5):
            self.add_module(f"conv{stage + 1}", inner.get_submodule(f"layer{stage}"))
            if attention == "bam" and stage < 4:
                self.add_module(f"bam{stage}", Asdf2krBAM(32 * 2**stage))
        self.fc = inner.fc
        self.attention = attention

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        for stage in range(1, 5):
            x = self.get_submodule(f"conv{stage + 1}")(x)
            if self.attention == "bam" and stage < 4:
                x = self.get_submodule(f"bam{stage}")(x)
        return self.fc(x.mean((2, 3)))


class UgenteraanCBAM(nn.Module):
    """Ugenteraan/ResNet-50-CBAM-PyTorch: an MLP with biases behind a Flatten, the maximum first, a batch norm
    behind the spatial convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channel_attention, self.spatial_attention = nn.Module(), nn.Module()
        hidden = channels // 16
        self.channel_attention.shared_mlp = nn.Sequential(
            nn.Flatten(), nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels)
        )
        self.spatial_attention.spatial_attention = nn.Sequential(
            nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1)
        )

    def forward(self, x: Tensor) -> Tensor:
        mlp = self.channel_attention.shared_mlp
        x = x * torch.sigmoid(mlp(x.mean((2, 3))) + mlp(x.amax((2, 3))))[:, :, None, None]
        maps = torch.stack((x.amax(1), x.mean(1)), 1)
        return x * torch.sigmoid(self.spatial_attention.spatial_attention(maps))


class Ugenteraan(nn.Module):
    """Ugenteraan/ResNet-50-CBAM-PyTorch: bottlenecks with their stride in the first convolution."""

    class Block(nn.Module):
        def __init__(self, channels: int, out: int, stride: int) -> None:
            super().__init__()
            inner = out // 4
            self.conv1, self.bn1 = nn.Conv2d(channels, inner, 1, stride, bias=False), nn.BatchNorm2d(inner)
            self.conv2 = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(inner)
            self.conv3, self.bn3 = nn.Conv2d(inner, out, 1, bias=False), nn.BatchNorm2d(out)
            self.identity_connection = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )
            self.cbam = UgenteraanCBAM(out)

        def forward(self, x: Tensor) -> Tensor:
            branch = F.relu(self.bn1(self.conv1(x)))
            branch = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(branch)))))
            return F.relu(self.cbam(branch) + self.identity_connection(x))

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.conv_block1 = nn.Sequential(
            nn.Conv2d(channels, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        for stage in range(1, 5):
            taken, out = (64 if stage == 1 else 64 * 2**stage), 128 * 2**stage
            block = self.Block(taken, out, 1 if stage == 1 else 2)
            self.add_module(f"layer{stage}", nn.Sequential(block))
        self.linear = nn.Linear(2048, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.conv_block1(x)))))
        return self.linear(x.mean((2, 3)))


def stickcui_in_its_block(owner: nn.Module, channels: int):
    """StickCui/PyTorch-SE-ResNet: SE of two convolutions among the block's own, without biases."""
    owner.conv_down = nn.Conv2d(channels, channels // 16, 1, bias=False)
    owner.conv_up = nn.Conv2d(channels // 16, channels, 1, bias=False)

    def forward(x: Tensor) -> Tensor:
        return x * torch.sigmoid(owner.conv_up(F.relu(owner.conv_down(x.mean((2, 3), keepdim=True)))))

    return forward


class Elbuco1AtTheEnd(ResNet):
    """elbuco1/CBAM with its class attention: behind the last stage, whose result is added to it."""

    def __init__(self) -> None:
        super().__init__(BasicBlock, list(ONE_EACH), num_classes=9)
        self.conv1, self.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
        self.linear, self.fc = self.fc, nn.Identity()
        self.cbam = Elbuco1(512)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear((x + self.cbam(x)).mean((2, 3)))


SETTLED = {
    "asdf2kr, BAM": lambda: Asdf2kr("bam", small=False),
    "asdf2kr, BAM for small photos": lambda: Asdf2kr("bam", small=True),
    "asdf2kr, CBAM": lambda: Asdf2kr("cbam", small=False),
    "asdf2kr, CBAM for small photos": lambda: Asdf2kr("cbam", small=True),
    "Ugenteraan": Ugenteraan,
    "Ugenteraan, one channel": lambda: Ugenteraan(1),
    "StickCui, convolutions among the block's": lambda: resnet(ONE_EACH, stickcui_in_its_block, classes=5),
    "elbuco1, added at the end": Elbuco1AtTheEnd,
}
