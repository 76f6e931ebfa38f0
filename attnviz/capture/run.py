"""Runs a network once and keeps every gate (``trace``, ``traces``) or the features around one (``features``);
or tells what will be read (``find``)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from PIL import Image
from torch import Tensor, nn

from ..errors import TraceError
from ..networks.card import Card, card_of
from ..photos.geometry import VIEWS
from ..photos.photo import Photo
from .arguments import Arguments
from .batches import of_one_size, read_batch
from .changer import Changer, placed
from .changes import Changes
from .exclusive import exclusive_eval
from .hooks import features_around
from .input_form import InputForm, input_form
from .inputs import PhotoSource, PreparedInput, as_parameters, prepare, windows
from .items import iter_items, photos_in, single_photo
from .noise import noise_for, takes_more
from .outputs import doubt_of, labels_of, scores_in
from .plan import check_there_is_attention, has_card, plan_for, unwrapped
from .reading import Heard, quietly, read
from .scores import Scores
from .taps import Tap
from .trace import Features, Found, Trace


def trace(network: nn.Module, photo: PhotoSource, view: str = "whole", steps: bool = True) -> Trace:
    """Run one photo through any network and keep every gate.

    ``photo`` is a path, a Photo, a Pillow image, an (H, W, 3) uint8 array, or a normalised tensor (C, H, W)
    or (1, C, H, W), which goes in as it is (of volumes and signals (C, D, H, W) and (C, L)); or an item of a
    dataset, whose first part is one of these. ``view`` is "whole", all of the photo with its shorter side
    scaled to the recipe's resize, or "crop", the centre square that the network was measured with; a network
    that takes only certain sizes gets the crop either way. The network runs in eval mode and comes back as it
    was; a compiled or distributed one is run as the network inside. ``steps`` keeps what the modules compute
    on the way to their gates too, where it is known where to read it. Raises PhotoError for a photo that
    can't be opened, TraceError for a network without attention or with a silent gate."""
    return next(_checked(network, iter((photo,)), 1, view, steps, single_photo))


def traces(
    network: nn.Module,
    photos: Iterable[PhotoSource] | Tensor,
    batch_size: int = 16,
    view: str = "whole",
    steps: bool = False,
) -> Iterator[Trace]:
    """A trace of each photo, in order; ``photos`` can be of any number and size, a normalised tensor (N, 3,
    H, W), a dataset, or a DataLoader of such tensors with whatever stands beside them.

    ``batch_size`` photos at a time are taken, those of them that make inputs of one size run together, and
    meanwhile the next are made ready: that many twice are in memory. Raises as ``trace`` does; the traces of
    the photos before a bad one come first."""
    if isinstance(photos, str | os.PathLike | Photo | Image.Image):
        raise TypeError("photos is one photo: traces takes many, in a list or the like; trace takes one")
    return _checked(network, iter_items(photos), batch_size, view, steps, None)


def _checked(
    network: nn.Module,
    photos: Iterator[Any],
    batch_size: int,
    view: str,
    steps: bool,
    single: Callable[[Any, InputForm], PhotoSource] | None,
) -> Iterator[Trace]:
    """``traces`` once its arguments are known to be right; ``single`` takes the photo out of an item that
    holds no more than one."""
    if view not in VIEWS:
        raise ValueError(f"view is {view!r}; it can be {' or '.join(map(repr, VIEWS))}")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it is at least 1")
    network = unwrapped(network)
    if not has_card(network) and takes_more(network):
        raise TraceError("network_takes_more", type=type(network).__name__)
    modules = dict(network.named_modules())
    form = form_of(network, modules)
    given = photos_in(photos, form) if single is None else (single(photo, form) for photo in photos)
    return _traces(network, modules, given, batch_size, view, steps, form)


def features(network: nn.Module, photo: PhotoSource, layer: str, view: str = "whole") -> Features:
    """Run one photo through a network and keep the features before and after one layer's attention, all
    channels of them.

    The rest is as in ``trace``. Raises TraceError too if there is no such layer, or if it does not multiply
    its features."""
    return features_of_layers(network, photo, (layer,), view)[layer]


