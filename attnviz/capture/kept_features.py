"""What a network had computed when a layer's attention began, so that a pass with changed gates starts from
there. Nothing is known of how the network is built: outputs of modules are kept, and handed out again in
place of computing them.

Copies would cost half of what is saved. So the tensors themselves are kept, and their version counters tell
whether anybody has written over one since; what is known to be written over is kept, and handed out, as a
copy. Passes that use them run without gradients, but not in inference mode, where tensors have no
versions."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .arguments import Arguments, remade
from .hooks import COMPUTE, Hooks
from .module_tree import ModuleTree
from .plan import has_card


class _ReachedError(BaseException):
    """A pass has come to where it was to stop. No ``except Exception`` of the network's holds it up."""


@dataclass(frozen=True, eq=False)
class KeptCall:
    """What one call of a module gave back, and the versions of its tensors then."""

    module: nn.Module
    output: Any
    versions: tuple[int, ...]

    @classmethod
    def of(cls, module: nn.Module, output: Any) -> KeptCall:
        """A call that has just ended; of what has no versions a copy."""
        if any(each.is_inference() for each in tensors_in(output)):
            with torch.inference_mode(False):
                output = copied(output)
        return cls(module, output, _versions(output))

    @property
    def is_whole(self) -> bool:
        """Whether nobody wrote over its tensors since."""
        return _versions(self.output) == self.versions


@dataclass(frozen=True, eq=False)
class KeptFeatures:
    """The calls that had ended when a module was about to run, outermost ones only, in order."""

    calls: tuple[KeptCall, ...] = ()

    def written_over(self) -> set[nn.Module]:
        """The modules whose outputs are no longer what they were."""
        return {call.module for call in self.calls if not call.is_whole}

    @property
    def byte_count(self) -> int:
        """The memory that they take."""
        return sum(each.nbytes for call in self.calls for each in tensors_in(call.output))


def keep(
    network: nn.Module,
    modules: dict[str, nn.Module],
    given: Arguments,
    until: nn.Module,
    since: KeptFeatures | None,
    as_copies: Collection[nn.Module],
) -> KeptFeatures | None:
    """What a network has computed when the module ``until`` is about to run for the first time; the pass ends
    there, and begins where ``since`` ended. None if it does not come there. The outputs of some modules are
    kept ``as_copies``."""
    keeper = _Keeper(ModuleTree(modules), until, as_copies)
    with torch.no_grad(), Hooks() as hooks:
        hand_out(since, hooks, as_copies, keeper)
        keeper.listen(hooks)
        try:
            (given if has_card(network) else given.copied()).call(network)
        except _ReachedError:
            return KeptFeatures(keeper.ended())
    return None


class _Keeper:
    """Keeps what the modules around one give back, those that it lies in and their children, as they end."""

    def __init__(self, tree: ModuleTree, until: nn.Module, as_copies: Collection[nn.Module]) -> None:
        self._until, self._as_copies = until, as_copies
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

    def _begin(self, module: nn.Module, inputs: tuple, _named: dict[str, Any]) -> None:
        if module is self._until:
            raise _ReachedError
        if getattr(module, "inplace", False) is True:
            self._save(inputs)
        self._running.append([])

    def _save(self, inputs: tuple) -> None:
        """Put copies in place of what an activation is about to write over."""
        for ended in self._running:
            for place, call in enumerate(ended):
                if any(call.output is each for each in inputs):
                    ended[place] = KeptCall.of(call.module, copied(call.output))

    def _end(self, module: nn.Module, _inputs: tuple, output: Any) -> None:
        self._running.pop()
        handed_out, self.handed_out = self.handed_out, None
        if handed_out is not None and handed_out.module is module:
            self._running[-1].append(handed_out)
        elif output is not None:
            kept = copied(output) if module in self._as_copies else output
            self._running[-1].append(KeptCall.of(module, kept))


def hand_out(
    kept: KeptFeatures | None,
    hooks: Hooks,
    as_copies: Collection[nn.Module] = (),
    keeper: _Keeper | None = None,
    count: int = 1,
) -> None:
    """Let the modules give back what was kept of them, for as many calls as were kept, until the pass's
    ``hooks`` go; each ``count`` times, where it is of one input. The last is a copy, and those of some
    modules are: what comes next is the likeliest to write over it."""
    calls = () if kept is None else kept.calls
    waiting: dict[nn.Module, deque[KeptCall]] = {}
    for call in calls:
        if not isinstance(call.module, torch.jit.ScriptModule):  # those are computed again
            waiting.setdefault(call.module, deque()).append(call)

    def answer(module: nn.Module) -> Any:
        if not waiting[module]:
            return COMPUTE
        call = waiting[module].popleft()
        if keeper is not None:
            keeper.handed_out = call
        is_copied = count > 1 or call is calls[-1] or module in as_copies
        return copied(call.output, count) if is_copied else call.output

    for module in waiting:
        hooks.instead(module, lambda module=module: answer(module))  # type: ignore[misc]


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


def _versions(value: Any) -> tuple[int, ...]:
    return tuple(each._version for each in tensors_in(value))
