"""The papers that mechanisms come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """Where a mechanism was described."""

    authors: str
    title: str
    venue: str
    arxiv: str  # its number there

    @property
    def address(self) -> str:
        """Where it can be read."""
        return f"https://arxiv.org/abs/{self.arxiv}"

    @property
    def citation(self) -> str:
        """Authors, title and venue in one line."""
        return f"{self.authors}: {self.title}, {self.venue}"


PAPERS = {  # kind -> its paper
    "se": Paper("Hu et al.", "Squeeze-and-Excitation Networks", "CVPR 2018", "1709.01507"),
    "cbam": Paper("Woo et al.", "CBAM: Convolutional Block Attention Module", "ECCV 2018", "1807.06521"),
    "bam": Paper("Park et al.", "BAM: Bottleneck Attention Module", "BMVC 2018", "1807.06514"),
    "eca": Paper(
        "Wang et al.",
        "ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks",
        "CVPR 2020",
        "1910.03151",
    ),
    "ese": Paper(
        "Lee and Park", "CenterMask: Real-Time Anchor-Free Instance Segmentation", "CVPR 2020", "1911.06667"
    ),
    "scse": Paper(
        "Roy et al.",
        "Concurrent Spatial and Channel ‘Squeeze & Excitation’ in Fully Convolutional Networks",
        "MICCAI 2018",
        "1803.02579",
    ),
    "ge": Paper(
        "Hu et al.",
        "Gather-Excite: Exploiting Feature Context in Convolutional Neural Networks",
        "NeurIPS 2018",
        "1810.12348",
    ),
    "gc": Paper(
        "Cao et al.",
        "GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond",
        "ICCV Workshops 2019",
        "1904.11492",
    ),
    "sk": Paper("Li et al.", "Selective Kernel Networks", "CVPR 2019", "1903.06586"),
    "split": Paper("Zhang et al.", "ResNeSt: Split-Attention Networks", "CVPR Workshops 2022", "2004.08955"),
    "coord": Paper(
        "Hou et al.", "Coordinate Attention for Efficient Mobile Network Design", "CVPR 2021", "2103.02907"
    ),
}
