"""More public SE- and CBAM-ResNets, small, written anew from what they compute and with their names for
weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet

from helpers.reference_networks import LuuuyiChannels, LuuuyiPlaces, MoskomuleSE, luuuyi, moskomule, resnet

ONE_EACH = (1, 1, 1, 1)


class Weiaicunzai(nn.Module):
    """weiaicunzai/pytorch-cifar100, seresnet: a branch with a ReLU at its end, convolutions with biases, a
    stem of one 3×3, four stages."""

    class Block(nn.Module):
        def __init__(self, channels: int, out: int, stride: int, bottleneck: bool) -> None:
            super().__init__()
            sizes = [(channels, out, 3, stride), (out, out, 3, 1)]
            if bottleneck:
                sizes = [(channels, out // 4, 1, 1), (out // 4, out // 4, 3, stride), (out // 4, out, 1, 1)]
            layers: list[nn.Module] = []
            for taken, given, side, step in sizes:
                layers += [nn.Conv2d(taken, given, side, step, side // 2), nn.BatchNorm2d(given), nn.ReLU()]
            self.residual = nn.Sequential(*layers)
            self.shortcut = nn.Sequential()
            if stride != 1 or channels != out:
                self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride), nn.BatchNorm2d(out))
            self.squeeze = nn.AdaptiveAvgPool2d(1)
            self.excitation = nn.Sequential(
                nn.Linear(out, out // 8), nn.ReLU(), nn.Linear(out // 8, out), nn.Sigmoid()
            )

        def forward(self, x: Tensor) -> Tensor:
            branch = self.residual(x)
            gate = self.excitation(self.squeeze(branch).flatten(1))[:, :, None, None]
            return F.relu(branch * gate + self.shortcut(x))

    def __init__(self, bottleneck: bool = False) -> None:
        super().__init__()
        self.pre = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU())
        channels = 64
        for stage in range(4):
            out = 64 * 2**stage
            strides = (2 if stage else 1, 1)
            blocks = []
            for stride in strides:
                blocks.append(self.Block(channels, out, stride, bottleneck))
                channels = out
            self.add_module(f"stage{stage + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(channels, 100)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage4(self.stage3(self.stage2(self.stage1(self.pre(x)))))
        return self.linear(x.mean((2, 3)))


class Kuangliu(nn.Module):
    """kuangliu/pytorch-cifar, senet: batch norms before the convolutions, 1×1 convolutions in SE, a shortcut
    without batch norm, and none behind the last stage."""

    class Block(nn.Module):
        def __init__(self, channels: int, out: int, stride: int) -> None:
            super().__init__()
            self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(out)
            self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
            if stride != 1 or channels != out:
                self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False))
            self.fc1, self.fc2 = nn.Conv2d(out, out // 16, 1), nn.Conv2d(out // 16, out, 1)

        def forward(self, x: Tensor) -> Tensor:
            first = F.relu(self.bn1(x))
            branch = self.conv2(F.relu(self.bn2(self.conv1(first))))
            gate = torch.sigmoid(self.fc2(F.relu(self.fc1(F.avg_pool2d(branch, branch.shape[2])))))
            return branch * gate + (self.shortcut(first) if hasattr(self, "shortcut") else x)

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64)
        channels = 64
        for stage in range(4):
            out = 64 * 2**stage
            blocks = [self.Block(channels, out, 2 if stage else 1), self.Block(out, out, 1)]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
            channels = out
        self.linear = nn.Linear(512, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(x.mean((2, 3)))


class Moskomule(nn.Module):
    """moskomule/senet.pytorch for CIFAR: three stages of width 16, 32, 64; with ``last``, the batch norm
    behind them and not behind the stem."""

    def __init__(self, count: int = 2, last: bool = False) -> None:
        super().__init__()
        self.last = last
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64 if last else 16)
        attach = moskomule()
        kind = torch_block(attach)
        channels = 16
        for stage in range(3):
            out, blocks = 16 * 2**stage, []
            for place in range(count):
                stride = 2 if stage and not place else 1
                down = None
                if channels != out:
                    down = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
                blocks.append(kind(channels, out, stride, down))
                channels = out
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        x = self.layer3(self.layer2(self.layer1(x if self.last else F.relu(self.bn1(x)))))
        return self.fc((F.relu(self.bn1(x)) if self.last else x).mean((2, 3)))


def torch_block(attach) -> type:
    from helpers.reference_networks import block

    return block(BasicBlock, attach)


class WithEnds(ResNet):
    """The much-copied CBAM ResNet: a gate behind the stem, before its pooling, another behind the blocks."""

    def __init__(self) -> None:
        super().__init__(BasicBlock, list(ONE_EACH), num_classes=9)
        self.ca, self.sa = LuuuyiChannels(64), LuuuyiPlaces()
        self.ca1, self.sa1 = LuuuyiChannels(512), LuuuyiPlaces()

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.ca(x) * x
        x = self.maxpool(self.sa(x) * x)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = self.ca1(x) * x
        return self.fc((self.sa1(x) * x).mean((2, 3)))


class AfterStages(ResNet):
    """SE behind each stage, as people add it to a network that is there."""

    def __init__(self) -> None:
        super().__init__(BasicBlock, list(ONE_EACH), num_classes=9)
        for stage in range(4):
            self.add_module(f"se{stage + 1}", MoskomuleSE(64 * 2**stage))

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(1, 5):
            x = self.get_submodule(f"se{stage}")(self.get_submodule(f"layer{stage}")(x))
        return self.fc(x.mean((2, 3)))


class Elbuco1(nn.Module):
    """elbuco1/CBAM: gates written out with repeat, the maximum first, a bias in the spatial convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channel_attention, self.spatial_attention = nn.Module(), nn.Module()
        self.channel_attention.bottleneck = nn.Sequential(
            nn.Linear(channels, channels // 16), nn.ReLU(), nn.Linear(channels // 16, channels)
        )
        self.spatial_attention.conv = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        pooled = [self.channel_attention.bottleneck(values) for values in (x.mean((2, 3)), x.amax((2, 3)))]
        x = x * torch.sigmoid(pooled[0] + pooled[1])[:, :, None, None].repeat(1, 1, *x.shape[2:])
        maps = torch.stack((x.amax(1), x.mean(1)), 1)
        return x * torch.sigmoid(self.spatial_attention.conv(maps)).repeat(1, x.shape[1], 1, 1)


def with_module(name: str, make: Callable[[int], nn.Module]):
    """What adds one attention module of this name to a block."""

    def attach(owner: nn.Module, channels: int):
        owner.add_module(name, make(channels))
        return lambda x: owner.get_submodule(name)(x)

    return attach


class StickCui(nn.Module):
    """StickCui/PyTorch-SE-ResNet: 1×1 convolutions with biases, conv1 and conv2 as in its blocks."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = (
            nn.Conv2d(channels, channels // 16, 1),
            nn.Conv2d(channels // 16, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.conv2(F.relu(self.conv1(x.mean((2, 3), keepdim=True)))))


class Mmpretrain(nn.Module):
    """mmpretrain's SELayer: convolutions in modules of their own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        for name, sizes in {"conv1": (channels, channels // 16), "conv2": (channels // 16, channels)}.items():
            wrapped = nn.Module()
            wrapped.conv = nn.Conv2d(*sizes, 1)
            self.add_module(name, wrapped)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.conv1.conv(x.mean((2, 3), keepdim=True)))
        return x * torch.sigmoid(self.conv2.conv(hidden))


