"""The networks that attnviz trains itself: three attention modules and a ResNet that takes any of them."""

from .attention import BAM, CBAM, SqueezeExcite
from .resnet import ResNet

__all__ = ["BAM", "CBAM", "ResNet", "SqueezeExcite"]
