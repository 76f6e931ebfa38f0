"""The page's words: what each mechanism does and what its numbers mean, plain, short and exact."""

from __future__ import annotations

import re

import numpy as np

from .analysis import Summary, strongest
from .layers import LayerAttention

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
    "scse": (
        "**scSE weighs channels and places, and adds the two.** One factor between 0 and 1 for each channel and one for each place; "
        "the features are multiplied by each of them apart, and the results are added: the whole factor is between 0 and 2."
    ),
    "eca": (
        "**ECA weighs channels by their neighbours.** It averages every channel over all positions, and a short convolution along the "
        "channels and a sigmoid give one factor between 0 and 1 for each. Every position of a channel gets the same factor."
    ),
    "ese": (
        "**Effective SE weighs channels** as SE does, with one layer in place of two and a sigmoid made of straight lines: factors "
        "of exactly 0 and exactly 1 are common."
    ),
    "ge": "**Gather-excite weighs channels** by their averages, over all positions or over regions, through a sigmoid.",
    "gc": (
        "**Global context weighs channels.** First it decides how much each place counts: shares that add up to 1. The map shows "
        "these shares. They are no factor on the features: they weigh the average from which one factor between 0 and 1 for each "
        "channel is computed, which the bars show."
    ),
    "sk": (
        "**Selective kernel chooses between kernels.** The same features go through several convolutions, and for each channel the "
        "shares of the paths, which add up to 1, say how much of each goes on. This weighs kernel sizes, not channels."
    ),
    "split": (
        "**Split attention chooses between splits.** The features are computed in several parallel splits, and for each channel the "
        "shares of the splits, which add up to 1, say how much of each goes on."
    ),
    "coord": (
        "**Coordinate attention weighs the rows and columns of each channel.** Every channel has one factor for each row and one for "
        "each column. The map is the mean over channels, the bars are the mean over places."
    ),
    "channel": "**This module weighs channels:** its output is its input times one factor for each channel, the same at all places.",
    "spatial": "**This module weighs places:** its output is its input times one factor for each place, the same for all channels.",
    "both": (
        "**This module weighs channels and places:** its output is its input times one factor for each channel, times one factor for "
        "each place."
    ),
    "joint": (
        "**This module weighs every channel at every place apart:** its output is its input times a factor that can't be taken apart "
        "into one for channels and one for places. The map is its mean over channels, the bars are its mean over places."
    ),
}

NOT_GRAD_CAM = (
    "*This is not Grad-CAM. The numbers are multipliers that the network computed for itself on the way; they know nothing of "
    "the class it will name.*"
)

NO_ATTENTION = (
    "### No attention here\nThis network has none: it is here to compare what it says. Networks with CBAM, SE or BAM have something to see."
)

CHECKPOINT = """\
A file of weights (`.pth`, `.pt`, `.pkl`, `.bin` or `.safetensors`) of a ResNet with SE, CBAM or BAM, saved as a **state dict**:

```python
torch.save(
    network.state_dict(),
    "weights.pth",
)
```

Depth, width, reduction and the number of classes are read from it. These layouts are known: attnviz, torchvision with `se.fc` or
`ca.fc` / `sa.conv1` added, Jongchan/attention-module, luuuyi/CBAM.PyTorch, moskomule/senet.pytorch, pytorchcv and timm. The
README says more under “Your own checkpoint”. Nothing in the file is executed, and it is deleted like the photos.
"""


def no_map(layer: LayerAttention) -> str:
    """Why there is no heat map."""
    what = "chooses between paths for each channel" if layer.paths is not None else "weighs channels only"
    return f"### No map here\n{layer.title[:1].upper()}{layer.title[1:]} {what}. CBAM and BAM also weigh places."


def stage_of(layer: str) -> str:
    """Where a layer stands, if its name tells: "stage 3" for ``layer3.1`` or ``features.stage3.unit2.se``, "after stage 3" for
    ``bam3``; else nothing."""
    found = re.search(r"(?:^|\.)(bam|layer|stages?\.?|blocks?\.?)(\d+)", layer)
    if found is None:
        return ""
    return f"after stage {found[2]}" if found[1] == "bam" else f"stage {found[2]}"


