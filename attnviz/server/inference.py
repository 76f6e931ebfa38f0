"""Forward passes: run in turn, stopped when they take too long, and their results kept for a while."""

from __future__ import annotations

import copy
import logging
import math
import threading
import time
import weakref
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from ..capture.hooks import before_calls
from ..capture.plan import unwrapped
from ..capture.run import features_of_layers, trace
from ..capture.trace import Features, Trace
from ..errors import AttnvizError, BusyError, EditError, TraceError
from ..interventions.edit_json import Edits
from ..interventions.intervention import changed_features, intervene
from ..interventions.known_reference import kept_reference, reference_for
from ..interventions.reference import Reference
from ..interventions.stairs import LeftOut, Stair, climb
from ..networks.card import card_of
from ..photos.opening import open_photo
from ..photos.photo import Photo
from .cache import Cache
from .catalog import Catalog
from .edit_requests import asks_what_is_usual, edits_in, with_photos
from .rests import Rests
from .settings import RESULTS_MB, Settings
from .work_queue import NICENESS, WorkQueue

log = logging.getLogger(__name__)
passes_log = logging.getLogger("attnviz.passes")

Result = TypeVar("Result")
LayersFeatures = dict[str, Features]

TRACES_BYTES = 300_000_000
FEATURES_BYTES = RESULTS_MB * 1_000_000 - TRACES_BYTES
# features of one photo that are kept at once: 6 MB for a ResNet-18 of ours, 90 MB for a ResNet-50
TOGETHER_BYTES = 20_000_000
REFERENCES_BYTES = 100_000_000  # what is usual: 0.1 MB for a ResNet-18 of ours, 1 MB for a ResNet-50
PASS_HANGS = 3  # times the longest pass: one that is not over by then is in an operation that does not end
DECODING_HANGS = 60.0  # seconds, for what is ended after a few


@dataclass(frozen=True)
class TraceKey:
    """One forward pass: which photo, through which network, seeing its whole or its crop, with which gates
    changed."""

    photo: Path
    network: str
    view: str
    edits: str = ""  # as ``edit_requests`` writes them
    others: tuple[tuple[str, Path], ...] = ()  # photos whose gates are put in, by their names in the edits

    @property
    def unchanged(self) -> TraceKey:
        """The pass of the network as it is."""
        return replace(self, edits="", others=())

    @property
    def photos(self) -> tuple[Path, ...]:
        """All photos that it takes."""
        return self.photo, *(path for _, path in self.others)

    def of_others(self) -> dict[str, TraceKey]:
        """The passes of the other photos, by their names in the edits."""
        return {name: replace(self.unchanged, photo=path) for name, path in self.others}


def changed_trace(
    network: nn.Module, before: Trace, edits: Edits, view: str, reference: Reference | None
) -> Trace:
    """What a network does with changed gates, in one pass; ``before`` is the same photo's as it is."""
    return intervene(network, before.source, edits, view=view, reference=reference, before=before).after


@dataclass(frozen=True)
class Compute:
    """How a photo is opened, how a trace and layers' features are computed, of a network and of one with
    changed gates, and how much of a photo's features is kept at once."""

    open: Callable[[Path], Photo] = open_photo
    trace: Callable[..., Trace] = trace
    changed: Callable[..., Trace] = changed_trace
    features: Callable[..., LayersFeatures] = features_of_layers
    changed_features: Callable[..., LayersFeatures] = changed_features
    together_bytes: int = TOGETHER_BYTES


