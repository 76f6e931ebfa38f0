"""The zip that a viewer's request asks for."""

from __future__ import annotations

import secrets
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..capture.trace import Trace
from ..drawing.channel import Channel
from ..drawing.pair import Pair
from ..errors import AttnvizError
from ..export.bundle import bundle
from ..export.selection import Selection
from ..networks.card import card_of
from .catalog import Catalog
from .inference import Inference, TraceKey
from .photo_store import PhotoStore
from .sweeping import make_again
from .view_state import channels_of, layers_of, look_of, order_of, pairs_of, scale_of, trace_key
from .visitors import Belongings
from .work_queue import NICENESS, WorkQueue

MOST_SHOWN = 8  # captures in one bundle
MOST_BESIDE = 10  # those that its scale spans too: three networks beside one, and seven photos
AT_ONCE, MOST_WAITING = 2, 10  # bundles that are drawn, and that wait
DRAWING_HANGS = 120.0  # seconds, for one file of a bundle

Capture = tuple[TraceKey, Trace]


class BundleWriter:
    """Writes what is on a viewer's screen, or all of it, into a zip."""

    def __init__(
        self,
        folder: Path,
        photos: PhotoStore,
        catalog: Catalog,
        inference: Inference,
        free_bytes: int = 0,  # that stay free on the disk
    ) -> None:
        self._free_bytes = free_bytes
        self.queue = WorkQueue(AT_ONCE, MOST_WAITING, NICENESS, DRAWING_HANGS)
        self._folder, self._photos, self._catalog, self._inference = folder, photos, catalog, inference

    async def write(self, request: dict[str, Any], belongings: Belongings) -> Path:
        """The zip of what a request names, which belongs to who asked. Raises AttnvizError."""
        captures = await self._captures(request.get("shown"), MOST_SHOWN)
        if not captures:
            raise AttnvizError("nothing_to_save")
        tab, everything = request.get("tab"), request.get("what") == "all"
        files = bundle(
            [await self._shown(capture, request, everything) for capture in captures],
            look_of(request.get("look"), tab),
            order_of(request.get("look")),
            everything,
            await self._beside(request),
            self._pairs(captures, request),
            tab in ("networks", "photos"),
        )
        path = await self.queue.run(lambda: _zipped(self._alive(files), self._folder, self._free_bytes))
        belongings.keep(path)
        return path

    def _alive(self, files: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        """The files, each of which is a sign of life."""
        for file in files:
            self.queue.tell_alive()
            yield file

    async def _captures(self, requests: Any, most: int) -> list[Capture]:
        """The captures in a list of the viewer's, at most so many. Raises AttnvizError if one of them can't
        be had."""
        named = requests[:most] if isinstance(requests, list) else []
        keys = [trace_key(request, self._photos) for request in named if isinstance(request, dict)]
        return [(key, await self._inference.trace(key)) for key in keys]

    async def _shown(self, capture: Capture, request: dict[str, Any], everything: bool) -> Selection:
        key, trace = capture
        tab, layer = request.get("tab"), request.get("layer")
        layers = tuple(trace.layers) if everything else layers_of(trace, tab, layer, request.get("block"))
        chosen = channels_of(trace, layer, request.get("channel")) if tab == "explore" else []
        channels = tuple([await self._channel(key, name, index) for name, index in chosen])
        return Selection(trace, card_of(await self._catalog.network(key.network)), layers, channels)

    async def _channel(self, key: TraceKey, layer: str, index: int) -> Channel:
        features = await self._inference.features(key, layer)
        return Channel(layer, index, features.before[index], features.after[index])

    async def _beside(self, request: dict[str, Any]) -> list[Trace]:
        """What the scale spans beside what is drawn."""
        tab = request.get("tab")
        if tab != "explore" or look_of(request.get("look"), tab).scale != "shown":
            return []
        return [trace for _, trace in await self._captures(request.get("beside"), MOST_BESIDE)]

    def _pairs(self, captures: list[Capture], request: dict[str, Any]) -> list[Pair]:
        if request.get("tab") != "photos":
            return []
        named = [(self._photos.name_of(key.photo), trace) for key, trace in captures]
        scale = scale_of(request.get("look"))
        return pairs_of(named, request.get("layer"), request.get("a"), request.get("b"), scale)


def _zipped(files: Iterator[tuple[str, bytes]], folder: Path, free_bytes: int) -> Path:
    """Write the files into a zip. Raises AttnvizError where less than ``free_bytes`` would stay free; of what
    can't be finished nothing stays."""
    place = folder / "saved" / secrets.token_urlsafe(16)
    is_whole = False
    try:
        make_again(folder)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        place.mkdir(mode=0o700)
        with zipfile.ZipFile(place / "attnviz.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                if shutil.disk_usage(place).free - len(content) < free_bytes:
                    raise AttnvizError("no_room_to_save")
                archive.writestr(name, content)
        is_whole = True
    except OSError:
        raise AttnvizError("no_room_to_save") from None
    finally:
        if not is_whole:
            shutil.rmtree(place, ignore_errors=True)
    return place / "attnviz.zip"
