"""Well-known attention modules as people copy them, written from their formulas. Many use functions where
attnviz would like modules."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import attnviz
from helpers.small_networks import hook_count


class SELayer(nn.Module):
    """Squeeze-and-excitation (Hu et al., 2018), the short version with view and expand_as."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // reduction, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(channels // reduction, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        n, c, _, _ = x.size()
        return x * self.fc(self.pool(x).view(n, c)).view(n, c, 1, 1).expand_as(x)


class InPlaceSE(nn.Module):
    """SE that overwrites its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, channels // 4, 1), nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x.mul_(torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True))))))


class ChannelGate(nn.Module):
    """CBAM's channel gate with a functional sigmoid (Woo et al., 2018)."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels, channels // reduction),
            nn.ReLU(),
            nn.Linear(channels // reduction, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        average = self.mlp(F.avg_pool2d(x, x.shape[2:]))
        maximum = self.mlp(F.max_pool2d(x, x.shape[2:]))
        scale = torch.sigmoid(average + maximum).unsqueeze(2).unsqueeze(3).expand_as(x)
        return x * scale


class SpatialGate(nn.Module):
    """CBAM's spatial gate with a functional sigmoid and batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.spatial = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1))

    def forward(self, x: Tensor) -> Tensor:
        pooled = torch.cat((x.amax(1, keepdim=True), x.mean(1, keepdim=True)), 1)
        return x * torch.sigmoid(self.spatial(pooled))


class FunctionalCBAM(nn.Module):
    """Both gates, one after the other."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ChannelGate, self.SpatialGate = ChannelGate(channels), SpatialGate()

    def forward(self, x: Tensor) -> Tensor:
        return self.SpatialGate(self.ChannelGate(x))


class ResidualCBAM(nn.Module):
    """CBAM that adds its input again: the factor is 1 + Mc * Ms."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ca, self.sa = GateOfChannels(channels), GateOfPlaces()

    def forward(self, x: Tensor) -> Tensor:
        out = x * self.ca(x)
        out = out * self.sa(out)
        return out + x


class ProductBAM(nn.Module):
    """BAM as released: 1 + sigmoid of the product of both branches (Park et al., 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channel_att = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // 4, 1),
            nn.ReLU(),
            nn.Conv2d(channels // 4, channels, 1),
        )
        self.spatial_att = nn.Sequential(
            nn.Conv2d(channels, 4, 1),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, padding=4, dilation=4),
            nn.ReLU(),
            nn.Conv2d(4, 1, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * (1 + torch.sigmoid(self.channel_att(x).expand_as(x) * self.spatial_att(x).expand_as(x)))


class CoordAtt(nn.Module):
    """Coordinate attention (Hou et al., 2021): one factor a row and one a column, for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(4, channels // 8)
        self.conv1, self.bn1 = nn.Conv2d(channels, hidden, 1), nn.BatchNorm2d(hidden)
        self.conv_h, self.conv_w = nn.Conv2d(hidden, channels, 1), nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h, w = x.shape[2:]
        both = torch.cat((x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)), 2)
        rows, columns = F.hardswish(self.bn1(self.conv1(both))).split((h, w), 2)
        return x * self.conv_w(columns.transpose(2, 3)).sigmoid() * self.conv_h(rows).sigmoid()


class SRMLayer(nn.Module):
    """Style-based recalibration (Lee et al., 2019): mean and deviation of each channel, one weight each,
    batch norm, sigmoid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cfc, self.bn = (
            nn.Conv1d(channels, channels, 2, bias=False, groups=channels),
            nn.BatchNorm1d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)
        style = torch.stack((flat.mean(2), flat.std(2)), -1)
        return x * torch.sigmoid(self.bn(self.cfc(style))).unsqueeze(-1)


class ZPoolGate(nn.Module):
    """Triplet attention's gate over the last two dimensions, with an in-place sigmoid."""

    def __init__(self) -> None:
        super().__init__()
        self.spatial = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid_(
            self.spatial(torch.cat((x.amax(1, keepdim=True), x.mean(1, keepdim=True)), 1))
        )


class TripletAttention(nn.Module):
    """Triplet attention (Misra et al., 2021): the mean of three gates, two of them over the channels."""

    def __init__(self, channels: int = 0) -> None:
        super().__init__()
        self.cw, self.hc, self.hw = ZPoolGate(), ZPoolGate(), ZPoolGate()

    def forward(self, x: Tensor) -> Tensor:
        over_h = self.cw(x.permute(0, 2, 1, 3).contiguous()).permute(0, 2, 1, 3).contiguous()
        over_w = self.hc(x.permute(0, 3, 2, 1).contiguous()).permute(0, 3, 2, 1).contiguous()
        return (self.hw(x) + over_h + over_w) / 3


class SimAM(nn.Module):
    """SimAM (Yang et al., 2021), without parameters: the less likely a value in its channel, the nearer to
    1."""

    def __init__(self, channels: int = 0) -> None:
        super().__init__()
        self.activation = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        count = x.shape[2] * x.shape[3] - 1
        squares = (x - x.mean((2, 3), keepdim=True)).pow(2)
        return x * self.activation(squares / (4 * (squares.sum((2, 3), keepdim=True) / count + 1e-4)) + 0.5)


class FcaLayer(nn.Module):
    """FcaNet (Qin et al., 2021): channels squeezed by cosines of several frequencies in place of the mean."""

    def __init__(self, channels: int, side: int = 7) -> None:
        super().__init__()
        place = torch.arange(side) + 0.5
        waves = [
            torch.outer(torch.cos(math.pi * u * place / side), torch.cos(math.pi * v * place / side))
            for u in (0, 1)
            for v in (0, 1)
        ]
        self.register_buffer("weight", torch.stack(waves).repeat_interleave(channels // 4, 0))
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // 4, bias=False),
            nn.ReLU(),
            nn.Linear(channels // 4, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.adaptive_avg_pool2d(x, self.weight.shape[1:])
        return x * self.fc((pooled * self.weight).sum((2, 3)))[:, :, None, None]


class ConcurrentSE(nn.Module):
    """scSE (Roy et al., 2018): channels and positions, added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze, self.place = nn.Linear(channels, channels), nn.Conv2d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.squeeze(x.mean((2, 3))))[:, :, None, None] + x * torch.sigmoid(
            self.place(x)
        )


class OneSigmoid(nn.Module):
    """Channel and spatial gate through one and the same sigmoid module."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc, self.conv, self.act = (
            nn.Linear(channels, channels),
            nn.Conv2d(2, 1, 7, padding=3),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x * self.act(self.fc(x.mean((2, 3))))[:, :, None, None]
        return x * self.act(self.conv(torch.cat((x.mean(1, keepdim=True), x.amax(1, keepdim=True)), 1)))


class GateOfChannels(nn.Module):
    """Gives the gate back, not the product, as the most copied CBAM does."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Conv2d(channels, channels // 4, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(channels // 4, channels, 1, bias=False),
        )
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return self.sigmoid(self.fc(F.adaptive_avg_pool2d(x, 1)) + self.fc(F.adaptive_max_pool2d(x, 1)))


class GateOfPlaces(nn.Module):
    """The spatial gate, likewise."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.sigmoid = nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return self.sigmoid(self.conv1(torch.cat((x.mean(1, keepdim=True), x.amax(1, keepdim=True)), 1)))


class OpenBlock(nn.Module):
    """A residual block that multiplies by its gates in its own forward."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        self.ca, self.sa = GateOfChannels(channels), GateOfPlaces()

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn(self.conv(x))
        out = self.ca(out) * out
        out = self.sa(out) * out
        out += x
        return F.relu(out)


class Tiny(nn.Module):
    """A network around one module: features (N, C, H, W) of a photo, the module, a head."""

    def __init__(self, module: nn.Module, channels: int = 16) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, channels, 3, 2, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
        )
        self.block = module
        self.head = nn.LazyLinear(10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.block(self.stem(x))
        x += 1  # what comes after changes the tensor in place
        return self.head(x.mean((2, 3)))


def traced_inside(
    module: nn.Module, x: Tensor | None = None, channels: int = 16
) -> tuple[attnviz.Trace, Tensor, Tensor]:
    """A trace of a ``Tiny`` network around the module, and what went into the module and came out, (C, h, w)
    each, taken by hooks of its own. Fails if the trace left a hook behind."""
    network = Tiny(module, channels).eval()
    nn.init.uniform_(network.stem[1].weight, 0.2, 4)  # so that channels differ in size
    x = torch.randn(3, 36, 44) if x is None else x
    with torch.no_grad():
        network(x[None])  # makes the lazy head
    sides: dict[str, Tensor] = {}
    handles = [
        module.register_forward_pre_hook(lambda _module, inputs: sides.update(before=inputs[0].clone())),
        module.register_forward_hook(lambda _module, _inputs, output: sides.update(after=output.clone())),
    ]
    count = hook_count(network)
    trace = attnviz.trace(network, x)
    assert hook_count(network) == count, "all of ours are gone"
    for handle in handles:
        handle.remove()
    return trace, sides["before"][0], sides["after"][0]


class CallsGates(nn.Module):
    """A CBAM whose two children give their gates back: it multiplies itself."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ca, self.sa = GateOfChannels(channels), GateOfPlaces()

    def forward(self, x: Tensor) -> Tensor:
        x = self.ca(x) * x
        return self.sa(x) * x


class RunsTwice(nn.Module):
    """Declares one gate, and runs it twice in a call, which can't be read."""

    attention_kind = "se"
    attention_taps = {"gate": "channel"}

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Sigmoid()

    def forward(self, x):
        return x * self.gate(self.gate(x.mean((2, 3))))[:, :, None, None]


# Modules of so many channels, none of which stands in the table of known ones or says what it is.
UNDESCRIBED: list[Callable[[int], nn.Module]] = [
    SELayer,
    InPlaceSE,
    ChannelGate,
    FunctionalCBAM,
    ResidualCBAM,
    ProductBAM,
    CoordAtt,
    SRMLayer,
    TripletAttention,
    SimAM,
    FcaLayer,
    ConcurrentSE,
    OneSigmoid,
    CallsGates,
]
