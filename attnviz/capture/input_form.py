"""What form of input a network takes: told by its first convolution to run, which need not be the first that
stands in it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..networks.card import Card
from .hooks import on_calls

CONVOLUTIONS = nn.Conv1d, nn.Conv2d, nn.Conv3d
PROBES = {1: (256, 2048), 2: (64, 224), 3: (16, 64)}  # sides of the noise that is tried
MOST_PROBES = 24


@dataclass(frozen=True)
class InputForm:
    """What one input looks like."""

    channels: int | None = None  # None: any
    positions: int = 2  # dimensions: 2 of a photo, 3 of a volume, 1 of a signal
    is_told: bool = True  # False: it can't be told, and anything may be right

    def __str__(self) -> str:
        sides = {1: "length", 2: "height, width", 3: "depth, height, width"}[self.positions]
        return f"({3 if self.channels is None else self.channels}, {sides})"

    def fits(self, x: Tensor) -> bool:
        """Whether a tensor without a batch has this form."""
        if not self.is_told:
            return x.ndim > 0
        return x.ndim == 1 + self.positions and self.channels in (None, x.shape[0])


ANY = InputForm()
UNTOLD = InputForm(is_told=False)


class _Reached(Exception):
    """The first convolution is about to run: the rest of the pass is not needed."""


_forms: weakref.WeakKeyDictionary[nn.Module, tuple[list[weakref.ref[nn.Module]], InputForm]] = (
    weakref.WeakKeyDictionary()
)


def input_form(network: nn.Module, modules: dict[str, nn.Module]) -> InputForm:
    """The form of the inputs of a network in eval mode. One with a card is believed to run its convolutions
    in order; any other is begun on noise, as far as the first."""
    if isinstance(getattr(network, "card", None), Card):
        first = next((module for module in modules.values() if isinstance(module, CONVOLUTIONS)), None)
        return ANY if first is None else _form_of(first)
    convolutions: list[nn.Module] = [
        module for module in modules.values() if isinstance(module, CONVOLUTIONS)
    ]
    known = _forms.get(network)
    if known is not None and [reference() for reference in known[0]] == convolutions:
        return known[1]
    form = next(_accepted(network, convolutions), UNTOLD if convolutions else ANY)
    if network not in convolutions:  # or it would keep itself alive
        _forms[network] = [weakref.ref(module) for module in convolutions], form
    return form


def _form_of(convolution: nn.Module) -> InputForm:
    positions = next(i for i, kind in enumerate(CONVOLUTIONS, 1) if isinstance(convolution, kind))
    return InputForm(int(convolution.in_channels) or None, positions)  # type: ignore[arg-type]


def _accepted(network: nn.Module, convolutions: list[nn.Module]) -> Iterator[InputForm]:
    """The forms of noise that reach the first convolution as it takes them, those of photos first."""
    stated = list(dict.fromkeys(map(_form_of, convolutions)))
    if not stated or None in (form.channels for form in stated):
        return
    positions = stated[0].positions
    counts = dict.fromkeys((3, 1, *sorted(form.channels or 1 for form in stated)))
    forms = [InputForm(count, positions) for count in counts]
    probes = [(form, side) for side in PROBES[positions] for form in forms]
    for form, side in probes[:MOST_PROBES]:
        if _reaches(network, convolutions, form, side):
            yield form


def _reaches(network: nn.Module, convolutions: list[nn.Module], form: InputForm, side: int) -> bool:
    reached: list[bool] = []

    def enter(module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        given = next((value for value in (*inputs, *named.values()) if isinstance(value, Tensor)), None)
        takes = _form_of(module)
        fits = given is not None and given.ndim == 2 + takes.positions and given.shape[1] == takes.channels
        reached.append(fits)
        raise _Reached

    x = noise(form, side)
    parameter = next(network.parameters(), None)
    x = x if parameter is None else x.to(parameter.device, parameter.dtype)
    try:
        with torch.no_grad(), on_calls(convolutions, enter, lambda *_: None):
            network(x)
    except Exception:  # of the network, which may take no such input at all
        pass
    return bool(reached) and reached[0]


def noise(form: InputForm, side: int) -> Tensor:
    """Random numbers, the same each time, as a batch of one input of that form and side."""
    shape = (1, form.channels or 3, *[side] * form.positions)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))
