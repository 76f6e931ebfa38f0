"""What a bundle says of itself, ``manifest.json``, and the names of its files."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from .._version import __version__
from ..analysis import summary
from ..capture.trace import Trace
from ..drawing.pair import Pair
from ..interventions.answer import answer
from ..naming import free_name
from ..networks.card import Card
from ..photos.geometry import whole
from ..photos.photo import Photo
from .selection import Selection

MANIFEST = "manifest.json"
LONGEST = 80  # characters of a file's name
BEST = 5  # predictions of a trace
EQUALITY = (
    "With the same versions and number of threads on the same kind of processor, one photo at a time, "
    "reproduce.py makes the same arrays "
    "bit for bit. Elsewhere numbers may be added up in another order, and the arrays agree to 1e-5."
)


def manifest(
    selections: Sequence[Selection],
    folders: Sequence[str],
    settings: dict[str, Any],
    files: Sequence[str],
    beside: Sequence[Trace] = (),
    pairs: Sequence[Pair] = (),
) -> dict[str, Any]:
    """What was done and what came out, as plain values.

    For each trace its folder, photo, network, preprocessing, predictions and whether they are doubtful, what
    a changed network said before, layers and channels; the traces ``beside`` and the pairs that it is
    compared with; the settings, the versions, how equal a repetition will be, and the ``files`` of the
    bundle, by their paths."""
    return {
        "traces": [_trace(selection, folder) for selection, folder in zip(selections, folders)],
        "beside": _beside(selections, beside),
        "pairs": _pairs(selections, folders, pairs),
        "settings": settings,
        "versions": _versions(),
        "equality": EQUALITY,
        "files": list(files),
    }


def file_names(names: Sequence[str]) -> list[str]:
    """A file name for each name: letters, digits, ``_``, ``.`` and ``-``, no two alike even where case does
    not count."""
    taken: list[str] = []
    for name in names:
        safe = re.sub(r"[^\w.-]+", "-", name)[:LONGEST].strip(".-") or "unnamed"
        taken.append(free_name(safe, taken, key=str.casefold))
    return taken


def _beside(selections: Sequence[Selection], beside: Sequence[Trace]) -> list[dict[str, str]]:
    """The traces that the scale spans but the bundle does not hold."""
    inside = [selection.trace for selection in selections]
    outside = [trace for trace in beside if trace not in inside]
    return [{"photo": trace.photo.name, "network": trace.network} for trace in outside]


def _pairs(
    selections: Sequence[Selection], folders: Sequence[str], pairs: Sequence[Pair]
) -> list[dict[str, str]]:
    """The layer of each pair, and the folders of its two traces."""
    inside = [selection.trace for selection in selections]
    described = []
    for pair in pairs:
        a, b = inside.index(pair.a), inside.index(pair.b)
        described.append({"layer": pair.layer, "a": folders[a], "b": folders[b]})
    return described


def _versions() -> dict[str, Any]:
    return {
        "attnviz": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
    }


def _trace(selection: Selection, folder: str) -> dict[str, Any]:
    trace = selection.trace
    layers = zip(selection.layers, file_names(selection.layers))
    return {
        "folder": folder,
        "photo": _photo(trace.photo),
        "network": _network(selection.card),
        "preprocessing": _preprocessing(trace),
        "edits": selection.edits,
        **_others(selection),
        "remarks": [str(remark) for remark in trace.remarks],
        "predictions": _predictions(trace),
        **_before(selection),
        "doubtful": trace.doubtful,
        "doubt": asdict(trace.doubt) if trace.doubt else None,
        "layers": {
            name: _layer(trace, name, stem if name in selection.pictured() else None) for name, stem in layers
        },
        "channels": [
            {"layer": channel.layer, "channel": channel.index, "arrays": channel.name}
            for channel in selection.channels
        ],
    }


def _predictions(trace: Trace) -> list[dict[str, Any]]:
    return [{"label": label, "probability": probability} for label, probability in trace.top(BEST)]


def _before(selection: Selection) -> dict[str, Any]:
    """What the network said before it was changed, and the change of that answer's score, where that is
    known."""
    before = selection.before
    if before is None:
        return {}
    said = answer(before, selection.trace.logits).to_json()
    return {"before": {"predictions": _predictions(before), "score_change": said["score_change"]}}


def _others(selection: Selection) -> dict[str, Any]:
    """The photos whose gates were put in, by their files, where there are any."""
    others = {file: _photo(photo) for file, photo in selection.others.items()}
    return {"others": others} if others else {}


def _photo(photo: Photo) -> dict[str, Any]:
    pixels = np.ascontiguousarray(photo.pixels).tobytes()
    return {
        "name": photo.name,
        "width": photo.width,
        "height": photo.height,
        "rgb_sha256": hashlib.sha256(pixels).hexdigest(),
    }


def _network(card: Card) -> dict[str, Any]:
    return {
        "name": card.name,
        "architecture": card.architecture,
        "weights_sha256": card.sha256,
        "folded": card.folded,
        "built": card.built,
        "licence": card.licence,
    }


def _preprocessing(trace: Trace) -> dict[str, Any]:
    is_whole = trace.region == whole(trace.photo, trace.recipe)
    return {
        "recipe": asdict(trace.recipe),
        "view": "whole" if is_whole else "crop",
        "seen_box": trace.region.box,
        "input_size": trace.region.size,
    }


def _layer(trace: Trace, name: str, stem: str | None) -> dict[str, Any]:
    """A layer, and its numbers in short; ``stem`` is what its pictures' names begin with, None without
    any."""
    layer = trace.layers[name]
    described: dict[str, Any] = {
        "files": stem,
        "kind": layer.kind,
        "formula": layer.formula,
        "shape": layer.shape,
        "map_box": trace.box(name),
    }
    if layer.channel is not None:
        described["channel"] = _summary(layer.channel, layer.kind)
    if layer.spatial is not None:
        described["spatial"] = _summary(layer.spatial, layer.kind)
    return described


def _summary(values: np.ndarray, kind: str) -> dict[str, float | None]:
    """The summary of some numbers; null in place of NaN, which JSON doesn't have."""
    numbers = asdict(summary(values, kind))
    return {name: number if np.isfinite(number) else None for name, number in numbers.items()}
