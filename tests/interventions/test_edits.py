"""Edits themselves: frozen, equal where they say the same, written to JSON and back."""

from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

import attnviz
from attnviz import Flat, Off, Patch, Scale, Set, Shuffle, Usual
from attnviz.interventions.edits import permutation

ALL = (
    Off(), Off("channel"), Usual(), Usual("spatial"), Flat(), Patch("other.jpg"),
    Patch("other.jpg", "channel"),
    Set(channel={17: 0.0, 3: 1.5}), Set(cells={(3, 4): 1}), Set({1: 1}, {(0, 0): 0}), Scale(0.5),
    Scale(2, "spatial"), Shuffle(), Shuffle(7, "channel"),
)  # fmt: skip


@pytest.mark.parametrize("edit", ALL, ids=repr)
def test_an_edit_comes_back_from_json_and_from_a_pickle_as_it_was(edit):
    written = json.loads(json.dumps(attnviz.edits_to_json({"layer1.0": edit})))
    (again,) = attnviz.edits_from_json(written)["layer1.0"]
    assert again == edit == pickle.loads(pickle.dumps(edit)) and hash(again) == hash(edit)
    assert not any(other == edit for other in ALL if other is not edit)


def test_an_edit_can_not_be_changed():
    edit = Set(channel={1: 0.0})
    with pytest.raises(FrozenInstanceError):
        edit.channel = {}
    with pytest.raises(TypeError):
        edit.channel[2] = 1.0


def test_json_is_short_and_keeps_the_order():
    edits = {"layer2.0": ("usual", Set(channel={5: 1}, cells={(2, 1): 0})), "all": "off"}
    assert attnviz.edits_to_json(edits) == {
        "layer2.0": [{"edit": "usual"}, {"edit": "set", "channel": [[5, 1.0]], "cells": [[2, 1, 0.0]]}],
        "all": [{"edit": "off"}],
    }
    assert attnviz.edits_from_json({"layer2.0": "off"}) == {"layer2.0": (Off(),)}
    assert attnviz.edits_to_json({"a": Patch(Path("b.jpg"))}) == {"a": [{"edit": "patch", "photo": "b.jpg"}]}


def test_a_photo_in_memory_is_not_written_and_that_is_said():
    photo = attnviz.Photo(np.zeros((8, 8, 3), np.uint8), "mine.png")
    with pytest.raises(attnviz.EditError, match=r"mine\.png.*give the path"):
        attnviz.edits_to_json({"layer1.0": Patch(photo)})
    assert Patch(photo) == Patch(photo) != Patch(attnviz.Photo(photo.pixels, "mine.png"))


@pytest.mark.parametrize(
    "wrong",
    [
        None, [],
        "off", {"a": 1}, {"a": {}}, {"a": {"edit": 3}}, {"a": {"edit": "nothing"}},
        {"a": "nothing"},
        {"a": {"edit": "off", "part": "both"}}, {"a": {"edit": "off", "seed": 1}}, {"a": {"edit": "scale"}},
        {"a": {"edit": "scale", "by": "much"}}, {"a": {"edit": "scale", "by": float("nan")}},
        {"a": {"edit": "set"}}, {"a": {"edit": "set", "channel": [[-1, 0]]}},
        {"a": {"edit": "set", "channel": 3}},
        {"a": {"edit": "set", "channel": [[1.5, 0]]}}, {"a": {"edit": "set", "cells": [[1, 0]]}},
        {"a": {"edit": "set", "channel": [["0", 1]]}}, {"a": {"edit": "set", "channel": [[True, 1]]}},
        {"a": {"edit": "patch"}}, {"a": {"edit": "patch", "photo": 3}},
        {"a": {"edit": "shuffle", "seed": -1}},
        {"a": {"edit": "set", "channel": [[0, float("inf")]]}}, {"a": [["off"]]},
    ],
    ids=repr,
)  # fmt: skip
def test_json_that_is_no_edit_gets_one_sentence(wrong):
    with pytest.raises(attnviz.EditError) as raised:
        attnviz.edits_from_json(wrong)
    assert len(str(raised.value)) < 250 and raised.value.sentence("zh") != str(raised.value)


def test_an_order_follows_from_the_seed_alone():
    assert permutation(8, 0) == [*permutation(8, 0)] != permutation(8, 1)
    for count, seed in ((1, 0), (2, 5), (100, 2**32 - 1), (1000, 3)):
        assert sorted(permutation(count, seed)) == list(range(count))


def test_orders_are_even():
    firsts = np.bincount([permutation(4, seed)[0] for seed in range(4000)], minlength=4)
    assert (abs(firsts - 1000) < 150).all()
