"""Scores are the network's own, and called what they are."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.brought_networks import SE, Small, alive, noise
from torch import nn

import attnviz

X = noise(3, 64, 64)
Named = namedtuple("Named", "logits aux")


def traced(finish, classes: int = 5, count: int = 2) -> tuple[attnviz.Trace, object]:
    """The first trace of a recording, and what the network gave back."""
    network = alive(Small(SE(), classes=classes, finish=finish))
    with attnviz.record(network) as trace, torch.no_grad():
        output = network(noise(count, 3, 64, 64))
    assert trace.count == count and list(trace[0].layers) == ["att"]
    assert attnviz.trace(network, X).scores == trace[0].scores or count > 1
    return trace[0], output


def test_a_network_that_ends_with_a_softmax_is_not_softmaxed_again():
    trace, output = traced(lambda _, scores: (9 * scores).softmax(1))
    assert trace.scores == "probabilities"
    assert trace.top(1)[0][1] == pytest.approx(output[0].max().item())


@pytest.mark.parametrize(
    "end", [lambda y: y, lambda y: y.clamp(1e-7, 1 - 1e-7), lambda y: y[:, :, None, None]]
)
def test_what_a_sigmoid_gives_are_probabilities_by_themselves(end):
    trace, output = traced(lambda _, scores: end((9 * scores).sigmoid()))
    assert trace.scores == "independent"
    assert [p for _, p in trace.top(5)] == pytest.approx(sorted(output[0].flatten().tolist(), reverse=True))


def test_small_scores_that_no_sigmoid_made_are_still_class_scores():
    trace, _ = traced(lambda _, scores: scores.abs() / 100)
    assert trace.scores == "logits" and sum(p for _, p in trace.top(5)) == pytest.approx(1)


@pytest.mark.parametrize(
    "finish",
    [
        lambda _, scores: scores,
        lambda _, scores: scores.sigmoid(),
        lambda _, scores: scores.squeeze(1),
        lambda _, scores: {"loss": scores.mean(), "y": scores},
    ],
)
def test_one_number_names_no_class(finish):
    trace, _ = traced(finish, classes=1)
    assert (trace.scores, trace.logits.shape, trace.labels, trace.top()) == ("number", (1,), (), [])
    assert "names no class" in repr(trace)


@pytest.mark.parametrize(
    "finish",
    [
        lambda features, scores: (features, scores),
        lambda features, scores: (scores, features),
        lambda features, scores: {"loss": torch.tensor(0.5), "logits": scores},
        lambda features, scores: {"loss": scores.mean(1), "out": scores, "features": features},
        lambda features, scores: Named(scores, 2 * scores),
        lambda features, scores: ((scores, [features]), {}),
        lambda features, scores: [scores, scores, scores],
    ],
)
def test_the_scores_are_found_among_what_a_network_gives_back(finish):
    expected = alive(Small(SE()))(noise(2, 3, 64, 64))[0].detach().numpy()
    trace, _ = traced(finish)
    assert trace.scores == "logits" and np.allclose(trace.logits, expected, atol=1e-6)


@pytest.mark.parametrize(
    "finish",
    [
        lambda features, scores: [{"boxes": torch.zeros(3, 4), "scores": torch.rand(3)} for _ in scores],
        lambda features, scores: [torch.rand(len(scores), 6) for _ in scores],
        lambda features, scores: (features, features * 2),
        lambda features, scores: F.normalize(scores),
        lambda features, scores: scores.argmax(1),
        lambda features, scores: scores.mean(),
        lambda features, scores: scores[:, :, None, None].expand(-1, -1, 4, 4),
        lambda features, scores: None,
        lambda features, scores: "nothing",
        lambda features, scores: [],
    ],
    ids=[
        "detections",
        "boxes",
        "mean and variance",
        "embedding",
        "index",
        "loss",
        "masks",
        "none",
        "text",
        "empty",
    ],
)
def test_what_is_no_scores_gives_no_classes_and_no_exception(finish):
    trace, _ = traced(finish)
    assert (trace.scores, trace.logits.shape, trace.top()) == ("none", (0,), [])


def test_two_heads_of_different_widths_are_not_mixed_up():
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.base, self.age, self.mood = Small(SE()), nn.Linear(5, 9), nn.Linear(5, 3)

        def forward(self, x):
            features = self.base(x)
            return self.age(features), self.mood(features)

    assert attnviz.trace(alive(Heads()), X).scores == "none"


@pytest.mark.parametrize("classes", [1, 5])
def test_scores_that_were_squeezed_are_those_of_the_one_photo(classes):
    trace, output = traced(lambda _, scores: scores.squeeze(), classes=classes, count=1)
    assert np.allclose(trace.logits, output.reshape(-1).numpy())


def test_the_text_form_of_a_trace_fits_on_a_screen(cbam, examples):
    trace = attnviz.trace(cbam, examples / "temple.jpg")
    assert len(repr(trace)) <= 3000 and all(len(repr(layer)) <= 200 for layer in trace.layers.values())
    assert "layer3.1" in repr(trace) and "array(" not in repr(trace)
