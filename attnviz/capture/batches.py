"""Inputs that run together, given to a network in the form that it takes."""

from __future__ import annotations

from contextlib import suppress
from typing import TypeAlias

import torch
from torch import Tensor, nn

from ..errors import AttnvizError, TraceError
from ..networks.card import card_of
from ..photos.photo import Photo
from .arguments import Arguments
from .input_form import input_form
from .inputs import PreparedInput, as_parameters, crop_to
from .noise import usual_side
from .plan import has_card
from .reading import Heard, read

Batch: TypeAlias = list[PreparedInput]


def read_batch(
    network: nn.Module, modules: dict[str, nn.Module], batch: Batch, steps: bool, may_have_learned: bool
) -> tuple[Batch, Arguments, Heard]:
    """What is heard of inputs of one size. Where a network without a card fails on them, it is given a list
    of them, as detectors take it, and then photos at the first usual size that it takes. The inputs as they
    were given stand beside. Raises what the network raises if all fail, and TraceError if it takes photos of
    no usual size."""
    given = Arguments((stacked(network, batch),))
    try:
        return batch, given, read(network, modules, given, steps, may_have_learned)
    except Exception as error:
        if has_card(network) or isinstance(error, AttnvizError):
            raise
        other = _read_as_list(network, modules, batch, steps)
        if other is None and any(isinstance(each.source, Photo) for each in batch):
            side = usual_side(network, modules)
            if side is None:
                raise TraceError("network_takes_other_inputs", type=type(network).__name__) from error
            other = _read_cropped(network, modules, batch, side, steps)
        if other is None:
            raise
        return other


def _read_as_list(
    network: nn.Module, modules: dict[str, nn.Module], batch: Batch, steps: bool
) -> tuple[Batch, Arguments, Heard] | None:
    if batch[0].x.ndim != 3:
        return None
    given = Arguments((list(stacked(network, batch)),))
    with suppress(Exception):  # of a network that takes no list
        return batch, given, read(network, modules, given, steps)
    return None


def _read_cropped(
    network: nn.Module, modules: dict[str, nn.Module], batch: Batch, side: int, steps: bool
) -> tuple[Batch, Arguments, Heard] | None:
    """What is heard of the photos' centre squares of this side; None if not all are photos, or they were such
    squares."""
    photos = [each.source for each in batch if isinstance(each.source, Photo)]
    if len(photos) < len(batch) or batch[0].region.size == (side, side):
        return None
    form = input_form(network, modules)
    cropped = [crop_to(photo, card_of(network), side, form) for photo in photos]
    given = Arguments((stacked(network, cropped),))
    return cropped, given, read(network, modules, given, steps)


def of_one_size(inputs: Batch) -> list[list[int]]:
    """The places of the inputs in groups that can run together."""
    groups: dict[torch.Size, list[int]] = {}
    for place, prepared in enumerate(inputs):
        groups.setdefault(prepared.x.shape, []).append(place)
    return list(groups.values())


def stacked(network: nn.Module, batch: Batch) -> Tensor:
    """The inputs as one tensor (N, C, H, W), as the network's parameters are; a single input is not
    copied."""
    x = torch.stack([each.x for each in batch]) if len(batch) > 1 else batch[0].x[None]
    return as_parameters(network, x)
