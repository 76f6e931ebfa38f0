"""What the app in the browser asks of the server about photos and networks: a capture, one channel's
features or those of all, a file to save. The answers are plain values, or {"error": a sentence by
language}. Whatever comes from a browser is checked here."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from ..errors import AttnvizError
from ..interventions.stairs import LeftOut, Stair
from ..languages.catalogue import catalogue
from ..networks.card import card_of
from ..photos.example_photos import EXAMPLE
from ..viewer.encoding import pack, pack_features, pack_gallery
from .asker import who_asks
from .bundles import BundleWriter
from .catalog import Catalog
from .downloading import Downloads
from .inference import Inference, TraceKey
from .photo_store import PhotoStore
from .saving import Savings
from .view_state import trace_key
from .visitors import Visitors
from .work_queue import WorkQueue

log = logging.getLogger(__name__)

Answer = dict[str, Any]
PACKED_AT_ONCE, MOST_WAITING = 2, 200  # answers that are encoded, and that wait for it
MOST_TOGETHER = 4  # captures that one request may ask for
PACKING_HANGS = 60.0  # seconds, for what takes some milliseconds


class ViewerRequests:
    """Answers viewers' requests."""

    def __init__(
        self,
        photos: PhotoStore,
        catalog: Catalog,
        inference: Inference,
        bundles: BundleWriter,
        visitors: Visitors,
    ) -> None:
        self.queue = WorkQueue(
            PACKED_AT_ONCE, MOST_WAITING, hangs_seconds=PACKING_HANGS, rests=inference.rests
        )
        self._photos, self._catalog, self._inference, self._bundles = photos, catalog, inference, bundles
        self._visitors = visitors
        self.downloads = Downloads()
        self._savings = Savings()

    @property
    def functions(self) -> list[Callable[[Any, str], Awaitable[Answer]]]:
        """Those that a browser may call."""
        asked = [self.capture, self.captures, self.progress, self.channel, self.gallery]
        return [*asked, self.stairs, self.save, self.give_up]

    async def channel(self, request: Any, _session: str = "") -> Answer:
        """One channel's features before and after a layer's gate."""
        return await answered(request, self._channel)

    async def gallery(self, request: Any, _session: str = "") -> Answer:
        """All channels' features before a layer's gate, as thumbnails."""
        return await answered(request, self._gallery)

    async def capture(self, request: Any, _session: str = "") -> Answer:
        """Another photo or network, to be compared."""

        async def answer(request: dict[str, Any]) -> Answer:
            key = trace_key(request, self._photos)
            with self.downloads.noting(key.network) as report:
                await self._catalog.network(key.network, report)
            return await self.encoded(key)

        return await answered(request, answer)

    async def stairs(self, request: Any, session: str = "") -> Answer:
        """What a network says with every layer changed in turn, ``how`` to "off" or to what is "usual"."""

        async def answer(request: dict[str, Any]) -> Answer:
            key = trace_key({**request, "edits": None}, self._photos)
            how = "off" if request.get("how") == "off" else "usual"
            with self._savings.under_way(session, request.get("saving")) as saving:
                found = await self._inference.stairs(key, how, saving.count)
            return {"how": how, **_climbed(await self._inference.trace(key), found)}

        return await answered(request, answer)

    async def captures(self, request: Any, _session: str = "") -> Answer:
        """Several at once, to be compared: each a capture, or why there is none."""

        async def answer(request: dict[str, Any]) -> Answer:
            named = request.get("requests")
            few = named[:MOST_TOGETHER] if isinstance(named, list) else []
            return {"captures": await asyncio.gather(*(self.capture(one) for one in few))}

        return await answered(request, answer)

    async def progress(self, request: Any, session: str = "") -> Answer:
        """How far something is: of what is ``saving``, files that are written and how many there will be; of
        the download of a ``network``, bytes. ``ahead``: how many passes of others come before the asker's."""

        async def answer(request: dict[str, Any]) -> Answer:
            ahead = self._inference.queue.ahead_of(who_asks())
            if "saving" in request:
                saving = self._savings.of(session, request["saving"])
                return {"done": saving.done, "total": saving.total, "ahead": ahead}
            done, total = self.downloads.of(str(request.get("network")))
            return {"done": done, "total": total, "ahead": ahead}

        return await answered(request, answer)

    async def save(self, request: Any, session: str = "") -> Answer:
        """A file of what is on the screen, for the visitor of this session: the address from which it can be
        downloaded."""

        async def answer(request: dict[str, Any]) -> Answer:
            with self._savings.under_way(session, request.get("saving")) as saving:
                path = await self._bundles.write(request, self._visitors.of(session), saving)
            return {"url": f"gradio_api/file={quote(str(path))}"}

        return await answered(request, answer)

    async def give_up(self, request: Any, session: str = "") -> Answer:
        """What is ``saving`` is not wanted any more."""

        async def answer(request: dict[str, Any]) -> Answer:
            self._savings.of(session, request.get("saving")).given_up = True
            return {"given_up": True}

        return await answered(request, answer)

    async def encoded(self, key: TraceKey) -> Answer:
        """A capture as the viewer takes it. Raises AttnvizError."""
        trace, name = await self._inference.trace(key), self._photos.name_of(key.photo)
        before = await self._inference.trace(key.unchanged) if key.edits else None
        about = {
            "photo": name,
            "network": key.network,
            "view": key.view,
            "example": name.startswith(EXAMPLE),
            **({"edits": json.loads(key.edits)} if key.edits else {}),
        }
        card = card_of(await self._catalog.network(key.network))
        return await self.queue.run(lambda: pack(trace, card, about, before))

    async def _channel(self, request: dict[str, Any]) -> Answer:
        key, layer = await self._gated_layer(request)
        index = request.get("channel")
        if not isinstance(index, int) or not 0 <= index < layer.shape[0]:
            raise AttnvizError("channel_unknown")
        features = await self._inference.features(key, layer.name)
        before, after = features.before[index], features.after[index]
        return await self.queue.run(lambda: pack_features(before, after))

    async def _gallery(self, request: dict[str, Any]) -> Answer:
        key, layer = await self._gated_layer(request)
        features = await self._inference.features(key, layer.name)
        return await self.queue.run(lambda: pack_gallery(features.before))

    async def _gated_layer(self, request: dict[str, Any]) -> tuple[TraceKey, LayerAttention]:
        """The pass and the layer that a request is about. Raises AttnvizError."""
        key = trace_key(request, self._photos)
        layer = (await self._inference.trace(key)).layers.get(str(request.get("layer")))
        if layer is None:
            raise AttnvizError("channel_unknown")
        return key, layer


def _climbed(before: Trace, found: list[Stair | LeftOut]) -> Answer:
    """Stairs as the browser takes them, see viewer/js/host/host.js."""
    best, share = before.top(1)[0] if before.top(1) else (None, None)
    return {
        "before": {"answer": best, "share": share},
        "steps": [
            {"layer": one.layer, "alone": one.alone.to_json(), "together": one.together.to_json()}
            for one in found
            if isinstance(one, Stair)
        ],
        "leftOut": [{"layer": one.layer, "why": said(one.why)} for one in found if isinstance(one, LeftOut)],
    }


async def answered(request: Any, answer: Callable[[dict[str, Any]], Awaitable[Answer]]) -> Answer:
    """The answer to a browser's request, or why there is none."""
    try:
        if not isinstance(request, dict):
            raise AttnvizError("pass_failed")
        return await answer(request)
    except AttnvizError as error:
        return {"error": said(error)}
    except Exception:
        log.exception("a request of the viewer failed")
        return {"error": said(AttnvizError("pass_failed"))}


def said(error: AttnvizError) -> dict[str, str]:
    """An error's sentence by language: the browser can change its own."""
    return {language: error.sentence(language) for language in catalogue().languages}
