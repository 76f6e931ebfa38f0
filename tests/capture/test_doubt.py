"""When an answer is called doubtful, and when nothing is known of that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.small_networks import stirred

import attnviz
from attnviz.networks.card import Card, card_of, with_card
from attnviz.networks.doubt import Doubt

LABELS = ("a", "b", "c", "d", "e")


def network_with(**thresholds: float) -> torch.nn.Module:
    """A network with a threshold of the probability for some views."""
    doubts = {view: Doubt("probability", value, 0.95, 0.3, 0.8, 10, 10) for view, value in thresholds.items()}
    return with_card(stirred(18, "cbam"), Card("mine", labels=LABELS, doubts=doubts))


def test_an_answer_below_the_threshold_is_doubtful(noise):
    network = network_with(whole=0.5)
    [(_, probability)] = attnviz.trace(network, noise).top(1)
    for step, expected in ((1e-4, True), (-1e-4, False)):
        doubt = replace(card_of(network).doubts["whole"], threshold=probability + step)
        with_card(network, replace(card_of(network), doubts={"whole": doubt}))
        trace = attnviz.trace(network, noise)
        assert trace.doubtful is expected and ("doubtful" in repr(trace)) is expected


def test_a_threshold_is_of_the_view_that_it_was_measured_in(noise):
    whole, crop = network_with(whole=1.0), network_with(crop=1.0)
    assert [attnviz.trace(whole, noise, view).doubtful for view in ("whole", "crop")] == [True, None]
    assert [attnviz.trace(crop, noise, view).doubtful for view in ("whole", "crop")] == [None, True]


def test_nothing_is_known_without_a_measurement(noise):
    assert attnviz.trace(network_with(), noise).doubtful is None
    assert attnviz.trace(stirred(18, "se"), noise).doubtful is None


def test_nothing_is_known_of_a_tensor_which_may_be_any_view():
    network = network_with(whole=1.0, crop=1.0)
    assert attnviz.trace(network, torch.randn(3, 224, 224)).doubtful is None


def test_nothing_is_known_of_a_network_with_another_head_or_preprocessing(noise, tmp_path):
    network = network_with(whole=1.0)
    with_card(network, replace(card_of(network), labels=LABELS[:4]))
    assert attnviz.trace(network, noise).doubtful is None
    card = attnviz.load("resnet18").card
    doubt = Doubt("logit", 1.0, 0.95, 0.3, 0.8, 10, 10)
    attnviz.zoo.registry.save_folder(
        attnviz.load("resnet18"), replace(card, doubts={"whole": doubt}), tmp_path / "mine"
    )
    assert attnviz.load(tmp_path / "mine").card.doubts == {"whole": doubt}
    recipe = replace(card.recipe, resize=300)
    assert attnviz.load(tmp_path / "mine", recipe=recipe).card.doubts == {}


def test_the_fast_copy_doubts_alike(noise):
    network = network_with(whole=1.0)
    assert attnviz.trace(attnviz.fast(network), noise).doubtful is True


@pytest.mark.parametrize("logits", [[np.nan] * 5, [np.inf, 0, 0, 0, 0]])
def test_scores_that_are_no_numbers_are_not_judged(noise, logits):
    trace = attnviz.trace(network_with(whole=1.0), noise)
    assert replace(trace, logits=np.array(logits, np.float32)).doubtful is None
