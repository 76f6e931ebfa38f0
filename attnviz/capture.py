"""Run a network once and keep every gate. The only file that registers hooks.

Hooks are on the modules of a network that others may be using: they are there only during the call, under a lock of that
network's own, keep only what the calling thread computes, and go on every exit. What leaves is a copy.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from .errors import AttnvizError, TraceError
from .geometry import VIEWS, Recipe, Region, map_box, network_input, photo_of
from .images import Photo, open_photo
from .networks.card import Card, card_of
from .taps import Tap, find_taps

Prepared: TypeAlias = tuple[Photo | Tensor, Region, Tensor]   # what was given, the region that is seen, the input (3, H, W)
PhotoSource: TypeAlias = str | os.PathLike | Photo | Image.Image | np.ndarray | Tensor


OVER_POSITIONS = {"spatial", "joint"}   # the roles whose outputs have the features' height and width


@dataclass(frozen=True, eq=False)
class LayerAttention:
    """What one attention module computed for one photo. C channels, a feature map of h × w positions.

    For SE and CBAM ``channel`` is the factor on each channel and ``spatial``, where there is one, the factor at each position,
    both in [0, 1]. BAM has one joint factor 1 + sigmoid(channel_logits + spatial_logits), in [1, 2], that is no product:
    ``channel`` and ``spatial`` are its means over the positions and over the channels, and the two signed branches are kept.
    """

    name: str
    kind: str                            # "se" | "cbam" | "bam"
    shape: tuple[int, int, int]          # (C, h, w) of the features that are multiplied
    channel: np.ndarray | None           # (C,) float32
    spatial: np.ndarray | None           # (h, w) float32
    channel_logits: np.ndarray | None    # (C,) float32, BAM only
    spatial_logits: np.ndarray | None    # (h, w) float32, BAM only

    def factor(self) -> np.ndarray:
        """All that the features were multiplied by: float32 (C, h, w)."""
        if self.channel_logits is not None and self.spatial_logits is not None:
            logits = torch.from_numpy(self.channel_logits[:, None, None] + self.spatial_logits)
            return (1 + torch.sigmoid(logits)).numpy()
        factor = np.ones(self.shape, np.float32)
        if self.channel is not None:
            factor *= self.channel[:, None, None]
        if self.spatial is not None:
            factor *= self.spatial
        return factor


@dataclass(frozen=True, eq=False)
class Trace:
    """One photo's way through one network: what it said, and every gate on the way."""

    network: str
    source: Photo | Tensor               # what was given: a Photo, or the normalised (3, H, W) input itself
    recipe: Recipe
    region: Region                       # the part of the photo that the network saw
    logits: np.ndarray                   # (K,) float32
    labels: tuple[str, ...]              # K class names; "class 0" and so on if they are not known
    layers: dict[str, LayerAttention]    # in running order

    @cached_property
    def photo(self) -> Photo:
        """The photo to draw on; of a tensor that was given, the picture it was normalised from, rounded to 8 bits."""
        return photo_of(self.source, self.recipe, "tensor") if isinstance(self.source, Tensor) else self.source

    def top(self, count: int = 5) -> list[tuple[str, float]]:
        """The ``count`` most probable classes with their softmax probabilities, the most probable first."""
        probabilities = torch.softmax(torch.from_numpy(self.logits).double(), 0)
        best = probabilities.topk(min(count, len(probabilities)))
        return [(self.labels[index], value) for value, index in zip(best.values.tolist(), best.indices.tolist())]

    def box(self, layer: str) -> tuple[float, float, float, float]:
        """Where this layer's map lies on the photo: (left, top, right, bottom) in pixels, see ``geometry.map_box``."""
        return map_box(self.region, self.layers[layer].shape[1:])


def trace(network: nn.Module, photo: PhotoSource, view: str = "whole") -> Trace:
    """Run one photo through a network and keep every gate.

    ``photo`` is a path, a Photo, a Pillow image, an (H, W, 3) uint8 array, or a normalised tensor (3, H, W), which goes in as it
    is. ``view`` is "whole", all of the photo with its shorter side scaled to the recipe's resize, or "crop", the centre square
    that the network was measured with. The network runs in eval mode and comes back as it was.
    Raises PhotoError for a photo that can't be opened, TraceError for a network without attention or with a silent gate.
    """
    return next(traces(network, (photo,), batch_size=1, view=view))


def traces(
    network: nn.Module, photos: Iterable[PhotoSource] | Tensor, batch_size: int = 16, view: str = "whole"
) -> Iterator[Trace]:
    """A trace of each photo, in order; ``photos`` can be of any number and size, or a normalised tensor (N, 3, H, W).

    At most ``batch_size`` photos are in memory at a time; those of them that make inputs of one size run together. Raises as
    ``trace`` does; the traces of the photos before a bad one come first.
    """
    if isinstance(photos, str | os.PathLike | Photo | Image.Image):
        raise TypeError("photos is one photo: traces takes many, in a list or the like; trace takes one")
    if view not in VIEWS:
        raise ValueError(f"view is {view!r}; it can be {' or '.join(map(repr, VIEWS))}")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it is at least 1")
    modules = dict(network.named_modules())
    taps = find_taps(modules)
    card = card_of(network)
    if not taps and not card.architecture:
        raise TraceError(
            f"There is no attention in this {type(network).__name__} that attnviz knows: "
            "no module in it declares attention_taps, as attnviz's SqueezeExcite, CBAM and BAM do."
        )
    return _batches(network, list(modules.values()), taps, card, iter(photos), batch_size, view)


