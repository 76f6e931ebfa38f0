"""The networks that a server offers: which there are, what stands in the picker, and the open ones."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from torch import nn

from ..capture.fast_copy import speed_up
from ..capture.hooks import before_calls
from ..checkpoints.told import NOTHING_TOLD, Told
from ..errors import BusyError, NetworkError, TraceError
from ..languages.catalogue import Phrase, say
from ..networks.card import card_of, with_card
from ..photos.example_photos import Example, examples_for
from ..processors import memory
from ..zoo import imagenet
from ..zoo.registry import card, intact, list_networks, load, open_checkpoint, read_labels
from .cache import Cache
from .first_networks import FirstNetworks
from .settings import Settings
from .uploaded_checkpoints import PREFIX, Checkpoint, UploadedCheckpoints
from .work_queue import FILES_NICENESS, WorkQueue

log = logging.getLogger(__name__)

Choice = tuple[str, str]  # what is shown, and the network's name
Report = Callable[[int, int], None]  # told of a download's bytes, and how many there will be
NETWORKS_SHARE = 0.4  # of the server's memory
EACH_SHARE = 1 / 3  # of that, for what one visitor opens
OPENED_AT_ONCE, MOST_WAITING = 2, 50  # networks that are opened, or downloaded, and that wait for it
OPENING_HANGS = 300.0  # seconds without a sign of life: each hundredth of a download is one, and each module
TEST_SIDE = 64  # of the noise that a checkpoint's network is tested on: a ResNet takes any
OPENING_COST = 1.2  # memory that opening a network takes, of what the network takes in the end


class Catalog:
    """Networks by name, opened when they are first asked for: those that come with attnviz, ImageNet's, and
    visitors' checkpoints, which have to pass a ``check`` first. What strangers name is looked up here, never
    on the disk."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[..., nn.Module] = load,
        memory: Callable[[], int] = memory,
        clock: Callable[[], float] = time.monotonic,
        queue: WorkQueue | None = None,
        check: Callable[[Path, int, Told], None] = lambda path, limit, told: None,
    ) -> None:
        self._settings, self._limit = settings, settings.checkpoint_bytes
        self._load, self._memory, self._clock, self._check = load, memory, clock, check
        self._one_at_a_time = threading.Lock()  # for what takes memory while it is opened
        self.first_networks = FirstNetworks(settings.networks)
        if queue is None:  # in which what is fetched ahead takes nobody's place
            at_once = OPENED_AT_ONCE + bool(self.first_networks.to_fetch())
            queue = WorkQueue(at_once, MOST_WAITING, FILES_NICENESS, OPENING_HANGS)
        self.queue = queue
        self._most_bytes = round(NETWORKS_SHARE * settings.memory_mb * 1_000_000)
        # Asked for by all: what anybody opens or uploads does not push them out.
        staying = {*list_networks(), *self._first_that_stay()}
        self._open: Cache[str, nn.Module] = Cache(
            self._checked_bytes,
            self._most_bytes,
            max_each=EACH_SHARE * self._most_bytes,
            stays=staying.__contains__,
        )
        self._checkpoints = UploadedCheckpoints(settings.keep)
        self._embedded = [(card(name).heading, name) for name in list_networks()]
        self._downloaded: list[Choice] | None = None  # to look for them takes ten milliseconds

    async def network(self, name: str, report: Report | None = None) -> nn.Module:
        """The network of this name. Raises NetworkError for one that can't be opened or is not offered."""
        if name.startswith(PREFIX):
            self._checkpoints.get(name)  # whose file is gone is gone, even if the network is still open
        return await self._open.get(name, lambda: self.queue.run(lambda: self._opened(name, report)))

    def open_names(self) -> list[str]:
        """The networks that are open, the least recently used first. Visitors' own are not among them: who
        knows the name of one can use it."""
        names = self._open.keys()
        return [name for name in names if not name.startswith(PREFIX)]

    def examples(self, name: str) -> tuple[Example, ...]:
        """The example photos that a network is shown with."""
        return examples_for(card(name).labels if name in list_networks() else self._checkpoints.classes(name))

    def is_open(self, name: str) -> bool:
        """Whether a network is open."""
        names = self._open.keys()
        return name in names

    async def assumptions(self, name: str) -> tuple[Phrase, ...]:
        """A sentence about each thing that was assumed of a network."""
        return card_of(await self.network(name)).assumptions

    async def add(self, path: Path, labels: Path | None, told: Told = NOTHING_TOLD) -> Choice:
        """Open an uploaded checkpoint, and offer it to who uploaded it; ``told`` is what they say of it.
        Raises NetworkError if it can't be opened."""
        name = self._checkpoints.add(Checkpoint(path, labels, told))
        try:
            network = await self.network(name)
        except BaseException:
            self._checkpoints.forget(name)  # nobody was told it; the files are its visitor's
            raise
        self._checkpoints.learn(name, card_of(network).labels)
        return f"{path.name}: {card_of(network).title}", name

    def has(self, name: str) -> bool:
        """Whether a network is offered, or still offered."""
        return not name.startswith(PREFIX) or self._checkpoints.has(name)

    def delete(self, name: str, everywhere: bool = True) -> None:
        """Close an uploaded checkpoint, and delete it; ``everywhere`` as in ``uploads.remove``."""
        self._checkpoints.delete(name, everywhere)
        self._close(name)

    def release(self, session: str) -> None:
        """Let a visitor hold no network any more that others may ask for too."""
        self._open.release(session)

    def expire(self) -> None:
        """Close the checkpoints whose files are gone."""
        for name in self._checkpoints.expire():
            self._close(name)

    def make_room(self) -> None:
        """Close half of the networks that visitors opened: they can be opened again."""
        self._open.halve()

    def choices(self, mine: list[Choice], language: str = "en") -> list[Choice]:
        """All that one visitor can choose from, and where each comes from: what comes with attnviz,
        ImageNet's, and the visitor's ``mine``."""
        whole = [
            (say(language, "choice_embedded", title=title), name) for title, name in self._embedded_intact()
        ]
        damaged = [
            (say(language, "choice_damaged", title=title), name)
            for title, name in self._embedded
            if not intact(name)
        ]
        downloads = [(_imagenet_title(key, language), key) for key in list_networks("imagenet")]
        own = [(say(language, "choice_yours", title=title), name) for title, name in mine]
        return self._first_ones_first([*whole, *damaged, *downloads, *own])

    def ready(self, mine: list[Choice]) -> list[Choice]:
        """Those that can be compared without waiting for a download, by their titles."""
        downloaded = self._downloaded
        if downloaded is None:
            downloaded = self._downloaded = _downloaded()
        return self._first_ones_first([*self._embedded_intact(), *mine, *downloaded])

    def first(self) -> str:
        """The network that is shown where none is asked for: one that is ready, or one whose opening says
        what is wrong."""
        there = [*self.first_networks.there(), *(name for _, name in self._embedded_intact())]
        return there[0] if there else [*self.ready([]), *self.choices([])][0][1]

    def log_damaged(self) -> None:
        """Say in the log which of those that come with attnviz are damaged."""
        for _, name in self._embedded:
            if not intact(name):
                log.error(
                    "the weights of %s are missing or damaged: it is offered, but can't be opened until they "
                    "are restored",
                    name,
                )

    def _first_ones_first(self, choices: list[Choice]) -> list[Choice]:
        there = self.first_networks.there()
        return sorted(choices, key=lambda row: there.index(row[1]) if row[1] in there else len(there))

    def _first_that_stay(self) -> Iterator[str]:
        """Of the networks that the page opens first those that take half of the memory for networks at
        most."""
        room = self._most_bytes / 2
        for name in self.first_networks.to_fetch():
            room -= imagenet.row(name).megabytes * 1_000_000
            if room >= 0:
                yield name

    def _embedded_intact(self) -> list[Choice]:
        return [(title, name) for title, name in self._embedded if intact(name)]

    def _close(self, name: str) -> None:
        self._open.drop(lambda other: other == name)

    def _opened(self, name: str, report: Report | None) -> nn.Module:
        if name.startswith(PREFIX):
            return self._opened_checkpoint(self._checkpoints.get(name))
        if name in list_networks("imagenet"):
            self._reserve(round(imagenet.row(name).megabytes * 1_000_000))  # before it is downloaded
        elif name not in list_networks():
            raise NetworkError("network_not_offered", name=Path(name).name)

        def alive(done: int, total: int) -> None:
            self.queue.tell_alive()
            if report is not None:
                report(done, total)

        network = self._load(name, report=alive)
        self._downloaded = None
        is_small = name in list_networks()  # those that come with attnviz wait for nobody's checkpoint
        with nullcontext() if is_small else self._alone():
            return network if self._sped_up(network) else self._load(name, report=alive)

    def _opened_checkpoint(self, checkpoint: Checkpoint) -> nn.Module:
        self._check(checkpoint.path, self._limit, checkpoint.told)
        self.queue.tell_alive()
        with self._alone():
            network = self._read(checkpoint)
            if not self._sped_up(network, TEST_SIDE):
                network = self._read(checkpoint)
        if checkpoint.labels is not None:
            card = card_of(network)
            with_card(network, replace(card, labels=read_labels(checkpoint.labels, card)))
        return network

    def _read(self, checkpoint: Checkpoint) -> nn.Module:
        """The network in an uploaded file. What its keys leave open is settled for as long as a pass may
        take."""
        first_asked: float | None = None

        def may_go_on() -> bool:
            nonlocal first_asked
            self.queue.tell_alive()
            now = self._clock()
            first_asked = now if first_asked is None else first_asked
            return now - first_asked <= self._settings.seconds

        return open_checkpoint(checkpoint.path, self._limit, self._reserve, checkpoint.told, may_go_on)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Open a network while no other is opened. Raises BusyError where another does not come to an end."""
        if not self._one_at_a_time.acquire(timeout=self.queue.hangs_seconds / 2):
            raise BusyError("opening_waits")
        try:
            self.queue.tell_alive()
            yield
        finally:
            self._one_at_a_time.release()

    def _sped_up(self, network: nn.Module, side: int | None = None) -> bool:
        """Let a network be rewritten under the clock. False if it was spoilt."""
        began = self._clock()

        def check() -> None:
            self.queue.tell_alive()
            if self._clock() - began > self._settings.seconds:
                raise TraceError("pass_too_long", seconds=self._settings.seconds)

        with before_calls(list(network.modules()), check):
            return speed_up(network, side)

    def _reserve(self, size: int, more_bytes: int = 0) -> None:
        """Let go of networks until one of ``size`` bytes fits in with the others; its opening takes
        ``more_bytes`` besides. Raises NetworkError for one that never does, and BusyError where the server is
        short of memory now."""
        self._check_size(size)
        self._open.make_room(size)
        if self._memory() + OPENING_COST * size + more_bytes > self._settings.memory_mb * 1_000_000:
            raise BusyError("memory_short")

    def _checked_bytes(self, network: nn.Module) -> int:
        size = sum(tensor.nbytes for tensor in (*network.parameters(), *network.buffers()))
        self._check_size(size)
        return size

    def _check_size(self, size: int) -> None:
        if size > self._most_bytes:
            limit = self._most_bytes // 1_000_000
            raise NetworkError("network_too_large", size=size // 1_000_000, limit=limit)


def title_of(name: str) -> str:
    """What a network is, for people: of one that comes with attnviz, or ImageNet's."""
    return card(name).heading if name in list_networks() else imagenet.row(name).title


def _downloaded() -> list[Choice]:
    rows = [(imagenet.row(key), key) for key in list_networks("imagenet") if imagenet.kept(key)]
    return [(f"{row.title} ({row.library})", key) for row, key in rows]


def _imagenet_title(key: str, language: str) -> str:
    row = imagenet.row(key)
    text = "choice_here" if imagenet.kept(key) else "choice_download"
    return say(language, text, title=row.title, library=row.library, megabytes=f"{row.megabytes:.0f}")
