"""A trace becomes files: pictures as PNG, channel weights as CSV, every array as NPZ, predictions and settings as JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict

import numpy as np
import torch

from . import __version__
from .analysis import summary
from .capture import Trace
from .networks.card import Card
from .render import Look, bars_figure, map_figure, overlay, overview_figure, plain, png


def files(trace: Trace, card: Card, layers: list[str], look: Look, order: str = "index", overview: bool = False) -> dict[str, bytes]:
    """File name -> content, for the chosen layers of a trace. No file holds metadata of the photo."""
    made: dict[str, bytes] = {}
    for name in layers:
        layer = trace.layers[name]
        if layer.map is not None:
            made[f"{name}.overlay.png"] = _png(trace, name, look)
            made[f"{name}.map.png"] = png(map_figure(trace, name, look))
        title = f"{trace.network} · {name} · {plain(trace.photo.name)}"
        if layer.channel is not None or layer.paths is not None:
            made[f"{name}.channels.png"] = png(bars_figure(layer, order, look.dark, title))
    if overview:
        made["overview.png"] = png(overview_figure(trace, look))
    made["channels.csv"] = channels_csv(trace, layers)
    made["arrays.npz"] = arrays_npz(trace, layers)
    made["trace.json"] = (json.dumps(description(trace, card, layers, look, order), indent=1, ensure_ascii=False) + "\n").encode()
    return made


def channels_csv(trace: Trace, layers: list[str]) -> bytes:
    """One row a channel: photo, network, layer, channel, weight. A text that a spreadsheet would run as a formula is quoted."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("photo", "network", "layer", "channel", "weight"))
    photo = f"'{trace.photo.name}" if trace.photo.name[:1] in "=+-@" else trace.photo.name
    for name in layers:
        weights = trace.layers[name].channel
        for index, weight in enumerate([] if weights is None else weights):
            rows.writerow((photo, trace.network, name, index, repr(float(weight)) if np.isfinite(weight) else ""))
    return text.getvalue().encode()


def arrays_npz(trace: Trace, layers: list[str]) -> bytes:
    """``logits`` and, for each layer, what it has of ``LAYER.channel``, ``.spatial``, ``.channel_logits`` and so on, see PARTS."""
    arrays = {"logits": trace.logits}
    for name in layers:
        for part in PARTS:
            values = getattr(trace.layers[name], part)
            if values is not None:
                arrays[f"{name}.{part}"] = values
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)   # type: ignore[arg-type]
    return buffer.getvalue()


def description(trace: Trace, card: Card, layers: list[str], look: Look, order: str) -> dict:
    """What was done and what came out, as plain values: network, preprocessing, predictions, layers, settings, versions."""
    return {
        "photo": {"name": trace.photo.name, "width": trace.photo.width, "height": trace.photo.height},
        "network": {"name": card.name, "architecture": card.architecture, "weights_sha256": card.sha256},
        "preprocessing": {**asdict(card.recipe), "seen_box": trace.region.box, "input_size": trace.region.size},
        "predictions": [{"label": label, "probability": probability} for label, probability in trace.top(5)],
        "layers": {name: _layer(trace, name) for name in layers},
        "settings": {**asdict(look), "order": order},
        "versions": {"attnviz": __version__, "torch": torch.__version__},
    }


def _layer(trace: Trace, name: str) -> dict:
    layer = trace.layers[name]
    numbers = {part: asdict(summary(values, layer.kind)) for part in ("channel", "spatial") if (values := getattr(layer, part)) is not None}
    plain_numbers = {part: {key: value if np.isfinite(value) else None for key, value in each.items()} for part, each in numbers.items()}
    return {"kind": layer.kind, "formula": layer.formula, "shape": layer.shape, "map_box": trace.box(name), **plain_numbers}


def _png(trace: Trace, name: str, look: Look) -> bytes:
    buffer = io.BytesIO()
    overlay(trace, name, look).save(buffer, "PNG")
    return buffer.getvalue()


PARTS = ("channel", "spatial", "channel_logits", "spatial_logits", "joint", "paths", "pooling")
