"""All take turns."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as any_of

from attnviz.server.turns import sort_in_rounds

letters = any_of.lists(any_of.sampled_from("abc"), max_size=12)


def in_turn(waiting: str | list[str], running: str | list[str] = "", *whose) -> list[str]:
    waiting = list(waiting)
    sort_in_rounds(waiting, running, *(whose or [str]))
    return waiting


def test_who_has_many_waits_behind_who_has_one():
    assert in_turn(["a1", "a2", "a3", "b1", "c1"], [], lambda name: name[0]) == ["a1", "b1", "c1", "a2", "a3"]
    assert in_turn(["a1", "a2", "b1"], ["a0"], lambda name: name[0]) == ["b1", "a1", "a2"]


def test_a_group_takes_no_more_turns_however_many_are_in_it():
    waiting = ["x1", "x2", "x3", "x4", "y1", "y1"]
    sorted_ = in_turn(waiting, [], str, lambda name: name[0])
    assert sorted_ == ["x1", "y1", "x2", "y1", "x3", "x4"]


@given(letters, letters)
def test_nobody_is_two_ahead_of_who_waits_and_what_is_ones_own_keeps_its_order(waiting, running):
    numbered = [(letter, number) for number, letter in enumerate(waiting)]
    served = list(numbered)
    sort_in_rounds(served, [(letter, -1) for letter in running], lambda item: item[0])
    assert sorted(served) == sorted(numbered)
    for letter in "abc":
        own = [number for name, number in served if name == letter]
        assert own == sorted(own)
    had, left = Counter(running), Counter(waiting)
    for letter, _ in served:
        assert all(had[letter] <= had[other] for other in left if left[other])
        had[letter] += 1
        left[letter] -= 1


@given(letters)
def test_sorted_is_sorted(waiting):
    once = in_turn(waiting)
    assert in_turn(once) == once
