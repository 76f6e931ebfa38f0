"""The order in which those who wait are served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def sort_in_rounds(waiting: list[Item], running: Iterable[Item], *whose: Callable[[Item], Hashable]) -> None:
    """Sort what waits so that all take turns: who has something running or ahead in the line waits behind
    who has nothing, first come, first served within a round.

    ``whose`` says to whom something belongs, from the smallest group to the largest: visitors, then
    addresses. The largest take turns, and those within them."""
    running = list(running)
    for group in whose:
        ahead, rounds = Counter(map(group, running)), []
        for item in waiting:
            rounds.append(ahead[group(item)])
            ahead[group(item)] += 1
        order = sorted(range(len(waiting)), key=rounds.__getitem__)
        waiting[:] = [waiting[number] for number in order]
