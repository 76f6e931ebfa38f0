"""Work is done first come, first served, by few threads, and no endless line waits for them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from helpers.waiting import Waiting

from attnviz.errors import BusyError
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
