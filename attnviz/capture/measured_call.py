"""Whose the rows of one call of a module are, as it was measured in ``rows``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .taps import Tap

NOBODY, SEVERAL = -1, -2  # whose a row is that changes with no input, or with several

Rows = dict[int, list[int]]  # an input's number -> its rows in a call


@dataclass(frozen=True, eq=False)
class MeasuredCall:
    """Whose the rows of one call are: the number of the input of each row, NOBODY or SEVERAL."""

    tap: Tap
    owners: tuple[int, ...]

    def rows(self, count: int, rows: int) -> Rows | None:
        """The rows of each of ``count`` inputs in a call of that many rows; None if that can't be told. Where
        it has other rows than were measured, their order must be plain."""
        if SEVERAL in self.owners:
            return None
        order = self.order(count)
        if order is not None and rows % count == 0:
            return order(count, rows // count)
        return self._as_measured(count) if rows == len(self.owners) else None

    def order(self, count: int) -> Callable[[int, int], Rows] | None:
        """The plain order in which the rows stand: input after input, or the first of each input, the second
        of each, and so on. A row that no input changes, as where a gate is shut, takes the place that it has
        in that order, if others of that place are known."""
        known = {place: owner for place, owner in enumerate(self.owners) if owner != NOBODY}
        each, rest = divmod(len(self.owners), count)
        if rest or not each:
            return None
        if not known:  # one gate for all inputs
            return in_order
        for order, parts in (
            (in_order, [place % each for place in known]),
            (in_turn, [place // count for place in known]),
        ):
            whose = {place: row for row, places in order(count, each).items() for place in places}
            if len(set(parts)) == each and all(whose[place] == owner for place, owner in known.items()):
                return order
        return None

    def _as_measured(self, count: int) -> Rows | None:
        rows = {
            row: [place for place, owner in enumerate(self.owners) if owner == row] for row in range(count)
        }
        is_padded = NOBODY in self.owners and len({len(places) for places in rows.values()}) > 1
        return None if is_padded else rows


def in_order(count: int, each: int) -> Rows:
    """``each`` rows of the first input, then those of the second, and so on."""
    return {row: list(range(row * each, (row + 1) * each)) for row in range(count)}


def in_turn(count: int, each: int) -> Rows:
    """The first row of each of ``count`` inputs, then the second of each, and so on."""
    return {row: list(range(row, count * each, count)) for row in range(count)}
