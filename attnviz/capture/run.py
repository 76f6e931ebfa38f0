"""Runs a network once and keeps every gate (``trace``, ``traces``) or the features around one (``features``);
or tells what will be read (``find``)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..errors import TraceError
from ..networks.card import Card, card_of
from ..photos.geometry import VIEWS
from ..photos.photo import Photo
from .call import CallResult
from .exclusive import exclusive_eval
from .hooks import Listener, features_around
from .inputs import (
    PhotoSource,
    PreparedInput,
    as_parameters,
    input_channels,
    noise_input,
    prepare,
    windows,
)
from .outputs import labels_of, layers_of, logits_of
from .plan import planned_taps, taps_of, unwrapped
from .taps import Tap
from .trace import Features, Found, Trace


def trace(network: nn.Module, photo: PhotoSource, view: str = "whole", steps: bool = True) -> Trace:
    """Run one photo through any network and keep every gate.

    ``photo`` is a path, a Photo, a Pillow image, an (H, W, 3) uint8 array, or a normalised tensor (C, H, W)
    or (1, C, H, W), which goes in as it is. ``view`` is "whole", all of the photo with its shorter side
    scaled to the recipe's resize, or "crop", the centre square that the network was measured with; a network
    that takes only certain sizes gets the crop either way. The network runs in eval mode and comes back as it
    was; a compiled or distributed one is run as the network inside. ``steps`` keeps what the modules compute
    on the way to their gates too, where it is known where to read it. Raises PhotoError for a photo that
    can't be opened, TraceError for a network without attention or with a silent gate."""
    return next(traces(network, (_single(photo),), batch_size=1, view=view, steps=steps))


def traces(
    network: nn.Module,
    photos: Iterable[PhotoSource] | Tensor,
    batch_size: int = 16,
    view: str = "whole",
    steps: bool = False,
) -> Iterator[Trace]:
    """A trace of each photo, in order; ``photos`` can be of any number and size, or a normalised tensor (N,
    3, H, W).

    ``batch_size`` photos at a time are taken, those of them that make inputs of one size run together, and
    meanwhile the next are made ready: that many twice are in memory. Raises as ``trace`` does; the traces of
    the photos before a bad one come first."""
    if isinstance(photos, str | os.PathLike | Photo | Image.Image):
        raise TypeError("photos is one photo: traces takes many, in a list or the like; trace takes one")
    if view not in VIEWS:
        raise ValueError(f"view is {view!r}; it can be {' or '.join(map(repr, VIEWS))}")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it is at least 1")
    return _traces(unwrapped(network), iter(photos), batch_size, view, steps)


def features(network: nn.Module, photo: PhotoSource, layer: str, view: str = "whole") -> Features:
    """Run one photo through a network and keep the features before and after one layer's attention, all
    channels of them.

    The rest is as in ``trace``. Raises TraceError too if there is no such layer, or if it does not multiply
    its features."""
    return features_of_layers(network, photo, (layer,), view)[layer]


def features_of_layers(
    network: nn.Module, photo: PhotoSource, layers: Sequence[str], view: str = "whole"
) -> dict[str, Features]:
    """Features before and after attention for several layers, by name, from one forward pass; the rest is as
    in ``features``."""
    network = unwrapped(network)
    modules = dict(network.named_modules())
    x = prepare(_single(photo), card_of(network), view, input_channels(modules)).x
    x = as_parameters(network, x[None])
    with exclusive_eval(network, list(modules.values())), torch.inference_mode(), ExitStack() as listening:
        taps = {tap.layer: tap for tap in taps_of(network, modules, x)}
        names = {layer: _module_and_call(layer, taps, card_of(network)) for layer in layers}
        pairs = {
            name: listening.enter_context(features_around(taps[name]))
            for name in dict.fromkeys(name for name, _ in names.values())
        }
        network(x)
    return {layer: _features(layer, *pairs[name][call]) for layer, (name, call) in names.items()}


