"""Noise as an input, for networks that are looked at without a photo."""

from __future__ import annotations

import inspect

import torch
from torch import nn

from ..errors import TraceError
from ..networks.card import card_of
from .arguments import Arguments
from .input_form import InputForm, input_form, noise
from .inputs import as_parameters
from .plan import has_card

# Sides that networks which take no others are made for, those of photos first.
USUAL = {
    1: (1024, 16000, 128),
    2: (32, 64, 96, 128, 28, 48, 112, 160, 192, 227, 240, 256, 299, 300, 320, 384, 448, 512),
    3: (16, 32, 64, 96),
}


def noise_for(network: nn.Module, modules: dict[str, nn.Module], side: int | None = None) -> Arguments:
    """Random numbers, the same each time, as the one input of a network in eval mode: of the ``side`` that is
    given or that its card says, or, if it does not run on those, of the first usual one on which it does.
    Raises TraceError if there is none, or if the network is called with more than one input."""
    form = input_form(network, modules)
    wanted = {1: 256, 2: side or card_of(network).recipe.crop, 3: 32}[form.positions]
    if not has_card(network):
        found = usual_side(network, modules, wanted)
        name = type(network).__name__
        if found is None and takes_more(network):
            raise TraceError("network_takes_more", type=name)
        if found is None:
            raise TraceError("network_takes_other_inputs", type=name)
        wanted = found
    return _noise(network, form, wanted)


def usual_side(network: nn.Module, modules: dict[str, nn.Module], first: int = 224) -> int | None:
    """The first usual side of inputs on which a network in eval mode runs, ``first`` before others; None if
    there is none."""
    form = input_form(network, modules)
    sides = dict.fromkeys((first, *USUAL[form.positions]))
    return next((side for side in sides if _runs(network, _noise(network, form, side))), None)


def _noise(network: nn.Module, form: InputForm, side: int) -> Arguments:
    return Arguments((as_parameters(network, noise(form, side)),))


def _runs(network: nn.Module, given: Arguments) -> bool:
    try:
        with torch.no_grad():
            given.call(network)
    except Exception:  # of the network
        return False
    return True


def takes_more(network: nn.Module) -> bool:
    """Whether a network is called with more than one argument."""
    try:
        inspect.signature(network.forward).bind(None)
    except TypeError:
        return True
    except ValueError:  # it has no signature
        return False
    return False
