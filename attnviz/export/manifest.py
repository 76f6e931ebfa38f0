"""What a bundle says of itself: ``manifest.json``, and the names of its files."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from .._version import __version__
from ..analysis import summary
from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from ..drawing.channel import Channel
from ..drawing.pair import Pair
from ..naming import free_name
from ..networks.card import Card
from ..photos.geometry import whole

LONGEST = 80  # characters of a file's name


EQUALITY = (
    "With the same versions and number of threads on the same kind of processor, one photo at a time, "
    "reproduce.py makes the same arrays "
    "bit for bit. Elsewhere numbers may be added up in another order, and the arrays agree to 1e-5."
)


@dataclass(frozen=True, eq=False)
class Shown:
    """One trace of a bundle, the card of its network, which of its layers are drawn and written, and which
    channels' features."""

    trace: Trace
    card: Card
    layers: tuple[str, ...]
    channels: tuple[Channel, ...] = ()


def manifest(
    shown: Sequence[Shown],
    folders: Sequence[str],
    settings: dict,
    beside: Sequence[Trace] = (),
    pairs: Sequence[Pair] = (),
) -> dict:
    """What was done and what came out, as plain values: for each trace its photo, network, preprocessing,
    predictions, layers and channels; what is compared with them; the settings, the versions, and how equal a
    repetition will be."""
    inside = [each.trace for each in shown]
    sides = [(pair.layer, inside.index(pair.a), inside.index(pair.b)) for pair in pairs]
    return {
        "traces": [_description(each, folder) for each, folder in zip(shown, folders)],
        "beside": [
            {"photo": each.photo.name, "network": each.network} for each in beside if each not in inside
        ],
        "pairs": [{"layer": layer, "a": folders[a], "b": folders[b]} for layer, a, b in sides],
        "settings": settings,
        "versions": {
            "attnviz": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "threads": torch.get_num_threads(),
        },
        "equality": EQUALITY,
    }


def file_names(names: Sequence[str]) -> list[str]:
    """A file name for each name: letters, digits, ``_``, ``.`` and ``-``, no two alike even where case does
    not count."""
    taken: list[str] = []
    for name in names:
        safe = re.sub(r"[^\w.-]+", "-", name)[:LONGEST].strip(".-") or "unnamed"
        taken.append(free_name(safe, taken, key=str.casefold))
    return taken


def _description(shown: Shown, folder: str) -> dict:
    trace, card = shown.trace, shown.card
    view = "whole" if trace.region == whole(trace.photo, trace.recipe) else "crop"
    return {
        "folder": folder,
        "photo": {
            "name": trace.photo.name,
            "width": trace.photo.width,
            "height": trace.photo.height,
            "rgb_sha256": hashlib.sha256(np.ascontiguousarray(trace.photo.pixels).tobytes()).hexdigest(),
        },
        "network": {
            "name": card.name,
            "architecture": card.architecture,
            "weights_sha256": card.sha256,
            "folded": card.folded,
            "licence": card.licence,
        },
        "preprocessing": {
            "recipe": asdict(trace.recipe),
            "view": view,
            "seen_box": trace.region.box,
            "input_size": trace.region.size,
        },
        "predictions": [{"label": label, "probability": probability} for label, probability in trace.top(5)],
        "layers": {
            name: _layer(trace, name, file) for name, file in zip(shown.layers, file_names(shown.layers))
        },
        "channels": [
            {"layer": one.layer, "channel": one.index, "arrays": one.name} for one in shown.channels
        ],
    }


def _layer(trace: Trace, name: str, file: str) -> dict:
    layer: LayerAttention = trace.layers[name]
    numbers = {
        part: asdict(summary(values, layer.kind))
        for part in ("channel", "spatial")
        if (values := getattr(layer, part)) is not None
    }
    known = {
        part: {key: value if np.isfinite(value) else None for key, value in each.items()}
        for part, each in numbers.items()
    }
    return {
        "files": file,
        "kind": layer.kind,
        "formula": layer.formula,
        "shape": layer.shape,
        "map_box": trace.box(name),
        **known,
    }
