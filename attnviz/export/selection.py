"""What is taken from a trace into a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..capture.trace import Trace
from ..drawing.channel import Channel
from ..networks.card import Card
from ..photos.photo import Photo


@dataclass(frozen=True, eq=False)
class Selection:
    """One trace of a bundle, and what of it is drawn and written."""

    trace: Trace
    card: Card  # of the trace's network
    layers: tuple[str, ...]  # whose numbers are written
    channels: tuple[Channel, ...] = ()  # whose features are drawn and written
    drawn: tuple[str, ...] | None = None  # of the layers, those that get pictures; None: all of them
    others: Mapping[str, Photo] = field(
        default_factory=dict
    )  # photos whose gates were put in, by their files
    before: Trace | None = None  # of the network as it is, beside a trace of a changed one
    changed: Mapping[str, Any] | None = None  # the trace's edits with such files; None: as the trace has them

    @property
    def edits(self) -> Mapping[str, Any] | None:
        """What was changed of the network, as the manifest says it; None for nothing."""
        return self.changed or self.trace.edits or None

    def pictured(self) -> tuple[str, ...]:
        """The layers that get pictures."""
        return self.layers if self.drawn is None else self.drawn
