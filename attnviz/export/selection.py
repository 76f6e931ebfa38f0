"""What is taken from a trace into a bundle."""

from __future__ import annotations

from dataclasses import dataclass

from ..capture.trace import Trace
from ..drawing.channel import Channel
from ..networks.card import Card


@dataclass(frozen=True, eq=False)
class Selection:
    """One trace of a bundle, and what of it is drawn and written."""

    trace: Trace
    card: Card  # of the trace's network
    layers: tuple[str, ...]
    channels: tuple[Channel, ...] = ()  # whose features are drawn and written
