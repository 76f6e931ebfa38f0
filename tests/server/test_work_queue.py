"""Work is done in turn, by few threads, no endless line waits for them, and what hangs is given up."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from helpers.askers import GREEDY, ONE, OTHER, ask
from helpers.waiting import Waiting

from attnviz.errors import AttnvizError, BusyError
from attnviz.server.asker import Asker, asked_by
from attnviz.server.work_queue import WorkQueue


def wait_until(condition: Callable[[], bool]) -> None:
    """Let other threads run until this is so; the test's own limit of time ends what never is."""
    while not condition():
        time.sleep(0)


@contextmanager
def occupied(queue: WorkQueue):
    """While the only worker of a queue is busy."""
    began, end = threading.Event(), threading.Event()

    def work() -> str:
        began.set()
        assert end.wait(20)
        return "done"

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(queue.run, work)
        assert began.wait(20)
        try:
            yield
        finally:
            end.set()
        assert done.result(20) == "done"


def come(queue, asker: Asker, work: Callable):
    with asked_by(asker):
        return queue.run(work)


def come_in_order(pool, queue, askers: list[Asker], served: list[Asker]) -> list:
    """Let askers come one after another, each with work that says when it is done."""
    waiting = []
    for asker in askers:
        before = len(queue)
        waiting.append(pool.submit(come, queue, asker, lambda asker=asker: served.append(asker)))
        wait_until(lambda before=before: len(queue) > before)
    return waiting


def held(pool, queue) -> tuple:
    """Work that a thread does until the event that comes with it is set."""
    began, end = threading.Event(), threading.Event()

    def work() -> str:
        began.set()
        assert end.wait(20)
        return "late"

    done = pool.submit(queue.run, work)
    assert began.wait(20)
    return done, end


def test_work_is_done_one_after_another_in_the_order_of_coming():
    queue, order = Waiting(WorkQueue(1, 50)), []
    with ThreadPoolExecutor(20) as pool, occupied(queue):
        for number in range(20):
            pool.submit(queue.run, lambda number=number: order.append(number))
            wait_until(lambda number=number: len(queue) == number + 1)
    assert order == list(range(20)) and len(queue) == 0


def test_so_many_at_a_time_and_no_more():
    queue, both, lock, running, most = (
        Waiting(WorkQueue(2, 50)),
        threading.Barrier(2),
        threading.Lock(),
        [0],
        [0],
    )

    def work() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        both.wait(20)  # breaks where one has to wait for the other's end
        with lock:
            running[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(queue.run, work) for _ in range(8)]:
            done.result(20)
    assert most == [2]


def test_who_comes_when_the_line_is_full_is_told_the_number_and_the_line_goes_on():
    queue = Waiting(WorkQueue(1, 1))
    with ThreadPoolExecutor(1) as pool:
        with occupied(queue):
            second = pool.submit(queue.run, lambda: "second")
            wait_until(lambda: len(queue) == 1)
            with pytest.raises(BusyError) as refused:
                queue.run(lambda: "third")
            assert refused.value.values == {"number": 2}
        assert second.result(20) == "second"
    assert queue.run(lambda: "third") == "third"


def test_work_is_done_by_threads_kept_for_it_which_step_back():
    queue = Waiting(WorkQueue(2, 50, niceness=10))

    def worker() -> tuple[int, int]:
        niceness = (
            os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) if sys.platform == "linux" else 10
        )
        return threading.get_ident(), niceness

    with ThreadPoolExecutor(8) as pool:
        workers = list(pool.map(lambda _: queue.run(worker), range(100)))
    assert 1 <= len({thread for thread, _ in workers}) <= 2 and threading.get_ident() not in dict(workers)
    assert {niceness for _, niceness in workers} == {10}


def test_work_that_fails_fails_where_it_was_asked_for_and_the_next_runs():
    queue = Waiting(WorkQueue(1, 0))
    for _ in range(3):
        with pytest.raises(ValueError, match="invalid literal"):
            queue.run(lambda: int("broken"))
    assert queue.run(lambda: 1) == 1 and len(queue) == 0


