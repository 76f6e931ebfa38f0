"""Listening while others run a network: ``with record(network) as trace``."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import torch
from torch import nn

from ..errors import AttnvizError, TraceError, TraceRemark
from ..networks.card import card_of
from .arguments import Arguments
from .exclusive import (
    eagerly,
    exclusive_eval,
    is_compiled,
    unchanged_buffers,
    without_drawing,
)
from .hooks import Hooks, Listener
from .inputs import region_of
from .layer_attention import LayerAttention
from .outputs import labels_of, scores_in
from .plan import ReadingPlan, check_there_is_attention, plan_for, renewed_plan, unwrapped
from .reading import Heard, heard, listener_for
from .taps import Tap
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
        self.error: Exception | None = None  # the latest that went wrong

    @property
    def layers(self) -> dict[str, LayerAttention]:
        """The layers of the latest input, in running order. Raises TraceError if nothing ran, or what went
        wrong if nothing could be recorded."""
        if not self._traces and self.error is not None:
            raise self.error
        if not self._traces:
            raise TraceError("network_not_called")
        return self._traces[-1].layers

    def __len__(self) -> int:
        return len(self._traces)

    def __iter__(self) -> Iterator[Trace]:
        return iter(tuple(self._traces))

    def __getitem__(self, index: int) -> Trace:
        return self._traces[index]

    def __repr__(self) -> str:
        latest = f", the latest: {self._traces[-1]!r}" if self._traces else ""
        return f"Recording of {self.count} inputs{latest}"

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

    The network can be called with anything. At most ``kept`` inputs and 300 MB are kept. Only calls by the
    thread of the block count, and none that attnviz makes itself: in ``trace``, or to recognise attention in
    what it is first called with, for which hooks of others run too. Whatever goes wrong here never reaches
    the calls: it is given as a warning, and raised by ``trace.layers`` if nothing was recorded. Raises
    TraceError for a network that is compiled, whose hooks don't run."""
    if kept < 1:
        raise ValueError(f"kept is {kept}; it is at least 1")
    inner = unwrapped(network)
    if inner is not network and is_compiled(network):
        raise TraceError("network_is_compiled")
    recorder = _Recorder(inner, Recording(kept))
    try:
        with Hooks() as hooks:
            hooks.before(inner, recorder.enter)
            hooks.after(inner, recorder.leave)
            hooks.after(inner, recorder.leave_at_last, failed=True)  # after the other where nothing failed
            yield recorder.recording
    finally:
        recorder.close()


