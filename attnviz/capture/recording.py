"""Listening while others run a network: ``with record(network) as trace``."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import TraceError
from ..networks.card import card_of
from ..photos.geometry import Region
from .call import CallResult
from .exclusive import exclusive_eval
from .hooks import Listener, first_tensor, on_calls
from .layer_attention import LayerAttention
from .outputs import labels_of, layers_of, logits_of
from .plan import is_compiled, taps_of, unwrapped
from .trace import Trace

MOST_INPUTS = 256
MOST_BYTES = 300_000_000


class Recording:
    """Traces of what ran through a network, in order: the latest ones, at most ``kept`` of them and at most
    ``most_bytes`` in memory, but always one. ``count`` counts all that ran."""

    def __init__(self, kept: int, most_bytes: int = MOST_BYTES) -> None:
        self.count = 0
        self._traces: deque[Trace] = deque(maxlen=kept)
        self._bytes = 0
        self._most_bytes = most_bytes

    @property
    def layers(self) -> dict[str, LayerAttention]:
        """The layers of the latest input, in running order. Raises TraceError if nothing ran."""
        if not self._traces:
            raise TraceError("network_not_called")
        return self._traces[-1].layers

    def __len__(self) -> int:
        return len(self._traces)

    def __iter__(self) -> Iterator[Trace]:
        return iter(tuple(self._traces))

    def __getitem__(self, index: int) -> Trace:
        return self._traces[index]

    def add(self, trace: Trace) -> None:
        """Keep one more, and let go of the oldest beyond the limits in number and in memory."""
        if len(self._traces) == self._traces.maxlen:
            self._bytes -= _byte_count(self._traces.popleft())
        self._traces.append(trace)
        self._bytes += _byte_count(trace)
        self.count += 1
        while self._bytes > self._most_bytes and len(self._traces) > 1:
            self._bytes -= _byte_count(self._traces.popleft())


@contextmanager
def record(network: nn.Module, kept: int = MOST_INPUTS) -> Iterator[Recording]:
    """Keep the gates of everything that runs through the network inside the block, in the mode it is in, as
    one Trace an input.

        with attnviz.record(network) as trace:
            for photos, _ in loader:
                network(photos)
        trace.layers["layer3.1"].channel    # of the latest input
        trace.count, trace[-1].logits       # how many there were; the latest ``kept`` can be looked at, each
        a Trace

    At most ``kept`` inputs and 300 MB are kept. Only calls by the thread of the block count. Raises
    TraceError for a network without attention (when it is first called) or one that is compiled, whose hooks
    don't run."""
    if kept < 1:
        raise ValueError(f"kept is {kept}; it is at least 1")
    inner = unwrapped(network)
    if inner is not network and is_compiled(network):
        raise TraceError("network_is_compiled")
    recorder = _Recorder(inner, Recording(kept))
    try:
        with on_calls([inner], recorder.enter, recorder.leave):
            yield recorder.recording
    finally:
        recorder.close()


class _Recorder:
    """Listens to each call of a network, from its start to its end, and adds the traces to a recording."""

    def __init__(self, network: nn.Module, recording: Recording) -> None:
        self.recording = recording
        self._network = network
        self._modules = dict(network.named_modules())
        self._is_planning = False  # recognising attention runs the network too
        self._running: list[_RunningPass] = []

    def enter(self, _module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        if self._is_planning:
            return
        x = first_tensor(inputs, named).detach()
        self._is_planning = True
        try:
            with exclusive_eval(self._network, list(self._modules.values())):
                taps = taps_of(self._network, self._modules, x)
        finally:
            self._is_planning = False
        self._running.append(_RunningPass(Listener(taps), x.float().cpu().clone()))

    def leave(self, _module: nn.Module, output: Any) -> None:
        if self._is_planning or not self._running:  # there is none if what came before the call failed
            return
        ended = self._running.pop()
        ended.hooks.close()
        if output is not None:  # None: it failed
            self._add(ended.x, output, ended.listener.take())

    def close(self) -> None:
        """Take away the hooks of calls that did not end."""
        for started in self._running:
            started.hooks.close()

    def _add(self, x: Tensor, output: Any, results: list[CallResult]) -> None:
        card, logits = card_of(self._network), logits_of(output, len(x))
        labels = labels_of(card, logits)
        height, width = x.shape[-2:]
        region = Region((0.0, 0.0, float(width), float(height)), (height, width))
        for row in range(len(x)):
            layers = layers_of(results, row)
            scores = logits[row].copy()
            self.recording.add(Trace(card.name, x[row], card.recipe, region, scores, labels, layers))


class _RunningPass:
    """A pass that is listened to from now on, until its ``hooks`` are closed."""

    def __init__(self, listener: Listener, x: Tensor) -> None:
        self.listener = listener
        self.x = x  # (N, C, H, W) float32 on the processor, a copy
        self.hooks = ExitStack()
        self.hooks.enter_context(listener.listening())


def _byte_count(trace: Trace) -> int:
    """The memory of a trace's gates and source."""
    arrays = [array for layer in trace.layers.values() for array in vars(layer).values()]
    gates = sum(array.nbytes for array in arrays if hasattr(array, "nbytes"))
    if isinstance(trace.source, torch.Tensor):
        return gates + trace.source.nbytes
    return gates + trace.source.pixels.nbytes