def test_what_waits_when_the_queue_is_closed_is_not_begun():
    queue = Waiting(WorkQueue(1, 5))
    with ThreadPoolExecutor(1) as pool:
        with occupied(queue):
            waiting = pool.submit(queue.run, lambda: "begun")
            wait_until(lambda: len(queue) == 1)
            queue.close()
        with pytest.raises(BusyError, match="restarting"):
            waiting.result(20)


def test_nobody_waits_behind_all_of_who_asks_for_much():
    queue, served = Waiting(WorkQueue(1, 50)), []
    with ThreadPoolExecutor(20) as pool, occupied(queue):
        come_in_order(pool, queue, [GREEDY] * 5 + [ONE] * 2, served)
    assert served == [GREEDY, ONE, GREEDY, ONE, GREEDY, GREEDY, GREEDY]


def test_addresses_take_turns_whatever_those_who_ask_from_there_are_called():
    many = [replace(GREEDY, session=str(number)) for number in range(5)]
    queue, served = Waiting(WorkQueue(1, 50)), []
    with ThreadPoolExecutor(20) as pool, occupied(queue):
        come_in_order(pool, queue, [*many, ONE, ONE, OTHER], served)
    assert served == [many[0], ONE, many[1], OTHER, many[2], ONE, *many[3:]]


def test_who_waits_is_told_how_many_of_others_come_before():
    queue, served = Waiting(WorkQueue(1, 50)), []
    with ThreadPoolExecutor(20) as pool, occupied(queue):
        come_in_order(pool, queue, [GREEDY] * 5 + [ONE] * 2, served)
        assert [queue.ahead_of(asker) for asker in (GREEDY, ONE, OTHER)] == [0, 1, 0]
    assert queue.ahead_of(ONE) == 0


def test_who_fills_the_line_makes_room_for_who_comes_with_less():
    queue, served = Waiting(WorkQueue(1, 3)), []
    with ThreadPoolExecutor(20) as pool:
        with occupied(queue):
            greedy = come_in_order(pool, queue, [GREEDY] * 3, served)
            with pytest.raises(BusyError, match="number 4"):
                come(queue, GREEDY, lambda: served.append(GREEDY))
            modest = pool.submit(come, queue, ONE, lambda: served.append(ONE))
            with pytest.raises(BusyError, match="number 4"):
                greedy[-1].result(20)
        modest.result(20)
    assert served == [GREEDY, ONE, GREEDY]


def test_what_hangs_is_given_up_and_others_are_served_meanwhile():
    now = [0.0]
    queue = Waiting(WorkQueue(1, 5, hangs_seconds=10, clock=lambda: now[0]))
    with ThreadPoolExecutor(8) as pool:
        stuck, end = held(pool, queue)
        waiting = pool.submit(queue.run, lambda: "served")
        wait_until(lambda: len(queue) == 1)
        now[0] = 10.0
        assert not queue.hangs()
        now[0] = 11.0
        assert queue.hangs()
        with pytest.raises(AttnvizError, match="did not come to an end"):
            stuck.result(20)
        assert waiting.result(20) == "served" and queue.run(lambda: "too") == "too" and queue.hangs()
        end.set()
        wait_until(lambda: not queue.hangs())
    assert queue.run(lambda: "again") == "again"


def test_where_all_hangs_nobody_waits_for_ever_and_it_goes_on_when_something_ends():
    now = [0.0]
    queue = Waiting(WorkQueue(1, 5, hangs_seconds=10, clock=lambda: now[0]))
    with ThreadPoolExecutor(8) as pool, ExitStack() as stack:
        ends = []
        for _ in range(2):  # as many as run at a time, and as many in their place
            ends.append(held(pool, queue)[1])
            stack.callback(ends[-1].set)
            if len(ends) == 2:
                waiting = pool.submit(queue.run, lambda: "never")
                wait_until(lambda: len(queue) == 1)
            now[0] += 11
            assert queue.hangs()
        with pytest.raises(AttnvizError, match="did not come to an end"):
            waiting.result(20)
        with pytest.raises(AttnvizError, match="did not come to an end"):
            queue.run(lambda: "never")
        ends[0].set()
        wait_until(lambda: _is_served(queue))


