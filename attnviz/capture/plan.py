"""Which gates of a network are read, looked up once for each network; and holding a network alone while it
runs."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import TraceError
from ..networks.card import Card
from .discovery import recognise
from .taps import TABLE, Tap, find_taps


def bare(network: nn.Module) -> nn.Module:
    """The network inside what compiles it or spreads it over devices. Raises TraceError for what has no
    modules to listen to."""
    while isinstance(network, nn.Module):
        if isinstance(network, torch.jit.ScriptModule):
            raise TraceError(
                "This network is TorchScript, whose inside can't be listened to: trace the Python network "
                "it was made from."
            )
        if isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
            network = network.module
        elif type(network).__name__ == "OptimizedModule":  # what torch.compile gives back
            network = network.get_submodule("_orig_mod")
        else:
            return network
    raise TraceError(
        f"This is a {type(network).__name__}, not a network: pass a torch.nn.Module; attnviz.load opens "
        "checkpoints."
    )


@dataclass(frozen=True, eq=False)
class Plan:
    """What will be read of a network: its taps, and the modules that it had when they were looked up."""

    taps: list[Tap]
    modules: list[weakref.ref[nn.Module]]

    def of(self, modules: dict[str, nn.Module]) -> bool:
        """Whether these are still the modules."""
        return len(self.modules) == len(modules) and all(
            ref() is module for ref, module in zip(self.modules, modules.values())
        )


def taps_of(network: nn.Module, modules: dict[str, nn.Module], x: Tensor) -> list[Tap]:
    """What will be read of a network that runs on ``x``. Raises TraceError if it has no attention, and no
    card that says so."""
    taps = _planned(network, modules, x)
    if not taps and not isinstance(getattr(network, "card", None), Card):
        kinds = ", ".join(sorted({row.kind.upper() for row in TABLE.values()}))
        raise TraceError(
            f"There is no attention in this {type(network).__name__} that attnviz can find: no module "
            "declares attention_taps, none is of "
            f"a kind in its table ({kinds}), and none multiplies its input by a factor for each channel, "
            "each position or both."
        )
    return taps


def _planned(network: nn.Module, modules: dict[str, nn.Module], x: Tensor | None) -> list[Tap]:
    """The taps of a network: those that modules declare or that stand in the table, and, in a network that
    has no card, those that are recognised when ``x`` (N, C, H, W) runs through it once. That is kept; None
    uses what was kept, if anything."""
    kept = _plans.get(network)
    if kept is not None and kept.of(modules):
        return kept.taps
    taps = find_taps(modules)
    if not isinstance(getattr(network, "card", None), Card):
        if x is None or x.ndim != 4:
            return taps
        taps = _in_order(taps + recognise(network, modules, taps, _two(x)), modules)
    if all(tap.module is not network for tap in taps):  # or it would keep itself alive
        _plans[network] = Plan(taps, [weakref.ref(module) for module in modules.values()])
    return taps


def _two(x: Tensor) -> Tensor:
    """Two different inputs of one, so that what depends on the input can be told from what does not."""
    return torch.cat((x[:1], x[:1].flip(-1) * 0.8 - x[:1].mean() * 0.3))


def _in_order(taps: list[Tap], modules: dict[str, nn.Module]) -> list[Tap]:
    places = {module: place for place, module in enumerate(modules.values())}
    return sorted(taps, key=lambda tap: places[tap.module])


_locks: weakref.WeakKeyDictionary[nn.Module, threading.RLock] = weakref.WeakKeyDictionary()


_locks_guard = threading.Lock()


_plans: weakref.WeakKeyDictionary[nn.Module, Plan] = weakref.WeakKeyDictionary()


@contextmanager
def alone(network: nn.Module, modules: list[nn.Module]) -> Iterator[None]:
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
