"""A class of visitors (``visitors.py``), what each does and must be told. One person is one number; her
photos and her address are her own."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .notes import AGAIN, CLOSED, FIRST, NEW, OPENED, OTHER, Notes
from .visitors import Photo, Visitor, Wrong, check_own, fingerprint

LAYERS = 5

Photos = dict[int, list[Photo]]  # by person


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
    notes: Notes = field(default_factory=lambda: Notes("nothing"))  # of the part that is on
    others: list[Notes] = field(default_factory=list)  # of who is not of the class
    hostile_files: Path | None = None  # what a hostile visitor sends
    _until: float = 0.0  # when everybody stops, on the monotonic clock

    def begin(self, title: str, seconds: float = 1e6) -> None:
        """Another part of the case, in which all work for so many seconds; another round of it, if there was
        a part of this title."""
        self.switch(title, seconds)
        self._until = time.monotonic() + seconds

    def switch(self, title: str, seconds: float = 1e6) -> None:
        """Note what begins from now on in another part, while all go on working."""
        self.notes = next((part for part in self.parts if part.title == title), Notes(title))
        if self.notes not in self.parts:
            self.parts.append(self.notes)
        self.notes.rounds.append((time.monotonic(), time.monotonic() + seconds))

    def note_others(self, noted: Notes) -> None:
        """Add what somebody noted who is not of the class, under one title."""
        for notes in self.others:
            if notes.title == noted.title:
                notes.entries += noted.entries
                notes.said += noted.said
                return
        self.others.append(noted)

    def left(self) -> float:
        """Seconds until everybody stops."""
        return self._until - time.monotonic()

    async def pause(self) -> bool:
        """Think; whether there is time for more."""
        await asyncio.sleep(max(0.0, min(self.left(), 0 if self.learns else random.uniform(*self.think))))
        return self.left() > 0

    async def opened(self, person: int, files: bool = False) -> Visitor:
        """A page of this person's, opened. Raises TimeoutError if ten attempts fail."""
        address = None if self.one_address else address_of(person)
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
        await self.notes.ask(CLOSED, person, visitor.leave())

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


def address_of(person: int) -> str:
    """A person's own address on the loopback interface."""
    return f"127.0.{1 + person // 250}.{1 + person % 250}"


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
