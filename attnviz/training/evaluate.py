"""Accuracy of trained networks, and how their gates are.

The networks run exactly as the page runs them: top-1 accuracy over all photos, and over 200 of them, spread
evenly over the classes, the gates of every layer, see ``gates.LayerGates``; on photos of other things, how
well they are told from those of the classes, see ``strangers``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from ..capture.run import traces
from ..capture.trace import Trace
from ..networks.card import card_of
from ..photos.geometry import network_input
from .dataset import list_photos_of
from .gates import GateMeter, LayerGates
from .goals import Goal, goals
from .grad_cam import grad_cam
from .strangers import Trial, list_strangers, trials

WATCHED = 200  # photos over which gates are measured
AT_ONCE = 32  # photos in a forward pass


@dataclass(frozen=True)
class Measurement:
    """What was measured of one network."""

    top1: float  # share of the photos
    photos: int
    watched: int  # of the photos, those over which the gates were measured
    layers: list[LayerGates]
    trials: list[Trial] = field(default_factory=list)  # of scores that tell strangers; none without any

    @property
    def goals(self) -> list[Goal]:
        """What its gates have to reach, and whether they do."""
        return goals(self.layers)


def measure(
    network: nn.Module,
    folder: Path,
    view: str = "crop",
    strangers: Path | None = None,
    kin: Path | None = None,
) -> Measurement:
    """Top-1 over all photos of a folder of class folders, and the gates over 200 of them; with a folder of
    ``strangers`` also how well these are told, see ``list_strangers`` for it and ``kin``.

    The folders' names in sorted order are the network's classes in theirs. Raises AttnvizError if there are
    not as many."""
    photos = list_photos_of(folder, card_of(network))
    others = list_strangers(strangers, photos.classes, kin) if strangers else []
    count = len(photos.files)
    watched = sorted(set(torch.linspace(0, count - 1, min(WATCHED, count)).round().int().tolist()))
    with tqdm(desc=card_of(network).name, total=count + len(others), mininterval=5) as progress:
        run = _Runs(network, view, progress)
        logits, layers = run.own(photos.files, watched)
        their_logits = run.logits(others)
    right = int((logits.argmax(1) == photos.targets).sum())
    found = trials(logits, np.stack(their_logits), strangers.resolve().name) if strangers else []
    return Measurement(right / count, count, len(watched), layers, found)


@dataclass(frozen=True)
class _Runs:
    """Photos through a network, as the page runs them, with progress."""

    network: nn.Module
    view: str
    progress: tqdm

    def own(self, files: list[Path], watched: list[int]) -> tuple[np.ndarray, list[LayerGates]]:
        """The logits of photos (N, classes), and how the gates are over those of the numbers ``watched``."""
        meter, logits = GateMeter(), {}
        for number, trace in zip(watched, self._traces([files[number] for number in watched], steps=True)):
            logits[number] = trace.logits
            meter.add(trace, _activation(self.network, trace))
        rest = sorted(set(range(len(files))) - set(watched))
        logits |= dict(zip(rest, self.logits([files[number] for number in rest])))
        return np.stack([logits[number] for number in range(len(files))]), meter.measured()

    def logits(self, files: Iterable[Path]) -> list[np.ndarray]:
        """The logits of each photo."""
        return [trace.logits for trace in self._traces(files, steps=False)]  # without steps it is faster

    def _traces(self, files: Iterable[Path], steps: bool) -> Iterator[Trace]:
        for trace in traces(self.network, files, AT_ONCE, self.view, steps):
            self.progress.update()
            yield trace


def _activation(network: nn.Module, trace: Trace) -> np.ndarray | None:
    """The class activation map of what the network says of the photo, if the trace has maps to hold against
    it."""
    if all(layer.map is None for layer in trace.layers.values()):
        return None
    x = network_input(trace.photo, trace.region, trace.recipe)
    return grad_cam(network, x, int(trace.logits.argmax()))
