"""The three attention mechanisms: SqueezeExcite, CBAM and BAM, by default in the form of their papers. What
released code does otherwise (biases, batch norms, the order of two maps) is an argument, so that its weights
give its results; BAM's is ReleasedBAM.

Each takes features (N, C, H, W) and gives back features of the same shape, multiplied by its gate. Every gate
is the output of a child module, and the module says which one: ``attention_taps`` maps the path of a child to
what its output is, one of

    "channel"         the factor on each channel, in [0, 1]                    (N, C)
    "spatial"         the factor at each position, in [0, 1]                   (N, 1, H, W)
    "joint"           a gate in [0, 1]; the factor is 1 + gate                 (N, C, H, W)
    "channel_logits"  a signed branch that is summed into the joint gate       (N, C)
    "spatial_logits"  likewise                                                 (N, 1, H, W)

``attention_form`` says in what a module differs from its paper, in the words of ``LayerAttention.form``.
``attention_steps`` maps the name of what is computed on the way to where it can be read: the path of a child,
whether it is its "input" or its "output", in which of its calls, and of an input of several maps which one.
See ``capture.reads.StepRead``."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool2d, avg_pool2d


class Excitation(nn.Module):
    """Two layers, and the sigmoid as a module of its own: what SE and CBAM's channel gate share. The layers
    have no bias, as in the papers' ablations, unless ``bias``; ``hidden`` units if given, else channels /
    reduction."""

    def __init__(
        self, channels: int, reduction: int = 16, hidden: int | None = None, bias: bool = False
    ) -> None:
        super().__init__()
        hidden = hidden or max(1, channels // reduction)
        self.fc1 = nn.Linear(channels, hidden, bias=bias)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(hidden, channels, bias=bias)
        self.gate = nn.Sigmoid()

    def reset_parameters(self) -> None:
        for layer in (self.fc1, self.fc2):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def excite(self, pooled: Tensor) -> Tensor:
        """The logits of the gate (N, C) of pooled features (N, C)."""
        return self.fc2(self.relu(self.fc1(pooled)))


class SqueezeExcite(Excitation):
    """Squeeze-and-excitation (Hu et al., CVPR 2018, equations 2 to 4), without FC biases as in the paper's
    ablations.

    z = mean of x over positions; s = sigmoid(W2 relu(W1 z)); the output is s_c * x_c.
    """

    attention_kind = "se"
    attention_taps = {"gate": "channel"}
    attention_steps = {
        "squeezed": ("fc1", "input"),
        "hidden": ("relu", "output"),
        "channel_logits": ("fc2", "output"),
    }

    def forward(self, x: Tensor) -> Tensor:
        factor = self.gate(self.excite(x.mean((2, 3))))  # (N, C)
        return x * factor[:, :, None, None]


class ChannelAttention(Excitation):
    """CBAM's channel gate (Woo et al., ECCV 2018, equation 2): (N, C, H, W) -> (N, C) in [0, 1].

    One MLP without bias is shared by the average-pooled and the max-pooled features; the two results are
    added."""

    window = False  # average as the authors' code does, see WindowPool
    average_only = False  # leave the maximum out, as squeeze-and-excitation does

    def forward(self, x: Tensor) -> Tensor:
        average = avg_pool2d(x, x.shape[2:]).flatten(1) if self.window else x.mean((2, 3))
        logits = self.excite(average)  # (N, C)
        if not self.average_only:
            logits = logits + self.excite(adaptive_max_pool2d(x, 1).flatten(1))
        return self.gate(logits)


class WindowPool(nn.Module):
    """The mean over all positions by pooling with a window of their size, (N, C, H, W) -> (N, C, 1, 1). It
    adds up in another order than ``mean``: in float32 the sums differ by some 1e-6, which a steep gate makes
    visible."""

    def forward(self, x: Tensor) -> Tensor:
        return avg_pool2d(x, x.shape[2:])


class SpatialAttention(nn.Module):
    """CBAM's spatial gate (equation 3): (N, C, H, W) -> (N, 1, H, W) in [0, 1].

    Mean and maximum over channels, in this order, go through one 7×7 convolution without bias or batch norm.
    The authors' code has the maximum first, and a batch norm behind the convolution. It pads with zeros,
    which tell it where the edge is; with ``padding`` "replicate" with the values at the edge, which don't."""

    def __init__(
        self,
        kernel: int = 7,
        bias: bool = False,
        maximum_first: bool = False,
        norm: bool = False,
        padding: str = "zeros",
    ) -> None:
        super().__init__()
        self.maximum_first = maximum_first
        self.conv = nn.Conv2d(
            2,
            1,
            kernel,
            padding=kernel // 2,
            bias=bias,
            padding_mode=padding,  # type: ignore[arg-type]
        )
        self.norm = nn.BatchNorm2d(1) if norm else None
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        mean, maximum = x.mean(1, keepdim=True), x.amax(1, keepdim=True)
        maps = (maximum, mean) if self.maximum_first else (mean, maximum)
        logits = self.conv(torch.cat(maps, 1))  # (N, 1, H, W)
        return self.gate(logits if self.norm is None else self.norm(logits))


