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
from .hooks import Heard, Listener, calls, features_of
from .layer_attention import LayerAttention
from .plan import alone, bare, taps_of
from .run import labels_of, layers_of, logits_of
from .trace import Trace

KEPT, KEPT_BYTES = 256, 300_000_000


class Recording:
    """Traces of what ran through a network, in order: the latest ones, as many as are kept. ``count`` counts
    all."""

    def __init__(self, kept: int) -> None:
        self.count = 0
        self._traces: deque[Trace] = deque(maxlen=kept)
        self._bytes = 0

    @property
    def layers(self) -> dict[str, LayerAttention]:
        """The layers of the latest input, in running order. Raises TraceError if nothing ran."""
        if not self._traces:
            raise TraceError(
                "Nothing ran through the network inside this block: call the network itself, in the thread "
                "of the block."
            )
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
            self._bytes -= _size(self._traces.popleft())
        self._traces.append(trace)
        self._bytes += _size(trace)
        self.count += 1
        while self._bytes > KEPT_BYTES and len(self._traces) > 1:
            self._bytes -= _size(self._traces.popleft())


@contextmanager
def record(network: nn.Module, kept: int = KEPT) -> Iterator[Recording]:
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
    inner = bare(network)
    if inner is not network and type(network).__name__ == "OptimizedModule":
        raise TraceError(
            "A compiled network can't be listened to: record and call the network that it was made from."
        )
    recording = Recording(kept)
    with ExitStack() as stack:
        stack.enter_context(_passes(inner, recording))
        yield recording


@contextmanager
def _passes(network: nn.Module, recording: Recording) -> Iterator[None]:
    modules = dict(network.named_modules())
    looking = False
    running: list[tuple[ExitStack, Listener, Tensor]] = []

    def enter(_module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        nonlocal looking
        if looking:
            return
        x = features_of(inputs, named)
        looking = True  # recognising runs the network too
        try:
            with alone(network, list(modules.values())):
                taps = taps_of(network, modules, x.detach())
        finally:
            looking = False
        listener, stack = Listener(taps), ExitStack()
        stack.enter_context(listener.listening())
        running.append((stack, listener, x.detach().float().cpu().clone()))

    def leave(_module: nn.Module, output: Any) -> None:
        if looking or not running:  # there is none if what came before the call failed
            return
        stack, listener, x = running.pop()
        stack.close()
        if output is not None:  # None: it failed
            _keep(network, recording, x, output, listener.take())

    try:
        with calls([network], enter, leave):
            yield
    finally:
        for stack, _, _ in running:
            stack.close()


def _keep(network: nn.Module, recording: Recording, x: Tensor, output: Any, heard: list[Heard]) -> None:
    card, logits = card_of(network), logits_of(output, len(x))
    height, width = x.shape[-2:]
    region = Region((0.0, 0.0, float(width), float(height)), (height, width))
    for row in range(len(x)):
        recording.add(
            Trace(
                card.name,
                x[row],
                card.recipe,
                region,
                logits[row].copy(),
                labels_of(card, logits),
                layers_of(heard, row),
            )
        )


def _size(trace: Trace) -> int:
    gates = sum(
        array.nbytes
        for layer in trace.layers.values()
        for array in vars(layer).values()
        if hasattr(array, "nbytes")
    )
    return gates + (
        trace.source.nbytes if isinstance(trace.source, torch.Tensor) else trace.source.pixels.nbytes
    )
