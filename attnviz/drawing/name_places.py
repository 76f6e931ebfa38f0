"""Where names of dots can stand so that they lie on no dot and on no other name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from .marks import Box, Point

DISTANCES = (4.0, 8.0, 13.0, 19.0, 26.0, 34.0, 44.0, 56.0, 70.0)  # points, from a dot to its name
DIRECTIONS = 24  # around a dot


def name_places(
    dots: np.ndarray, named: Sequence[int], sizes: Sequence[Point], within: Box, room: float
) -> list[Point | None]:
    """The middle of the name of each of the ``named`` dots, which are rows of ``dots`` (n, 2); None where
    there is no room for it. ``sizes`` are the names' widths and heights, ``within`` is where they may stand,
    and ``room`` stays free around each dot. The nearest free place is taken, one after another."""
    taken: list[Box] = []
    places: list[Point | None] = []
    for index, size in zip(named, sizes):
        x, y = dots[index].tolist()
        place = next(
            (at for at in _around((x, y), size) if _is_free(at, size, dots, taken, within, room)), None
        )
        places.append(place)
        if place is not None:
            taken.append(_box(place, size))
    return places


def _around(dot: Point, size: Point) -> Iterator[Point]:
    """Places for the middle of a name, from near to far."""
    for distance in DISTANCES:
        for turn in range(DIRECTIONS):
            angle = 2 * math.pi * turn / DIRECTIONS
            across, down = distance + size[0] / 2, distance + size[1] / 2
            yield dot[0] + across * math.cos(angle), dot[1] + down * math.sin(angle)


def _is_free(
    at: Point, size: Point, dots: np.ndarray, taken: Sequence[Box], within: Box, room: float
) -> bool:
    left, top, right, bottom = _box(at, size)
    if left < within[0] or top < within[1] or right > within[2] or bottom > within[3]:
        return False
    x, y = dots[:, 0], dots[:, 1]
    if ((x > left - room) & (x < right + room) & (y > top - room) & (y < bottom + room)).any():
        return False
    return all(right < one[0] or left > one[2] or bottom < one[1] or top > one[3] for one in taken)


def _box(at: Point, size: Point) -> Box:
    return at[0] - size[0] / 2, at[1] - size[1] / 2, at[0] + size[0] / 2, at[1] + size[1] / 2
