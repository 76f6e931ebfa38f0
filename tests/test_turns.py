"""Forward passes take turns: first come, first served, and no endless line."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from attnviz.errors import BusyError
from attnviz.turns import Turns


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
