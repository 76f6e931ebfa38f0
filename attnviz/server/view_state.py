"""What the viewer has on its screen, as a question of it says: which layers, in which look, which two photos.
Whatever the question holds, there is an answer: what is wrong in it gives way to what the screen begins
with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..analysis import ORDERS, SCALES, stage_of, weights_of
from ..capture.trace import Trace
from ..drawing.overlay import Look
from ..drawing.pair import Pair
from ..drawing.style import COLORMAPS


def look_of(look: Any, tab: Any) -> Look:
    """How maps are drawn: what is compared, on one scale."""
    said = look if isinstance(look, dict) else {}
    opacity = said.get("opacity")
    if not isinstance(opacity, int | float) or opacity != opacity:  # NaN
        opacity = Look.opacity
    return Look(
        float(min(1, max(0, opacity))),  # first cut, since a whole number may be too large for a float
        _one_of(COLORMAPS, said.get("colormap")),
        scale_of(look) if tab == "explore" else "shown",
        bool(said.get("smooth")),
    )


def scale_of(look: Any) -> str:
    """The scale that was chosen, which that of weights follows in a comparison too."""
    return _one_of(tuple(SCALES), look.get("scale") if isinstance(look, dict) else None)


def order_of(look: Any) -> str:
    """The order of the bars."""
    return _one_of(tuple(ORDERS), look.get("order") if isinstance(look, dict) else None)


def layers_of(seen: Trace, tab: Any, layer: Any, block: Any) -> tuple[str, ...]:
    """The layers of one capture that are drawn: the chosen one, or one of each stage where networks are
    compared."""
    if tab != "networks":
        return tuple(name for name in seen.layers if name == layer)
    stages: dict[str, list[str]] = {}
    for name in seen.layers:
        stages.setdefault(stage_of(name).rpartition(" ")[2], []).append(name)
    return tuple(names[0 if block == "first" else -1] for stage, names in stages.items() if stage)


def channels_of(seen: Trace, layer: Any, channel: Any) -> list[tuple[str, int]]:
    """The layer and the channel whose features are drawn; none if none is chosen, or it has none."""
    found = next((each for name, each in seen.layers.items() if name == layer), None)
    number = isinstance(channel, int) and not isinstance(channel, bool)
    if found is None or found.formula == "none" or not number or not 0 <= channel < found.shape[0]:
        return []
    return [(found.name, channel)]


def pairs_of(captures: Sequence[tuple[Any, Trace]], layer: Any, a: Any, b: Any, scale: str) -> list[Pair]:
    """The two of (photo, capture) whose weights of a layer are drawn against each other: those of the photos
    ``a`` and ``b``, or else the first and the second that have such weights; none if there are not two."""
    two = [
        (photo, seen, seen.layers[name]) for photo, seen in captures for name in seen.layers if name == layer
    ]
    two = [
        (photo, seen, found)
        for photo, seen, found in two
        if found.channel is not None or found.paths is not None
    ]
    if len(two) < 2:
        return []
    one, other = (
        next((each for each in two if each[0] == wanted), two[place]) for place, wanted in enumerate((a, b))
    )
    return (
        [Pair(one[2].name, one[1], other[1], scale)]
        if len(weights_of(one[2])) == len(weights_of(other[2]))
        else []
    )


def _one_of(known: tuple[str, ...], wanted: Any) -> str:
    return wanted if wanted in known else known[0]
