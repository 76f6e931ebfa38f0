"""One pass at a time through a network, in eval mode."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

_locks: weakref.WeakKeyDictionary[nn.Module, threading.RLock] = weakref.WeakKeyDictionary()
_locks_lock = threading.Lock()


class _OwnPasses(threading.local):
    depth = 0


_own_passes = _OwnPasses()


def pass_depth() -> int:
    """How many passes of attnviz's own this thread is inside: 0 in its caller's, 1 while attention is
    recognised or a photo is traced, and more where that takes passes beside. Who listens to one hears none
    of the others."""
    return _own_passes.depth


@contextmanager
def exclusive_eval(network: nn.Module, modules: list[nn.Module]) -> Iterator[None]:
    """Lock a network for passes of attnviz's own and switch its ``modules`` to eval mode; afterwards each
    gets its own mode back.

    The lock keeps out other threads that use it, and lets the same thread in again."""
    with _locks_lock:
        lock = _locks.setdefault(network, threading.RLock())
    with lock, eagerly(modules):
        training = _training(modules)
        _own_passes.depth += 1
        try:
            for module in training:
                module.training = False
            yield
        finally:
            _own_passes.depth -= 1
            for module in training:
                module.training = True


def _training(modules: list[nn.Module]) -> list[nn.Module]:
    try:
        return [module for module in modules if module.training]
    except AttributeError:  # a frozen TorchScript module has no mode
        return [module for module in modules if getattr(module, "training", False)]


@contextmanager
def unchanged_buffers(network: nn.Module) -> Iterator[None]:
    """A network's buffers are afterwards what they were, and autograd does not see that they changed."""
    before = [(buffer, buffer.detach().clone()) for buffer in network.buffers()]
    try:
        yield
    finally:
        for buffer, values in before:
            if not torch.equal(buffer, values):
                buffer.data.copy_(values)


@contextmanager
def without_drawing(seed: int | None = None) -> Iterator[None]:
    """A pass beside the caller's own keeps no gradients, and draws none of its random numbers, whatever the
    device; those that it draws follow from ``seed``, if there is one."""
    generators = _generators()
    states = [generator.get_state() for generator in generators]
    try:
        if seed is not None:
            for generator in generators:
                generator.manual_seed(seed)
        with torch.no_grad():
            yield
    finally:
        for generator, state in zip(generators, states):
            generator.set_state(state)


def _generators() -> list[torch.Generator]:
    """The generators that functions draw from where none is named: that of the processor, and those of the
    devices in use. A device that nobody has used yet has none, and is not begun for this."""
    generators = [torch.default_generator, *torch.cuda.default_generators, *torch.xpu.default_generators]
    if torch.backends.mps.is_available():
        generators.append(torch.mps._get_default_mps_generator())
    return generators


def eagerly(modules: Iterable[nn.Module]) -> Any:
    """A context in which those of the modules that are compiled run as they were written: what is compiled
    calls no hooks, or compiles them too."""
    if "torch._dynamo" not in sys.modules or not any(map(is_compiled, modules)):
        return nullcontext()
    return torch.compiler.set_stance("force_eager")


def is_compiled(module: nn.Module) -> bool:
    """Whether a module is what ``torch.compile`` gives back, or was compiled in place."""
    return type(module).__name__ == "OptimizedModule" or vars(module).get("_compiled_call_impl") is not None
