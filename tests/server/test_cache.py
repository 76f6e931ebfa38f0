"""Values are computed once and kept within a budget."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers.waiting import Waiting
from hypothesis import given
from hypothesis import strategies as any_of

from attnviz.server.asker import Asker, asked_by
from attnviz.server.cache import MOST_HOLDERS, Cache

CALLERS = 8


class Entrances:
    """A clock that stands still, and tells when it was read so many times: the cache reads it under its lock
    before it looks a key up."""

    def __init__(self, count: int) -> None:
        self.all_in = threading.Event()
        self._missing = count

    def __call__(self) -> float:
        self._missing -= 1
        if self._missing == 0:
            self.all_in.set()
        return 0.0


class WaitingCache:
    """A cache whose values are computed by plain functions, in threads, and waited for."""

    def __init__(self, *arguments, **more) -> None:
        self._cache = Cache(*arguments, **more)
        self.drop, self.expire, self.keys = self._cache.drop, self._cache.expire, self._cache.keys
        self.halve = self._cache.halve
        self.make_room, self.held, self.release = self._cache.make_room, self._cache.held, self._cache.release

    def get(self, key, compute):
        return Waiting(self._cache).get(key, lambda: asyncio.to_thread(compute))


def letters(max_bytes: int = 10**6, **more) -> WaitingCache:
    """A cache of texts, each as large as it is long."""
    return WaitingCache(len, max_bytes, **more)


def test_a_value_is_computed_once():
    cache, computed = letters(), []
    for _ in range(3):
        assert cache.get("a", lambda: computed.append("a") or "A") == "A"
    assert computed == ["a"]


def test_the_least_recently_used_goes_first():
    cache, computed = letters(2), []
    for key in ("a", "b", "a", "c", "a", "b"):
        cache.get(key, lambda key=key: computed.append(key) or key)
    assert computed == ["a", "b", "c", "b"] and cache.keys() == ["a", "b"]


def test_one_that_is_larger_than_the_whole_stays_until_the_next_comes():
    cache = letters(2)
    cache.get("large", lambda: "12345")
    assert cache.keys() == ["large"]
    cache.get("a", lambda: "a")
    assert cache.keys() == ["a"]


def test_room_is_made_before_a_value_is_there():
    cache = letters(5)
    for key in "abc":
        cache.get(key, lambda key=key: 2 * key)
    assert cache.keys() == ["b", "c"]
    cache.make_room(1)
    assert cache.keys() == ["b", "c"]
    cache.make_room(2)
    assert cache.keys() == ["c"]
    cache.make_room(9)
    assert cache.keys() == []


def test_what_is_not_used_for_its_time_goes_and_use_begins_it_anew():
    now = [0.0]
    cache = letters(kept_seconds=60, clock=lambda: now[0])
    cache.get("a", lambda: "a")
    cache.get("b", lambda: "b")
    now[0] = 40
    cache.get("a", lambda: "never")
    now[0] = 90
    cache.expire()
    assert cache.keys() == ["a"]
    now[0] = 101
    assert cache.get("a", lambda: "new") == "new"


def test_who_asks_while_it_is_computed_waits_and_gets_the_same():
    entrances, computed = Entrances(CALLERS), []
    cache = letters(clock=entrances)

    def compute() -> str:
        computed.append("a")
        assert entrances.all_in.wait(20)
        return "A"

    with ThreadPoolExecutor(CALLERS) as pool:
        assert set(pool.map(lambda _: cache.get("a", compute), range(CALLERS))) == {"A"}
    assert computed == ["a"]


def test_who_waits_for_a_failure_gets_it_and_only_who_comes_later_computes_again():
    entrances, computed = Entrances(CALLERS), []
    cache = letters(clock=entrances)

    def fail() -> str:
        computed.append("a")
        assert entrances.all_in.wait(20)
        raise OSError("gone")

    with ThreadPoolExecutor(CALLERS) as pool:
        answers = [pool.submit(cache.get, "a", fail) for _ in range(CALLERS)]
        assert {str(answer.exception(20)) for answer in answers} == {"gone"}
    assert computed == ["a"] and cache.keys() == []
    assert cache.get("a", lambda: computed.append("again") or "A") == "A" and computed == ["a", "again"]


def test_a_value_whose_size_is_refused_is_a_failure():
    def refuse(value: str) -> int:
        raise ValueError(value)

    cache = WaitingCache(refuse, 100)
    for _ in range(2):
        with pytest.raises(ValueError, match="large"):
            cache.get("a", lambda: "large")
    assert cache.keys() == []


def test_what_is_dropped_is_computed_anew_and_the_rest_stays():
    cache = letters()
    for key in ("a1", "a2", "b1"):
        cache.get(key, lambda: "old")
    cache.drop(lambda key: key.startswith("a"))
    assert cache.keys() == ["b1"]
    assert cache.get("a1", lambda: "new") == "new" and cache.get("b1", lambda: "new") == "old"


def test_what_is_dropped_while_it_is_computed_is_not_kept():
    cache = letters()

    def compute() -> str:
        cache.drop(lambda key: key == "a")
        return "A"

    assert cache.get("a", compute) == "A" and cache.keys() == []
    assert cache.get("a", lambda: "new") == "new"


ANNA, BEN = Asker("1.1.1.1", "anna"), Asker("2.2.2.2", "ben")


def ask(cache: WaitingCache, asker: Asker, *keys: str) -> None:
    """Let one ask for values, each as large as its key is long."""
    with asked_by(asker):
        for key in keys:
            cache.get(key, lambda key=key: key)


def test_nobody_holds_more_than_a_share_and_her_own_goes_that_was_not_used_for_longest():
    cache = letters(100, max_each=4)
    ask(cache, BEN, "b1")
    ask(cache, ANNA, "a1", "a2", "a1", "a3")
    assert cache.keys() == ["b1", "a1", "a3"]
    assert cache.held() == {ANNA: 4, BEN: 2}


def test_a_value_larger_than_a_share_stays_until_she_asks_for_the_next():
    cache = letters(100, max_each=4)
    ask(cache, ANNA, "a1", "a-large-one")
    assert cache.keys() == ["a-large-one"]
    ask(cache, ANNA, "a2")
    assert cache.keys() == ["a2"]


def test_what_several_ask_for_is_held_in_equal_parts_and_stays_while_one_holds_it():
    cache = letters(100, max_each=4)
    ask(cache, ANNA, "s1s1")
    ask(cache, BEN, "s1s1")
    assert cache.held() == {ANNA: 2, BEN: 2}
    ask(cache, ANNA, "a1", "a2")
    assert cache.keys() == ["s1s1", "a1", "a2"] and cache.held() == {ANNA: 4, BEN: 4}
    cache.release("anna")
    assert cache.keys() == ["s1s1", "a1", "a2"] and cache.held() == {BEN: 4}


def test_who_waits_for_a_value_that_another_asked_for_first_holds_it_too():
    entrances = Entrances(2)
    cache = letters(clock=entrances)

    def compute() -> str:
        assert entrances.all_in.wait(20)
        return "four"

    def come(asker: Asker) -> None:
        with asked_by(asker):
            cache.get("a", compute)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(come, (ANNA, BEN)))
    assert cache.held() == {ANNA: 2, BEN: 2}


def test_where_all_is_full_who_holds_most_loses_and_nobody_else():
    cache = letters(10)
    ask(cache, BEN, "b1")
    ask(cache, ANNA, *(f"a{number}" for number in range(9)))
    assert cache.keys() == ["b1", "a5", "a6", "a7", "a8"]


def test_half_goes_of_who_holds_most():
    cache = letters(20)
    ask(cache, BEN, "b1", "b2")
    ask(cache, ANNA, *(f"a{number}" for number in range(6)))
    cache.halve()
    assert cache.keys() == ["b1", "b2", "a4", "a5"]


def test_what_stays_is_nobodys_and_goes_for_nobody():
    cache = letters(4, stays="s1".__eq__)
    ask(cache, BEN, "s1")
    ask(cache, ANNA, "a1", "a2", "a3", "a-large-one")
    cache.make_room(4)
    assert cache.keys() == ["s1"] and cache.held() == {}


def test_an_address_gains_nothing_by_the_names_of_its_sessions():
    cache = letters(10)
    ask(cache, BEN, "b1", "b2")
    for number in range(9):
        ask(cache, Asker("1.1.1.1", str(number)), f"a{number}")
    assert cache.keys() == ["b1", "b2", "a6", "a7", "a8"]


def test_what_others_hold_too_goes_after_what_is_ones_own():
    cache = letters(8)
    ask(cache, ANNA, "s1")
    ask(cache, BEN, "s1")
    ask(cache, ANNA, "a1", "a2", "a3", "a4")
    assert cache.keys() == ["s1", "a2", "a3", "a4"]


def test_what_nobody_holds_any_more_goes_first():
    cache = letters(6)
    ask(cache, ANNA, "a1")
    ask(cache, BEN, "b1", "b2")
    cache.release("ben")
    ask(cache, ANNA, "a2")
    assert cache.keys() == ["a1", "b2", "a2"]


def test_a_value_keeps_few_names_however_many_ask_for_it():
    cache = letters()
    for number in range(100):
        ask(cache, Asker("1.1.1.1", str(number)), "s1")
    assert len(cache.held()) == MOST_HOLDERS


@given(
    any_of.lists(
        any_of.tuples(any_of.sampled_from("abcd"), any_of.integers(0, 9), any_of.integers(1, 6)), max_size=40
    )
)
def test_whatever_is_asked_for_all_stays_within_the_whole_and_each_within_a_share(asked):
    cache = Cache(len, 20, max_each=8)

    async def text(key: str, size: int) -> str:
        return key * size

    async def ask_all() -> None:
        for name, number, size in asked:
            asker = Asker(name, name)
            with asked_by(asker):
                await cache.get((number, size), lambda n=number, s=size: text(str(n), s))
            assert cache.held()[asker] <= 8 and sum(cache.held().values()) <= 20 + 1e-9  # of thirds

    asyncio.run(ask_all())
