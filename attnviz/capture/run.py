"""Run a network once and keep every gate: the trace. Also what will be read (``find``), and listening while
others run (``record``)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..errors import AttnvizError, TraceError
from ..naming import free_name
from ..networks.card import Card, card_of
from ..photos.geometry import VIEWS, Region, crop, network_input
from ..photos.photo import Photo, open_photo
from .hooks import Heard, Listener
from .hooks import features as features_at
from .layer_attention import LayerAttention
from .plan import _planned, alone, bare, taps_of
from .taps import Tap
from .trace import Features, Found, Trace

Prepared: TypeAlias = tuple[
    Photo | Tensor, Region, Tensor
]  # what was given, the region that is seen, the input (3, H, W)
Window: TypeAlias = tuple[
    list[Prepared], AttnvizError | None
]  # photos up to the first bad one, and what is wrong with that one
PhotoSource: TypeAlias = str | os.PathLike | Photo | Image.Image | np.ndarray | Tensor


def trace(network: nn.Module, photo: PhotoSource, view: str = "whole", steps: bool = True) -> Trace:
    """Run one photo through any network and keep every gate.

    ``photo`` is a path, a Photo, a Pillow image, an (H, W, 3) uint8 array, or a normalised tensor (C, H, W)
    or (1, C, H, W), which goes in as it is. ``view`` is "whole", all of the photo with its shorter side
    scaled to the recipe's resize, or "crop", the centre square that the network was measured with; a network
    that takes only certain sizes gets the crop either way. The network runs in eval mode and comes back as it
    was; a compiled or distributed one is run as the network inside. ``steps`` keeps what the modules compute
    on the way to their gates too, where it is known where to read it. Raises PhotoError for a photo that
    can't be opened, TraceError for a network without attention or with a silent gate."""
    if isinstance(photo, Tensor) and photo.ndim == 4 and len(photo) == 1:
        photo = photo[0]
    return next(traces(network, (photo,), batch_size=1, view=view, steps=steps))


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
    return _batches(bare(network), iter(photos), batch_size, view, steps)


def features(network: nn.Module, photo: PhotoSource, layer: str, view: str = "whole") -> Features:
    """Run one photo through a network and keep the features before and after one layer's attention, all
    channels of them.

    The rest is as in ``trace``. Raises TraceError too if there is no such layer, or if it does not multiply
    its features."""
    return features_of(network, photo, (layer,), view)[layer]


def features_of(
    network: nn.Module, photo: PhotoSource, layers: Sequence[str], view: str = "whole"
) -> dict[str, Features]:
    """The same of several layers, in one forward pass."""
    network = bare(network)
    modules = dict(network.named_modules())
    if isinstance(photo, Tensor) and photo.ndim == 4 and len(photo) == 1:
        photo = photo[0]
    _, _, x = _prepared(photo, card_of(network), view, _channels(modules))
    x = _as_run(network, x[None])
    named = {layer: layer.partition(" #") for layer in layers}  # see layers_of
    with alone(network, list(modules.values())), torch.inference_mode(), ExitStack() as undo:
        taps = {tap.layer: tap for tap in taps_of(network, modules, x)}
        for layer, (name, _, _) in named.items():
            if name not in taps:
                raise TraceError(f"There is no layer “{layer}” with attention in {card_of(network).name}.")
            if taps[name].formula == "none":
                raise TraceError(
                    f"{layer} does not multiply its features by a factor: there is no before and after."
                )
        kept = {
            name: undo.enter_context(features_at(taps[name]))
            for name in dict.fromkeys(name for name, _, _ in named.values())
        }
        network(x)
    return {
        layer: Features(
            layer, *(values[0].float().cpu().numpy().copy() for values in kept[name][int(number or 1) - 1])
        )
        for layer, (name, _, number) in named.items()
    }


def _channels(modules: Mapping[str, nn.Module]) -> int | None:
    """How many channels a network takes."""
    return next((module.in_channels for module in modules.values() if isinstance(module, nn.Conv2d)), None)


def find(network: nn.Module, x: Tensor | None = None) -> list[Found]:
    """What will be read of a network, in running order: a row a layer; empty if it has no attention.

    Runs the network once in eval mode on ``x`` (N, C, H, W), or on noise of the size that its card says, else
    of 224 × 224 pixels."""
    network = bare(network)
    modules = dict(network.named_modules())
    card = card_of(network)
    if x is None:
        channels = _channels(modules) or 3
        x = torch.randn(
            1, channels, card.recipe.crop, card.recipe.crop, generator=torch.Generator().manual_seed(0)
        )
    x = _as_run(network, x)
    with alone(network, list(modules.values())):
        _, heard = _run(network, _planned(network, modules, x), x)
    return [
        Found(
            name,
            layer.kind,
            one.tap.how,
            type(one.tap.module).__name__,
            layer.shape,
            layer.channel.shape if layer.channel is not None else None,
            layer.spatial.shape if layer.spatial is not None else None,
        )
        for one, (name, layer) in zip(heard, layers_of(heard, 0).items())
    ]


