"""The networks that attnviz trains itself: three attention modules and a ResNet that takes any of them.

Here: torch modules, and the card that travels with a network. Not here: training them, opening weights.
"""

from .attention import BAM, CBAM, SqueezeExcite
from .resnet import ResNet

__all__ = ["BAM", "CBAM", "ResNet", "SqueezeExcite"]
