"""Who has had much, or sent what fails, rests while others ask."""

from __future__ import annotations

import asyncio

import pytest
from helpers.askers import GREEDY, ONE, ask

from attnviz.errors import AttnvizError
from attnviz.server.rests import Rests
from attnviz.server.work_queue import WorkQueue


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def fail_late(self) -> None:
        """Work that fails after two seconds."""
        self.now += 2.0
        raise AttnvizError("work_hangs")


def test_whose_work_fails_waits_three_times_as_long_as_it_took_while_others_ask():
    clock, served = Clock(), []
    queue = WorkQueue(1, 20, clock=clock)

    async def come_all() -> None:
        await ask(queue, ONE, int)
        with pytest.raises(AttnvizError):
            await ask(queue, GREEDY, clock.fail_late)
        greedy = asyncio.create_task(ask(queue, GREEDY, lambda: served.append("greedy")))
        for passed, so_far in ((0.0, []), (5.9, []), (0.2, ["greedy"])):
            clock.now += passed
            await asyncio.sleep(0)
            await ask(queue, ONE, int)
            await ask(queue, ONE, int)
            assert served == so_far
        await greedy

    asyncio.run(come_all())
    queue.close()


def test_who_asks_alone_never_waits_for_failed_work():
    clock = Clock()
    queue = WorkQueue(1, 20, clock=clock)

    async def come_twice() -> int:
        with pytest.raises(AttnvizError):
            await ask(queue, GREEDY, clock.fail_late)
        return await asyncio.wait_for(ask(queue, GREEDY, lambda: 5), 20)

    assert asyncio.run(come_twice()) == 5
    queue.close()


def test_who_waits_for_failed_work_has_her_turn_without_anybody_else_coming():
    queue = WorkQueue(1, 20)

    def fail() -> None:
        raise AttnvizError("work_hangs")

    async def come_all() -> int:
        await ask(queue, ONE, int)
        with pytest.raises(AttnvizError):
            await ask(queue, GREEDY, fail)
        return await asyncio.wait_for(ask(queue, GREEDY, lambda: 5), 20)

    assert asyncio.run(come_all()) == 5
    queue.close()


def test_a_visitor_who_never_stops_has_a_third_of_the_time_while_others_ask():
    clock, served = Clock(), []
    queue = WorkQueue(1, 50, clock=clock)

    def work(who: str) -> None:
        clock.now += 0.5
        served.append(who)

    async def come_all() -> None:
        await ask(queue, ONE, int)
        greedy = [asyncio.create_task(ask(queue, GREEDY, lambda: work("greedy"))) for _ in range(40)]
        await asyncio.sleep(0)
        while clock.now < 12:
            await ask(queue, ONE, int)
            clock.now += 0.1
        assert 8 <= len(served) <= 10  # 12 s and the 2 s that may be owed, 1.5 s for each
        clock.now += 60.0  # nobody else asks any more
        await asyncio.gather(*greedy)

    asyncio.run(come_all())
    assert len(served) == 40
    queue.close()


def test_what_a_visitor_had_of_one_kind_of_work_counts_for_another_kind_too():
    clock, served = Clock(), []
    rests = Rests(clock)
    decoding, passes = (WorkQueue(1, 20, clock=clock, rests=rests) for _ in range(2))

    def decode() -> None:
        clock.now += 2.0

    async def come_all() -> None:
        await ask(passes, ONE, int)
        await ask(decoding, GREEDY, decode)
        greedy = asyncio.create_task(ask(passes, GREEDY, lambda: served.append("greedy")))
        for passed, so_far in ((0.0, []), (3.9, []), (0.2, ["greedy"])):  # 2 s of six may be owed
            clock.now += passed
            await asyncio.sleep(0)
            await ask(passes, ONE, int)
            await ask(passes, ONE, int)
            assert served == so_far
        await greedy

    asyncio.run(come_all())
    decoding.close()
    passes.close()
