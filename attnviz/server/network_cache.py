"""Networks that stay open: at most so many bytes of weights, the least recently used goes first; each is
opened once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from torch import nn

from ..errors import NetworkError

KEPT_BYTES = 1_500_000_000  # a ResNet-50 is 100 MB


class Shelf:
    """Networks by name. Who asks for one that is just being opened waits for it instead of opening it again;
    one that is in use when it leaves the shelf works on until its user is done."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self.kept_bytes = kept_bytes
        self._kept: OrderedDict[str, tuple[int, nn.Module]] = OrderedDict()  # the least recently used first
        self._under_way: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, name: str, open_network: Callable[[str], nn.Module]) -> nn.Module:
        """The network of this name, kept or opened now. Raises what opening it raises; a failure is not
        kept."""
        with self._guard:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name][1]
            under_way = self._under_way.setdefault(name, threading.Lock())
        with under_way:
            try:
                with self._guard:
                    if name in self._kept:
                        return self._kept[name][1]
                network = open_network(name)
                self._put(name, network)
            finally:
                with self._guard:
                    self._under_way.pop(name, None)
        return network

    def check(self, size: int) -> None:
        """Raises NetworkError for a network of so many bytes that it would not fit beside nothing."""
        if size > self.kept_bytes:
            raise NetworkError(
                "network_too_large", size=size // 1_000_000, limit=self.kept_bytes // 1_000_000
            )

    def drop(self, name: str) -> None:
        """Let go of one, if it is there."""
        with self._guard:
            self._kept.pop(name, None)

    def names(self) -> list[str]:
        """What is open, the least recently used first."""
        with self._guard:
            return list(self._kept)

    def _put(self, name: str, network: nn.Module) -> None:
        size = sum(tensor.nbytes for tensor in (*network.parameters(), *network.buffers()))
        self.check(size)
        with self._guard:
            self._kept[name] = size, network
            total = sum(kept for kept, _ in self._kept.values())
            while total > self.kept_bytes and len(self._kept) > 1:
                _, (dropped, _) = self._kept.popitem(last=False)
                total -= dropped
