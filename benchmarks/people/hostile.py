"""A class at work, by turns beside one hostile visitor (``hostile_visitor.py``) and without."""

from __future__ import annotations

import asyncio
import random

from .classroom import Class, address_of
from .hostile_visitor import HostileVisitor
from .notes import GREEDY

QUIET, BETWEEN = "without the hostile visitor", "after each of her turns"
TURNS = 3
ARRIVING = 45.0  # seconds, as a visit takes: else all do the same at once, now beside her and now without
RECOVERY = 5.0  # seconds after she left that count for nothing


async def hostile(all: Class) -> None:
    """All visit again and again, as in a lesson; somebody hostile comes, leaves, and comes again."""
    if all.hostile_files is None:
        raise ValueError("no hostile files")
    visitor = HostileVisitor(all.url, address_of(GREEDY), all.hostile_files)
    all.begin("all come", all.seconds)
    await asyncio.gather(_turns(all, visitor), *(_person(all, number) for number in all.photos))
    await asyncio.to_thread(visitor.end)


async def _person(all: Class, number: int) -> None:
    await asyncio.sleep(random.uniform(0, min(ARRIVING, 0.2 * all.seconds)))
    turn = 0
    while all.left() > 0:
        await all.visit(number, all.photos[number][turn % len(all.photos[number])], files=turn == 0)
        turn += 1


async def _turns(all: Class, visitor: HostileVisitor) -> None:
    """Let her in and out, and note what others do in parts of their own."""
    await asyncio.sleep(min(ARRIVING, 0.2 * all.seconds))
    seconds = all.left() / TURNS / 2 - RECOVERY
    for _ in range(TURNS):
        all.switch(QUIET, seconds)
        await asyncio.sleep(seconds)
        all.switch("hostile", seconds)
        noted = await asyncio.to_thread(visitor.attack, seconds)
        all.switch(BETWEEN, RECOVERY)
        all.note_others(noted)
        await asyncio.sleep(RECOVERY)
