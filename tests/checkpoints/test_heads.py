"""Heads that people put behind a ResNet with attention: each computes what it computed, or says what is not
told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from helpers import reference_networks
from helpers.reference_networks import moskomule, with_random_statistics
from torch import Tensor, nn

import attnviz
from attnviz.checkpoints.opening import open_state_dict

WIDE, CLASSES = 512, 5


class Named(nn.Module):
    """Two layers with a batch norm between them, in no list."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.bn, self.fc2 = nn.Linear(WIDE, 32), nn.BatchNorm1d(32), nn.Linear(32, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.bn(self.fc1(x)).relu())


class Neck(nn.Module):
    """A batch norm on the features, as networks that tell persons apart have it."""

    def __init__(self) -> None:
        super().__init__()
        self.bottleneck, self.classifier = nn.BatchNorm1d(WIDE), nn.Linear(WIDE, CLASSES, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.bottleneck(x))


def row(*modules: nn.Module) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(*modules)


HEADS: dict[
    str, tuple[Callable[[], nn.Module], tuple[str, ...]]
] = {  # a head, and what of it is only assumed
    "a dropout first": (row(nn.Dropout(), nn.Linear(WIDE, CLASSES)), ()),
    "alone in a list": (row(nn.Linear(WIDE, CLASSES)), ("head ends",)),
    "no bias": (lambda: nn.Linear(WIDE, CLASSES, bias=False), ("head linear",)),
    "norm, then ReLU": (
        row(nn.Linear(WIDE, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(), nn.Linear(32, CLASSES)),
        ("head rectified",),
    ),
    "ReLU, then norm": (
        row(nn.Linear(WIDE, 32), nn.ReLU(), nn.BatchNorm1d(32), nn.Dropout(), nn.Linear(32, CLASSES)),
        ("head rectified",),
    ),
    "a norm and nothing else": (row(nn.Linear(WIDE, 32), nn.BatchNorm1d(32), nn.Linear(32, CLASSES)), ()),
    "fastai's": (
        row(
            nn.BatchNorm1d(WIDE),
            nn.Dropout(),
            nn.Linear(WIDE, 32, bias=False),
            nn.ReLU(),
            nn.BatchNorm1d(32),
            nn.Dropout(),
            nn.Linear(32, CLASSES, bias=False),
        ),
        ("head rectified", "head normed"),
    ),
    "by name": (Named, ("head rectified",)),
    "a neck": (Neck, ("head normed",)),
}


def with_head(head: nn.Module) -> nn.Module:
    torch.manual_seed(3)
    network = reference_networks.resnet((1, 1, 1, 1), moskomule(), classes=CLASSES)
    network.fc = head
    for name, buffer in head.named_buffers():
        if "running" in name:
            nn.init.uniform_(buffer, 0.5, 1.5)
    return with_random_statistics(network, 64)


@pytest.mark.slow
@pytest.mark.parametrize("name", HEADS)
def test_a_head_computes_what_it_computed_and_says_what_is_assumed(name):
    make, assumed = HEADS[name]
    original, x = with_head(make()), torch.randn(2, 3, 64, 64)
    opened = open_state_dict({key: value.clone() for key, value in original.state_dict().items()}, "w.pth")
    with torch.no_grad():
        expected, given = original.double()(x.double()), opened.double()(x.double())
    assert (given - expected).abs().max() <= 1e-7 * expected.abs().max()
    assert set(opened.card.assumed) >= set(assumed)
    assert {word for word in opened.card.assumed if word.startswith("head")} == set(assumed)


def small() -> dict[str, Tensor]:
    torch.manual_seed(3)
    return dict(attnviz.networks.resnet.ResNet(18, "se", width=8, classes=CLASSES).state_dict())


@pytest.mark.parametrize("name", ["mlp_head", "attention_head", "se_head"])
def test_a_heads_name_may_speak_of_attention(name):
    weights = {
        key.replace("fc.", f"{name}.") if key.startswith("fc") else key: value
        for key, value in small().items()
    }
    assert attnviz.trace(open_state_dict(weights, "w.pth"), torch.randn(3, 64, 64)).layers


def test_of_several_heads_none_is_chosen_but_what_only_trains_is_no_head():
    more = {"extra.weight": torch.ones(2, 64), "extra.bias": torch.ones(2)}
    with pytest.raises(attnviz.NetworkError, match="several classifiers behind its blocks"):
        open_state_dict({**small(), **more}, "w.pth")
    more = {"predictor.net.0.weight": torch.ones(8, CLASSES), "predictor.net.0.bias": torch.ones(8)}
    assert open_state_dict({**small(), **more}, "w.pth").fc.out_features == CLASSES
    more = {"aux.weight": torch.ones(2, 64), "aux.bias": torch.ones(2)}
    assert open_state_dict({**small(), **more}, "w.pth").fc.out_features == CLASSES


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda key, value: (key, torch.empty(0) if key.endswith("weight") else value), "zero_to_fp32.py"),
        (lambda key, value: (key.replace("conv1.weight", "conv1.weight_orig"), value), "prune.remove"),
        (lambda key, value: None if "running" in key or "num_b" in key else (key, value), "state_dict"),
        (lambda key, value: (key.replace("fc.weight", "fc.parametrizations.weight.a"), value), "parametriz"),
    ],
)
def test_weights_in_another_form_are_not_called_missing(change, words):
    changed = [change(key, value) for key, value in small().items()]
    with pytest.raises(attnviz.NetworkError, match=words):
        open_state_dict(dict(pair for pair in changed if pair), "w.pth")


def test_a_name_before_the_network_does_not_say_what_its_gates_are():
    plain, named = small(), {f"cbam.{key}": value.clone() for key, value in small().items()}
    x = torch.randn(3, 64, 64)
    scores = [attnviz.trace(open_state_dict(state, "w.pth"), x).logits for state in (plain, named)]
    assert (scores[0] == scores[1]).all()


@pytest.mark.parametrize("name", ["se", "SE_Module", "excitation", "attn", "gate", "zz"])
def test_two_layers_of_no_known_name_are_said_to_be_taken_as_se(name):
    weights = {key.replace(".attention.", f".{name}."): value for key, value in small().items()}
    assumed = open_state_dict(weights, "w.pth").card.assumed
    assert ("gates average" in assumed) == (name in ("attn", "gate", "zz"))


@pytest.mark.parametrize(
    "name",
    ["temperature", "attention_temperature", "position_bias", "fusion_weight", "lrelu_slope", "accent"],
)
def test_numbers_that_may_compute_are_left_out_with_a_word(name):
    weights = {**small(), name: torch.ones(1)}
    assert "numbers left out" in open_state_dict(weights, "w.pth").card.assumed


@pytest.mark.parametrize(
    "name", ["best_acc", "acc1", "global_step", "step", "ema_decay", "num_updates", "n_seen", "running_loss"]
)
def test_numbers_that_only_train_are_left_out_without_a_word(name):
    weights = {**small(), name: torch.ones(())}
    assert open_state_dict(weights, "w.pth").card.assumed == ()
