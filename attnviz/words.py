"""The page's words: what each mechanism does and what its numbers mean, plain, short and exact."""

from __future__ import annotations

import numpy as np

from .analysis import Summary, strongest
from .capture import LayerAttention

MECHANISMS = {
    "se": (
        "**SE weighs channels.** It averages every channel over all positions, sends the averages through a small two-layer "
        "network and a sigmoid, and gets one factor between 0 and 1 for each channel: how much of this channel passes on. "
        "Every position of a channel is multiplied by the same factor, so there is no map to draw."
    ),
    "cbam": (
        "**CBAM weighs channels, then places.** First one factor between 0 and 1 for each channel, from its average and its "
        "maximum over the photo: how much of this channel passes on. Then, on what is left, one factor between 0 and 1 for each "
        "place, from a 7 × 7 convolution over the mean and the maximum of all channels: how much of this place passes on."
    ),
    "bam": (
        "**BAM weighs channels and places at once.** One branch gives a signed number for each channel, the other for each "
        "place; they are added, a sigmoid makes a gate between 0 and 1 of the sum, and the features are multiplied by 1 + gate. "
        "So BAM takes nothing away: it adds up to as much again. The map is the factor's mean over all channels, the bars are its "
        "mean over all places."
    ),
}

NOT_GRAD_CAM = (
    "*This is not Grad-CAM. The numbers are multipliers that the network computed for itself on the way; they know nothing of "
    "the class it will name.*"
)

NO_MAP = "### No map here\nSE weighs channels only. CBAM and BAM also weigh places."
NO_ATTENTION = (
    "### No attention here\nThis ResNet has none: it is trained by the same recipe as the other three, to compare what they say. "
    "CBAM, SE and BAM have something to see."
)


def stage_of(layer: str) -> str:
    """Where a layer of one of our networks stands: "stage 3" for ``layer3.1``, "after stage 3" for ``bam3``."""
    digit = layer.removeprefix("layer").removeprefix("bam")[:1]
    return f"after stage {digit}" if layer.startswith("bam") else f"stage {digit}"


def layer_title(layer: LayerAttention) -> str:
    """A layer's name, kind, stage, channels and grid, as the picker shows it."""
    channels, height, width = layer.shape
    grid = f"map of {height} × {width}" if layer.spatial is not None else "no map"
    return f"{layer.name} · {layer.kind.upper()} · {stage_of(layer.name)} · {grid} · {channels} channels"


def map_note(grid: tuple[int, ...], smooth: bool) -> str:
    """What a square of the map is, and what the frame around some maps is."""
    height, width = grid
    drawn = (
        f"Smoothing between the cells of the layer's {height} × {width} grid is ours, not the network's."
        if smooth else f"Each square is one cell of the layer's {height} × {width} grid."
    )
    frame = "A frame along the edges comes from the zero padding of the convolutions, not from the photo."
    return f"{drawn} {frame}"


def channel_note(kind: str, channel: np.ndarray, numbers: Summary) -> str:
    """The strongest channels by name, and the layer's mean, spread, range and saturation."""
    best = ", ".join(f"{index} ({value:.3f})" for index, value in strongest(channel))
    gates = "gates (factor − 1)" if kind == "bam" else "gates"
    return (
        f"Strongest channels: **{best}**. Mean {numbers.mean:.3f}, standard deviation {numbers.std:.3f}, range "
        f"{numbers.least:.3f} to {numbers.greatest:.3f}; {numbers.high_share:.0%} of the {gates} above 0.9, "
        f"{numbers.low_share:.0%} below 0.1."
    )


def map_alt(layer: str, spatial: np.ndarray) -> str:
    """The map in a sentence, for who can't see it: its range, and where its greatest factor lies."""
    height, width = spatial.shape
    row, column = divmod(int(spatial.argmax()), width)
    return (
        f"Heat map of {layer} over the photo, {height} by {width} cells, factors from {spatial.min():.2f} to "
        f"{spatial.max():.2f}, the greatest in row {row + 1}, column {column + 1}."
    )


def bars_alt(layer: str, channel: np.ndarray) -> str:
    """The bar chart in a sentence: how many channels, their range, and the strongest."""
    ((index, value),) = strongest(channel, 1)
    return (
        f"Bar chart of the {len(channel)} channel weights of {layer}, from {channel.min():.2f} to {value:.2f}; "
        f"channel {index} is the strongest."
    )


def knows(labels: tuple[str, ...], accuracy: float | None) -> str:
    """Which classes a network can name at all, and how often it is right."""
    if not labels:
        return ""
    right = f" On held-out photos of these it is right {accuracy:.1%} of the time." if accuracy else ""
    shown = ", ".join(labels[:-1]) + f" or {labels[-1]}" if len(labels) <= 12 else f"one of {len(labels)} classes"
    return f"This network knows only {len(labels)} classes and always names one of them: {shown}.{right}"
