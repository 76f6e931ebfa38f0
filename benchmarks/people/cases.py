"""What a class does, case by case."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from .classroom import Class
from .hostile import hostile
from .notes import AGAIN, FIRST, GREEDY
from .visitors import Visitor, photo

ROUNDS = 3


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

    async def work(number: int) -> None:
        if number in explored:
            await _explores(all, visitors[number], number, explored[number])
        else:
            networks[number] = await _hurries(all, visitors[number], number, networks[number])

    for _ in range(ROUNDS):
        all.begin("rush", all.seconds / ROUNDS)
        await asyncio.gather(*map(work, all.photos))
        await asyncio.to_thread(all.between)
    for number, visitor in visitors.items():
        await all.close(visitor, number)


async def _explores(all: Class, visitor: Visitor, number: int, explored: dict[str, Any]) -> None:
    """Channels of a known layer."""
    while all.left() > 0:
        await asyncio.sleep(random.uniform(0.5, 1.0))
        await all.bars(visitor, number, all.photos[number][0], explored, 2, (AGAIN,))


async def _hurries(all: Class, visitor: Visitor, number: int, network: int) -> int:
    """Photo after photo, each in both networks; the network that is chosen at the end."""
    turn = 0
    while all.left() > 0:
        sent = all.photos[number][turn % len(all.photos[number])]
        if await all.new_photo(visitor, number, sent, all.networks[network]) and all.left() > 0:
            network = 1 - network
            await all.other_network(visitor, number, sent, all.networks[network])
        turn += 1
    return network


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

    all.begin("without the spammer", all.seconds / 2)
    await asyncio.gather(*(person(number) for number in all.photos))
    all.begin("spammer", all.seconds / 2)
    await asyncio.gather(_wants_eight(all), *(person(number) for number in all.photos))


async def _wants_eight(all: Class) -> None:
    """Eight photos uploaded at once, again and again."""
    visitor = await all.opened(GREEDY)
    kept = [photo(GREEDY, number) for number in range(8)]  # before: to make one holds all visitors up

    async def request(number: int) -> None:
        await visitor.upload(kept[number])

    async def one(number: int) -> None:
        while all.left() > 0:
            if not await all.notes.ask("one of eight at once", GREEDY, request(number)):
                await asyncio.sleep(0.2)

    await asyncio.gather(*(one(number) for number in range(8)))
    await all.close(visitor, GREEDY)


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
            await all.notes.ask("upload only", 0, visitor.send(photo(0, 1000 + number, (160, 120))))
        else:
            await all.new_photo(visitor, 0, kept[number // 20 % len(kept)])
    await all.close(visitor, 0)


@dataclass(frozen=True)
class Case:
    """What runs, of how many people for each that was asked for and how many more, photos of each, whether
    these walk through layers, whether all have one address, whether to wait until the server has let go
    of everything, and how many minutes it takes."""

    work: Callable[[Class], Coroutine[Any, Any, None]]
    share: float
    more: int
    photos: int
    walks: bool
    one_address: bool
    waits: bool
    minutes: float = 1.0


CASES = {
    "lesson": Case(lesson, 1, 0, 2, walks=True, one_address=True, waits=True, minutes=10),
    "rush": Case(rush, 1, 2, 2, walks=False, one_address=False, waits=False),
    "overload": Case(overload, 3, 0, 2, walks=False, one_address=False, waits=False),
    "spammer": Case(spammer, 0.5, 0, 2, walks=False, one_address=False, waits=False),
    "hostile": Case(hostile, 1, 0, 2, walks=True, one_address=True, waits=False, minutes=6),
    "sessions": Case(sessions, 0, 1, 1, walks=True, one_address=False, waits=True),
    "uploads": Case(uploads, 0, 1, 20, walks=False, one_address=True, waits=True),
}