def _steps_of_channels(gate: ChannelAttention) -> dict[str, tuple]:
    """Steps of CBAM's channel gate: its shared layers run on the average first, then on the maximum."""
    steps: dict[str, tuple] = {}
    for call, name in enumerate(("average",) if gate.average_only else ("average", "maximum"), 1):
        steps[name] = ("channel.fc1", "input", call)
        steps[f"{name}_hidden"] = ("channel.relu", "output", call)
        steps[f"{name}_logits"] = ("channel.fc2", "output", call)
    return steps


def _steps_of_positions(gate: SpatialAttention) -> dict[str, tuple]:
    """Steps of CBAM's spatial gate."""
    return {
        "mean_map": ("spatial.conv", "input", 1, int(gate.maximum_first)),
        "maximum_map": ("spatial.conv", "input", 1, int(not gate.maximum_first)),
        "spatial_logits": ("spatial.gate", "input"),
    }


class CBAM(nn.Module):
    """Convolutional block attention (Woo et al., ECCV 2018, equation 1): first channels, then positions.

    F' = Mc(F) * F; F'' = Ms(F') * F': the spatial gate sees the features that the channel gate has already
    weighed. The paper's ablations (table 3) turn this ``sequence`` round, and let both see F."""

    attention_kind = "cbam"
    attention_taps = {"channel.gate": "channel", "spatial.gate": "spatial"}

    @property
    def attention_steps(self) -> dict[str, tuple]:
        """The steps of both gates, in the order of computing."""
        channels, positions = _steps_of_channels(self.channel), _steps_of_positions(self.spatial)
        return {**positions, **channels} if self.sequence == "spatial first" else {**channels, **positions}

    @property
    def attention_form(self) -> tuple[str, ...]:
        """The order of its gates and the size of its convolution, where they are not the paper's."""
        kernel = self.spatial.conv.kernel_size[0]
        sequence = () if self.sequence == "channel first" else (self.sequence,)
        return sequence if kernel == 7 else (*sequence, f"kernel {kernel}")

    def __init__(
        self,
        channels: int,
        reduction: int = 16,
        hidden: int | None = None,
        bias: bool = False,
        kernel: int = 7,
        spatial_bias: bool = False,
        maximum_first: bool = False,
        norm: bool = False,
        window: bool = False,
        average_only: bool = False,
        sequence: str = "channel first",
        padding: str = "zeros",
    ) -> None:
        super().__init__()
        self.sequence = sequence
        self.channel = ChannelAttention(channels, reduction, hidden, bias)
        self.channel.window, self.channel.average_only = window, average_only
        self.spatial = SpatialAttention(kernel, spatial_bias, maximum_first, norm, padding)

    def reset_parameters(self) -> None:
        self.channel.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        if self.sequence == "spatial first":
            x = x * self.spatial(x)
            return x * self.channel(x)[:, :, None, None]
        weighed = x * self.channel(x)[:, :, None, None]
        return weighed * self.spatial(x if self.sequence == "parallel" else weighed)


class ChannelCBAM(nn.Module):
    """The first half of CBAM alone: F' = Mc(F) * F."""

    attention_kind = "cbam"
    attention_taps = {"channel.gate": "channel"}

    @property
    def attention_steps(self) -> dict[str, tuple]:
        """The steps of its gate."""
        return _steps_of_channels(self.channel)

    def __init__(
        self,
        channels: int,
        hidden: int,
        bias: bool = False,
        window: bool = False,
        average_only: bool = False,
    ) -> None:
        super().__init__()
        self.channel = ChannelAttention(channels, hidden=hidden, bias=bias)
        self.channel.window, self.channel.average_only = window, average_only

    def forward(self, x: Tensor) -> Tensor:
        return x * self.channel(x)[:, :, None, None]


def _dilated(channels: int, dilation: int, padding: str, bias: bool = True) -> nn.Conv2d:
    """One of BAM's 3×3 convolutions, which keeps the features' size; ``padding`` is as in
    ``SpatialAttention``."""
    return nn.Conv2d(
        channels,
        channels,
        3,
        padding=dilation,
        dilation=dilation,
        bias=bias,
        padding_mode=padding,  # type: ignore[arg-type]
    )


