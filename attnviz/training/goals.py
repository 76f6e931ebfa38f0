"""What the gates of a network that is to be looked at have to reach, and whether they do. How many photos it
has to name depends on the photos: whoever trains it says that."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .gates import LayerGates, Share, saturated_in

SATURATED = 0.15  # of the channel gates of a network, at most
ACROSS_CHANNELS = (0.08, 0.30)  # graded: neither all the same nor half of them on and half off
ACROSS_PHOTOS = 0.03  # at least
ALL_OFF = 0.05  # of the photos, at most, in every layer
MAP_RANGE = 0.15  # at least
MAP_SATURATED = 0.25  # of the cells of a network's maps, at most
MAP_EXPLAINED = 0.25  # by the mean map, less than that: else a map shows the position, not the photo
MAP_FOLLOWING = 0.1  # at least
# Shares of the layers that have to reach it.
SPREAD_IN = 6 / 8  # over channels and over photos
MAP_RANGE_IN = 7 / 8
MAP_EXPLAINED_IN = 6 / 8
MAP_FOLLOWING_IN = 3 / 8


@dataclass(frozen=True)
class Goal:
    """Something to reach, and what was measured."""

    words: str
    measured: str
    met: bool


def top1_goal(top1: float, least: float) -> Goal:
    """That a network names at least a share of the photos right."""
    return Goal(f"top-1 at least {least:.1%}", f"{top1:.1%}", top1 >= least)


def goals(layers: Sequence[LayerGates]) -> list[Goal]:
    """Those that are about the gates of this network: its channel gates and its maps."""
    saturated, map_saturated = saturated_in(layers)
    found: list[Goal] = []
    if saturated.whole:
        found += _of_channels(saturated, [layer for layer in layers if layer.saturated.whole])
    if map_saturated.whole:
        found += _of_maps(map_saturated, [layer for layer in layers if layer.map_saturated.whole])
    return found


def _of_channels(saturated: Share, layers: Sequence[LayerGates]) -> list[Goal]:
    low, high = ACROSS_CHANNELS
    words = f"channel gates within 0.05 of 0 or 1 over the network: at most {SATURATED:.0%}"
    found = [
        Goal(words, f"{saturated.value:.1%}", saturated.value <= SATURATED),
        _in_layers(
            f"standard deviation over channels {low} to {high:.2f}, and over photos at least {ACROSS_PHOTOS}",
            SPREAD_IN,
            layers,
            lambda layer: (
                low <= _number(layer.across_channels) <= high
                and _number(layer.across_photos) >= ACROSS_PHOTOS
            ),
        ),
    ]
    off = [layer.all_off.value for layer in layers if layer.all_off.whole]
    if off:
        words = f"photos on which no hidden unit of a layer is on: at most {ALL_OFF:.0%} in every layer"
        found.append(Goal(words, f"{max(off):.1%} in the worst", max(off) <= ALL_OFF))
    return found


def _of_maps(saturated: Share, layers: Sequence[LayerGates]) -> list[Goal]:
    words = f"cells of maps within 0.05 of 0 or 1 over the network: at most {MAP_SATURATED:.0%}"
    return [
        _in_layers(
            f"range of the map at least {MAP_RANGE}",
            MAP_RANGE_IN,
            layers,
            lambda layer: _number(layer.map_range) >= MAP_RANGE,
        ),
        Goal(words, f"{saturated.value:.1%}", saturated.value <= MAP_SATURATED),
        _in_layers(
            f"share of the map's variance that the mean map explains below {MAP_EXPLAINED}",
            MAP_EXPLAINED_IN,
            layers,
            lambda layer: _number(layer.map_explained) < MAP_EXPLAINED,
        ),
        _in_layers(
            f"the map follows the photo by at least {MAP_FOLLOWING}",
            MAP_FOLLOWING_IN,
            layers,
            lambda layer: layer.map_following is not None and layer.map_following.difference >= MAP_FOLLOWING,
        ),
    ]


def _in_layers(
    words: str, share: float, layers: Sequence[LayerGates], reaches: Callable[[LayerGates], bool]
) -> Goal:
    """To be reached in a share of the layers: of three in as many as make that share."""
    needed, count = math.ceil(share * len(layers)), sum(map(reaches, layers))
    return Goal(f"{words}: in {needed} of {len(layers)} layers", f"in {count}", count >= needed)


def _number(value: float | None) -> float:
    """A value; NaN, which reaches nothing, where there is none."""
    return math.nan if value is None else value