class _Recorder:
    """Listens to each call of a network, from its start to its end, and adds the traces to a recording."""

    def __init__(self, network: nn.Module, recording: Recording) -> None:
        self.recording = recording
        self._network = network
        self._modules = dict(network.named_modules())
        self._is_first = True
        self._differing_in_training: set = set()  # what a pass in training showed, that eval mode does not
        self._running: list[_RunningPass | None] = []  # None: it could not be listened to

    def enter(self, _module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        with self._beside_the_pass():
            self._running.append(None)
            self._running[-1] = self._begun(Arguments(inputs, named, self._network.training))

    def _begun(self, given: Arguments) -> _RunningPass:
        if not given.count:
            raise TraceError("network_called_without_tensors")
        with exclusive_eval(self._network, list(self._modules.values())):
            plan = plan_for(self._network, self._modules, given, self._is_first)
        if given.in_training and self._differing_in_training:
            plan = self._seen_in_training(given)
        self._is_first = False
        return _RunningPass(given, plan, self._modules.values())

    def _seen_in_training(self, given: Arguments) -> ReadingPlan:
        """A plan for a network that runs other code in training than in eval mode: it is looked at in
        training, but for torch's own modules, which would learn or draw."""
        differing, self._differing_in_training = self._differing_in_training, set()
        torchs = [each for each in self._modules.values() if type(each).__module__.startswith("torch.nn.")]
        with exclusive_eval(self._network, torchs), unchanged_buffers(self._network):
            return renewed_plan(self._network, self._modules, given, differing)

    def leave(self, _module: nn.Module, _inputs: tuple, output: Any) -> None:
        if not self._running:
            return
        ended = self._running[-1]
        if ended is None:
            return
        ended.hooks.close()
        with self._beside_the_pass():
            self._end(ended, output)

    def leave_at_last(self, _module: nn.Module, _inputs: tuple, _output: Any) -> None:
        """The call is over, whether it failed or not."""
        if not self._running:  # there is none if what came before the call failed
            return
        ended = self._running.pop()
        if ended is not None:
            ended.hooks.close()

    def _end(self, ended: _RunningPass, output: Any) -> None:
        listener, plan = ended.listener, ended.plan
        if listener.failures:
            raise listener.failures[0]
        differing = listener.differing - plan.accepted
        if differing:  # the next pass is read by a better plan; so is this one if it can be run again
            with exclusive_eval(self._network, list(self._modules.values())):
                plan = renewed_plan(self._network, self._modules, ended.given, differing)
            if not ended.given.in_training and ended.given.state == ended.state:
                listener = self._heard_again(plan, ended.given)
            elif any(isinstance(differs, Tap) for differs in plan.accepted):
                self._differing_in_training = differing
        if not plan.untold:
            check_there_is_attention(self._network, plan)
        found = heard(self._network, ended.given, plan, output, listener)
        self._add(ended, found)

    def _heard_again(self, plan: ReadingPlan, given: Arguments) -> Listener:
        listener = listener_for(plan)
        everything = list(self._modules.values())
        with exclusive_eval(self._network, everything), without_drawing(), listener.listening():
            given.copied().call(self._network)
        return listener

    @contextmanager
    def _beside_the_pass(self) -> Iterator[None]:
        """What is done here besides the caller's pass keeps no gradients, and what it raises ends in a
        warning."""
        try:
            with torch.no_grad():
                yield
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if self.recording.error is None:  # once a block
            said = f"{type(error).__name__}: {error}" if not isinstance(error, AttnvizError) else str(error)
            name = type(self._network).__name__
            with suppress(Warning):  # where warnings are made errors, they would end the caller's pass
                warnings.warn(TraceRemark("recording_failed", type=name, error=said), stacklevel=4)
        self.recording.error = error

    def close(self) -> None:
        """Take away the hooks of calls that did not end."""
        for started in self._running:
            if started is not None:
                started.hooks.close()

    def _add(self, ended: _RunningPass, found: Heard) -> None:
        card = card_of(self._network)
        scores = scores_in(self._network, self._modules, ended.given, found.output, found.plan)
        labels = labels_of(card, scores)
        for row, source in enumerate(ended.photos):
            self.recording.add(
                Trace(
                    card.name,
                    source,
                    card.recipe,
                    region_of(source),
                    scores.values[row].copy(),
                    labels,
                    found.layers(row),
                    scores.meaning,
                    found.remarks,
                )
            )


class _RunningPass:
    """A pass that is listened to from now on, until its ``hooks`` are closed."""

    def __init__(self, given: Arguments, plan: ReadingPlan, modules: Iterable[nn.Module]) -> None:
        self.given, self.plan, self.state = given, plan, given.state
        # (C, H, W) float32 each, on the processor, copies
        self.photos = [
            photo.detach().float().cpu().clone() for photo in (() if given.photos is None else given.photos)
        ]
        self.listener = listener_for(plan, is_guest=True)
        self.hooks = ExitStack()
        self.hooks.enter_context(eagerly(modules))
        self.hooks.enter_context(self.listener.listening())


def _byte_count(trace: Trace) -> int:
    """The memory of a trace's gates and source."""
    arrays = [array for layer in trace.layers.values() for array in vars(layer).values()]
    gates = sum(array.nbytes for array in arrays if hasattr(array, "nbytes"))
    if isinstance(trace.source, torch.Tensor):
        return gates + trace.source.nbytes
    return gates + trace.source.pixels.nbytes