def in_some_stages() -> ResNet:
    """SE in stages 3 and 4 only."""
    whole = resnet(ONE_EACH, moskomule(), classes=5)
    plain = resnet(ONE_EACH, classes=5)
    whole.layer1, whole.layer2 = plain.layer1, plain.layer2
    return whole


def with_stem(convolution: nn.Module, pool: bool = True, attach=None) -> ResNet:
    """A small SE-ResNet whose first convolution is another one."""
    made = resnet(ONE_EACH, attach or moskomule(), classes=5)
    made.conv1 = convolution
    if not pool:
        made.maxpool = nn.Identity()
    return made


def with_head(head: nn.Module) -> ResNet:
    made = resnet(ONE_EACH, luuuyi(), classes=5)
    made.fc = head
    return made


def deep_stem() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, 2, 1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, 1, 1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, 1, 1, bias=False),
    )


def cadene(block: str, **more) -> nn.Module:
    """Cadene's SE networks, as timm keeps them."""
    from timm.models import senet

    return senet.SENet(getattr(senet, block), ONE_EACH, num_classes=7, reduction=16, **more)


def timm_resnet(block: str, attention: str, **more) -> nn.Module:
    from timm.models import resnet as library

    return library.ResNet(
        getattr(library, block), ONE_EACH, num_classes=7, block_args={"attn_layer": attention}, **more
    )


def pytorchcv(name: str, **more) -> nn.Module:
    """One of pytorchcv's, for inputs of any size."""
    from pytorchcv.model_provider import get_model

    made = get_model(name, pretrained=False, **more)
    made.features.final_pool = nn.AdaptiveAvgPool2d(1)
    return made


