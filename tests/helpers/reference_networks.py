"""Public implementations of SE-, CBAM- and BAM-ResNets, written anew from what they compute, with their names
for weights."""

from __future__ import annotations

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from helpers.small_networks import stirred as ours


def named(**layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(layers))


class JongchanCBAM(nn.Module):
    """Biases; the maximum before the mean; a batch norm before the spatial sigmoid; functional sigmoids."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = channels // reduction
        self.ChannelGate, self.SpatialGate = nn.Module(), nn.Module()
        self.ChannelGate.mlp = nn.Sequential(
            nn.Flatten(), nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels)
        )
        self.SpatialGate.spatial = named(
            conv=nn.Conv2d(2, 1, 7, padding=3, bias=False), bn=nn.BatchNorm2d(1, momentum=0.01)
        )

    def gates(self, x: Tensor) -> tuple[Tensor, Tensor]:
        channel = torch.sigmoid(
            sum(self.ChannelGate.mlp(pool(x, x.shape[2:])) for pool in (F.avg_pool2d, F.max_pool2d))
        )
        x = x * channel[:, :, None, None]
        return channel, torch.sigmoid(self.SpatialGate.spatial(torch.stack((x.amax(1), x.mean(1)), 1)))

    def forward(self, x: Tensor) -> Tensor:
        channel, spatial = self.gates(x)
        return x * channel[:, :, None, None] * spatial


class JongchanBAM(nn.Module):
    """1 + the sigmoid of the product of both branches."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = channels // reduction
        self.channel_att, self.spatial_att = nn.Module(), nn.Module()
        self.channel_att.gate_c = named(
            flatten=nn.Flatten(),
            gate_c_fc_0=nn.Linear(channels, hidden),
            gate_c_bn_1=nn.BatchNorm1d(hidden),
            gate_c_relu_1=nn.ReLU(),
            gate_c_fc_final=nn.Linear(hidden, channels),
        )
        dilated = {"padding": 4, "dilation": 4}
        self.spatial_att.gate_s = named(
            gate_s_conv_reduce0=nn.Conv2d(channels, hidden, 1),
            gate_s_bn_reduce0=nn.BatchNorm2d(hidden),
            gate_s_relu_reduce0=nn.ReLU(),
            gate_s_conv_di_0=nn.Conv2d(hidden, hidden, 3, **dilated),
            gate_s_bn_di_0=nn.BatchNorm2d(hidden),
            gate_s_relu_di_0=nn.ReLU(),
            gate_s_conv_di_1=nn.Conv2d(hidden, hidden, 3, **dilated),
            gate_s_bn_di_1=nn.BatchNorm2d(hidden),
            gate_s_relu_di_1=nn.ReLU(),
            gate_s_conv_final=nn.Conv2d(hidden, 1, 1),
        )

    def branches(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.channel_att.gate_c(F.avg_pool2d(x, x.shape[2:])), self.spatial_att.gate_s(x)

    def forward(self, x: Tensor) -> Tensor:
        channel, spatial = self.branches(x)
        return (1 + torch.sigmoid(channel[:, :, None, None].expand_as(x) * spatial.expand_as(x))) * x


class LuuuyiChannels(nn.Module):
    """The gate itself; 1×1 convolutions without bias."""

    def __init__(self, channels: int, reduction: int = 16, older: bool = False) -> None:
        super().__init__()
        first, second = (
            nn.Conv2d(channels, channels // reduction, 1, bias=False),
            nn.Conv2d(channels // reduction, channels, 1, bias=False),
        )
        self.older = older
        if older:
            self.fc1, self.fc2 = first, second
        else:
            self.fc = nn.Sequential(first, nn.ReLU(), second)

    def forward(self, x: Tensor) -> Tensor:
        def mlp(pooled: Tensor) -> Tensor:
            return self.fc2(self.fc1(pooled).relu()) if self.older else self.fc(pooled)

        return torch.sigmoid(mlp(x.mean((2, 3), keepdim=True)) + mlp(x.amax((2, 3), keepdim=True)))


class LuuuyiPlaces(nn.Module):
    """The gate itself; the mean before the maximum."""

    def __init__(self, kernel: int = 7) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.conv1(torch.stack((x.mean(1), x.amax(1)), 1)))


class MoskomuleSE(nn.Module):
    """Without biases."""

    def __init__(self, channels: int, reduction: int = 16, bias: bool = False) -> None:
        super().__init__()
        hidden = channels // reduction
        self.fc = nn.Sequential(
            nn.Linear(channels, hidden, bias=bias),
            nn.ReLU(),
            nn.Linear(hidden, channels, bias=bias),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc(x.mean((2, 3)))[:, :, None, None]


def block(kind: type, attach) -> type:
    """torchvision's block with attention on its branch, before the addition. ``attach`` adds the modules, and
    gives back a function that runs them."""

    class Block(kind):
        def __init__(self, inplanes: int, planes: int, *arguments, **more) -> None:
            super().__init__(inplanes, planes, *arguments, **more)
            self.attend = attach(self, planes * kind.expansion)

        def forward(self, x: Tensor) -> Tensor:
            out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            if kind is Bottleneck:
                out = self.bn3(self.conv3(self.relu(out)))
            out = self.attend(out)
            out += x if self.downsample is None else self.downsample(x)
            return self.relu(out)

    return Block


def jongchan_cbam(owner: nn.Module, channels: int):
    owner.cbam = JongchanCBAM(channels)
    return lambda x: owner.cbam(x)


def luuuyi(kernel: int = 7, older: bool = False, reduction: int = 16):
    def attach(owner: nn.Module, channels: int):
        owner.ca, owner.sa = LuuuyiChannels(channels, reduction, older), LuuuyiPlaces(kernel)

        def attend(x: Tensor) -> Tensor:
            x = owner.ca(x) * x
            return owner.sa(x) * x

        return attend

    return attach


def moskomule(bias: bool = False, reduction: int = 16):
    def attach(owner: nn.Module, channels: int):
        owner.se = MoskomuleSE(channels, reduction, bias)
        return lambda x: owner.se(x)

    return attach


def resnet(
    depth: int | tuple[int, ...], attach=None, width: int = 64, classes: int = 1000, small: bool = False
) -> ResNet:
    """torchvision's ResNet with attention in every block."""
    counts = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}.get(depth, depth)
    kind = Bottleneck if depth == 50 else BasicBlock
    made = ResNet(block(kind, attach) if attach else kind, list(counts), num_classes=classes)
    if width != 64:
        raise ValueError("torchvision's ResNet is 64 wide")
    if small:  # as Jongchan's for CIFAR
        made.conv1, made.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
    return made


class JongchanBAMResNet(nn.Module):
    """BAM after stages 1 to 3."""

    def __init__(self, depth: int, classes: int = 1000) -> None:
        super().__init__()
        whole = resnet(depth, classes=classes)
        expansion = 4 if depth == 50 else 1
        for name, child in whole.named_children():
            self.add_module(name, child)
            if name in ("layer1", "layer2", "layer3"):
                stage = int(name[-1])
                self.add_module(f"bam{stage}", JongchanBAM(32 * 2**stage * expansion))

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.bam3(self.layer3(self.bam2(self.layer2(self.bam1(self.layer1(x))))))
        return self.fc(self.avgpool(self.layer4(x)).flatten(1))


def with_random_statistics(network: nn.Module, side: int = 64, channels: int = 3) -> nn.Module:
    """Every weight random, gates spread over (0, 1), statistics of batch norms that a pass on inputs of this
    side has seen."""
    for name, values in network.named_parameters():
        attention = any(
            word in name for word in (".se.", ".se_module.", ".cbam.", ".ca.", ".sa.", "bam", "_gate")
        )
        if values.ndim > 1:
            size = (
                1.3 if not attention else 2.0 if "bam" not in name.replace("cbam", "") else 0.8
            )  # a product of branches is steep
            nn.init.normal_(values, 0, size * values[0].numel() ** -0.5)
        elif name.endswith("weight"):
            nn.init.uniform_(values, 0.5, 1.5)
        else:
            nn.init.normal_(values, 0, 0.4 if attention else 0.2)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.randn(4, channels, side, side))
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.running_mean.add_(
                    0.1 * torch.randn_like(module.running_mean) * module.running_var.sqrt()
                )
                module.running_var.mul_(0.8 + 0.4 * torch.rand_like(module.running_var))
    return network.eval()


def pytorchcv(name: str):
    from pytorchcv.model_provider import get_model

    return get_model(name, pretrained=False)


def timm(name: str):
    import timm as library

    return library.create_model(name, pretrained=False)


ORIGINALS = {
    "jongchan-cbam-resnet18": lambda: resnet(18, jongchan_cbam),
    "jongchan-cbam-resnet50": lambda: resnet(50, jongchan_cbam, classes=100),
    "jongchan-cbam-resnet18 for CIFAR": lambda: resnet(18, jongchan_cbam, classes=10, small=True),
    "jongchan-bam-resnet18": lambda: JongchanBAMResNet(18),
    "jongchan-bam-resnet50": lambda: JongchanBAMResNet(50, classes=7),
    "luuuyi-cbam-resnet18": lambda: resnet(18, luuuyi()),
    "luuuyi-cbam-resnet50": lambda: resnet(50, luuuyi(), classes=100),
    "luuuyi, older, kernel 3": lambda: resnet(18, luuuyi(3, older=True, reduction=8), classes=10),
    "moskomule-se-resnet18": lambda: resnet(18, moskomule()),
    "moskomule-se-resnet50": lambda: resnet(50, moskomule(), classes=100),
    "short SE with biases, unusual depth": lambda: resnet(
        (1, 2, 1, 1), moskomule(bias=True, reduction=4), classes=3
    ),
    "pytorchcv-se-resnet18": lambda: pytorchcv("seresnet18"),
    "pytorchcv-se-resnet50": lambda: pytorchcv("seresnet50"),
    "pytorchcv-se-resnet50b": lambda: pytorchcv("seresnet50b"),
    "pytorchcv-cbam-resnet18": lambda: pytorchcv("cbam_resnet18"),
    "pytorchcv-cbam-resnet50": lambda: pytorchcv("cbam_resnet50"),
    "pytorchcv-bam-resnet18": lambda: pytorchcv("bam_resnet18"),
    "pytorchcv-bam-resnet50": lambda: pytorchcv("bam_resnet50"),
    "timm-seresnet50": lambda: timm("seresnet50"),
    "timm-seresnet18": lambda: timm("seresnet18"),
    "timm-legacy_seresnet18": lambda: timm("legacy_seresnet18"),
    "timm-legacy_seresnet50": lambda: timm("legacy_seresnet50"),
    "attnviz-bam-resnet18": lambda: ours(18, "bam"),
    "attnviz-cbam-resnet50": lambda: ours(50, "cbam"),
}
