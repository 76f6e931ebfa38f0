"""A trace as a capture: plain values for the browser, all arrays in one text; js/decoding.js reads it back.

An array is quantised over its own range to 16 bits, with an error of at most 1 / 131,068 of that range; the
browser shows three or four digits. NaN has a code of its own. Of maps the differences from cell to cell are
stored, which compress well. Where all this exceeds ``LIMIT`` bytes, steps are quantised to 8 bits, the map
before its sigmoid is left out, and the picture is made smaller until it fits."""

from __future__ import annotations

import base64
import io
import json
import zlib
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from ..analysis import stage_of
from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from ..errors import AttnvizError
from ..languages.catalogue import Phrase, catalogue
from ..networks.card import Card
from ..photos.geometry import crop, whole

LIMIT = 290_000  # bytes of a capture as JSON
LEVEL = 3  # of zlib with runs only: half of the bytes are noise, more takes longer than it saves
# Pixels of the picture's longer side, and the JPEG's quality; the first that fits
PICTURES = ((800, 82), (640, 82), (480, 82), (320, 82), (320, 50))
PARTS = ("channel", "channel_logits", "spatial_logits", "paths")  # of LayerAttention
MOST_LABELS = 12  # classes whose names are told
GREATEST_CODE = {1: 254, 2: 65534}  # by bytes a value; the next code is NaN's


@dataclass(eq=False)
class PackedArrays:
    """Arrays of one or two dimensions, quantised one after another."""

    about: list[tuple[list[int], float, float, int]] = field(default_factory=list)  # shape, low, high, size
    content: list[np.ndarray] = field(default_factory=list)  # uint8

    def add(self, values: np.ndarray, size: int = 2) -> int:
        """Add an array, in ``size`` bytes a value, and return its index."""
        defined = np.isfinite(values)
        known = values[defined]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        greatest = GREATEST_CODE[size]
        codes = np.full(values.shape, greatest + 1, f"u{size}")
        shares = (known.astype(np.float64) - low) * (greatest / ((high - low) or 1.0))
        codes[defined] = np.rint(shares, out=shares)
        if codes.ndim == 2:
            _subtract_neighbours(codes)
        bytes_of_values = codes.astype(f">u{size}").view(np.uint8).reshape(-1, size)
        self.content.extend(bytes_of_values.T.copy())  # first the high bytes, then the low ones
        self.about.append((list(values.shape), low, high, size))
        return len(self.about) - 1

    def plain(self) -> dict[str, Any]:
        """All arrays as plain values: ``about`` each its shape, range and bytes a value, and ``data``."""
        packer = zlib.compressobj(LEVEL, strategy=zlib.Z_RLE)
        content = packer.compress(b"".join(part.tobytes() for part in self.content)) + packer.flush()
        return {"about": self.about, "data": base64.b64encode(content).decode("ascii")}


def _subtract_neighbours(codes: np.ndarray) -> None:
    """Replace codes (h, w) by differences along the rows; a row's first by that from the row above."""
    if len(codes) > 1:
        first = codes[1:, 0] - codes[:-1, 0]
        codes[:, 1:] -= codes[:, :-1].copy()
        codes[1:, 0] = first


def pack(trace: Trace, card: Card, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    """The capture of a trace, at most ``LIMIT`` bytes as JSON where that can be. Of the photo it has only a
    small picture without metadata.

    ``asked`` is what the page calls this capture, and what it sends along with questions about it."""
    capture = _described(trace, card, asked or {})
    pictures = {PICTURES[0]: _picture(trace, *PICTURES[0])}
    # The low bytes are noise, which no compression makes smaller
    sizes = (2, 1) if 4 / 3 * _count(trace) < LIMIT else (1,)
    for size in sizes:
        packed = PackedArrays()
        capture["layers"] = [_layer(trace, layer, packed, size) for layer in trace.layers.values()]
        arrays = packed.plain()
        capture["arrays"] = {"about": arrays["about"]}
        length = len(arrays["data"]) + len(
            json.dumps(capture, ensure_ascii=False).encode(errors="backslashreplace")
        )
        capture["arrays"] = arrays
        if size == 2 and length > LIMIT:
            continue
        for about in PICTURES[: 2 if size == 2 else None]:
            capture["photo"]["picture"] = pictures.get(about) or _picture(trace, *about)
            if length + len(capture["photo"]["picture"]) < LIMIT:
                return capture
    return capture


def pack_features(before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    """One channel's features (h, w) before and after a gate: their indices, and the arrays."""
    packed = PackedArrays()
    return {"before": packed.add(before), "after": packed.add(after), "arrays": packed.plain()}


def _described(trace: Trace, card: Card, asked: dict[str, Any]) -> dict[str, Any]:
    """What of a capture is not arrays: what was asked, the network, the photo, the region, the answer."""
    seen_whole = trace.region == whole(trace.photo, trace.recipe)
    is_tensor = not seen_whole and trace.region != crop(trace.photo, trace.recipe)  # taken as it is
    few_labels = card.labels if len(card.labels) <= MOST_LABELS else ()
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
            "labels": list(few_labels),
            "accuracy": card.accuracy,
        },
        "photo": {"name": trace.photo.name, "width": trace.photo.width, "height": trace.photo.height},
        "seen": {
            "box": list(trace.region.box),
            "size": list(trace.region.size),
            "whole": seen_whole or is_tensor,
            "forced": asked.get("view") == "whole" and not seen_whole,
        },
        "top": [[label, probability] for label, probability in trace.top(5)],
        "doubt": _doubt(trace),
        "remarks": [_in_all_languages(remark) for remark in trace.remarks],
    }


def _doubt(trace: Trace) -> dict[str, Any] | None:
    """Whether the answer is doubtful, what tells it, and what is to be said of one that is; None where that
    is not known."""
    if trace.doubt is None or trace.doubtful is None:
        return None
    said = _in_all_languages(trace.doubt.sentence) if trace.doubtful else {}
    return {"doubtful": trace.doubtful, **asdict(trace.doubt), "said": said}


def _in_all_languages(said: AttnvizError | Phrase) -> dict[str, str]:
    """A sentence by language: the viewer can change its own."""
    languages = catalogue().languages
    if isinstance(said, Phrase):
        return {language: catalogue().phrase(language, said) for language in languages}
    return {language: said.sentence(language) for language in languages}


def _layer(trace: Trace, layer: LayerAttention, packed: PackedArrays, size: int) -> dict[str, Any]:
    """A layer with the indices of its arrays; its steps are packed in ``size`` bytes a value."""
    channels, (height, width) = layer.shape[0], layer.grid
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
        "shares": layer.spatial is None and layer.map is not None,
        "spatial": layer.spatial is not None and layer.map is not None,
        "limits": list(layer.limits),
        "mapLimits": list(layer.map_limits),
        "box": list(trace.box(layer.name)),
        "arrays": arrays,
        "steps": [[step.name, packed.add(step.values, size)] for step in steps],
    }


def _count(trace: Trace) -> int:
    """How many numbers a capture has."""
    arrays = []
    for layer in trace.layers.values():
        parts = (getattr(layer, part) for part in (*PARTS, "map"))
        arrays += [values for values in parts if values is not None]
        arrays += [step.values for step in layer.steps]
    return sum(values.size for values in arrays)


def _picture(trace: Trace, side: int, quality: int) -> str:
    """The photo as a JPEG in a ``data:`` address, its longer side at most ``side`` pixels."""
    image = trace.photo.image()
    image.thumbnail((side, side), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
