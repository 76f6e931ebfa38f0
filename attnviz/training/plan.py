"""All that decides a training run besides the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# What a plan can ask for, without the networks, which are slow to start.
ATTENTION_NAMES = ("se", "cbam", "bam")
DEPTH_NUMBERS = (18, 34, 50, 101, 152)


@dataclass(frozen=True)
class TrainingPlan:
    """The network's shape and the recipe; written into the model card and into every checkpoint."""

    depth: int = 18
    attention: str | None = None
    width: int = 40
    reduction: int = 8
    least_hidden: int = 16  # units of the attention's hidden layers: of four, none is on for most photos
    bias: bool = True  # of the layers of SE and of CBAM's channel gate
    padding: str = "replicate"  # of spatial gates: padded with zeros, they show where the edge is
    penalty: float = 0.002  # on the mean square of each gate's logits: without, gates become switches
    schedule: tuple[tuple[int, int], ...] = ((96, 22), (128, 26), (160, 16), (192, 8))  # (side in px, epochs)
    batch: int = 64
    learning_rate: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    least_area: float = 0.25  # of a photo that a random crop covers
    cutmix: float = 0.5  # share of batches, except in the last step of the schedule
    average_decay: float = 0.998
    seed: int = 0

    def architecture(self, classes: int) -> dict[str, Any]:
        """The arguments of ``ResNet``, as a card has them."""
        names = ("depth", "attention", "width", "reduction", "least_hidden", "bias", "padding")
        return {**{name: getattr(self, name) for name in names}, "classes": classes}

    @property
    def epochs(self) -> int:
        return sum(count for _, count in self.schedule)

    def size(self, epoch: int) -> int:
        """Side of the training crops in this epoch, in pixels."""
        for side, count in self.schedule:
            if epoch < count:
                return side
            epoch -= count
        raise ValueError("the schedule ends before this epoch")
