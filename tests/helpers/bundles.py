"""What goes into bundles, bundles, and what is in them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import attnviz
from attnviz.drawing.channel import Channel
from attnviz.drawing.look import Look
from attnviz.export.bundle import bundle
from attnviz.export.numbers import arrays_npz
from attnviz.export.selection import Selection
from attnviz.networks.card import card_of

NOISE = np.random.default_rng(0).integers(0, 256, (90, 140, 3), dtype=np.uint8)


def noise_photo(name: str = "noise.png") -> attnviz.Photo:
    return attnviz.Photo(NOISE, name)


def selection_of(
    network: torch.nn.Module, photo: attnviz.Photo | torch.Tensor, view: str = "whole"
) -> Selection:
    """A new trace, all of it."""
    trace = attnviz.trace(network, photo, view)
    return Selection(trace, card_of(network), tuple(trace.layers))


def channel_of(
    network: torch.nn.Module, photo: attnviz.Photo | torch.Tensor, layer: str, index: int, view: str = "whole"
) -> Selection:
    """A new trace, of which one layer is written and the features of one of its channels."""
    features = attnviz.features(network, photo, layer, view)
    channel = Channel(layer, index, features.before[index], features.after[index])
    return replace(selection_of(network, photo, view), layers=(layer,), channels=(channel,))


def bundle_of_numbers(selection: Selection) -> dict[str, bytes]:
    """A bundle with all arrays but without the pictures of layers, which take a while to draw."""
    files = dict(bundle([replace(selection, layers=(), channels=())], Look()))
    (entry,) = json.loads(files["manifest.json"])["traces"]
    entry["channels"] = [
        {"layer": channel.layer, "channel": channel.index, "arrays": channel.name}
        for channel in selection.channels
    ]
    contents = {**json.loads(files["manifest.json"]), "traces": [entry]}
    return {**files, "manifest.json": json.dumps(contents).encode(), "arrays.npz": arrays_npz(selection)}


def write(files: dict[str, bytes], folder: Path) -> Path:
    """The folder with the files of a bundle in it."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def table(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file, by the names of its columns."""
    return list(csv.DictReader(io.StringIO(content.decode())))
