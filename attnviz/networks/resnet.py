"""One ResNet (He et al., CVPR 2016) that takes any of the three attention mechanisms, or none.

Without attention it is torchvision's ResNet, weight names included: stride in the 3×3 convolution, no bias
before batch norm. What other code does otherwise is in the ``Plan`` that it is built by."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from .attention import BAM, CBAM, ChannelCBAM, RectifiedBAM, ReleasedBAM, SqueezeExcite
from .plan import BlockPlan, ConvolutionPlan, GatePlan, LayerPlan, Plan, ShortcutPlan, usual_plan


class Block(nn.Module):
    """Two or three convolutions ``conv1`` … with batch norms ``bn1`` …, the addition of the input, which
    ``downsample`` brings to the same shape, and attention in one of ``choices.PLACES``."""

    def __init__(self, plan: BlockPlan, slope: float = 0.0) -> None:
        super().__init__()
        self.count, self.norm_first = len(plan.convolutions), plan.norm_first
        self.place, self.shortcut_first = plan.place, plan.shortcut_first
        for number, about in enumerate(plan.convolutions, 1):
            self.add_module(f"conv{number}", _convolution(about))
            self.add_module(f"bn{number}", nn.BatchNorm2d(about.channels if plan.norm_first else about.out))
        self.attention = None if plan.gate is None else make_gate(plan.gate)
        self.relu = _activation(slope)
        self.downsample = _shortcut(plan.shortcut) if plan.shortcut else _without_weights(plan)

    def forward(self, x: Tensor) -> Tensor:
        x = self._gated(x, "entry")
        return self._norms_first(x) if self.norm_first else self._norms_last(x)

    def _norms_last(self, x: Tensor) -> Tensor:
        branch = self._gated(x, "input")
        for number in range(1, self.count + 1):
            last = number == self.count
            if last:
                branch = self._gated(branch, "middle")
            branch = self._child("conv", number)(branch)
            if last:
                branch = self._gated(branch, "norm")
            branch = self._child("bn", number)(branch)
            if not last or self.place == "rectified":
                branch = self.relu(branch)
        return self._gated(self.relu(self._added(branch, x)), "output")

    def _norms_first(self, x: Tensor) -> Tensor:
        first = branch = self.relu(self._child("bn", 1)(self._gated(x, "input")))
        for number in range(1, self.count + 1):
            if number > 1:
                branch = self.relu(self._child("bn", number)(branch))
            if number == self.count:
                branch = self._gated(branch, "middle")
            branch = self._child("conv", number)(branch)
        passed = first if self.shortcut_first and self.downsample is not None else x
        return self._gated(self._added(branch, passed), "output")

    def _added(self, branch: Tensor, x: Tensor) -> Tensor:
        """The sum of both ways, with attention on the branch, on the shortcut or on the sum."""
        branch = self._gated(self._gated(branch, "branch"), "rectified")
        passed = x if self.downsample is None else self.downsample(x)
        return self._gated(branch + self._gated(passed, "shortcut"), "sum")

    def _gated(self, x: Tensor, place: str) -> Tensor:
        """What attention makes of features if this is its place."""
        attention: nn.Module | None = self.attention
        return x if attention is None or place != self.place else attention(x)

    def _child(self, kind: str, number: int) -> nn.Module:
        child = self._modules[f"{kind}{number}"]
        assert child is not None
        return child


class ResNet(nn.Module):
    """Photos (N, 3, H, W), normalised, of any height and width -> logits (N, classes).

    ``attention`` is "se" or "cbam" (in every block, before the addition), "bam" (after stages 1 to 3: modules
    ``bam1`` to ``bam3``) or None. ``depth`` can be the four stages' numbers of blocks, ``width`` is the
    number of channels after the stem, ``reduction`` the r of the attention's hidden layers, which have at
    least ``least_hidden`` units; ``bias`` is that of the layers of SE and of CBAM's channel gate. ``padding``
    is what stands around the features of CBAM's spatial convolution and of BAM's 3×3 ones: "zeros", as in the
    papers, or "replicate", the values at the edge, so that a gate does not see where the edge is. A ``plan``
    says all of it instead. Raises ValueError for a depth, an attention or a padding that does not exist."""

    def __init__(
        self,
        depth: int | tuple[int, ...] = 18,
        attention: str | None = None,
        width: int = 64,
        reduction: int = 16,
        classes: int = 1000,
        least_hidden: int = 1,
        bias: bool = False,
        padding: str = "zeros",
        *,
        plan: Plan | None = None,
    ) -> None:
        super().__init__()
        self.assumed: list[str] = []  # sentences about what its weights don't tell, where they were brought
        self.home: Path | None = None  # the folder that it was opened from, if it was from one
        plan = plan or usual_plan(depth, attention, width, reduction, classes, least_hidden, bias, padding)
        self.plan = plan
        self.conv1 = _stem(plan)
        self.bn1 = nn.BatchNorm2d(plan.stem[-1].out) if plan.stem_norm else None
        self.relu = _activation(plan.slope)
        self.attention0 = make_gate(plan.gates[0]) if 0 in plan.gates else None
        self.maxpool = STEM_POOLS[plan.pool]()
        for stage, blocks in enumerate(plan.stages, 1):
            self.add_module(f"layer{stage}", nn.Sequential(*(Block(block, plan.slope) for block in blocks)))
            if stage in plan.gates:
                self.add_module(_after(plan, stage), make_gate(plan.gates[stage]))
        self.last_norm = nn.BatchNorm2d(plan.stages[-1][-1].out) if plan.last_norm else None
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = _head(plan.head)
        if not next(self.parameters()).is_meta:  # without numbers, torch would load its compiler to draw some
            _start(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        if self.bn1 is not None:
            x = self.relu(self.bn1(x))
        if self.attention0 is not None and not self.plan.gate_behind_pool:
            x = self.attention0(x)
        x = self.maxpool(x)
        if self.attention0 is not None and self.plan.gate_behind_pool:
            x = self.attention0(x)
        for stage in range(1, len(self.plan.stages) + 1):
            x = self.get_submodule(f"layer{stage}")(x)
            if stage in self.plan.gates:
                attended = self.get_submodule(_after(self.plan, stage))(x)
                x = x + attended if self.plan.gates[stage].added else attended
        if self.last_norm is not None:
            x = self.relu(self.last_norm(x))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def make_gate(plan: GatePlan) -> nn.Module:
    """The attention module of a plan."""
    if plan.kind == "se":
        return SqueezeExcite(plan.channels, hidden=plan.hidden, bias=plan.bias)
    if plan.kind == "cbam" and not plan.kernel:
        return ChannelCBAM(plan.channels, plan.hidden, plan.bias, plan.window, plan.average_only)
    if plan.kind == "cbam":
        return CBAM(
            plan.channels,
            hidden=plan.hidden,
            bias=plan.bias,
            kernel=plan.kernel,
            spatial_bias=plan.spatial_bias,
            maximum_first=plan.maximum_first,
            norm=plan.spatial_norm,
            window=plan.window,
            average_only=plan.average_only,
            sequence=plan.sequence,
            padding=plan.padding,
        )
    about: dict[str, Any] = {
        "dilation": plan.dilation,
        "hidden": plan.hidden,
        "product": plan.product,
        "padding": plan.padding,
    }
    if plan.released:
        return ReleasedBAM(plan.channels, window=plan.window, **about)
    return (RectifiedBAM if plan.rectified else BAM)(plan.channels, **about)


def _after(plan: Plan, stage: int) -> str:
    """The name of the attention that comes after a stage."""
    return f"bam{stage}" if plan.gates[stage].kind == "bam" else f"attention{stage}"


def _convolution(plan: ConvolutionPlan) -> nn.Conv2d:
    return nn.Conv2d(
        plan.channels,
        plan.out,
        plan.kernel,
        plan.stride,
        padding=plan.kernel // 2,
        groups=plan.groups,
        bias=plan.bias,
    )


def _activation(slope: float) -> nn.Module:
    return nn.LeakyReLU(slope) if slope else nn.ReLU()


def _stem(plan: Plan) -> nn.Module:
    """One convolution, or several with batch norms and activations between them."""
    if len(plan.stem) == 1:
        return _convolution(plan.stem[0])
    layers: list[nn.Module] = []
    for about in plan.stem[:-1]:
        layers += [_convolution(about), nn.BatchNorm2d(about.out), _activation(plan.slope)]
    return nn.Sequential(*layers, _convolution(plan.stem[-1]))


def _shortcut(plan: ShortcutPlan) -> nn.Module:
    layers: list[nn.Module] = [_convolution(plan.convolution)]
    if plan.norm:
        layers.append(nn.BatchNorm2d(plan.convolution.out))
    if plan.average == 1:
        layers.insert(0, nn.Identity())
    elif plan.average:
        layers.insert(0, nn.AvgPool2d(plan.average, plan.average, ceil_mode=True, count_include_pad=False))
    return nn.Sequential(*layers)


class PaddedShortcut(nn.Module):
    """Every so many pixels of the input, with channels of zeros on both sides, as He et al. did for CIFAR, or
    all ``behind``."""

    def __init__(self, stride: int, more: int, behind: bool) -> None:
        super().__init__()
        self.stride, self.more, self.behind = stride, more, behind

    def forward(self, x: Tensor) -> Tensor:
        before = 0 if self.behind else self.more // 2
        return pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, before, self.more - before))


def _without_weights(plan: BlockPlan) -> nn.Module | None:
    """What a block without weights in its shortcut does there; None where input and result have one shape."""
    more = plan.out - plan.convolutions[0].channels
    return PaddedShortcut(plan.stride, more, plan.zeros_behind) if more > 0 or plan.stride > 1 else None


def _head(layers: tuple[LayerPlan, ...]) -> nn.Module:
    """A fully connected layer, or several."""
    first = layers[0]
    if len(layers) == 1 and not first.norm and not first.relu:
        return nn.Linear(first.inputs, first.outputs, first.bias)
    modules: list[nn.Module] = []
    for layer in layers:
        before: list[nn.Module] = [nn.BatchNorm1d(layer.inputs)] if layer.norm else []
        if layer.relu:
            before.insert(0 if layer.relu_first else len(before), nn.ReLU())
        modules += before
        modules.append(nn.Linear(layer.inputs, layer.outputs, layer.bias))
    return nn.Sequential(*modules)


def _start(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    for module in network.modules():
        if isinstance(module, (SqueezeExcite, CBAM)):
            module.reset_parameters()


STEM_POOLS: dict[str, Callable[[], nn.Module]] = {
    "padded": partial(nn.MaxPool2d, 3, 2, padding=1),
    "ceil": partial(nn.MaxPool2d, 3, 2, ceil_mode=True),
    "none": nn.Identity,
}
