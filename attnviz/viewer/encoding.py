"""A trace as a capture: plain values for the browser, all arrays in one text; js/decoding.js reads it back.

An array is quantised over its own range to 16 bits, with an error of at most 1 / 131,068 of that range; the
browser shows three or four digits. NaN has a code of its own. Of maps the differences from cell to cell are
stored, which compress well. Where all this exceeds ``LIMIT`` bytes, what counts least is quantised to 8 bits
or left out, see ``FORMS``, and the picture is made smaller until it fits."""

from __future__ import annotations

import base64
import io
import json
import math
import zlib
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from ..analysis import stage_of
from ..capture.layer_attention import LayerAttention, Step
from ..capture.trace import Trace
from ..errors import AttnvizError
from ..languages.catalogue import Phrase, catalogue
from ..mechanisms.choosing import diagram_of
from ..mechanisms.diagram import Diagram
from ..networks.card import Card
from ..photos.geometry import crop, whole
from .change import change

LIMIT = 296_000  # bytes of a capture as JSON
LEVEL = 3  # of zlib with runs only: half of the bytes are noise, more takes longer than it saves
# Pixels of the picture's longer side, and the JPEG's quality; the first that fits
PICTURES = ((800, 82), (640, 82), (640, 75), (480, 82), (320, 82), (320, 50))


@dataclass(frozen=True)
class Form:
    """In how many bytes a value the steps are packed; 0 leaves them out."""

    vectors: int  # of channels and hidden units
    small: int  # of maps of at most ``SMALL_MAP`` cells
    maps: int
    logits: int  # the map before its sigmoid, of whose numbers the gate's follow
    sizes: bool  # whether the sizes of channels' features are there, in a byte each: they are only ranked


SMALL_MAP = 1024  # cells: all small maps together take less than one large one
FORMS = (  # the first that fits
    Form(2, 2, 2, 2, True),
    Form(2, 2, 1, 2, True),
    Form(2, 1, 1, 2, False),
    Form(2, 1, 1, 0, False),
    Form(1, 1, 1, 0, False),
)
PARTS = ("channel", "channel_logits", "spatial_logits", "paths")  # of LayerAttention
MOST_LABELS = 12  # classes whose names are told
GALLERY_CELLS = 200_000  # of all channels of a gallery together
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


def pack(
    trace: Trace, card: Card, asked: dict[str, Any] | None = None, before: Trace | None = None
) -> dict[str, Any]:
    """The capture of a trace, at most ``LIMIT`` bytes as JSON where that can be. Of the photo it has only a
    small picture without metadata.

    ``asked`` is what the page calls this capture, and what it sends along with questions about it. Of a
    changed network, ``before`` is the same photo's trace in it as it is."""
    capture = _described(trace, card, asked or {})
    if trace.edits:
        capture["change"] = change(trace, before)
    capture["diagrams"], places = _diagrams(trace)
    pictures = {PICTURES[0]: _picture(trace, *PICTURES[0])}
    for form in FORMS:
        is_last = form is FORMS[-1]
        # The low bytes are noise, which no compression makes smaller
        if not is_last and 4 / 3 * _exact(trace, form) >= LIMIT:
            continue
        packed = PackedArrays()
        capture["layers"] = [
            {**_layer(trace, layer, packed, form), "diagram": places[name]}
            for name, layer in trace.layers.items()
        ]
        arrays = packed.plain()
        capture["arrays"] = {"about": arrays["about"]}
        capture["photo"].pop("picture", None)
        length = len(arrays["data"]) + len(
            json.dumps(capture, ensure_ascii=False).encode(errors="backslashreplace")
        )
        capture["arrays"] = arrays
        if not is_last and length >= LIMIT:
            continue
        for about in PICTURES[: None if is_last else 3]:
            capture["photo"]["picture"] = pictures.get(about) or _picture(trace, *about)
            if length + len(capture["photo"]["picture"]) < LIMIT:
                return capture
    return capture


