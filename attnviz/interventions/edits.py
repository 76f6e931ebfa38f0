"""What can be done to the gates of a layer: an edit each, which travels in links, files and scripts.

``part`` is "channel" or "spatial", that part of the factor alone, or None, all of it. What an edit takes of
the photo's own gates are those of the pass before, in which nothing was changed. Of a gate that can't be
taken apart (BAM), a part is its signed branch, before the sigmoid."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

from ..capture.inputs import PhotoSource
from ..capture.trace import Trace

PatchSource: TypeAlias = PhotoSource | Trace

PARTS = ("channel", "spatial")


@dataclass(frozen=True)
class Off:
    """Factor 1: the module passes its features on as they are. One part alone becomes what leaves the other
    as it is: 1 in a product, 0 in a sum.

    The batch norms behind it were trained with the gate on, so that much of what then changes can be the
    scale of the features, see ``reestimated``."""

    name: ClassVar[str] = "off"
    part: str | None = None

    def __post_init__(self) -> None:
        _check_part(self.part)


@dataclass(frozen=True)
class Usual:
    """The mean over a reference set of photos: of each channel, and of each cell where the maps have one
    grid, else of the whole map. What is left out is that the gate looks at this photo."""

    name: ClassVar[str] = "usual"
    part: str | None = None

    def __post_init__(self) -> None:
        _check_part(self.part)


@dataclass(frozen=True)
class Flat:
    """The photo's own mean, over channels of a channel gate, over positions of a map, over both of a joint
    gate. What is left out is that the gate prefers some of them; the scale stays."""

    name: ClassVar[str] = "flat"
    part: str | None = None

    def __post_init__(self) -> None:
        _check_part(self.part)


@dataclass(frozen=True, eq=False)
class Patch:
    """The gates of another photo: a path, or anything else that ``trace`` takes, or its trace in the same
    network, which saves a pass. A map of another grid is resized."""

    name: ClassVar[str] = "patch"
    photo: PatchSource
    part: str | None = None

    def __post_init__(self) -> None:
        _check_part(self.part)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Patch) and _key(self) == _key(other)

    def __hash__(self) -> int:
        return hash(_key(self))


@dataclass(frozen=True)
class Set:
    """Chosen values: ``channel`` maps channels to factors, ``cells`` maps (row, column) of the map to
    factors. In a gate that can't be taken apart a channel is set at all positions, a cell in all channels,
    cells last."""

    name: ClassVar[str] = "set"
    channel: Mapping[int, float] = field(default_factory=dict)
    cells: Mapping[tuple[int, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        channel = {_index(key): _number(value) for key, value in self.channel.items()}
        cells = {(_index(row), _index(column)): _number(value) for (row, column), value in self.cells.items()}
        if not channel and not cells:
            raise ValueError("Set needs a channel or a cell")
        object.__setattr__(self, "channel", MappingProxyType(dict(sorted(channel.items()))))
        object.__setattr__(self, "cells", MappingProxyType(dict(sorted(cells.items()))))

    def __hash__(self) -> int:
        return hash((tuple(self.channel.items()), tuple(self.cells.items())))

    def __reduce__(self) -> tuple[Any, ...]:
        return Set, (dict(self.channel), dict(self.cells))


@dataclass(frozen=True)
class Scale:
    """The factor times ``by``; of a product of two gates the spatial gate, usually the later one, takes
    it."""

    name: ClassVar[str] = "scale"
    by: float
    part: str | None = None

    def __post_init__(self) -> None:
        _check_part(self.part)
        object.__setattr__(self, "by", _number(self.by))


@dataclass(frozen=True)
class Shuffle:
    """The photo's own values in another order, over channels and over positions, by the same seed the same
    order everywhere: see ``permutation``."""

    name: ClassVar[str] = "shuffle"
    seed: int = 0
    part: str | None = None

    def __post_init__(self) -> None:
        _check_part(self.part)
        object.__setattr__(self, "seed", _index(self.seed))


Edit: TypeAlias = Off | Usual | Flat | Patch | Set | Scale | Shuffle
KINDS: dict[str, type[Edit]] = {kind.name: kind for kind in (Off, Usual, Flat, Patch, Set, Scale, Shuffle)}
# Those that their name says all of.
BY_NAME: dict[str, Callable[[], Edit]] = {kind.name: kind for kind in (Off, Usual, Flat, Shuffle)}
SEEDS = 2**32


def permutation(count: int, seed: int) -> list[int]:
    """The numbers 0 to count − 1 in an order that follows from the seed alone, in any language: Fisher and
    Yates' shuffle (Knuth, The Art of Computer Programming 2, algorithm P), its draws by the 32-bit generator
    mulberry32."""
    order, state = list(range(count)), seed % SEEDS
    for last in range(count - 1, 0, -1):
        state = (state + 0x6D2B79F5) % SEEDS
        mixed = (state ^ state >> 15) * (state | 1) % SEEDS
        mixed ^= (mixed + (mixed ^ mixed >> 7) * (mixed | 61)) % SEEDS
        drawn = (mixed ^ mixed >> 14) * (last + 1) // SEEDS
        order[last], order[drawn] = order[drawn], order[last]
    return order


def _check_part(part: str | None) -> None:
    if part is not None and part not in PARTS:
        raise ValueError(f"part is {part!r}; it can be 'channel', 'spatial' or None")


def _index(value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 0:
        raise ValueError(f"{value!r} is no whole number from 0 on")
    return int(value.__index__())


def _number(value: Any) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__") or not math.isfinite(float(value)):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)


def _key(patch: Patch) -> tuple[Any, ...]:
    """What a patch is told by: a photo in memory by which object it is."""
    photo = patch.photo
    return (str(photo) if hasattr(photo, "__fspath__") or isinstance(photo, str) else id(photo)), patch.part