def _is_served(queue) -> bool:
    try:
        return queue.run(lambda: "served") == "served"
    except AttnvizError:
        return False


def test_work_that_gives_signs_of_life_does_not_hang_however_long_it_takes():
    now, hung = [0.0], []
    queue = Waiting(WorkQueue(1, 5, hangs_seconds=10, clock=lambda: now[0]))

    def work() -> None:
        for _ in range(5):
            now[0] += 9
            queue.tell_alive()
            hung.append(queue.hangs())

    queue.run(work)
    queue.tell_alive()  # nobody's work: of no use, and no harm
    assert hung == [False] * 5


def test_what_was_given_up_before_its_turn_leaves_the_line():
    queue, served = WorkQueue(1, 5), []

    async def give_up() -> None:
        task = asyncio.create_task(queue.run(lambda: served.append("never")))
        await asyncio.sleep(0)
        assert len(queue) == 1
        task.cancel()
        await asyncio.wait([task])
        assert len(queue) == 0

    with occupied(Waiting(queue)):
        asyncio.run(give_up())
    assert served == []


class Large:
    """Stands for what takes much memory."""


def test_nothing_is_kept_of_work_that_is_done():
    queue, kept = WorkQueue(1, 5), []

    def work() -> Large:
        large = Large()
        kept.append(weakref.ref(large))
        return large

    async def run_twice() -> None:
        for _ in range(2):
            await queue.run(work)

    gc.disable()
    try:
        asyncio.run(run_twice())
        wait_until(lambda: not any(reference() for reference in kept))
    finally:
        gc.enable()


def test_of_one_address_so_much_runs_at_a_time_and_others_run_beside_it():
    queue, end, served = WorkQueue(2, 10, each_address=1), threading.Event(), []

    def long() -> None:
        assert end.wait(20)

    async def come_all() -> None:
        greedy = [asyncio.create_task(ask(queue, GREEDY, long)) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.wait_for(ask(queue, ONE, lambda: served.append("one")), 20)
        await asyncio.wait_for(ask(queue, OTHER, lambda: served.append("other")), 20)
        assert len(queue._waiting) == 1
        end.set()
        await asyncio.gather(*greedy)

    asyncio.run(come_all())
    assert served == ["one", "other"]
    queue.close()


def test_who_asks_without_end_leaves_room_while_others_ask_and_takes_all_when_nobody_does():
    now, end = 0.0, threading.Event()
    queue = WorkQueue(2, 20, clock=lambda: now, beside_others=1)

    async def come_twice(work: Callable[[], object]) -> None:
        await asyncio.gather(ask(queue, GREEDY, work), ask(queue, GREEDY, work))

    async def come_all() -> None:
        nonlocal now
        await come_twice(threading.Barrier(2, timeout=20).wait)  # both run at once
        await ask(queue, ONE, int)
        greedy = asyncio.create_task(come_twice(lambda: end.wait(20)))
        await ask(queue, OTHER, int)  # there is room for it
        await ask(queue, OTHER, int)
        assert len(queue._waiting) == 1
        end.set()
        await greedy
        now += 11.0
        await come_twice(threading.Barrier(2, timeout=20).wait)

    asyncio.run(come_all())
    queue.close()


def test_who_has_no_address_may_run_all_at_once():
    queue, both = WorkQueue(2, 10, each_address=1), threading.Barrier(2, timeout=20)

    async def come_both() -> None:
        await asyncio.gather(queue.run(both.wait), queue.run(both.wait))

    asyncio.run(come_both())
    queue.close()
