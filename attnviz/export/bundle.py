"""Traces become files: pictures as PNG and SVG, channel weights as CSV, every array as NPZ, a manifest of
what was done, and a script that does it again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor

from ..capture.trace import Trace
from ..drawing.bars import bars_drawing
from ..drawing.canvas import Drawing
from ..drawing.channel import channel_drawing
from ..drawing.overlay import Look, overlay
from ..drawing.overview import overview_drawing
from ..drawing.pair import Pair, pair_csv, pair_drawing
from ..drawing.png import png
from ..drawing.spatial_map import map_drawing
from ..drawing.steps import steps_drawing
from ..drawing.style import wrapped
from .manifest import Shown, file_names, manifest
from .reproduce import SCRIPT


def bundle(
    shown: Sequence[Shown],
    look: Look,
    order: str = "index",
    overview: bool = False,
    beside: Sequence[Trace] = (),
    pairs: Sequence[Pair] = (),
    side_by_side: bool = False,
    threads: int = 1,
) -> Iterator[tuple[str, bytes]]:
    """(path, content) of each file, one after another: the pictures, arrays and photo of a single trace, or
    of each of several in a folder of its own; then channels.csv, manifest.json and reproduce.py for all.

    Pictures are on a light ground, whatever the look. ``overview`` adds all layers of a trace on one page;
    ``beside`` are traces of other bundles that the scale "shown" spans too; ``pairs`` are drawn of traces in
    this one. Bars of several, looked at ``side_by_side``, span all that a factor can be, on any scale. Paths
    have forward slashes; no file holds metadata of a photo. So many ``threads`` draw."""
    look = replace(look, dark=False)
    compared = (*(each.trace for each in shown), *beside)
    names = file_names([f"{Path(each.trace.photo.name).stem}-{each.trace.network}" for each in shown])
    folders = [f"{name}/" for name in names] if len(shown) > 1 else [""]
    bars = "fixed" if side_by_side else look.scale
    with ThreadPoolExecutor(threads, "attnviz-draws") as pool:
        for each, folder in zip(shown, folders):
            parts = [partial(_overview, each.trace, look, compared)] if overview and each.trace.layers else []
            parts += [
                partial(_pictures, each, name, file, look, order, compared, bars)
                for name, file in zip(each.layers, file_names(each.layers))
            ]
            for files in pool.map(lambda part: part(), parts):  # packing pictures holds no other thread up
                yield from ((folder + name, content) for name, content in files.items())
            yield f"{folder}arrays.npz", arrays_npz(each)
            yield f"{folder}photo.png", png(each.trace.photo.image())
    for file, pair in zip(file_names(["pair"] * len(pairs)), pairs):
        for suffix, content in pair_drawing(pair, look.dark).files().items():
            yield f"{file}.{suffix}", content
        yield f"{file}.csv", pair_csv(pair)
    yield "channels.csv", channels_csv(shown)
    settings = {**asdict(look), "order": order, "bars": "fixed" if bars == "fixed" else "own range"}
    said = manifest(shown, folders, settings, beside, pairs)
    yield "manifest.json", json.dumps(said, indent=1, ensure_ascii=False).encode(errors="backslashreplace")
    yield "reproduce.py", SCRIPT.encode()


def _overview(trace: Trace, look: Look, compared: Sequence[Trace]) -> dict[str, bytes]:
    return {
        f"overview.{suffix}": content
        for suffix, content in overview_drawing(trace, look, compared).files().items()
    }


def _pictures(
    shown: Shown, layer: str, file: str, look: Look, order: str, compared: Sequence[Trace], bars: str
) -> dict[str, bytes]:
    """The pictures of a layer, drawn once and written as PNG and SVG; the overlay is as large as the photo.
    ``bars`` is their scale."""
    trace = shown.trace
    attention = trace.layers[layer]
    drawings, files = dict[str, Drawing](), dict[str, bytes]()
    if attention.map is not None:
        files[f"{file}.overlay.png"] = png(overlay(trace, layer, look, compared))
        drawings["map"] = map_drawing(trace, layer, look, compared)
    if attention.channel is not None or attention.paths is not None:
        drawings["channels"] = bars_drawing(
            attention, order, look.dark, wrapped(trace.network, layer, trace.photo.name), bars
        )
    if drawings:
        drawings["steps"] = steps_drawing(trace, layer, look, order, compared)
    drawings |= {
        f"channel-{one.index}": channel_drawing(trace, one, look)
        for one in shown.channels
        if one.layer == layer
    }
    return files | {
        f"{file}.{what}.{suffix}": content
        for what, drawing in drawings.items()
        for suffix, content in drawing.files().items()
    }


def channels_csv(shown: Sequence[Shown]) -> bytes:
    """One row a channel: photo, network, layer, channel, weight. A text that a spreadsheet would run as a
    formula is quoted."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("photo", "network", "layer", "channel", "weight"))
    for each in shown:
        for name in each.layers:
            weights = each.trace.layers[name].channel
            cells = [
                f"'{cell}" if cell[:1] in "=+-@\t\r" else cell
                for cell in (each.trace.photo.name, each.trace.network, name)
            ]
            for index, weight in enumerate([] if weights is None else weights):
                rows.writerow((*cells, index, repr(float(weight)) if np.isfinite(weight) else ""))
    return text.getvalue().encode(errors="backslashreplace")


def arrays(shown: Shown) -> dict[str, np.ndarray]:
    """``logits``; of each layer what it has of ``LAYER.channel``, ``.spatial``, ``.channel_logits`` and so
    on, and ``LAYER.step.NAME``; ``LAYER.channel-N.before`` and ``.after``, a channel's features; and
    ``input`` of a trace of a tensor, which no photo could make again."""
    trace, found = shown.trace, {"logits": shown.trace.logits}
    for name in shown.layers:
        layer = trace.layers[name]
        found.update(
            {
                f"{name}.{part}": values
                for part, values in vars(layer).items()
                if isinstance(values, np.ndarray)
            }
        )
        found.update({f"{name}.step.{step.name}": step.values for step in layer.steps})
    for one in shown.channels:
        found |= {f"{one.name}.before": one.before, f"{one.name}.after": one.after}
    if isinstance(trace.source, Tensor):
        found["input"] = trace.source.float().cpu().numpy()
    return found


def arrays_npz(shown: Shown) -> bytes:
    """``arrays`` as a compressed file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays(shown))  # type: ignore[arg-type]
    return buffer.getvalue()