def pack_features(before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    """One channel's features (h, w) before and after a gate: their indices, and the arrays."""
    packed = PackedArrays()
    return {"before": packed.add(before), "after": packed.add(after), "arrays": packed.plain()}


def pack_gallery(before: np.ndarray) -> dict[str, Any]:
    """A layer's features before its gate, (C, h, w), as thumbnails: ``shares`` (C, height × width), a row a
    channel, each number as a share of the channel's greatest (in size), of cells averaged in squares where
    there are many; ``sizes`` (C,), the mean of the numbers' sizes; and the arrays."""
    side = max(1, math.ceil(math.sqrt(before.size / GALLERY_CELLS)))
    small = _averaged(before, side)
    channels, height, width = small.shape
    greatest = np.abs(small).reshape(channels, -1).max(1)[:, None]
    packed = PackedArrays()
    shares = small.reshape(channels, -1) / np.where(greatest > 0, greatest, 1)
    return {
        "height": height,
        "width": width,
        "shares": packed.add(shares, size=1),
        "sizes": packed.add(np.abs(before).mean((1, 2))),
        "arrays": packed.plain(),
    }


def _averaged(maps: np.ndarray, side: int) -> np.ndarray:
    """Maps (C, h, w), their cells averaged in squares of ``side`` cells, fewer at the right and below."""
    if side == 1:
        return maps
    rows, columns = (np.arange(0, length, side) for length in maps.shape[1:])
    sums = np.add.reduceat(np.add.reduceat(maps, rows, 1), columns, 2)
    heights, widths = (
        np.diff(starts, append=length) for starts, length in zip((rows, columns), maps.shape[1:])
    )
    return sums / (heights[:, None] * widths)


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


def _diagrams(trace: Trace) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The distinct diagrams of the layers' mechanisms, and each layer's place among them."""
    diagrams = {name: diagram_of(layer) for name, layer in trace.layers.items()}
    distinct = list(dict.fromkeys(diagrams.values()))
    return [_plain(diagram) for diagram in distinct], {
        name: distinct.index(diagram) for name, diagram in diagrams.items()
    }


@lru_cache(64)
def _plain(diagram: Diagram) -> dict[str, Any]:
    """A diagram as plain values, which nobody changes."""
    return diagram.plain()


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


def _layer(trace: Trace, layer: LayerAttention, packed: PackedArrays, form: Form) -> dict[str, Any]:
    """A layer with the indices of its arrays; its steps are packed in a form."""
    channels, (height, width) = layer.shape[0], layer.grid
    arrays = {
        part: packed.add(np.asarray(values)) for part in PARTS if (values := getattr(layer, part)) is not None
    }
    if layer.map is not None:
        arrays["map"] = packed.add(layer.map)
    if layer.sizes is not None and form.sizes:
        arrays["sizes"] = packed.add(layer.sizes, size=1)
    sizes = [(step, _size(step, form)) for step in layer.steps]
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
        "steps": [[step.name, packed.add(step.values, size)] for step, size in sizes if size],
    }


def _size(step: Step, form: Form) -> int:
    """In how many bytes a value a step is packed."""
    if step.values.ndim < 2:
        return form.vectors
    if step.name == "spatial_logits":
        return form.logits
    return form.small if step.values.size <= SMALL_MAP else form.maps


def _exact(trace: Trace, form: Form) -> int:
    """How many numbers a capture has in two bytes each, the lower of which does not compress."""
    count = 0
    for layer in trace.layers.values():
        parts = (getattr(layer, part) for part in (*PARTS, "map"))
        count += sum(values.size for values in parts if values is not None)
        count += sum(step.values.size for step in layer.steps if _size(step, form) == 2)
    return count


def _picture(trace: Trace, side: int, quality: int) -> str:
    """The photo as a JPEG in a ``data:`` address, its longer side at most ``side`` pixels."""
    image = trace.photo.image()
    image.thumbnail((side, side), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