def features_of_layers(
    network: nn.Module,
    photo: PhotoSource,
    layers: Sequence[str],
    view: str = "whole",
    changes: Changes | None = None,
) -> dict[str, Features]:
    """Features before and after attention for several layers, by name, from one forward pass, with changed
    gates if there are any; the rest is as in ``features``. Raises EditError if a change can't be made."""
    network = unwrapped(network)
    modules = dict(network.named_modules())
    form = form_of(network, modules)
    x = prepare(single_photo(photo, form), card_of(network), view, form).x
    given = Arguments((as_parameters(network, x[None]),))
    with exclusive_eval(network, list(modules.values())), quietly(network), ExitStack() as listening:
        plan = plan_for(network, modules, given)
        check_there_is_attention(network, plan)
        taps = {tap.layer: tap for tap in plan.taps}
        changer = Changer(placed(plan.taps, changes or {}, card_of(network).name))
        listening.enter_context(changer.hooks())
        names = {layer: _module_and_call(layer, taps, card_of(network)) for layer in layers}
        pairs = {
            name: listening.enter_context(features_around(taps[name]))
            for name in dict.fromkeys(name for name, _ in names.values())
        }
        listening.enter_context(changer.products())
        given.call(network)
    changer.check()
    return {layer: _features(layer, pairs[name], number) for layer, (name, number) in names.items()}


def _module_and_call(layer: str, taps: dict[str, Tap], card: Card) -> tuple[str, int]:
    """A layer's name without its number, and which call of its module it is, from 0; see ``layers_of``.
    Raises TraceError if it is no layer with features around a factor."""
    name, _, number = layer.partition(" #")
    if name not in taps:
        raise TraceError("layer_unknown", layer=layer, name=card.name)
    if taps[name].formula == "none":
        raise TraceError("layer_without_factor", layer=layer)
    return name, int(number or 1) - 1


def _features(layer: str, pairs: list[tuple[Tensor, Tensor]], number: int) -> Features:
    """Of the row with this number, counted over the calls of a module for one input."""
    rows = [(pair, row) for pair in pairs for row in range(len(pair[0]))]
    pair, row = rows[number]
    return Features(layer, *(side[row].float().cpu().numpy().copy() for side in pair))


def find(network: nn.Module, x: Tensor | tuple | None = None) -> list[Found]:
    """What will be read of a network, in running order: a row a layer; empty if it has no attention.

    What can't be told for this input is given as a warning. Runs the network in eval mode on ``x`` (N, C, H,
    W), a tuple of all that it is called with, or, without one, on noise of the size that its card says, else
    of the first usual size that it takes. Raises TraceError if it takes none of these."""
    network = unwrapped(network)
    modules = dict(network.named_modules())
    with exclusive_eval(network, list(modules.values())):
        given = noise_for(network, modules) if x is None else _as_arguments(network, x)
        heard = read(network, modules, given)
    for remark in heard.remarks:
        warnings.warn(remark, stacklevel=2)
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
        for result, layer in heard.layers_with_results(0)
    ]


def _as_arguments(network: nn.Module, x: Tensor | tuple) -> Arguments:
    values = x if isinstance(x, tuple) else (x,)
    return Arguments(
        tuple(as_parameters(network, value) if isinstance(value, Tensor) else value for value in values)
    )


def form_of(network: nn.Module, modules: dict[str, nn.Module]) -> InputForm:
    """The form of the inputs that a network takes."""
    if has_card(network):  # it need not be begun
        return input_form(network, modules)
    with exclusive_eval(network, list(modules.values())):
        return input_form(network, modules)


def _traces(
    network: nn.Module,
    modules: dict[str, nn.Module],
    photos: Iterator[Any],
    batch_size: int,
    view: str,
    steps: bool,
    form: InputForm,
) -> Iterator[Trace]:
    card, everything = card_of(network), list(modules.values())
    prepared = partial(prepare, card=card, view=view, form=form)
    is_first = True
    for window in windows(photos, batch_size, prepared):
        done: dict[int, Trace] = {}
        for places in of_one_size(window.inputs):
            batch = [window.inputs[place] for place in places]
            with exclusive_eval(network, everything):
                batch, given, heard = read_batch(network, modules, batch, steps, is_first)
                check_there_is_attention(network, heard.plan)
                scores = scores_in(network, modules, given, heard.output, heard.plan)
            is_first = False
            done |= zip(places, batch_traces(card, batch, scores, heard))
        yield from (done[place] for place in range(len(window.inputs)))
        if window.error is not None:
            raise window.error


def batch_traces(card: Card, batch: list[PreparedInput], scores: Scores, heard: Heard) -> list[Trace]:
    """The traces of inputs that ran together."""
    labels = labels_of(card, scores)
    return [
        Trace(
            card.name,
            prepared.source,
            card.recipe,
            prepared.region,
            scores.values[row].copy(),
            labels,
            heard.layers(row),
            scores.meaning,
            (*prepared.remarks, *heard.remarks),
            doubt_of(card, scores, prepared.source, prepared.region),
        )
        for row, prepared in enumerate(batch)
    ]