class JointGate(nn.Module):
    """What forms of BAM share: F' = F * (1 + sigmoid(Mc(F) + Ms(F))) of a branch ``channel`` (N, C) and a
    branch ``spatial`` (N, 1, H, W), or, with ``product``, of Mc(F) * Ms(F)."""

    attention_kind = "bam"
    attention_taps = {"channel": "channel_logits", "spatial": "spatial_logits", "gate": "joint"}

    def __init__(self, channel: nn.Module, spatial: nn.Module, product: bool) -> None:
        super().__init__()
        self.channel, self.spatial, self.gate = channel, spatial, nn.Sigmoid()
        self.product = product

    @property
    def attention_formula(self) -> str:
        """How the branches are joined."""
        return "bam product" if self.product else "bam sum"

    def forward(self, x: Tensor) -> Tensor:
        channel, spatial = self.channel(x)[:, :, None, None], self.spatial(x)
        logits = channel * spatial if self.product else channel + spatial  # (N, C, H, W)
        return x * (1 + self.gate(logits))


class BAM(JointGate):
    """Bottleneck attention (Park et al., BMVC 2018, equations 1 to 4): F' = F * (1 + sigmoid(Mc(F) + Ms(F))).

    Mc: average pool, an MLP with biases, batch norm. Ms: a 1×1 reduction, two 3×3 convolutions of dilation 4,
    a 1×1 convolution to one map, batch norm. The equations leave out the ReLU between the layers of a branch;
    it is here, as in the authors' code. Theirs multiplies the branches, where the paper adds them: this one
    adds them, and multiplies them with ``product``."""

    attention_steps = {"squeezed": ("channel.2", "input"), "hidden": ("channel.3", "output")}

    def __init__(
        self,
        channels: int,
        reduction: int = 16,
        dilation: int = 4,
        hidden: int | None = None,
        product: bool = False,
        padding: str = "zeros",
    ) -> None:
        hidden = hidden or max(1, channels // reduction)
        channel = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(channels, hidden),
            nn.ReLU(),
            nn.Linear(hidden, channels),
            nn.BatchNorm1d(channels),
        )
        spatial = nn.Sequential(
            nn.Conv2d(channels, hidden, 1),
            nn.ReLU(),
            _dilated(hidden, dilation, padding),
            nn.ReLU(),
            _dilated(hidden, dilation, padding),
            nn.ReLU(),
            nn.Conv2d(hidden, 1, 1),
            nn.BatchNorm2d(1),
        )
        super().__init__(channel, spatial, product)


class ReleasedBAM(JointGate):
    """BAM as its authors released it: F' = F * (1 + sigmoid(Mc(F) * Ms(F))), the branches multiplied; added
    where ``product`` is False.

    Mc: average pool, a layer, batch norm, ReLU, a layer. Ms: a 1×1 reduction and two 3×3 convolutions of
    dilation 4, each with batch norm and ReLU, and a 1×1 convolution to one map. All layers have biases; no
    branch ends in a batch norm."""

    attention_steps = {"squeezed": ("channel.2", "input"), "hidden": ("channel.4", "output")}
    attention_form = ("released",)

    def __init__(
        self,
        channels: int,
        reduction: int = 16,
        dilation: int = 4,
        hidden: int | None = None,
        window: bool = False,
        product: bool = True,
        padding: str = "zeros",
    ) -> None:
        hidden = hidden or max(1, channels // reduction)
        channel = nn.Sequential(
            WindowPool() if window else nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(channels, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, channels),
        )
        spatial = nn.Sequential(
            nn.Conv2d(channels, hidden, 1),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            _dilated(hidden, dilation, padding),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            _dilated(hidden, dilation, padding),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, 1, 1),
        )
        super().__init__(channel, spatial, product)


class RectifiedBAM(JointGate):
    """BAM with batch norm and ReLU behind every layer of both branches, the last ones too, as asdf2kr's code
    has it: F' = F * (1 + sigmoid(Mc(F) * Ms(F))), the branches multiplied; added where ``product`` is False.

    Neither branch is ever negative, so no gate is below 0.5. Only the layers on pooled channels have
    biases."""

    attention_steps = ReleasedBAM.attention_steps
    attention_form = ("rectified",)

    def __init__(
        self,
        channels: int,
        reduction: int = 16,
        dilation: int = 4,
        hidden: int | None = None,
        product: bool = True,
        padding: str = "zeros",
    ) -> None:
        hidden = hidden or max(1, channels // reduction)
        channel = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(channels, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, channels),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
        )
        layers: list[nn.Module] = []
        for taken, given, kernel in ((channels, hidden, 1), *((hidden, hidden, 3),) * 2, (hidden, 1, 1)):
            if kernel == 3:
                convolution = _dilated(given, dilation, padding, bias=False)
            else:
                convolution = nn.Conv2d(taken, given, 1, bias=False)
            layers += [convolution, nn.BatchNorm2d(given), nn.ReLU()]
        super().__init__(channel, nn.Sequential(*layers), product)


ATTENTION = {"se": SqueezeExcite, "cbam": CBAM, "bam": BAM}
