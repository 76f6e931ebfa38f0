"""One pass at a time through a network, in eval mode."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

_locks: weakref.WeakKeyDictionary[nn.Module, threading.RLock] = weakref.WeakKeyDictionary()
_locks_lock = threading.Lock()


@contextmanager
def exclusive_eval(network: nn.Module, modules: list[nn.Module]) -> Iterator[None]:
    """Lock a network and switch its ``modules`` to eval mode; afterwards each gets its own mode back.

    The lock keeps out other threads that use it, and lets the same thread in again."""
    with _locks_lock:
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
