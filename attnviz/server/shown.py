"""The traces that a viewer's request names, and what of them is to be saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..capture.trace import Trace
from ..drawing.channel import Channel
from ..drawing.pair import Pair
from ..errors import AttnvizError
from ..export.manifest import file_names
from ..export.selection import Selection
from ..interventions.edit_json import edits_to_json
from ..networks.card import Card, card_of
from .catalog import Catalog
from .edit_requests import edits_in, with_photos
from .inference import Inference, TraceKey
from .photo_store import PhotoStore
from .view_state import channels_of, layers_of, look_of, pairs_of, scale_of, trace_key

MOST_SHOWN = 20  # captures that are saved together
MOST_BESIDE = 22  # those that a scale spans too: three networks beside one, and nineteen photos

Capture = tuple[TraceKey, Trace]


class ShownTraces:
    """Looks up what a request has on its screen."""

    def __init__(self, photos: PhotoStore, catalog: Catalog, inference: Inference) -> None:
        self._photos, self._catalog, self._inference = photos, catalog, inference

    async def captures(self, request: dict[str, Any]) -> list[Capture]:
        """The captures that are shown, at least one. Raises AttnvizError if one of them can't be had, or
        there is none."""
        captures = await self._named(request.get("shown"), MOST_SHOWN)
        if not captures:
            raise AttnvizError("nothing_to_save")
        return captures

    async def beside(self, request: dict[str, Any]) -> list[Trace]:
        """What the scale spans beside what is drawn."""
        tab = request.get("tab")
        if tab != "explore" or look_of(request.get("look"), tab).scale != "shown":
            return []
        return [trace for _, trace in await self._named(request.get("beside"), MOST_BESIDE)]

    async def card(self, key: TraceKey) -> Card:
        """The card of a capture's network."""
        return card_of(await self._catalog.network(key.network))

    async def selection(self, capture: Capture, request: dict[str, Any], everything: bool) -> Selection:
        """What of a capture goes into a bundle."""
        key, trace = capture
        layers = tuple(trace.layers) if everything else self.layers(capture, request)
        channel = await self.channel(capture, request) if request.get("tab") == "explore" else None
        before = await self._inference.trace(key.unchanged) if key.edits else None
        channels = (channel,) if channel else ()
        selection = Selection(trace, await self.card(key), layers, channels, before=before)
        return await self._with_others(selection, key) if key.others else selection

    async def _with_others(self, selection: Selection, key: TraceKey) -> Selection:
        """The same with the photos whose gates it puts in, as files of their own."""
        traces = {name: await self._inference.trace(other) for name, other in key.of_others().items()}
        stems = file_names([f"gates-of-{Path(trace.photo.name).stem}" for trace in traces.values()])
        files = {name: f"{stem}.png" for name, stem in zip(traces, stems)}
        edits = edits_to_json(with_photos(edits_in(key.edits), files))
        return replace(
            selection,
            others={files[name]: trace.photo for name, trace in traces.items()},
            changed={**selection.trace.edits, "layers": edits},
        )

    def layers(self, capture: Capture, request: dict[str, Any]) -> tuple[str, ...]:
        """The layers of a capture that are shown."""
        key, trace = capture
        compared = request.get("compared")
        named = compared.get(key.network) if isinstance(compared, dict) else None
        return layers_of(trace, request.get("layer") if named is None else named)

    async def channel(self, capture: Capture, request: dict[str, Any]) -> Channel | None:
        """The features of the chosen channel; None if none is chosen."""
        key, trace = capture
        for layer, index in channels_of(trace, request.get("layer"), request.get("channel")):
            features = await self._inference.features(key, layer)
            return Channel(layer, index, features.before[index], features.after[index])
        return None

    def pairs(self, captures: list[Capture], request: dict[str, Any]) -> list[Pair]:
        """The two photos whose weights are drawn against each other, where photos are compared."""
        if request.get("tab") != "photos":
            return []
        named = [(self._photos.name_of(key.photo), trace) for key, trace in captures]
        scale = scale_of(request.get("look"))
        return pairs_of(named, request.get("layer"), request.get("a"), request.get("b"), scale)

    async def _named(self, requests: Any, most: int) -> list[Capture]:
        """The captures in a list of the viewer's, at most so many."""
        named = requests[:most] if isinstance(requests, list) else []
        keys = [trace_key(request, self._photos) for request in named if isinstance(request, dict)]
        return [(key, await self._inference.trace(key)) for key in keys]
