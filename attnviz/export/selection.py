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
    layers: tuple[str, ...]  # whose numbers are written
    channels: tuple[Channel, ...] = ()  # whose features are drawn and written
    drawn: tuple[str, ...] | None = None  # of the layers, those that get pictures; None: all of them

    def pictured(self) -> tuple[str, ...]:
        """The layers that get pictures."""
        return self.layers if self.drawn is None else self.drawn
