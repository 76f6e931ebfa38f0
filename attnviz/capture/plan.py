"""Which gates of a network are read, looked up once for each network."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import TraceError
from ..networks.card import Card
from .discovery import recognise
from .known_modules import TABLE
from .taps import Tap, find_taps


def unwrapped(network: nn.Module) -> nn.Module:
    """The network inside what compiles it or spreads it over devices. Raises TraceError for what has no
    modules to listen to."""
    while isinstance(network, nn.Module):
        if isinstance(network, torch.jit.ScriptModule):
            raise TraceError("network_is_torchscript")
        if isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
            network = network.module
        elif is_compiled(network):
            network = network.get_submodule("_orig_mod")
        else:
            return network
    raise TraceError("network_is_no_module", type=type(network).__name__)


def is_compiled(network: nn.Module) -> bool:
    """Whether a network is what ``torch.compile`` gives back."""
    return type(network).__name__ == "OptimizedModule"


@dataclass(frozen=True, eq=False)
class ReadingPlan:
    """What is read of a network: its taps, and the modules that it had when they were looked up."""

    taps: list[Tap]
    modules: list[weakref.ref[nn.Module]]

    def is_for(self, modules: dict[str, nn.Module]) -> bool:
        """Whether these are still the modules."""
        if len(self.modules) != len(modules):
            return False
        return all(reference() is module for reference, module in zip(self.modules, modules.values()))


_plans: weakref.WeakKeyDictionary[nn.Module, ReadingPlan] = weakref.WeakKeyDictionary()


def taps_of(network: nn.Module, modules: dict[str, nn.Module], x: Tensor) -> list[Tap]:
    """The taps of a network that runs on ``x`` (N, C, H, W), as ``planned_taps`` gives them. Raises
    TraceError if it has none, and no card that says so."""
    taps = planned_taps(network, modules, x)
    if not taps and not _has_card(network):
        kinds = ", ".join(sorted({known.kind.upper() for known in TABLE.values()}))
        raise TraceError("attention_not_found", type=type(network).__name__, kinds=kinds)
    return taps


def planned_taps(network: nn.Module, modules: dict[str, nn.Module], x: Tensor) -> list[Tap]:
    """The taps of a network in the order of its modules: those that modules declare or that stand in the
    table, and, in a network that has no card, those that are recognised when ``x`` (N, C, H, W) runs through
    it once.

    They are looked up again only when the network has other modules."""
    plan = _plans.get(network)
    if plan is not None and plan.is_for(modules):
        return plan.taps
    taps = find_taps(modules)
    if not _has_card(network):
        if x.ndim != 4:
            return taps
        taps = _in_order(taps + recognise(network, modules, taps, _two_inputs(x)), modules)
    if all(tap.module is not network for tap in taps):  # or it would keep itself alive
        _plans[network] = ReadingPlan(taps, [weakref.ref(module) for module in modules.values()])
    return taps


def _has_card(network: nn.Module) -> bool:
    return isinstance(getattr(network, "card", None), Card)


def _two_inputs(x: Tensor) -> Tensor:
    """The first of the inputs and another one made of it, (2, C, H, W), so that what depends on the input can
    be told from what does not."""
    return torch.cat((x[:1], x[:1].flip(-1) * 0.8 - x[:1].mean() * 0.3))


def _in_order(taps: list[Tap], modules: dict[str, nn.Module]) -> list[Tap]:
    places = {module: place for place, module in enumerate(modules.values())}
    return sorted(taps, key=lambda tap: places[tap.module])
