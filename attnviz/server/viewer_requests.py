"""What a viewer in the browser asks of the server: a capture, one channel's features, a bundle. The answers
are plain values, or {"error": a sentence}. Whatever comes from a browser is checked here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ..errors import AttnvizError
from ..networks.card import card_of
from ..viewer.encoding import pack, pack_features
from .bundles import BundleWriter
from .catalog import Catalog
from .inference import Inference, TraceKey
from .photo_store import EXAMPLE, PhotoStore
from .view_state import trace_key

log = logging.getLogger(__name__)

Answer = dict[str, Any]


class ViewerRequests:
    """Answers viewers' requests."""

    def __init__(
        self, photos: PhotoStore, catalog: Catalog, inference: Inference, bundles: BundleWriter
    ) -> None:
        self._photos, self._catalog, self._inference, self._bundles = photos, catalog, inference, bundles

    def channel(self, request: Any) -> Answer:
        """One channel's features before and after a layer's gate."""
        return _answered(request, self._channel)

    def capture(self, request: Any) -> Answer:
        """Another photo or network, to be compared."""
        return _answered(request, lambda request: self.encoded(trace_key(request, self._photos)))

    def save(self, request: Any) -> Answer:
        """A zip of what is on the screen, or of everything: the address from which it can be downloaded."""
        return _answered(request, lambda request: {"url": f"gradio_api/file={self._bundles.write(request)}"})

    def encoded(self, key: TraceKey) -> Answer:
        """A capture as the viewer takes it. Raises AttnvizError."""
        trace, name = self._inference.trace(key), self._photos.name_of(key.photo)
        about = {
            "photo": name,
            "network": key.network,
            "view": key.view,
            "example": name.startswith(EXAMPLE),
        }
        return pack(trace, card_of(self._catalog.network(key.network)), about)

    def _channel(self, request: dict[str, Any]) -> Answer:
        key = trace_key(request, self._photos)
        layer, index = (
            self._inference.trace(key).layers.get(str(request.get("layer"))),
            request.get("channel"),
        )
        if layer is None or not isinstance(index, int) or not 0 <= index < layer.shape[0]:
            raise AttnvizError("channel_unknown")
        features = self._inference.features(key, layer.name)
        return pack_features(features.before[index], features.after[index])


def _answered(request: Any, answer: Callable[[dict[str, Any]], Answer]) -> Answer:
    language = str(request.get("language")) if isinstance(request, dict) else "en"
    try:
        if not isinstance(request, dict):
            raise AttnvizError("pass_failed")
        return answer(request)
    except AttnvizError as error:
        return {"error": error.sentence(language)}
    except Exception:
        log.exception("a request of the viewer failed")
        return {"error": AttnvizError("pass_failed").sentence(language)}
