"""What a network had computed when a layer's attention began, so that a pass with changed gates starts from
there. Nothing is known of how the network is built: outputs of modules are kept, and handed out again in
place of computing them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .arguments import Arguments, remade
from .hooks import COMPUTE, Hooks
from .module_tree import ModuleTree
from .plan import has_card
from .reading import quietly


class _ReachedError(BaseException):
    """A pass has come to where it was to stop. No ``except Exception`` of the network's holds it up."""


@dataclass(frozen=True, eq=False)
class KeptCall:
    """What one call of a module gave back: a copy that nobody writes over."""

    module: nn.Module
    output: Any


@dataclass(frozen=True, eq=False)
class KeptFeatures:
    """The calls that had ended when a module was about to run, outermost ones only, in order."""

    calls: tuple[KeptCall, ...] = ()

    @property
    def byte_count(self) -> int:
        """The memory that they take."""
        return sum(each.nbytes for call in self.calls for each in tensors_in(call.output))


def keep(
    network: nn.Module,
    modules: dict[str, nn.Module],
    given: Arguments,
    until: nn.Module,
    since: KeptFeatures | None = None,
) -> KeptFeatures | None:
    """What a network has computed when the module ``until`` is about to run for the first time; the pass ends
    there, and begins where ``since`` ended. None if it does not come there."""
    keeper = _Keeper(ModuleTree(modules), until)
    with quietly(network), Hooks() as hooks, handing_out(since, hooks, keeper):
        keeper.listen(hooks)
        try:
            (given if has_card(network) else given.copied()).call(network)
        except _ReachedError:
            return KeptFeatures(keeper.ended())
    return None


class _Keeper:
    """Keeps what the modules around one give back, those that it lies in and their children, as they end."""

    def __init__(self, tree: ModuleTree, until: nn.Module) -> None:
        self._until = until
        around = tree.ancestors(until)
        children = [child for module in around for child in module.children()]
        self._watched = dict.fromkeys([*around, *children, until])
        self._running: list[list[KeptCall]] = [[]]  # of each call under way, what ended in it; first the pass
        self.handed_out: KeptCall | None = None  # what the call that is about to end was given

    def listen(self, hooks: Hooks) -> None:
        for module in self._watched:
            hooks.before(module, self._begin)
            hooks.after(module, self._end, failed=True)

    def ended(self) -> tuple[KeptCall, ...]:
        return tuple(call for ended in self._running for call in ended)

    def _begin(self, module: nn.Module, _inputs: tuple, _named: dict[str, Any]) -> None:
        if module is self._until:
            raise _ReachedError
        self._running.append([])

    def _end(self, module: nn.Module, _inputs: tuple, output: Any) -> None:
        self._running.pop()
        handed_out, self.handed_out = self.handed_out, None
        if handed_out is not None and handed_out.module is module:
            self._running[-1].append(handed_out)
        elif output is not None:
            self._running[-1].append(KeptCall(module, copied(output)))


@contextmanager
def handing_out(
    kept: KeptFeatures | None, hooks: Hooks, keeper: _Keeper | None = None, count: int = 1
) -> Iterator[None]:
    """While it lasts the modules give back what was kept of them, for as many calls as were kept; each
    ``count`` times, where it is of one input. ``hooks`` are of the pass."""
    waiting: dict[nn.Module, deque[KeptCall]] = {}
    for call in () if kept is None else kept.calls:
        if not isinstance(call.module, torch.jit.ScriptModule):  # those are computed again
            waiting.setdefault(call.module, deque()).append(call)

    def answer(calls: deque[KeptCall]) -> Any:
        if not calls:
            return COMPUTE
        call = calls.popleft()
        if keeper is not None:
            keeper.handed_out = call
        return copied(call.output, count)

    for module, calls in waiting.items():
        hooks.instead(module, lambda calls=calls: answer(calls))  # type: ignore[misc]
    yield


def copied(value: Any, count: int = 1) -> Any:
    """A copy of tensors, also of those in lists, mappings and the like; ``count`` times where they are of one
    input."""
    if isinstance(value, Tensor):
        return torch.cat([value] * count) if count > 1 and value.ndim and len(value) == 1 else value.clone()
    return remade(value, lambda each: copied(each, count))


def tensors_in(value: Any) -> list[Tensor]:
    """The tensors in a value."""
    found: list[Tensor] = []

    def note(each: Any) -> Any:
        if isinstance(each, Tensor):
            found.append(each)
            return each
        return remade(each, note)

    note(value)
    return found