PUBLIC = {
    "weiaicunzai": Weiaicunzai,
    "weiaicunzai, bottlenecks": lambda: Weiaicunzai(bottleneck=True),
    "kuangliu": Kuangliu,
    "moskomule for CIFAR": Moskomule,
    "moskomule for CIFAR, the batch norm last": lambda: Moskomule(last=True),
    "gates at the network's ends": WithEnds,
    "SE behind each stage": AfterStages,
    "elbuco1": lambda: resnet(ONE_EACH, with_module("cbam", Elbuco1), classes=5),
    "StickCui": lambda: resnet(ONE_EACH, with_module("selayer", StickCui), classes=5),
    "mmpretrain": lambda: resnet(ONE_EACH, with_module("se_layer", Mmpretrain), classes=5),
    "only CBAM's channel gate": lambda: resnet(
        ONE_EACH, with_module("ca", lambda channels: ChannelsOnly(channels)), classes=5
    ),
    "attention in some stages": in_some_stages,
    "one channel": lambda: with_stem(nn.Conv2d(1, 64, 7, 2, 3, bias=False)),
    "thirteen channels": lambda: with_stem(nn.Conv2d(13, 64, 7, 2, 3, bias=False)),
    "a deep stem": lambda: with_stem(deep_stem()),
    "a 3×3 stem with its pooling kept": lambda: with_stem(nn.Conv2d(3, 64, 3, 1, 1, bias=False)),
    "a head with dropout": lambda: with_head(nn.Sequential(nn.Dropout(), nn.Linear(512, 5))),
    "a head of two layers": lambda: with_head(
        nn.Sequential(nn.Linear(512, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 5))
    ),
    "a head of two layers with nothing between": lambda: with_head(
        nn.Sequential(nn.Linear(512, 32), nn.Linear(32, 5))
    ),
    "a head with batch norms": lambda: with_head(
        nn.Sequential(
            nn.BatchNorm1d(512), nn.Linear(512, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 5)
        )
    ),
    "a head without bias": lambda: with_head(nn.Linear(512, 5, bias=False)),
    "Cadene's SE-ResNeXt": lambda: cadene("SEResNeXtBottleneck", groups=32),
    "Cadene's SENet": lambda: cadene(
        "SEBottleneck",
        groups=64,
        inplanes=128,
        input_3x3=True,
        downsample_kernel_size=3,
        downsample_padding=1,
    ),
    "Cadene's SE-ResNet of one channel": lambda: cadene("SEResNetBottleneck", groups=1, in_chans=1),
    "timm, SE-ResNeXt": lambda: timm_resnet("Bottleneck", "se", cardinality=32, base_width=4),
    "timm, a tiered stem": lambda: timm_resnet(
        "Bottleneck", "se", stem_width=32, stem_type="deep_tiered", avg_down=True
    ),
    "timm, a deep stem": lambda: timm_resnet(
        "Bottleneck", "se", stem_width=32, stem_type="deep", avg_down=True
    ),
    "timm, CBAM": lambda: timm_resnet("BasicBlock", "cbam"),
    "timm, CBAM in bottlenecks": lambda: timm_resnet("Bottleneck", "cbam"),
    "timm, a convolution for the pooling": lambda: timm_resnet(
        "Bottleneck", "se", stem_width=32, stem_type="deep", avg_down=True, replace_stem_pool=True
    ),
    "timm, SENet": lambda: timm_resnet(
        "Bottleneck", "se", cardinality=64, base_width=4, stem_type="deep", stem_width=64, down_kernel_size=3
    ),
    "pytorchcv, SE-ResNeXt": lambda: pytorchcv("seresnext50_32x4d"),
    "pytorchcv, SENet": lambda: pytorchcv("senet16"),
    "pytorchcv, batch norms first": lambda: pytorchcv("sepreresnet10"),
    "pytorchcv for CIFAR": lambda: pytorchcv("seresnet20_cifar10"),
    "pytorchcv for CIFAR, batch norms first": lambda: pytorchcv("sepreresnet20_cifar10"),
    "pytorchcv, seresnetbc26b": lambda: pytorchcv("seresnetbc26b"),
}


class ChannelsOnly(nn.Module):
    """CBAM's channel gate without the spatial one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = LuuuyiChannels(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x)


def untold() -> dict[str, Tensor]:
    """Weights of a CBAM network whose keys leave three things open and whose statistics fit no reading."""
    torch.manual_seed(2)
    network = with_stem(nn.Conv2d(3, 64, 3, 1, 1, bias=False), attach=luuuyi())
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.01, 0.02)
            nn.init.normal_(module.running_mean, 3, 1)
    return dict(network.state_dict())
