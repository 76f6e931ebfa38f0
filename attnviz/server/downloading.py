"""How far the downloads under way are, for those who wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .catalog import Report

Bytes = tuple[int, int]  # here, and in the end


class Downloads:
    """What is being fetched now, by the network's name."""

    def __init__(self) -> None:
        self._under_way: dict[str, Bytes] = {}

    def of(self, name: str) -> Bytes:
        """How far a network is; (0, 0) for one that is not being fetched."""
        return self._under_way.get(name, (0, 0))

    @contextmanager
    def noting(self, name: str) -> Iterator[Report]:
        """What is to be told of a network's bytes meanwhile."""

        def report(done: int, total: int) -> None:
            self._under_way[name] = (done, total)

        try:
            yield report
        finally:
            self._under_way.pop(name, None)
