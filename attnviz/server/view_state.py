"""What a viewer has on its screen, read from its request: the photo, the layers, their look, the two photos
that are compared. Only a photo and edits can be refused; whatever else is wrong in a request gives way to
what a screen begins with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..analysis import ORDERS, SCALES, weights_of
from ..capture.trace import Trace
from ..choices import WAYS
from ..drawing.channel import Channel
from ..drawing.look import Look
from ..drawing.pair import Pair
from ..drawing.paper import PANELS, WIDTHS, Paper
from ..drawing.style import COLORMAPS
from ..errors import AttnvizError, EditError
from ..viewer.standalone import ViewerState
from .edit_requests import edits_in, edits_text, photos_in
from .inference import TraceKey
from .photo_store import PhotoStore

MOST_LAYERS = 16  # in a figure for a paper


def trace_key(request: dict[str, Any], photos: PhotoStore) -> TraceKey:
    """The forward pass that a request is about. Raises AttnvizError for a photo that is not an example or an
    upload, and for edits that can't be made."""
    view = "crop" if request.get("view") == "crop" else "whole"
    photo, network = photos.path_of(str(request.get("photo"))), str(request.get("network"))
    text = edits_text(request.get("edits"))
    others = tuple((name, _other_photo(name, photos)) for name in photos_in(edits_in(text)))
    return TraceKey(photo, network, view, text, others)


def _other_photo(name: str, photos: PhotoStore) -> Path:
    """The file of a photo whose gates are put in. Raises EditError if it is gone."""
    try:
        return photos.path_of(name)
    except AttnvizError:
        raise EditError("patch_photo_gone") from None


def look_of(look: Any, tab: Any) -> Look:
    """How maps are drawn. Those that are compared are in colours, each on all that its gate can be or, on any
    other scale, on its own range."""
    fields = look if isinstance(look, dict) else {}
    opacity = fields.get("opacity")
    if not isinstance(opacity, int | float) or opacity != opacity:  # NaN
        opacity = Look.opacity
    return Look(
        float(min(1, max(0, opacity))),  # first cut, since a whole number may be too large for a float
        _one_of(COLORMAPS, fields.get("colormap")),
        scale_of(look) if tab == "explore" or scale_of(look) == "fixed" else "map",
        bool(fields.get("smooth")),
        _one_of(tuple(WAYS), fields.get("way")) if tab == "explore" else "colours",
    )


def scale_of(look: Any) -> str:
    """The chosen scale; that of weights follows it in a comparison too."""
    return _one_of(tuple(SCALES), look.get("scale") if isinstance(look, dict) else None)


def order_of(look: Any) -> str:
    """The order of the bars."""
    return _one_of(tuple(ORDERS), look.get("order") if isinstance(look, dict) else None)


def layers_of(trace: Trace, layer: Any) -> tuple[str, ...]:
    """The layer of a trace that is drawn, if it has it."""
    return tuple(name for name in trace.layers if name == layer)


def format_of(request: dict[str, Any], formats: tuple[str, ...]) -> str:
    """The ending of the file that is wanted."""
    return _one_of(formats, request.get("format"))


def paper_of(request: dict[str, Any], trace: Trace, channel: Channel | None) -> Paper:
    """What a figure for a paper shows; the chosen layer where it names none."""
    panels, layers = request.get("panels"), request.get("layers")
    wanted = layers if isinstance(layers, list) else [request.get("layer")]
    return Paper(
        tuple(name for name in PANELS if isinstance(panels, list) and name in panels) or PANELS[:3],
        tuple(name for name in trace.layers if name in wanted)[:MOST_LAYERS],
        next((width for width in WIDTHS if width == request.get("width")), max(WIDTHS)),
        channel,
    )


def page_of(request: dict[str, Any]) -> ViewerState:
    """What a page shows first."""
    layer, channel = request.get("layer"), request.get("channel")
    tab = _one_of(("explore", "networks", "photos"), request.get("tab"))
    return ViewerState(
        look_of(request.get("look"), "explore"),
        layer if isinstance(layer, str) else None,
        order_of(request.get("look")),
        channel if isinstance(channel, int) and not isinstance(channel, bool) else None,
        tab,
    )


def channels_of(trace: Trace, layer: Any, channel: Any) -> list[tuple[str, int]]:
    """The layer and the channel whose features are drawn; none if none is chosen, or it has none."""
    attention = next((part for name, part in trace.layers.items() if name == layer), None)
    is_number = isinstance(channel, int) and not isinstance(channel, bool)
    if attention is None or attention.formula == "none":
        return []
    if not is_number or not 0 <= channel < attention.shape[0]:
        return []
    return [(attention.name, channel)]


def pairs_of(captures: Sequence[tuple[Any, Trace]], layer: Any, a: Any, b: Any, scale: str) -> list[Pair]:
    """The two of (photo, trace) whose weights of a layer are drawn against each other: those of the photos
    ``a`` and ``b``, or else the first and the second that have such weights; none if there are not two."""
    weighted = []
    for photo, trace in captures:
        attention = next((part for name, part in trace.layers.items() if name == layer), None)
        if attention is not None and (attention.channel is not None or attention.paths is not None):
            weighted.append((photo, trace, attention))
    if len(weighted) < 2:
        return []
    _, trace_a, attention_a = next((row for row in weighted if row[0] == a), weighted[0])
    _, trace_b, attention_b = next((row for row in weighted if row[0] == b), weighted[1])
    if len(weights_of(attention_a)) != len(weights_of(attention_b)):
        return []
    return [Pair(attention_a.name, trace_a, trace_b, scale)]


def _one_of(choices: tuple[str, ...], wanted: Any) -> str:
    return wanted if wanted in choices else choices[0]
