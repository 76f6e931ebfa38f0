"""Forward passes take turns: visitors in turn, first come, first served, and no endless line."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from attnviz.errors import BusyError
from attnviz.server.work_queue import BACK, Turns, take_turns


def test_no_more_at_once_than_may_be_and_in_the_order_of_coming():
    turns, order, at_once, most = Turns(1, 50), [], [0], [0]
    with turns.turn():
        threads = []
        for number in range(20):

            def run(number=number) -> None:
                with turns.turn():
                    at_once[0] += 1
                    most[0] = max(most[0], at_once[0])
                    order.append(number)
                    at_once[0] -= 1

            threads.append(threading.Thread(target=run))
            threads[-1].start()
            while len(turns) <= number:
                threads[-1].join(0.001)
    for thread in threads:
        thread.join(10)
    assert order == list(range(20)) and most == [1] and len(turns) == 0


def test_who_comes_when_the_line_is_full_is_told_the_number_and_the_line_goes_on():
    turns, held, free = Turns(1, 1), threading.Event(), threading.Event()

    def hold() -> str:
        with turns.turn():
            held.set()
            assert free.wait(10)
        return "held"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(hold)
        assert held.wait(10)
        second = pool.submit(hold)
        while not len(turns):
            pass
        with pytest.raises(BusyError, match="number 2"), turns.turn():
            pass
        free.set()
        assert first.result() == second.result() == "held"
    with turns.turn():
        pass


def test_a_turn_that_fails_is_given_back():
    turns = Turns(1, 0)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), turns.turn():
            raise ValueError("broken")


def test_work_is_done_by_threads_kept_for_it_which_step_back():
    turns = Turns(2, 50)

    def which() -> tuple[int, int]:
        back = os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) if sys.platform == "linux" else BACK
        return threading.get_ident(), back

    with ThreadPoolExecutor(8) as pool:
        ran = list(pool.map(lambda _: turns.run(which), range(100)))
    assert 1 <= len({thread for thread, _ in ran}) <= 2 and threading.get_ident() not in dict(ran)
    assert {back for _, back in ran} == {BACK}


def test_work_that_fails_fails_where_it_was_asked_for_and_the_next_runs():
    turns = Turns(1, 0)
    for _ in range(3):
        with pytest.raises(ValueError, match="invalid literal"):
            turns.run(lambda: int("broken"))
    assert turns.run(lambda: 1) == 1 and len(turns) == 0


def test_who_fills_the_line_waits_behind_the_others():
    def event(number: int, visitor: str) -> SimpleNamespace:
        return SimpleNamespace(_id=number, session_hash=visitor)

    def first():
        return line.queue.pop(0)._id if line.queue else None

    line = SimpleNamespace(queue=[], concurrency_limit=1, current_concurrency=0)
    queue = SimpleNamespace(
        active_jobs=[None],
        event_queue_per_concurrency_id={"pass": line},
        get_events=first,
        sleep_when_free=0.001,
    )
    take_turns(queue)
    line.queue += [event(number, "greedy") for number in range(4)] + [
        event(4, "one"),
        event(5, "other"),
        event(6, "one"),
    ]
    assert [queue.get_events() for _ in range(3)] == [
        0,
        4,
        5,
    ]  # nothing runs on, so the greedy one is first again
    line.queue += [event(7, "late")]
    queue.active_jobs = [[event(0, "greedy")], None]
    assert [queue.get_events() for _ in range(6)] == [6, 7, 1, 2, 3, None]


def test_gradios_queue_is_as_it_is_taken_to_be():
    from attnviz.server.page import build

    page = build().queue(status_update_rate=1)
    before = page._queue.get_events
    take_turns(page._queue)
    assert (
        page._queue.get_events is not before
        and page._queue.get_events() is None
        and page._queue.active_jobs == []
    )