def layer_title(layer: LayerAttention) -> str:
    """A layer's name, kind, stage, channels and grid, as the picker shows it."""
    channels, height, width = layer.shape
    grid = f"map of {height} × {width}" if layer.map is not None else "no map"
    return " · ".join(part for part in (layer.name, layer.title, stage_of(layer.name), grid, f"{channels} channels") if part)


def map_note(grid: tuple[int, ...], smooth: bool) -> str:
    """What a square of the map is, and what the frame around some maps is."""
    height, width = grid
    drawn = (
        f"Smoothing between the cells of the layer's {height} × {width} grid is ours, not the network's."
        if smooth else f"Each square is one cell of the layer's {height} × {width} grid."
    )
    frame = "A frame along the edges comes from the zero padding of the convolutions, not from the photo."
    return f"{drawn} {frame}"


def channel_note(layer: LayerAttention, numbers: Summary) -> str:
    """The strongest channels by name, and the layer's mean, spread, range and saturation."""
    best = ", ".join(f"{index} ({value:.3f})" for index, value in strongest(weights_of(layer)))
    if layer.channel is None:
        span = f"{numbers.least:.3f} to {numbers.greatest:.3f}"
        return f"Channels with the greatest share of the first path: **{best}**. Its mean {numbers.mean:.3f}, range {span}."
    gates = "gates (factor − 1)" if layer.kind == "bam" else "gates" if layer.limits == (0.0, 1.0) else "factors"
    undefined = f" {numbers.undefined} undefined: their features were all zero." if numbers.undefined else ""
    return (
        f"Strongest channels: **{best}**. Mean {numbers.mean:.3f}, standard deviation {numbers.std:.3f}, range "
        f"{numbers.least:.3f} to {numbers.greatest:.3f}; {numbers.high_share:.0%} of the {gates} above 0.9, "
        f"{numbers.low_share:.0%} below 0.1.{undefined}"
    )


def map_alt(layer: LayerAttention) -> str:
    """The map in a sentence, for who can't see it: its range, and where its greatest value lies."""
    values = np.asarray(layer.map)
    height, width = values.shape
    if not np.isfinite(values).any():
        return f"Heat map of {layer.name} over the photo, {height} by {width} cells, all undefined."
    row, column = divmod(int(np.nanargmax(values)), width)
    what = "factors" if layer.spatial is not None else "shares"
    return (
        f"Heat map of {layer.name} over the photo, {height} by {width} cells, {what} from {np.nanmin(values):.2f} to "
        f"{np.nanmax(values):.2f}, the greatest in row {row + 1}, column {column + 1}."
    )


def bars_alt(layer: LayerAttention) -> str:
    """The bar chart in a sentence: how many channels, their range, and the strongest."""
    weights = weights_of(layer)
    best = strongest(weights, 1)
    if not best:
        return f"Bar chart of the {len(weights)} channel weights of {layer.name}, all undefined."
    what = "channel weights" if layer.channel is not None else "channels' shares of the first path"
    return (
        f"Bar chart of the {len(weights)} {what} of {layer.name}, from {np.nanmin(weights):.2f} to {best[0][1]:.2f}; "
        f"channel {best[0][0]} is the strongest."
    )


def weights_of(layer: LayerAttention) -> np.ndarray:
    """What the bars show: the factor on each channel, or the first path's share of it."""
    return np.asarray(layer.channel if layer.channel is not None else np.asarray(layer.paths)[0])


def knows(labels: tuple[str, ...], accuracy: float | None) -> str:
    """Which classes a network can name at all, and how often it is right."""
    if not labels:
        return ""
    right = f" On held-out photos of these it is right {accuracy:.1%} of the time." if accuracy else ""
    if len(labels) == 1000:
        return f"This network knows only the 1,000 classes of ImageNet and always names one of them.{right}"
    shown = ", ".join(labels[:-1]) + f" or {labels[-1]}" if len(labels) <= 12 else f"one of {len(labels)} classes"
    return f"This network knows only {len(labels)} classes and always names one of them: {shown}.{right}"
