"""Small ResNets of torchvision's names that were built in ways which their keys don't tell, and are trained
for a few steps on photos."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.models.resnet import BasicBlock, ResNet

import attnviz
from helpers.checkout import ROOT
from helpers.public_networks import ONE_EACH
from helpers.reference_networks import LuuuyiChannels, LuuuyiPlaces, MoskomuleSE

STEPS, CLASSES = 10, 5


class LuuuyiCBAM(nn.Module):
    """Both gates in a module, in any sequence, with or without the maximum."""

    def __init__(self, channels: int, sequence: str = "channel first", squeeze: str = "both") -> None:
        super().__init__()
        self.ca, self.sa = LuuuyiChannels(channels, 8), LuuuyiPlaces()
        self.sequence, self.squeeze = sequence, squeeze

    def channels(self, x: Tensor) -> Tensor:
        if self.squeeze == "both":
            return self.ca(x)
        return torch.sigmoid(self.ca.fc(x.mean((2, 3), keepdim=True)))

    def forward(self, x: Tensor) -> Tensor:
        if self.sequence == "parallel":
            return x * self.channels(x) * self.sa(x)
        first, second = self.channels, self.sa
        if self.sequence == "spatial first":
            first, second = second, first
        x = x * first(x)
        return x * second(x)


class SmallBAM(nn.Module):
    """The form of BAM's authors, with any dilation, its branches multiplied or added."""

    def __init__(self, channels: int, dilation: int = 4, branches: str = "multiplied") -> None:
        super().__init__()
        hidden, wide = channels // 4, {"padding": dilation, "dilation": dilation}
        self.channel_att = nn.Sequential(
            nn.Linear(channels, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, channels)
        )
        self.spatial_att = nn.Sequential(
            *(nn.Conv2d(channels, hidden, 1), nn.BatchNorm2d(hidden), nn.ReLU()),
            *(nn.Conv2d(hidden, hidden, 3, **wide), nn.BatchNorm2d(hidden), nn.ReLU()),
            *(nn.Conv2d(hidden, hidden, 3, **wide), nn.BatchNorm2d(hidden), nn.ReLU()),
            nn.Conv2d(hidden, 1, 1),
        )
        self.branches = branches

    def forward(self, x: Tensor) -> Tensor:
        channel, spatial = self.channel_att(x.mean((2, 3)))[:, :, None, None], self.spatial_att(x)
        logits = channel * spatial if self.branches == "multiplied" else channel + spatial
        return x * (1 + torch.sigmoid(logits))


def short_se(channels: int) -> nn.Module:
    return MoskomuleSE(channels, 8)


def placed(place: str, make: Callable[[int], nn.Module] = short_se) -> ResNet:
    """A ResNet whose blocks have attention in this place."""
    name = "se" if make is short_se else "att"

    class Block(BasicBlock):
        def __init__(self, inplanes: int, planes: int, *arguments, **more) -> None:
            super().__init__(inplanes, planes, *arguments, **more)
            self.add_module(name, make(inplanes if place in ("input", "entry") else planes))

        def attend(self, x: Tensor) -> Tensor:
            return self.get_submodule(name)(x)

        def forward(self, x: Tensor) -> Tensor:
            if place == "entry":
                x = self.attend(x)
            out = self.relu(self.bn1(self.conv1(self.attend(x) if place == "input" else x)))
            out = self.conv2(self.attend(out) if place == "middle" else out)
            out = self.bn2(self.attend(out) if place == "norm" else out)
            if place in ("branch", "rectified"):
                out = self.attend(out.relu() if place == "rectified" else out)
            passed = x if self.downsample is None else self.downsample(x)
            out = out + (self.attend(passed) if place == "shortcut" else passed)
            out = self.relu(self.attend(out) if place == "sum" else out)
            return self.attend(out) if place == "output" else out

    return ResNet(Block, list(ONE_EACH), num_classes=CLASSES)


