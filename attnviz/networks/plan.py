"""What a ResNet consists of, part by part: what keys and shapes of somebody's weights tell, and what
``ResNet`` builds. The defaults are torchvision's ResNet and the papers' attention."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..choices import PADDINGS

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
ATTENTIONS = ("se", "cbam", "bam")
DILATION = 4  # of BAM's 3×3 convolutions, in its paper


@dataclass(frozen=True)
class GatePlan:
    """One attention module."""

    kind: str  # of ``ATTENTIONS``
    channels: int
    hidden: int  # units of its hidden layer
    bias: bool = False  # of the layers in SE and in CBAM's channel gate
    kernel: int = 7  # of CBAM's spatial convolution; 0: it has no spatial gate
    spatial_bias: bool = False
    spatial_norm: bool = False  # a batch norm behind that convolution
    maximum_first: bool = False  # its first input is the maximum, not the mean
    average_only: bool = False  # CBAM's channel gate leaves the maximum out
    sequence: str = "channel first"  # one of ``choices.SEQUENCES``, of CBAM's gates
    released: bool = False  # BAM's branches have batch norms within, as its authors' code does
    rectified: bool = False  # they also end in a batch norm and a ReLU (asdf2kr's BAM)
    product: bool = False  # BAM's branches are multiplied, not added
    dilation: int = DILATION  # of BAM's 3×3 convolutions
    padding: str = "zeros"  # one of ``choices.PADDINGS``, of those and of CBAM's spatial convolution
    added: bool = False  # its result is added to what it takes (elbuco1's, behind the last stage)
    window: bool = False  # it averages by a window of the features' size, see attention.WindowPool


@dataclass(frozen=True)
class ConvolutionPlan:
    """A convolution; what it pads keeps the size but for its stride."""

    channels: int
    out: int
    kernel: int
    stride: int = 1
    groups: int = 1
    bias: bool = False


@dataclass(frozen=True)
class ShortcutPlan:
    """What the input of a block goes through before it is added."""

    convolution: ConvolutionPlan
    norm: bool = True
    average: int | None = None  # the side of an average pooling before the convolution; 1 does nothing


@dataclass(frozen=True)
class BlockPlan:
    """Convolutions with batch norms, attention, the addition.

    Attention stands in one of ``choices.PLACES`` (Hu et al., section 6.5, compares some): "branch", on the
    branch's result; "rectified", there but behind a ReLU (timm's legacy_seresnet18, weiaicunzai's); "norm",
    before the branch's last batch norm; "middle", before its last convolution; "sum", on the sum before its
    ReLU; "output", behind that ReLU (SE-POST); "input", on what the branch takes (SE-PRE); "entry", on what
    the whole block takes; "shortcut", on what is added to the branch (SE-Identity)."""

    convolutions: tuple[ConvolutionPlan, ...]
    shortcut: ShortcutPlan | None = None
    gate: GatePlan | None = None
    norm_first: bool = False  # batch norm and ReLU stand before each convolution, and none after the addition
    place: str = "branch"  # of its attention, one of ``choices.PLACES``
    zeros_behind: bool = False  # a shortcut without weights adds its channels of zeros behind, not around
    shortcut_first: bool = True  # of batch norms first: the shortcut's convolution takes what they give

    @property
    def out(self) -> int:
        """Channels of its result."""
        return self.convolutions[-1].out

    @property
    def stride(self) -> int:
        """By how much it makes the features smaller."""
        return max(convolution.stride for convolution in self.convolutions)


@dataclass(frozen=True)
class LayerPlan:
    """A fully connected layer of the head, and what stands before it."""

    inputs: int
    outputs: int
    bias: bool = True
    norm: bool = False  # a batch norm
    relu: bool = False  # a ReLU, behind the batch norm
    relu_first: bool = False  # it stands before the batch norm


@dataclass(frozen=True)
class Plan:
    """A whole ResNet."""

    stem: tuple[ConvolutionPlan, ...]
    stages: tuple[tuple[BlockPlan, ...], ...]
    head: tuple[LayerPlan, ...]
    pool: str = "padded"  # behind the stem: "padded" or, without padding, "ceil", both halve; "none"
    stem_norm: bool = True  # a batch norm and a ReLU behind the stem's last convolution
    last_norm: bool = False  # a batch norm and a ReLU behind the last stage
    gates: dict[int, GatePlan] = field(default_factory=dict)  # after stage 1 and so on; 0: before the pooling
    gate_behind_pool: bool = False  # the gate of number 0
    slope: float = 0.0  # of the ReLUs' negative side

    @property
    def attention(self) -> str | None:
        """The kind of attention that most of its gates are of; None without any."""
        kinds = [gate.kind for gate in self.all_gates]
        return max(kinds, key=kinds.count) if kinds else None

    @property
    def all_gates(self) -> list[GatePlan]:
        """Those of its blocks, then the others."""
        blocks = (block for stage in self.stages for block in stage)
        return [*(block.gate for block in blocks if block.gate), *self.gates.values()]

    @property
    def counts(self) -> tuple[int, ...]:
        """How many blocks each stage has."""
        return tuple(len(stage) for stage in self.stages)

    @property
    def bottleneck(self) -> bool:
        """Whether its first block has three convolutions."""
        return len(self.stages[0][0].convolutions) == 3

    @property
    def depth(self) -> int | tuple[int, ...]:
        """The usual number for these blocks a stage; the counts themselves if there is none."""
        for depth, usual in DEPTHS.items():
            if usual == self.counts and (depth >= 50) == self.bottleneck:
                return depth
        return self.counts


def usual_plan(
    depth: int | tuple[int, ...],
    attention: str | None,
    width: int,
    reduction: int,
    classes: int,
    least_hidden: int = 1,
    bias: bool = False,
    padding: str = "zeros",
) -> Plan:
    """The ResNet of a depth, or of four counts of blocks, with attention in the form of its paper, but for
    what the last three say: see ``ResNet``. Raises ValueError for a depth, an attention or a padding that
    does not exist."""
    if isinstance(depth, int) and depth not in DEPTHS:
        raise ValueError(f"depth is {depth}; a ResNet has one of {', '.join(map(str, DEPTHS))}")
    if attention is not None and attention not in ATTENTIONS:
        raise ValueError(f"attention is {attention!r}; it can be {', '.join(map(repr, ATTENTIONS))} or None")
    if padding not in PADDINGS:
        raise ValueError(f"padding is {padding!r}; it can be {' or '.join(map(repr, PADDINGS))}")
    counts = DEPTHS[depth] if isinstance(depth, int) else depth
    bottleneck = isinstance(depth, int) and depth >= 50
    channels, stages, gates = width, [], {}
    for stage, count in enumerate(counts):
        out = width * 2**stage * (4 if bottleneck else 1)
        gate = None
        if attention is not None:
            hidden = max(least_hidden, out // reduction)
            gate = GatePlan(attention, out, hidden, bias, padding=padding)
        if gate is not None and attention == "bam":
            if stage < len(counts) - 1:
                gates[stage + 1] = gate
            gate = None
        blocks = []
        for index in range(count):
            stride = 2 if stage > 0 and index == 0 else 1
            blocks.append(_usual_block(channels, out, stride, bottleneck, gate))
            channels = out
        stages.append(tuple(blocks))
    stem = ConvolutionPlan(3, width, 7, 2)
    return Plan((stem,), tuple(stages), (LayerPlan(channels, classes),), gates=gates)


def _usual_block(channels: int, out: int, stride: int, bottleneck: bool, gate: GatePlan | None) -> BlockPlan:
    convolutions: tuple[ConvolutionPlan, ...]
    if bottleneck:
        inner = out // 4
        convolutions = (
            ConvolutionPlan(channels, inner, 1),
            ConvolutionPlan(inner, inner, 3, stride),
            ConvolutionPlan(inner, out, 1),
        )
    else:
        convolutions = (ConvolutionPlan(channels, out, 3, stride), ConvolutionPlan(out, out, 3))
    shortcut = None
    if stride != 1 or channels != out:
        shortcut = ShortcutPlan(ConvolutionPlan(channels, out, 1, stride))
    return BlockPlan(convolutions, shortcut, gate)