def _batches(
    network: nn.Module, modules: list[nn.Module], taps: list[Tap], card: Card, photos: Iterator[PhotoSource], batch_size: int, view: str
) -> Iterator[Trace]:
    bad: AttnvizError | None = None
    while bad is None:
        window, bad = _window(islice(photos, batch_size), card, view)
        if not window:
            break
        done: dict[int, Trace] = {}
        for size in dict.fromkeys(region.size for _, region, _ in window):
            members = [index for index, (_, region, _) in enumerate(window) if region.size == size]
            inputs = [window[index][2] for index in members]
            x = torch.stack(inputs) if len(inputs) > 1 else inputs[0][None]   # a single one need not be copied
            with _alone(network, modules):
                logits, layers = _run(network, taps, x)
            for row, index in enumerate(members):
                source, region, _ = window[index]
                labels = card.labels if len(card.labels) == logits.shape[1] else tuple(f"class {k}" for k in range(logits.shape[1]))
                attention = {layer.name: layer for layer in (read(row) for read in layers)}
                done[index] = Trace(card.name, source, card.recipe, region, logits[row].copy(), labels, attention)
        yield from (done[index] for index in range(len(window)))
    if bad is not None:
        raise bad


def _window(photos: Iterator[PhotoSource], card: Card, view: str) -> tuple[list[Prepared], AttnvizError | None]:
    """The photos up to the first bad one, and what is wrong with that one."""
    window = []
    for source in photos:
        try:
            window.append(_prepared(source, card, view))
        except AttnvizError as error:
            return window, error
    return window, None


def _prepared(source: PhotoSource, card: Card, view: str) -> Prepared:
    if isinstance(source, Tensor):
        if source.ndim != 3 or source.shape[0] != 3 or not source.numel() or not source.is_floating_point():
            raise TraceError(f"The tensor is {tuple(source.shape)} {source.dtype}: a photo is (3, height, width), normalised floats.")
        height, width = source.shape[1:]
        return source.detach().clone(), Region((0.0, 0.0, float(width), float(height)), (height, width)), source
    photo = source if isinstance(source, Photo) else open_photo(source)
    region = VIEWS[view](photo, card.recipe)
    return photo, region, network_input(photo, region, card.recipe)


def _run(network: nn.Module, taps: list[Tap], x: Tensor) -> tuple[np.ndarray, list[Callable[[int], LayerAttention]]]:
    parameter = next(network.parameters(), None)
    if parameter is not None:
        x = x.to(parameter.device, parameter.dtype)
    kept: dict[Tap, dict[str, np.ndarray]] = {}   # in running order
    grids: dict[Tap, torch.Size] = {}   # (h, w) of the features
    caller = threading.get_ident()

    def keep(tap: Tap, role: str) -> Callable[[nn.Module, tuple, Tensor], None]:
        def hook(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
            if threading.get_ident() != caller:
                return
            if role in kept.setdefault(tap, {}):
                raise TraceError(f"The {role} gate of {tap.layer} ran twice in one pass: a shared module can't be told apart.")
            kept[tap].update(_copied(role, output))
            if role in OVER_POSITIONS:
                grids[tap] = output.shape[2:]

        return hook

    def measure(tap: Tap) -> Callable[[nn.Module, tuple, Tensor], None]:
        def hook(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
            if threading.get_ident() == caller:
                grids[tap] = output.shape[2:]

        return hook

    with ExitStack() as undo:
        for tap in taps:
            for role, child in tap.children.items():
                undo.callback(child.register_forward_hook(keep(tap, role)).remove)
            if not OVER_POSITIONS & tap.children.keys():
                undo.callback(tap.module.register_forward_hook(measure(tap)).remove)
        with torch.inference_mode():
            logits = network(x)
    for tap in taps:
        silent = [role for role in tap.children if role not in kept.get(tap, {})]
        if silent:
            raise TraceError(f"The {' and '.join(silent)} gate of {tap.layer} did not run in the forward pass.")
    return logits.float().cpu().numpy().copy(), [_reader(tap, gates, grids[tap]) for tap, gates in kept.items()]


def _copied(role: str, output: Tensor) -> dict[str, np.ndarray]:
    """What is kept of a gate's output: its own small copy, or for a joint gate the means of the factor."""
    if role == "joint":   # (N, C, h, w); the branches' logits make it again, see LayerAttention.factor
        gate = output.float()
        means = {"joint": gate.new_empty(0), "channel": 1 + gate.mean((2, 3)), "spatial": 1 + gate.mean(1)}
    else:
        means = {role: output.flatten(1) if role.startswith("channel") else output.squeeze(1)}
    return {name: value.float().cpu().numpy().copy() for name, value in means.items()}


def _reader(tap: Tap, kept: dict[str, np.ndarray], grid: torch.Size) -> Callable[[int], LayerAttention]:
    def read(row: int) -> LayerAttention:
        def part(name: str) -> np.ndarray | None:
            return kept[name][row].copy() if name in kept else None

        return LayerAttention(
            tap.layer, tap.kind, (kept["channel"].shape[1], grid[0], grid[1]),
            part("channel"), part("spatial"), part("channel_logits"), part("spatial_logits"),
        )

    return read


_locks: weakref.WeakKeyDictionary[nn.Module, threading.RLock] = weakref.WeakKeyDictionary()
_locks_guard = threading.Lock()


@contextmanager
def _alone(network: nn.Module, modules: list[nn.Module]) -> Iterator[None]:
    """Hold this network alone and in eval mode; give every module its own mode back."""
    with _locks_guard:
        lock = _locks.setdefault(network, threading.RLock())
    with lock:
        training = [module for module in modules if module.training]
        try:
            for module in training:
                module.training = False
            yield
        finally:
            for module in training:
                module.training = True