class Inference:
    """Runs photos through a catalog's networks, and keeps the traces and features of late."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        compute: Compute = Compute(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        share = settings.results_mb / RESULTS_MB
        self.rests = Rests(clock)  # of all that is done for a photo
        self.queue = WorkQueue(
            settings.at_once,
            settings.waiting,
            NICENESS,
            PASS_HANGS * settings.seconds,
            clock,
            beside_others=max(1, settings.at_once // 2),
            rests=self.rests,
        )
        self.decoding = WorkQueue(
            settings.at_once,
            settings.waiting,
            hangs_seconds=DECODING_HANGS,
            # a photo of an evil kind takes seconds: another's is decoded beside it
            each_address=max(1, settings.at_once - 1),
            # one that is decoded takes much memory, so most wait before that
            may_begin=lambda: len(self.queue) <= settings.at_once,
            rests=self.rests,
        )
        self.traces: Cache[TraceKey, Trace] = Cache(
            trace_bytes, TRACES_BYTES, 60 * settings.keep, clock, share * TRACES_BYTES
        )
        self._features: Cache[tuple[TraceKey, tuple[str, ...]], LayersFeatures] = Cache(
            features_bytes, FEATURES_BYTES, 60 * settings.keep, clock, share * FEATURES_BYTES
        )
        self._usual: Cache[str, Reference] = Cache(
            reference_bytes, REFERENCES_BYTES, 60 * settings.keep, clock
        )
        self._settings, self._catalog, self._compute, self._clock = settings, catalog, compute, clock
        self._thread = threading.local()  # its copies of networks
        self._closed = False

    async def forward_pass(
        self,
        network: str,
        run: Callable[[nn.Module], Result],
        check: Callable[[], None] = lambda: None,
        copied: nn.Module | None = None,
    ) -> Result:
        """What ``run`` returns of a network, opened, or of a copy of it, when it is this request's turn. It
        ends before a block at which ``check`` raises an error. The time that it took is logged, not what it
        saw. Raises BusyError where too many wait, and TraceError for a pass that takes too long."""
        opened, requested = await self._catalog.network(network), self._clock()

        def timed() -> Result:
            began = self._clock()
            try:
                return self._run_limited(copied or self._own_copy(opened), run, check, began)
            finally:
                waited, took = began - requested, self._clock() - began
                fields = {"waited_ms": round(1000 * waited, 1), "ms": round(1000 * took, 1)}
                passes_log.info("pass", extra={"fields": {"network": network.partition(":")[0], **fields}})

        return await self.queue.run(timed)

    async def trace(self, key: TraceKey) -> Trace:
        """The trace of a photo. Raises AttnvizError."""

        async def compute() -> Trace:
            if key.edits:
                return await self._changed(key, self._compute.changed)
            # decoded before its turn: meanwhile others' passes run
            photo = await self._open(key)
            return await self._of_photo(key, lambda network: self._compute.trace(network, photo, key.view))

        return await self.traces.get(key, compute)

    async def features(self, key: TraceKey, layer: str) -> Features:
        """The features before and after one layer's gate. Raises AttnvizError."""
        source = await self.trace(key)
        layers = self._layers_with(source, layer)

        async def compute() -> LayersFeatures:
            if key.edits:
                return await self._changed(key, self._compute.changed_features, layers)
            return await self._of_photo(
                key,
                lambda network: self._compute.features(network, source.source, layers, key.view),
            )

        return (await self._features.get((key, layers), compute))[layer]

    async def stairs(
        self, key: TraceKey, how: str, report: Callable[[int, int], None]
    ) -> list[Stair | LeftOut]:
        """Every layer changed in turn, a turn in the queue each. ``report`` is told how many are done, of how
        many, and may raise an error, which ends it. Raises AttnvizError."""
        before = await self.trace(key)
        usual = await self._what_is_usual(key) if how == "usual" else None
        # of its own, since what is kept from layer to layer are outputs of its modules
        copied = _copy_of(await self._catalog.network(key.network))
        climbing = climb(copied, before.source, how, key.view, usual, before)
        count = sum(layer.formula != "none" for layer in before.layers.values())
        found: list[Stair | LeftOut] = []
        report(0, count)
        while stair := await self._of_photo(key, lambda _: next(climbing, None), copied):
            found.append(stair)
            report(len(found), count)
        return found

    def forget(self, photos: Container[Path], networks: Container[str] = ()) -> None:
        """Let go of all that was computed of these photos, and by these networks."""

        def is_forgotten(key: TraceKey) -> bool:
            return key.network in networks or any(photo in photos for photo in key.photos)

        self.traces.drop(is_forgotten)
        self._features.drop(lambda key: is_forgotten(key[0]))
        self._usual.drop(lambda network: network in networks)

    def release(self, session: str) -> None:
        """Let a visitor hold nothing any more of what others may ask for too."""
        self.traces.release(session)
        self._features.release(session)
        self._usual.release(session)

    def expire(self) -> None:
        """Let go of what nobody used for as long as it is kept."""
        self.traces.expire()
        self._features.expire()
        self._usual.expire()

    def make_room(self) -> None:
        """Let go of half of the results: they can be computed again."""
        self.traces.halve()
        self._features.halve()
        self._usual.halve()

    def close(self) -> None:
        """Stop the passes under way at their next block, and take no more."""
        self._closed = True
        self.queue.close()
        self.decoding.close()

    async def _changed(self, key: TraceKey, run: Callable[..., Result], *more: Any) -> Result:
        """What ``run`` gives of a changed network: one pass, behind that of the network as it is."""
        before = await self.trace(key.unchanged)
        others = {name: await self.trace(other) for name, other in key.of_others().items()}
        edits = with_photos(edits_in(key.edits), others)
        usual = await self._what_is_usual(key) if asks_what_is_usual(edits) else None
        return await self._of_photo(
            key, lambda network: run(network, before, edits, *more, view=key.view, reference=usual)
        )

    async def _what_is_usual(self, key: TraceKey) -> Reference:
        """The means of a network's gates that lie with it, or those over the example photos, taken once."""

        async def compute() -> Reference:
            kept = kept_reference(await self._catalog.network(key.network))
            if kept is not None:
                return kept
            return await self._of_photo(key, lambda network: reference_for(network, None))

        return await self._usual.get(key.network, compute)

    def _layers_with(self, source: Trace, layer: str) -> tuple[str, ...]:
        """The layers whose features are kept in one pass with this one's: all that have some, where they are
        small together."""
        gated = tuple(name for name, attention in source.layers.items() if attention.formula != "none")
        together = sum(
            8 * math.prod(source.layers[name].shape) for name in gated
        )  # before and after, 4 bytes
        return gated if layer in gated and together <= self._compute.together_bytes else (layer,)

    def _check_kept(self, key: TraceKey) -> None:
        """Raise AttnvizError where the photo or the checkpoint was deleted."""
        if not key.photo.exists():
            raise AttnvizError("photo_gone", minutes=self._settings.keep)
        if not all(photo.exists() for photo in key.photos):
            raise EditError("patch_photo_gone")
        if not self._catalog.has(key.network):
            raise AttnvizError("checkpoint_gone", minutes=self._settings.keep)

    async def _open(self, key: TraceKey) -> Photo:
        self._check_kept(key)
        with _foreseen():
            return await self.decoding.run(lambda: self._compute.open(key.photo))

    async def _of_photo(
        self, key: TraceKey, run: Callable[[nn.Module], Result], copied: nn.Module | None = None
    ) -> Result:
        """What ``run`` returns, if neither photo nor checkpoint was deleted before it was done."""
        self._check_kept(key)
        with _foreseen():
            result = await self.forward_pass(key.network, run, lambda: self._check_kept(key), copied)
            self._check_kept(key)
            return result

    def _run_limited(
        self,
        network: nn.Module,
        run: Callable[[nn.Module], Result],
        check: Callable[[], None],
        began: float,
    ) -> Result:
        def check_all() -> None:
            check()
            if self._closed:
                raise BusyError("server_restarts")
            if self._clock() - began > self._settings.seconds:
                raise TraceError("pass_too_long", seconds=self._settings.seconds)

        # Each stage and each block, but not what is in them: hooks take time.
        places = [module for path, module in network.named_modules() if path.count(".") < 2]
        with before_calls(places, check_all):
            return run(network)

    def _own_copy(self, network: nn.Module) -> nn.Module:
        """This thread's own modules of a network, of the same weights: two threads that listen to the same
        modules wait for each other."""
        copies: weakref.WeakKeyDictionary[nn.Module, nn.Module]
        copies = vars(self._thread).setdefault("copies", weakref.WeakKeyDictionary())
        if network not in copies:
            copies[network] = _copy_of(network)
        return copies[network]


def _copy_of(network: nn.Module) -> nn.Module:
    """Modules of the same weights."""
    inside = unwrapped(network)
    shared = [*inside.parameters(), *inside.buffers(), card_of(inside)]
    return copy.deepcopy(inside, {id(item): item for item in shared})


@contextmanager
def _foreseen() -> Iterator[None]:
    """Turns errors that nobody foresaw into a sentence for the visitor, and lines for the log."""
    try:
        yield
    except AttnvizError:
        raise
    except Exception:
        log.exception("tracing failed")
        raise AttnvizError("pass_failed") from None


def trace_bytes(trace: Trace) -> int:
    """About how much memory a trace takes."""
    arrays = [
        values
        for layer in trace.layers.values()
        for values in (*vars(layer).values(), *(step.values for step in layer.steps))
    ]
    return trace.photo.pixels.nbytes + sum(values.nbytes for values in arrays if hasattr(values, "nbytes"))


def reference_bytes(reference: Reference) -> int:
    """How much memory means of gates take."""
    return sum(values.nbytes for means in reference.means.values() for values in means.values())


def features_bytes(features: LayersFeatures) -> int:
    """How much memory layers' features take."""
    return sum(part.before.nbytes + part.after.nbytes for part in features.values())
