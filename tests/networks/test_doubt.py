"""Scores of an answer against torch's own, and the card that carries a threshold."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

import attnviz
from attnviz.languages.catalogue import LANGUAGES, catalogue
from attnviz.networks.card import Card
from attnviz.networks.doubt import SCORES, Doubt, scored

DOUBT = Doubt("probability", 0.5, 0.95, 0.34, 0.82, 1962, 493, "other photos")


def test_scores_are_what_torch_computes():
    logits = torch.randn(7, 10, generator=torch.Generator().manual_seed(0)).double() * 30
    expected = {
        "probability": logits.softmax(1).amax(1),
        "logit": logits.amax(1),
        "energy": logits.logsumexp(1),
    }
    assert set(SCORES) == set(expected)
    for score, values in expected.items():
        torch.testing.assert_close(torch.from_numpy(scored(logits.numpy(), score)), values)


def test_logits_of_any_size_have_scores():
    huge = np.array([[1e6, 0.0], [-1e6, -1e6]], np.float32)
    assert scored(huge, "probability").tolist() == pytest.approx([1, 0.5])
    assert scored(huge, "energy").tolist() == pytest.approx([1e6, -1e6 + np.log(2)])


def test_an_answer_at_the_threshold_is_not_doubtful():
    even = np.zeros(2, np.float32)  # a probability of 0.5
    assert not DOUBT.flags(even) and replace(DOUBT, threshold=0.5001).flags(even)


def test_a_card_carries_what_was_measured(tmp_path):
    network = attnviz.load("cbam_resnet18")
    card = replace(network.card, doubts={"whole": DOUBT, "crop": replace(DOUBT, score="energy")})
    attnviz.zoo.registry.save_folder(network, card, tmp_path / "mine")
    assert attnviz.load(tmp_path / "mine").card.doubts == card.doubts


def test_a_card_without_it_knows_no_threshold():
    config = json.loads(json.dumps(asdict(Card("mine", attnviz.load("resnet18").card.architecture))))
    del config["doubts"]
    assert Card.from_json(config).doubts == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"score": "luck"},
        {"threshold": float("nan")},
        {"threshold": "high"},
        {"kept": 1.2},
        {"flagged": -0.1},
        {"strangers": 0},
        {"photos": 1.5},
        {"source": 3},
        {"more": 1},
    ],
    ids=str,
)
def test_a_card_that_says_nonsense_is_refused(wrong):
    config = asdict(Card("mine", attnviz.load("resnet18").card.architecture))
    config["doubts"] = {"whole": {**asdict(DOUBT), **wrong}}
    with pytest.raises((KeyError, TypeError, ValueError)):
        Card.from_json(config)


def test_a_card_with_a_view_that_does_not_exist_is_refused():
    config = asdict(Card("mine", attnviz.load("resnet18").card.architecture, doubts={"left half": DOUBT}))
    with pytest.raises(ValueError, match="doubts"):
        Card.from_json(config)


def test_the_sentence_says_how_often_it_is_said():
    for language in LANGUAGES:
        sentence = catalogue().phrase(language, DOUBT.sentence)
        assert "34%" in sentence and "5%" in sentence and "{" not in sentence
