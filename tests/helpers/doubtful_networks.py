"""Small networks that find every answer doubtful, or none."""

from __future__ import annotations

from attnviz.networks import ResNet
from attnviz.networks.card import Card, with_card
from attnviz.networks.doubt import Doubt

from .small_networks import stirred


def doubting(threshold: float, classes: int = 10, name: str = "toy") -> ResNet:
    """A network with a threshold of the probability for whole photos, which flags 34 % of strangers and 5 %
    of its own: above 1 every answer is doubtful, at 0 none."""
    doubt = Doubt("probability", threshold, 0.95, 0.34, 0.82, 1962, 493, "things")
    labels = tuple(f"thing {number}" for number in range(classes))
    network = stirred(18, "cbam", classes=classes)
    return with_card(network, Card(name, labels=labels, doubts={"whole": doubt}))
