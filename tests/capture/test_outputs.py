"""Class scores and their labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import attention_modules
from torch import nn

import attnviz


def test_labels_of_another_head_are_not_used():
    network = attnviz.load("se_resnet18")
    network.fc = nn.Linear(network.fc.in_features, 3)
    assert {label for label, _ in attnviz.trace(network, torch.randn(3, 64, 64)).top()} == {
        "class 0",
        "class 1",
        "class 2",
    }


def test_top_is_sorted_and_names_the_classes(cbam, examples):
    trace = attnviz.trace(cbam, examples / "temple.jpg")
    best = trace.top(10)
    assert [value for _, value in best] == sorted((value for _, value in best), reverse=True)
    assert sum(value for _, value in best) == pytest.approx(1)
    assert {label for label, _ in best} == set(cbam.card.labels)
    assert trace.logits.dtype == np.float32 and trace.logits.shape == (10,)


class TwoOutputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block = attention_modules.SELayer(4)

    def forward(self, x):
        x = self.block(x.repeat(1, 2, 1, 1)[:, :4])
        return {"out": x, "aux": x}


def test_a_network_that_gives_no_class_scores_says_nothing():
    trace = attnviz.trace(TwoOutputs(), torch.randn(3, 16, 16))
    assert trace.logits.shape == (0,) and trace.top() == [] and list(trace.layers) == ["block"]