def _batches(
    network: nn.Module, photos: Iterator[PhotoSource], batch_size: int, view: str, steps: bool
) -> Iterator[Trace]:
    modules = dict(network.named_modules())
    card, everything = card_of(network), list(modules.values())
    taps: list[Tap] | None = None
    channels = _channels(modules)
    bad: AttnvizError | None = None
    for window, bad in _windows(
        photos, batch_size, partial(_window, card=card, view=view, channels=channels)
    ):
        done: dict[int, Trace] = {}
        for size in dict.fromkeys(x.shape for _, _, x in window):
            members = [index for index, (_, _, x) in enumerate(window) if x.shape == size]
            inputs = [window[index][2] for index in members]
            x = torch.stack(inputs) if len(inputs) > 1 else inputs[0][None]  # a single one need not be copied
            x = _as_run(network, x)
            with alone(network, everything):
                if taps is None:
                    taps = taps_of(network, modules, x)
                logits, heard = _run(network, taps, x, steps)
            for row, index in enumerate(members):
                source, region, _ = window[index]
                labels, layers = labels_of(card, logits), layers_of(heard, row)
                done[index] = Trace(
                    card.name, source, card.recipe, region, logits[row].copy(), labels, layers
                )
        yield from (done[index] for index in range(len(window)))
        if bad is not None:
            raise bad


def labels_of(card: Card, logits: np.ndarray) -> tuple[str, ...]:
    """A card's labels if they fit the scores (N, K), else "class 0" and so on."""
    return (
        card.labels
        if len(card.labels) == logits.shape[1]
        else tuple(f"class {k}" for k in range(logits.shape[1]))
    )


def _windows(
    photos: Iterator[PhotoSource], batch_size: int, prepared: Callable[[Iterable[PhotoSource]], Window]
) -> Iterator[Window]:
    """The photos in windows of ``batch_size``, made ready; while one of several photos is used, the next is
    made ready beside it. The last has something that is wrong, or else there were no more."""
    if batch_size == 1:  # one that waits for each trace before it gives another photo is not asked ahead
        window, bad = prepared(islice(photos, 1))
        while window or bad is not None:
            yield window, bad
            window, bad = prepared(islice(photos, 1))
        return
    with ThreadPoolExecutor(1, "attnviz-photos") as beside:

        def ahead() -> Future[Window]:
            try:
                return beside.submit(prepared, list(islice(photos, batch_size)))
            except Exception as error:  # of who gives the photos: those before come first
                failed: Future[Window] = Future()
                failed.set_exception(error)
                return failed

        coming = ahead()
        while True:
            window, bad = coming.result()
            if not window and bad is None:
                return
            if bad is None:
                coming = ahead()
            yield window, bad


def _window(photos: Iterable[PhotoSource], card: Card, view: str, channels: int | None) -> Window:
    window = []
    for source in photos:
        try:
            window.append(_prepared(source, card, view, channels))
        except AttnvizError as error:
            return window, error
    return window, None


def _prepared(source: PhotoSource, card: Card, view: str, channels: int | None) -> Prepared:
    if isinstance(source, Tensor):
        if (
            source.ndim != 3
            or channels not in (None, source.shape[0])
            or not source.numel()
            or not source.is_floating_point()
        ):
            raise TraceError(
                f"The tensor is {tuple(source.shape)} {source.dtype}: a photo is ({channels or 3}, height, "
                "width), normalised floats."
            )
        height, width = source.shape[1:]
        if not _fits((height, width), card):
            least, greatest = card.sides or (0, 0)
            raise TraceError(
                f"The tensor is {height} × {width}: {card.name} takes sides of {least} to {greatest} pixels."
            )
        return (
            source.detach().clone(),
            Region((0.0, 0.0, float(width), float(height)), (height, width)),
            source,
        )
    photo = source if isinstance(source, Photo) else open_photo(source)
    region = VIEWS[view](photo, card.recipe)
    if not _fits(region.size, card):
        region = crop(photo, card.recipe)
    return photo, region, network_input(photo, region, card.recipe)


def _fits(size: tuple[int, int], card: Card) -> bool:
    """Whether a network takes inputs of this size: some pool over a fixed number of cells."""
    return card.sides is None or all(card.sides[0] <= side <= card.sides[1] for side in size)


def _run(
    network: nn.Module, taps: list[Tap], x: Tensor, steps: bool = False
) -> tuple[np.ndarray, list[Heard]]:
    listener = Listener(taps, steps)
    with torch.inference_mode(), listener.listening():
        output = network(x)
    return logits_of(output, len(x)), listener.take()


def logits_of(output: Any, count: int) -> np.ndarray:
    """The class scores in what a network gave back, (N, K) float32; (N, 0) if it gave back something else."""
    values = [
        output,
        *(
            output.values()
            if isinstance(output, Mapping)
            else output
            if isinstance(output, tuple | list)
            else ()
        ),
    ]
    for value in values:
        if (
            isinstance(value, Tensor)
            and value.is_floating_point()
            and len(value) == count
            and value.numel() == count * value.shape[1]
        ):
            return value.detach().flatten(1).float().cpu().numpy().copy()
    return np.zeros((count, 0), np.float32)


def layers_of(heard: list[Heard], row: int) -> dict[str, LayerAttention]:
    """The layers of one input; those of a module that ran more than once are told apart by a number."""
    layers: dict[str, LayerAttention] = {}
    for one in heard:
        name = free_name(one.tap.layer, layers, "{name} #{number}")
        layers[name] = one.layer(name, row)
    return layers


def _as_run(network: nn.Module, x: Tensor) -> Tensor:
    parameter = next(network.parameters(), None)
    return x if parameter is None else x.to(parameter.device, parameter.dtype)