def _module_and_call(layer: str, taps: dict[str, Tap], card: Card) -> tuple[str, int]:
    """A layer's name without its number, and which call of its module it is, from 0; see ``layers_of``.
    Raises TraceError if it is no layer with features around a factor."""
    name, _, number = layer.partition(" #")
    if name not in taps:
        raise TraceError("layer_unknown", layer=layer, name=card.name)
    if taps[name].formula == "none":
        raise TraceError("layer_without_factor", layer=layer)
    return name, int(number or 1) - 1


def _features(layer: str, before: Tensor, after: Tensor) -> Features:
    """Of the first input of a batch."""
    return Features(layer, *(side[0].float().cpu().numpy().copy() for side in (before, after)))


def find(network: nn.Module, x: Tensor | None = None) -> list[Found]:
    """What will be read of a network, in running order: a row a layer; empty if it has no attention.

    Runs the network once in eval mode on ``x`` (N, C, H, W), or on noise of the size that its card says, else
    of 224 × 224 pixels."""
    network = unwrapped(network)
    modules = dict(network.named_modules())
    x = as_parameters(network, noise_input(card_of(network), modules) if x is None else x)
    with exclusive_eval(network, list(modules.values())):
        _, results = _run(network, planned_taps(network, modules, x), x)
    layers = layers_of(results, 0).values()
    return [
        Found(
            layer.name,
            layer.kind,
            result.tap.how,
            type(result.tap.module).__name__,
            layer.shape,
            layer.channel.shape if layer.channel is not None else None,
            layer.spatial.shape if layer.spatial is not None else None,
        )
        for result, layer in zip(results, layers)
    ]


def _single(photo: PhotoSource) -> PhotoSource:
    """A batch of one tensor as that tensor."""
    return photo[0] if isinstance(photo, Tensor) and photo.ndim == 4 and len(photo) == 1 else photo


def _traces(
    network: nn.Module, photos: Iterator[PhotoSource], batch_size: int, view: str, steps: bool
) -> Iterator[Trace]:
    modules = dict(network.named_modules())
    card, everything = card_of(network), list(modules.values())
    taps: list[Tap] | None = None
    prepared = partial(prepare, card=card, view=view, channels=input_channels(modules))
    for window in windows(photos, batch_size, prepared):
        done: dict[int, Trace] = {}
        for places in _of_one_size(window.inputs):
            batch = [window.inputs[place] for place in places]
            x = as_parameters(network, _stacked([each.x for each in batch]))
            with exclusive_eval(network, everything):
                if taps is None:
                    taps = taps_of(network, modules, x)
                logits, results = _run(network, taps, x, steps)
            done |= zip(places, _batch_traces(card, batch, logits, results))
        yield from (done[place] for place in range(len(window.inputs)))
        if window.error is not None:
            raise window.error


def _of_one_size(inputs: list[PreparedInput]) -> list[list[int]]:
    """The places of the inputs in groups that can run together."""
    groups: dict[torch.Size, list[int]] = {}
    for place, prepared in enumerate(inputs):
        groups.setdefault(prepared.x.shape, []).append(place)
    return list(groups.values())


def _stacked(inputs: list[Tensor]) -> Tensor:
    """(N, C, H, W); a single input is not copied."""
    return torch.stack(inputs) if len(inputs) > 1 else inputs[0][None]


def _batch_traces(
    card: Card, batch: list[PreparedInput], logits: np.ndarray, results: list[CallResult]
) -> list[Trace]:
    labels = labels_of(card, logits)
    return [
        Trace(
            card.name,
            prepared.source,
            card.recipe,
            prepared.region,
            logits[row].copy(),
            labels,
            layers_of(results, row),
        )
        for row, prepared in enumerate(batch)
    ]


def _run(
    network: nn.Module, taps: list[Tap], x: Tensor, steps: bool = False
) -> tuple[np.ndarray, list[CallResult]]:
    """The class scores (N, K) of one pass, and what was heard."""
    listener = Listener(taps, steps)
    with torch.inference_mode(), listener.listening():
        output = network(x)
    return logits_of(output, len(x)), listener.take()
