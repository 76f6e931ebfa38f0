"""Networks stay open within a budget."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from torch import nn

from attnviz.errors import NetworkError
from attnviz.server.network_cache import Shelf

OPENED: list[str] = []


def linear(name: str) -> nn.Module:
    OPENED.append(name)
    return nn.Linear(100, 10, bias=False)  # 4,000 bytes


@pytest.fixture(autouse=True)
def none_opened() -> None:
    OPENED.clear()


def test_two_stay_open_and_the_least_recently_used_goes_first():
    shelf = Shelf(8_000)
    a = shelf.get("a", linear)
    shelf.get("b", linear)
    assert shelf.get("a", linear) is a
    shelf.get("c", linear)
    assert shelf.names() == ["a", "c"] and shelf.get("a", linear) is a
    shelf.get("b", linear)
    assert OPENED == ["a", "b", "c", "b"]


def test_one_that_does_not_fit_is_refused_and_the_others_stay():
    shelf = Shelf(5_000)
    shelf.get("a", linear)
    with pytest.raises(NetworkError, match="more than"):
        shelf.get("b", lambda _: nn.Linear(100, 20))
    assert shelf.names() == ["a"] and shelf.get("a", linear)


def test_who_asks_at_once_waits_for_the_same_network():
    shelf, start = Shelf(), threading.Barrier(8)

    def slowly(name: str) -> nn.Module:
        network = linear(name)
        threading.Event().wait(0.05)
        return network

    def ask(_: int) -> nn.Module:
        start.wait()
        return shelf.get("a", slowly)

    with ThreadPoolExecutor(8) as pool:
        assert len({id(network) for network in pool.map(ask, range(8))}) == 1
    assert OPENED == ["a"]


def test_a_failure_is_not_kept():
    shelf = Shelf()

    def fails(_name: str) -> nn.Module:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        shelf.get("a", fails)
    assert isinstance(shelf.get("a", linear), nn.Linear)
    shelf.drop("a")
    shelf.drop("a")
    assert shelf.names() == []