class ZeroShortcuts(ResNet):
    """Shortcuts without weights: every other pixel, and channels of zeros around or behind."""

    class Block(BasicBlock):
        behind = False

        def __init__(
            self, inplanes: int, planes: int, stride: int = 1, downsample=None, *more, **named
        ) -> None:
            super().__init__(inplanes, planes, stride, None, *more, **named)
            self.se, self.more = MoskomuleSE(planes, 8), planes - inplanes

        def forward(self, x: Tensor) -> Tensor:
            out = self.se(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
            if self.stride > 1:
                before = 0 if self.behind else self.more // 2
                x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, before, self.more - before))
            return self.relu(out + x)

    def __init__(self, zeros: str) -> None:
        super().__init__(self.Block, list(ONE_EACH), num_classes=CLASSES)
        for module in self.modules():
            if isinstance(module, self.Block):
                module.behind = zeros == "behind"


class NormsFirst(nn.Module):
    """Batch norms first; the shortcut takes what the first one gives, or the block's input."""

    class Block(nn.Module):
        def __init__(self, channels: int, out: int, shortcut: str) -> None:
            super().__init__()
            self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(out)
            stride = 1 if channels == out else 2
            self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
            self.plain = shortcut == "plain"
            self.down = None if stride == 1 else nn.Conv2d(channels, out, 1, 2, bias=False)
            self.se = MoskomuleSE(out, 8)

        def forward(self, x: Tensor) -> Tensor:
            first = self.bn1(x).relu()
            branch = self.se(self.conv2(self.bn2(self.conv1(first)).relu()))
            if self.down is None:
                return branch + x
            return branch + self.down(x if self.plain else first)

    def __init__(self, shortcut: str) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32)
        for stage, (taken, given) in enumerate(((32, 32), (32, 64), (64, 128)), 1):
            own = [self.Block(taken, given, shortcut), self.Block(given, given, shortcut)]
            self.add_module(f"layer{stage}", nn.Sequential(*own))
        self.linear = nn.Linear(128, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(self.conv1(x)).relu()
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


class FirstGate(ResNet):
    """CBAM behind the stem, before or behind its pooling."""

    def __init__(self, first_gate: str) -> None:
        super().__init__(BasicBlock, list(ONE_EACH), num_classes=CLASSES)
        self.ca, self.sa = LuuuyiChannels(64, 8), LuuuyiPlaces()
        self.behind = first_gate == "behind pool"

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.maxpool(x) if self.behind else x
        x = x * self.ca(x)
        x = x * self.sa(x)
        x = x if self.behind else self.maxpool(x)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class BAMs(ResNet):
    """BAM behind stages 1 to 3, for small photos."""

    def __init__(self, dilation: int = 4, branches: str = "multiplied") -> None:
        super().__init__(BasicBlock, list(ONE_EACH), num_classes=CLASSES)
        self.conv1, self.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
        for stage in (1, 2, 3):
            self.add_module(f"bam{stage}", SmallBAM(32 * 2**stage, dilation, branches))

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        for stage in (1, 2, 3):
            x = self.get_submodule(f"bam{stage}")(self.get_submodule(f"layer{stage}")(x))
        return self.fc(self.layer4(x).mean((2, 3)))


def photos(side: int) -> Tensor:
    """Photos that stand on their heads, of which nothing is settled, normalised."""
    pixels = [attnviz.open_photo(path).pixels for path in sorted((ROOT / "assets/examples").glob("*.jpg"))]
    squares = [torch.from_numpy(values).permute(2, 0, 1)[None].flip(2).float() / 255 for values in pixels]
    small = [interpolate(square, (side, side), mode="bilinear", antialias=True) for square in squares]
    return (torch.cat([*small, *(photo.flip(3) for photo in small)]) - 0.45) / 0.225


def trained(make: Callable[[], nn.Module], side: int) -> nn.Module:
    """A network after some steps of training on photos of this side."""
    torch.manual_seed(5)
    network, x = make(), photos(side)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            module.momentum = 0.3
    for name, values in network.named_parameters():  # gates that say something from the start
        if values.ndim > 1 and any(word in name for word in ("att", "se.", "ca.", "sa.", "bam")):
            nn.init.normal_(values, 0, 2 * values[0].numel() ** -0.5)
    targets = torch.arange(len(x)) % CLASSES
    optimizer = torch.optim.SGD(network.parameters(), 0.02, momentum=0.9)
    for _ in range(STEPS):
        loss = F.cross_entropy(network(x), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()
