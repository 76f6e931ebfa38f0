"""Notes of what happened: each request of each person, how it ended, and after how long."""

from __future__ import annotations

import re
import statistics
import time
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import httpx

from .visitors import Lost, Refused, Visitor, Wrong

OPENED, NEW, OTHER, FIRST, AGAIN, CLOSED = (
    "page opened",
    "new photo",
    "other network",
    "channel, layer is new",
    "channel, layer is known",
    "page closed",
)
PASSES = (NEW, OTHER)  # each is one forward pass; a layer's features may be there already
OUTCOMES = ("answered", "refused", "lost", "wrong")
GREEDY = 9999  # the number of who wants more than others


@dataclass(frozen=True)
class Entry:
    """One request of one person, whatever it takes in HTTP. ``waiting`` people, this one too, waited for a
    pass when it began; ``rank`` is the place in the line that the server told, from 0."""

    kind: str
    person: int
    seconds: float
    outcome: str
    ended: float
    waiting: int
    rank: int | None


@dataclass(eq=False)
class Notes:
    """What happened in a part of a case."""

    title: str
    rounds: list[tuple[float, float]] = field(default_factory=list)  # from when to when
    entries: list[Entry] = field(default_factory=list)
    said: Counter[tuple[str, str]] = field(default_factory=Counter)  # (outcome, sentence)
    waiting: int = 0

    async def ask(
        self, kind: str, person: int, request: Awaitable[Any], visitor: Visitor | None = None
    ) -> Any:
        """What a request gave, or True for nothing; None where it was not answered well. It is timed and
        noted."""
        self.waiting += kind in PASSES
        began, waiting, outcome, answer = time.monotonic(), self.waiting, "answered", None
        try:
            answer = await request
        except (Refused, Wrong) as trouble:
            outcome = type(trouble).__name__.lower()
            self._note_sentence(outcome, str(trouble))
        except (Lost, httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as trouble:
            outcome = "lost"
            self._note_sentence(outcome, f"{type(trouble).__name__}: {trouble}")
        self.waiting -= kind in PASSES
        ended, rank = time.monotonic(), visitor.rank if visitor else None
        self.entries.append(Entry(kind, person, ended - began, outcome, ended, waiting, rank))
        return None if outcome != "answered" else True if answer is None else answer

    def _note_sentence(self, outcome: str, sentence: str) -> None:
        self.said[outcome, re.sub(r"\d+", "N", sentence)] += 1

    def of(self, kind: str, outcome: str = "answered") -> list[Entry]:
        """All requests of this kind that ended so."""
        return [entry for entry in self.entries if entry.kind == kind and entry.outcome == outcome]

    def median(self, kind: str) -> float:
        """Seconds of the answered requests of a kind; NaN where there are none."""
        return statistics.median(entry.seconds for entry in self.of(kind)) if self.of(kind) else float("nan")

    def late(self, kind: str) -> float:
        """Seconds within which 95 of 100 answered requests of a kind were; NaN where there are none."""
        return percentile([entry.seconds for entry in self.of(kind)], 0.95)

    def fairness(self) -> float:
        """Jain's index of how many answers each person got: 1 where all got as many."""
        answered = [entry for entry in self.entries if entry.outcome == "answered"]
        counts = Counter(entry.person for entry in answered if entry.person != GREEDY).values()
        if not counts:
            return float("nan")
        return sum(counts) ** 2 / (len(counts) * sum(count * count for count in counts))


def percentile(values: list[float], share: float) -> float:
    """The value that this share of all is not above; NaN where there are none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else float("nan")
