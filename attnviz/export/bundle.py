"""The files of a zip or a folder, of one trace or of several."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..capture.trace import Trace
from ..drawing.look import Look
from ..drawing.pair import Pair, pair_drawing
from ..drawing.png import png
from .manifest import MANIFEST, file_names, manifest
from .numbers import arrays_npz
from .pictures import (
    PictureSettings,
    channel_pictures,
    layer_pictures,
    mechanism_pictures,
    overview_pictures,
)
from .readme import README, readme
from .selection import Selection
from .tables import channels_table, pair_table

SCRIPT = Path(__file__).with_name("reproduce.py")  # written as it is; runs where attnviz is installed

Files = Iterator[tuple[str, bytes]]  # path and content


def bundle(
    selections: Sequence[Selection],
    look: Look,
    order: str = "index",
    overview: bool = False,
    beside: Sequence[Trace] = (),
    pairs: Sequence[Pair] = (),
    side_by_side: bool = False,
    threads: int = 1,
) -> Files:
    """The path and the content of each file, one after another: pictures, arrays and photo of a single trace,
    or of each of several in a folder of its own; then channels.csv, manifest.json and reproduce.py for all.

    Pictures are on a light ground, whatever the look, and drawn in ``threads`` threads. ``overview`` adds all
    layers of a trace on one page. ``beside`` are traces of other bundles that the scale "shown" spans too.
    ``pairs`` are drawn of traces in this bundle. Bars of traces that are looked at ``side_by_side`` span all
    that a factor can be, on any scale. Paths have forward slashes. No file holds metadata of a photo."""
    compared = (*(selection.trace for selection in selections), *beside)
    bars_scale = "fixed" if side_by_side else look.scale
    settings = PictureSettings(replace(look, dark=False), order, bars_scale, compared)
    folders = _folders(selections)
    files = [MANIFEST, README, SCRIPT.name]
    for path, content in _contents(selections, folders, settings, overview, pairs, threads):
        files.append(path)
        yield path, content
    contents = manifest(selections, folders, settings.described(), sorted(files), beside, pairs)
    text = json.dumps(contents, indent=1, ensure_ascii=False)
    yield MANIFEST, text.encode(errors="backslashreplace")
    yield SCRIPT.name, SCRIPT.read_bytes()
    looked_at = ", ".join(f"{one.trace.photo.name} in {one.trace.network}" for one in selections)
    yield README, readme(looked_at, files).encode(errors="backslashreplace")


def file_count(selections: Sequence[Selection], overview: bool = False, pairs: Sequence[Pair] = ()) -> int:
    """How many files a bundle has."""
    of_traces = sum(_trace_file_count(selection, overview) for selection in selections)
    return of_traces + 3 * len(pairs) + 4  # channels.csv, the manifest, the script, README.txt


def _trace_file_count(selection: Selection, overview: bool) -> int:
    layers = selection.trace.layers
    count = 2 + len(selection.others) + 2 * bool(overview and layers)  # arrays.npz, photo.png
    for name in selection.pictured():
        layer = layers[name]
        has_weights = layer.channel is not None or layer.paths is not None
        has_map = layer.map is not None
        count += 2 + 3 * has_map + 2 * has_weights + 2 * (has_map or has_weights)  # the diagram is of all
        count += 2 * sum(channel.layer == name for channel in selection.channels)
    return count


def _contents(
    selections: Sequence[Selection],
    folders: Sequence[str],
    settings: PictureSettings,
    overview: bool,
    pairs: Sequence[Pair],
    threads: int,
) -> Files:
    """What a manifest is written of."""
    with ThreadPoolExecutor(threads, "attnviz-draws") as pool:
        for selection, folder in zip(selections, folders):
            for path, content in _trace_files(selection, settings, overview, pool):
                yield folder + path, content
    yield from _pair_files(pairs)
    layers = [(selection.trace, selection.layers) for selection in selections]
    yield "channels.csv", channels_table(layers)


def _folders(selections: Sequence[Selection]) -> list[str]:
    """A folder for each trace, with a slash at its end; none for a single trace."""
    if len(selections) == 1:
        return [""]
    traces = [selection.trace for selection in selections]
    names = file_names([f"{Path(trace.photo.name).stem}-{trace.network}" for trace in traces])
    return [f"{name}/" for name in names]


def _trace_files(selection: Selection, settings: PictureSettings, overview: bool, pool: Executor) -> Files:
    """The files of one trace. Pictures are drawn and packed in the pool, since packing holds no other thread
    up."""
    trace = selection.trace
    parts = []
    if overview and trace.layers:
        parts.append(partial(overview_pictures, trace, settings))
    for layer, stem in zip(selection.layers, file_names(selection.layers)):
        if layer in selection.pictured():
            parts.append(partial(_layer_files, selection, layer, stem, settings))
    for files in pool.map(lambda part: part(), parts):
        yield from files.items()
    yield "arrays.npz", arrays_npz(selection)
    yield "photo.png", png(trace.photo.image())
    for file, photo in selection.others.items():
        yield file, png(photo.image())


def _layer_files(selection: Selection, layer: str, stem: str, settings: PictureSettings) -> dict[str, bytes]:
    """The pictures of one layer and of its channels; their names begin with ``stem``."""
    channels = [channel for channel in selection.channels if channel.layer == layer]
    files = {
        **layer_pictures(selection.trace, layer, settings, channels[0].index if channels else None),
        **mechanism_pictures(selection.trace, layer, settings, channels),
        **channel_pictures(selection.trace, channels, settings),
    }
    return {f"{stem}.{suffix}": content for suffix, content in files.items()}


def _pair_files(pairs: Sequence[Pair]) -> Files:
    for stem, pair in zip(file_names(["pair"] * len(pairs)), pairs):
        for suffix, content in pair_drawing(pair).files().items():
            yield f"{stem}.{suffix}", content
        yield f"{stem}.csv", pair_table(pair)
