"""Edits that a browser asks for are read, limited and written in one form."""

from __future__ import annotations

import pytest

import attnviz
from attnviz.errors import EditError
from attnviz.server.edit_requests import (
    MOST_LAYERS,
    MOST_OF_A_LAYER,
    MOST_PHOTOS,
    asks_what_is_usual,
    edits_in,
    edits_text,
)


def test_the_same_edits_are_the_same_text_however_they_are_said():
    short = {"layer2.0": "off", "layer1.0": ["usual"]}
    long = {"layer1.0": [{"edit": "usual"}], "layer2.0": {"edit": "off"}}
    assert edits_text(short) == edits_text(long) != edits_text({"layer2.0": "off"})
    turned = [
        {"edit": "set", "channel": [[3, 1], [2, 0.5]]},
        {"channel": [[2, 0.5], [3, 1.0]], "edit": "set"},
    ]
    assert len({edits_text({"layer1.0": each}) for each in turned}) == 1


def test_the_order_of_a_layers_edits_is_kept():
    first, last = {"edit": "scale", "by": 2}, {"edit": "set", "channel": [[0, 0]]}
    assert edits_text({"a": [first, last]}) != edits_text({"a": [last, first]})
    assert edits_in(edits_text({"a": [first, last]})) == {
        "a": (attnviz.Scale(2.0), attnviz.Set(channel={0: 0.0}))
    }


@pytest.mark.parametrize("nothing", [None, {}, {"layer1.0": []}])
def test_no_edits_are_no_text(nothing):
    assert edits_text(nothing) == "" and edits_in("") == {}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (3, "no edit of a gate"),
        ([["layer1.0", "off"]], "no edit of a gate"),
        ({"layer1.0": "of"}, "did you mean off"),
        ({"layer1.0": {"edit": "set", "channel": [[0, float("nan")]]}}, "no edit of a gate"),
        ({"layer1.0": {"edit": "off", "part": "both"}}, "no edit of a gate"),
        ({"layer1.0": {"edit": "patch", "photo": "/etc/passwd"}}, "Another photo’s gates"),
        (
            {"a": [{"edit": "patch", "photo": "upload:../../x"}] * (MOST_OF_A_LAYER + 1)},
            "more changes of gates",
        ),
        (
            {str(n): {"edit": "patch", "photo": f"example:{n}"} for n in range(MOST_PHOTOS + 1)},
            f"those of {MOST_PHOTOS} at once",
        ),
        ({str(layer): "off" for layer in range(MOST_LAYERS + 1)}, "more changes of gates"),
        ({"layer1.0": ["off"] * (MOST_OF_A_LAYER + 1)}, "more changes of gates"),
        ({"layer1.0": {"edit": "set", "channel": [[n, 0.5] for n in range(5000)]}}, "more changes of gates"),
    ],
)
def test_what_is_no_edit_or_too_much_is_a_sentence(said, sentence):
    with pytest.raises(EditError, match=sentence):
        edits_text(said)


def test_a_reference_is_needed_for_what_is_usual_alone():
    assert asks_what_is_usual(edits_in(edits_text({"a": "off", "b": ["flat", "usual"]})))
    assert not asks_what_is_usual(edits_in(edits_text({"a": "off"})))
