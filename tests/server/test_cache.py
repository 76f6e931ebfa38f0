"""Values are computed once and kept within a budget."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers.waiting import Waiting

from attnviz.server.cache import Cache

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
        self.make_room = self._cache.make_room

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
