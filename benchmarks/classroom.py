"""A class of visitors (``visitors.py``), what each does and must be told, and notes of what happened. One
person is one number; her photos and her address are her own."""

from __future__ import annotations

import asyncio
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from visitors import Lost, Photo, Refused, Visitor, Wrong, check_own, fingerprint, photo

LAYERS, ROUNDS = 5, 3
OPENED, NEW, OTHER, FIRST, AGAIN = (
    "page opened",
    "new photo",
    "other network",
    "channel, layer is new",
    "channel, layer is known",
)
PASSES = (NEW, OTHER)  # each is one forward pass; a layer's features may be there already
GREEDY = 9999  # the spammer's number

Photos = dict[int, list[Photo]]  # by person


@dataclass(frozen=True)
class Entry:
    """One request of one person, whatever it takes in HTTP. ``waiting`` people, this one too, waited for a
    pass when it began; ``rank`` is the place in the line that the server told, from 0."""

    kind: str
    person: int
    seconds: float
    outcome: str
    ended: float
    waiting: int
    rank: int | None


@dataclass(eq=False)
class Notes:
    """What happened in a part of a case."""

    title: str
    rounds: list[tuple[float, float]] = field(default_factory=list)  # from when to when
    entries: list[Entry] = field(default_factory=list)
    said: Counter[tuple[str, str]] = field(default_factory=Counter)  # (outcome, sentence)
    waiting: int = 0

    async def ask(
        self, kind: str, person: int, request: Awaitable[Any], visitor: Visitor | None = None
    ) -> Any:
        """What a request gave, or True for nothing; None where it was not answered well. It is timed and
        noted."""
        self.waiting += kind in PASSES
        began, waiting, outcome, answer = time.monotonic(), self.waiting, "answered", None
        try:
            answer = await request
        except (Refused, Wrong) as trouble:
            outcome = type(trouble).__name__.lower()
            self.said[outcome, re.sub(r"\d+", "N", str(trouble))] += 1
        except (Lost, httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as trouble:
            outcome = "lost"
            self.said[outcome, re.sub(r"\d+", "N", f"{type(trouble).__name__}: {trouble}")] += 1
        self.waiting -= kind in PASSES
        ended = time.monotonic()
        self.entries.append(
            Entry(kind, person, ended - began, outcome, ended, waiting, visitor.rank if visitor else None)
        )
        return None if outcome != "answered" else True if answer is None else answer

    def of(self, kind: str, outcome: str = "answered") -> list[Entry]:
        """All requests of this kind that ended so."""
        return [entry for entry in self.entries if entry.kind == kind and entry.outcome == outcome]

    def median(self, kind: str) -> float:
        """Seconds of the answered requests of a kind; NaN where there are none."""
        return statistics.median(entry.seconds for entry in self.of(kind)) if self.of(kind) else float("nan")

    def fairness(self) -> float:
        """Jain's index of how many answers each person got: 1 where all got as many."""
        counts = Counter(
            entry.person for entry in self.entries if entry.outcome == "answered" and entry.person != GREEDY
        ).values()
        return (
            sum(counts) ** 2 / (len(counts) * sum(count * count for count in counts))
            if counts
            else float("nan")
        )


@dataclass(eq=False)
class Class:
    """Everybody, and what each must be told: by photo and network, and for a channel by layer and number
    too."""

    url: str
    photos: Photos
    networks: tuple[str, str]  # the one that the page opens with, and the one that people change to
    seconds: float
    think: tuple[float, float]
    one_address: bool  # as behind a school's router
    count: int = 0  # of sessions or uploads; 0: as many as the case says
    expected: dict[tuple[object, ...], str] = field(default_factory=dict)
    between: Callable[[], Any] = lambda: None  # is called between the rounds of a rush
    learns: bool = False  # what is answered now is what is expected later
    parts: list[Notes] = field(default_factory=list)

    @property
    def notes(self) -> Notes:
        """Those of the part of the case that is on."""
        return self.parts[-1]

    def begin(self, title: str, seconds: float = 1e6) -> None:
        """Another part of the case, of so many seconds; another round of it, if it has the title of the one
        before."""
        if not self.parts or self.notes.title != title:
            self.parts.append(Notes(title))
        self.notes.rounds.append((time.monotonic(), time.monotonic() + seconds))

    def left(self) -> float:
        """Seconds until this part, or this round, is over."""
        return self.notes.rounds[-1][1] - time.monotonic()

    async def pause(self) -> bool:
        """Think; whether there is time for more."""
        await asyncio.sleep(max(0.0, min(self.left(), 0 if self.learns else random.uniform(*self.think))))
        return self.left() > 0

    async def opened(self, person: int, files: bool = False) -> Visitor:
        """A page of this person's, opened. Raises TimeoutError if ten attempts fail."""
        address = None if self.one_address else f"127.0.{1 + person // 250}.{1 + person % 250}"
        for _ in range(10):
            visitor = Visitor(self.url, address)
            if await self.notes.ask(OPENED, person, visitor.open(files)):
                return visitor
            await visitor.leave()
            await asyncio.sleep(2)
        raise TimeoutError("the page can't be opened")

    async def new_photo(self, visitor: Visitor, person: int, sent: Photo, network: str = "") -> Any:
        """A photo uploaded: its capture."""

        async def request() -> dict[str, Any]:
            await visitor.upload(sent)
            return self._capture(visitor, sent, network or self.networks[0])

        return await self.notes.ask(NEW, person, request(), visitor)

    async def other_network(self, visitor: Visitor, person: int, sent: Photo, network: str) -> Any:
        """Another network chosen: the photo's capture in it."""

        async def request() -> dict[str, Any]:
            await visitor.choose(network)
            return self._capture(visitor, sent, network)

        return await self.notes.ask(OTHER, person, request(), visitor)

    async def bars(
        self,
        visitor: Visitor,
        person: int,
        sent: Photo,
        capture: dict[str, Any],
        layer: int,
        kinds: tuple[str, ...],
    ) -> None:
        """Two bars of one layer clicked, or one."""
        shown = capture["layers"][layer]
        for kind in kinds:
            channel = (7 * person + kinds.index(kind)) % shown["channels"]

            async def request(channel: int = channel) -> None:
                answer = await visitor.ask(
                    "channel", {**capture["asked"], "layer": shown["name"], "channel": channel}
                )
                self._check(
                    (sent.name, capture["asked"]["network"], shown["name"], channel), fingerprint(answer)
                )

            await self.notes.ask(kind, person, request())

    async def walk(self, visitor: Visitor, person: int, sent: Photo, capture: dict[str, Any]) -> bool:
        """Five layers, with time to think; whether there is time for more."""
        for turn in range(LAYERS):
            if not await self.pause():
                return False
            await self.bars(
                visitor,
                person,
                sent,
                capture,
                turn * (len(capture["layers"]) - 1) // (LAYERS - 1),
                (FIRST, AGAIN),
            )
        return await self.pause()

    async def visit(self, person: int, sent: Photo, files: bool) -> None:
        """The page opened, a photo, five layers, another network, five layers; what is refused is tried again
        after a pause."""
        visitor, captured = await self.opened(person, files), None
        while await self.pause() and not captured:
            captured = await self.new_photo(visitor, person, sent)
        if captured and await self.walk(visitor, person, sent, captured):
            captured = await self.other_network(visitor, person, sent, self.networks[1])
            if captured:
                await self.walk(visitor, person, sent, captured)
        await self.close(visitor, person)

    async def close(self, visitor: Visitor, person: int) -> None:
        """The page closed."""
        await self.notes.ask("page closed", person, visitor.leave())

    def _capture(self, visitor: Visitor, sent: Photo, network: str) -> dict[str, Any]:
        capture = visitor.capture()
        check_own(capture, sent, network)
        self._check((sent.name, network), fingerprint(capture))
        return capture

    def _check(self, what: tuple[object, ...], found: str) -> None:
        if self.learns:
            self.expected[what] = found
        elif self.expected[what] != found:
            raise Wrong(f"other numbers than alone: {what[1:]}")


async def alone(all: Class, walks: bool) -> None:
    """Everybody's photos, one request at a time."""
    all.learns = True
    all.begin("alone")
    for person, own in all.photos.items():
        for number, sent in enumerate(own):
            if walks:
                await all.visit(person, sent, files=number == 0)
                continue
            visitor = await all.opened(person)
            captured = await all.new_photo(visitor, person, sent)
            if captured:
                await all.bars(visitor, person, sent, captured, 2, (FIRST, AGAIN))
            await all.other_network(visitor, person, sent, all.networks[1])
            await all.close(visitor, person)
    all.learns = False


async def lesson(all: Class) -> None:
    """All come within five seconds, and visit again and again until it is time to go."""
    all.begin("lesson", all.seconds)

    async def person(number: int) -> None:
        await asyncio.sleep(random.uniform(0, min(5.0, 0.2 * all.seconds)))
        turn = 0
        while all.left() > 0:
            await all.visit(number, all.photos[number][turn % len(all.photos[number])], files=turn == 0)
            turn += 1

    await asyncio.gather(*(person(number) for number in all.photos))


async def rush(all: Class) -> None:
    """All work without a pause, but for two, who look at channels of a layer that they know; in rounds,
    between which the machine is measured, whose speed may change."""
    all.begin("before the rush")
    visitors = {number: await all.opened(number) for number in all.photos}
    explored = {}
    for number in list(all.photos)[:2]:
        explored[number] = await all.new_photo(visitors[number], number, all.photos[number][0])
        await all.bars(visitors[number], number, all.photos[number][0], explored[number], 2, (FIRST, AGAIN))
    networks = dict.fromkeys(all.photos, 0)

    async def explores(number: int) -> None:
        while all.left() > 0:
            await asyncio.sleep(random.uniform(0.5, 1.0))
            await all.bars(visitors[number], number, all.photos[number][0], explored[number], 2, (AGAIN,))

    async def hurries(number: int) -> None:
        network, turn = networks[number], 0
        while all.left() > 0:
            sent = all.photos[number][turn % len(all.photos[number])]
            if await all.new_photo(visitors[number], number, sent, all.networks[network]) and all.left() > 0:
                networks[number] = network = 1 - network
                await all.other_network(visitors[number], number, sent, all.networks[network])
            turn += 1

    for _ in range(ROUNDS):
        all.begin("rush", all.seconds / ROUNDS)
        await asyncio.gather(
            *(explores(number) if number in explored else hurries(number) for number in all.photos)
        )
        await asyncio.to_thread(all.between)
    for number, visitor in visitors.items():
        await all.close(visitor, number)


async def overload(all: Class) -> None:
    """All upload at one moment; ten seconds after, one more does."""
    all.begin("before the overload")
    visitors = {number: await all.opened(number) for number in all.photos}
    all.begin("overload")
    await asyncio.gather(
        *(all.new_photo(visitor, number, all.photos[number][0]) for number, visitor in visitors.items())
    )
    await asyncio.sleep(10)
    all.begin("ten seconds after")
    for number, visitor in list(visitors.items())[:10]:
        await all.new_photo(visitor, number, all.photos[number][1])
    for number, visitor in visitors.items():
        await all.close(visitor, number)


async def spammer(all: Class) -> None:
    """New photos with time to think, half of the time beside somebody who wants eight at once."""

    async def person(number: int) -> None:
        visitor, turn = await all.opened(number), 0
        while await all.pause():
            await all.new_photo(visitor, number, all.photos[number][turn % len(all.photos[number])])
            turn += 1
        await all.close(visitor, number)

    async def greedy() -> None:
        visitor = await all.opened(GREEDY)
        upload = visitor.page.event("photo", "upload")
        kept = [
            photo(GREEDY, number) for number in range(8)
        ]  # made before, since to make one holds all visitors up

        async def one(number: int) -> None:
            while all.left() > 0:

                async def request() -> None:
                    visitor.values[visitor.page.ids["photo"]] = await visitor.store(kept[number])
                    await visitor.join(upload)

                if not await all.notes.ask("one of eight at once", GREEDY, request()):
                    await asyncio.sleep(0.2)

        await asyncio.gather(*(one(number) for number in range(8)))
        await all.close(visitor, GREEDY)

    all.begin("without the spammer", all.seconds / 2)
    await asyncio.gather(*(person(number) for number in all.photos))
    all.begin("spammer", all.seconds / 2)
    await asyncio.gather(greedy(), *(person(number) for number in all.photos))


async def sessions(all: Class) -> None:
    """So many visitors open the page and leave, eight at a time; then somebody works as always."""
    all.begin("sessions")
    numbers = iter(range(all.count or 2000))

    async def come() -> None:
        for number in numbers:
            await all.close(await all.opened(number), number)

    await asyncio.gather(*(come() for _ in range(8)))
    all.begin("after them")
    await all.visit(0, all.photos[0][0], files=False)


async def uploads(all: Class) -> None:
    """So many photos of one person; each twentieth is analysed."""
    all.begin("uploads")
    visitor, kept = await all.opened(0), all.photos[0]
    for number in range(all.count or 1000):
        if number % 20:
            await all.notes.ask("upload only", 0, visitor.store(photo(0, 1000 + number, (160, 120))))
        else:
            await all.new_photo(visitor, 0, kept[number // 20 % len(kept)])
    await all.close(visitor, 0)
