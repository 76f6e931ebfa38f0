"""Times several things in turn, so that a machine whose speed drifts slows all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def rounds(ways: Mapping[str, Callable[[], object]], count: int) -> dict[str, list[float]]:
    """The seconds that each way took in each of ``count`` rounds, after one that does not count."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(count + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            if turn > 0:
                spent[name].append(time.perf_counter() - began)
    return spent
