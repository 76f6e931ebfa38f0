"""A trace becomes what the browser explores: plain values, and all its numbers in one compressed text.

Arrays are quantised over their own range to 16 bits (an error of at most 1 / 131,068 of the range; the
browser shows three or four digits); what cannot be known is a code of its own. Maps are sent as differences
from cell to cell, which compress well. If all that is more than ``LIMIT`` bytes, the steps are quantised to 8
bits, the map before its sigmoid is left out, and the picture is made smaller until it fits."""

from __future__ import annotations

import base64
import io
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from ..analysis import stage_of
from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from ..networks.card import Card
from ..photos.geometry import crop, whole

LIMIT = 290_000  # bytes of a capture as JSON
LEVEL = (
    3  # of zlib, which looks for runs only: more takes longer than it saves, for half of the bytes are noise
)
SIDES = (800, 640, 480, 320)  # pixels of the picture's longer side, the first that fits
PARTS = ("channel", "channel_logits", "spatial_logits", "paths")


@dataclass(eq=False)
class Packed:
    """Arrays on their way to the browser."""

    about: list[tuple[list[int], float, float, int]] = field(
        default_factory=list
    )  # shape, least, greatest, bytes a value
    content: list[np.ndarray] = field(default_factory=list)

    def add(self, values: np.ndarray, size: int = 2) -> int:
        """Where an array of one or two dimensions stands; ``size`` bytes a value."""
        finite = np.isfinite(values)
        whole = bool(finite.all())
        known = values if whole else values[finite]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        most = 65534 if size == 2 else 254
        codes: Any = np.full(values.shape, most + 1, f"u{size}")
        shares = (known.astype(np.float64) - low) * (most / ((high - low) or 1.0))
        codes[... if whole else finite] = np.rint(shares, out=shares)
        if codes.ndim == 2 and len(codes) > 1:  # differences along rows; a row begins from the one above it
            first = codes[1:, 0] - codes[:-1, 0]
            codes[:, 1:] -= codes[:, :-1].copy()
            codes[1:, 0] = first
        self.content.extend(
            codes.astype(f">u{size}").view(np.uint8).reshape(-1, size).T.copy()
        )  # first the high bytes, then the low ones
        self.about.append((list(values.shape), low, high, size))
        return len(self.about) - 1

    def plain(self) -> dict[str, Any]:
        """As the browser takes it."""
        packer = zlib.compressobj(LEVEL, strategy=zlib.Z_RLE)
        content = packer.compress(b"".join(part.tobytes() for part in self.content)) + packer.flush()
        return {"about": self.about, "data": base64.b64encode(content).decode("ascii")}


def pack(trace: Trace, card: Card, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    """One capture for the browser, at most ``LIMIT`` bytes as JSON where that can be: plain values, no more
    of the photo than a small picture without metadata. ``asked`` is what the page calls this capture; it
    comes back with every question about it."""
    capture = _described(trace, card, asked or {})
    pictures = {SIDES[0]: _picture(trace, SIDES[0])}
    sizes = (
        (2, 1) if 4 / 3 * _values(trace) < LIMIT else (1,)
    )  # low bytes are noise, which no compression makes smaller
    for size in sizes:
        packed = Packed()
        capture["layers"] = [_layer(trace, layer, packed, size) for layer in trace.layers.values()]
        capture["arrays"] = packed.plain()
        data = capture["arrays"].pop("data")
        rest = len(json.dumps(capture, ensure_ascii=False).encode(errors="backslashreplace"))
        capture["arrays"]["data"] = data
        if size == 2 and rest + len(data) > LIMIT:
            continue
        for side in SIDES[: 2 if size == 2 else None]:
            capture["photo"]["picture"] = pictures.get(side) or _picture(trace, side)
            if rest + len(data) + len(capture["photo"]["picture"]) < LIMIT:
                return capture
    return capture


def pack_features(before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    """One channel's features (h, w) before and after a gate, for the browser."""
    packed = Packed()
    return {"before": packed.add(before), "after": packed.add(after), "arrays": packed.plain()}


def _described(trace: Trace, card: Card, asked: dict[str, Any]) -> dict[str, Any]:
    seen_whole = trace.region == whole(trace.photo, trace.recipe)
    few = card.labels if 0 < len(card.labels) <= 12 else ()
    return {
        "asked": {
            "photo": trace.photo.name,
            "network": trace.network,
            "view": "whole" if seen_whole else "crop",
            "example": False,
            **asked,
        },
        "network": {
            "name": trace.network,
            "title": card.heading,
            "classes": len(card.labels),
            "labels": list(few),
            "accuracy": card.accuracy,
        },
        "photo": {"name": trace.photo.name, "width": trace.photo.width, "height": trace.photo.height},
        "seen": {
            "box": list(trace.region.box),
            "size": list(trace.region.size),
            "whole": seen_whole
            or trace.region != crop(trace.photo, trace.recipe),  # a tensor was seen as it is
            "forced": asked.get("view") == "whole" and not seen_whole,
        },
        "top": [[label, probability] for label, probability in trace.top(5)],
    }


def _layer(trace: Trace, layer: LayerAttention, packed: Packed, size: int) -> dict[str, Any]:
    channels, height, width = layer.shape
    arrays = {
        part: packed.add(np.asarray(values)) for part in PARTS if (values := getattr(layer, part)) is not None
    }
    if layer.map is not None:
        arrays["map"] = packed.add(layer.map)
    steps = [step for step in layer.steps if size == 2 or step.name != "spatial_logits"]
    return {
        "name": layer.name,
        "kind": layer.kind,
        "title": layer.title,
        "stage": stage_of(layer.name).rpartition(" ")[2],
        "channels": channels,
        "height": height,
        "width": width,
        "formula": layer.formula,
        "averaged": layer.averaged,
        "shares": layer.spatial is None and layer.pooling is not None,
        "spatial": layer.spatial is not None,
        "limits": list(layer.limits),
        "mapLimits": list(layer.map_limits),
        "box": list(trace.box(layer.name)),
        "arrays": arrays,
        "steps": [[step.name, packed.add(step.values, size)] for step in steps],
    }


def _values(trace: Trace) -> int:
    """How many numbers there are to send."""
    layers = trace.layers.values()
    arrays = [
        values for layer in layers for part in (*PARTS, "map") if (values := getattr(layer, part)) is not None
    ]
    return sum(
        values.size for values in (*arrays, *(step.values for layer in layers for step in layer.steps))
    )


def _picture(trace: Trace, side: int) -> str:
    """The photo as a JPEG in a data address, its longer side at most this many pixels."""
    image = trace.photo.image()
    image.thumbnail((side, side), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
