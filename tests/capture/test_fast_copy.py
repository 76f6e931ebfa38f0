"""The faster copy: the same scores and gates, another speed."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import attention_modules
from helpers.small_networks import stirred, with_spread_gates
from torch import nn

import attnviz
from attnviz.capture.fast_copy import speed_up
from attnviz.networks.resnet import ResNet

PHOTO = "assets/examples/cat.jpg"
OTHERS = [
    ("torchvision.models", "mobilenet_v3_small"),
    ("timm.models", "seresnet18"),
    ("timm.models", "resnest14d"),
    ("timm.models", "skresnet18"),
    ("timm.models", "legacy_seresnet18"),
    ("timm.models", "efficientnet_b0"),
]


def norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def assert_same(network: nn.Module, photo, places: float = 1e-5) -> nn.Module:
    copied = attnviz.fast(network)
    one, other = attnviz.trace(network, photo), attnviz.trace(copied, photo)
    assert copied is not network and np.abs(one.logits - other.logits).max() <= places * max(
        1, np.abs(one.logits).max()
    )
    assert list(one.layers) == list(other.layers)
    for name, layer in one.layers.items():
        same = other.layers[name]
        assert (layer.kind, layer.formula, layer.shape) == (same.kind, same.formula, same.shape)
        for part in ("channel", "spatial", "paths", "channel_logits", "spatial_logits"):
            values = getattr(layer, part)
            assert (values is None) == (getattr(same, part) is None)
            if values is not None:
                np.testing.assert_allclose(getattr(same, part), values, rtol=places, atol=places)
        assert [step.name for step in layer.steps] == [step.name for step in same.steps]
    return copied


@pytest.mark.parametrize("name", attnviz.list_networks())
def test_the_embedded_networks_say_the_same(name):
    network = attnviz.load(name)
    before = {key: values.clone() for key, values in network.state_dict().items()}
    copied = assert_same(network, PHOTO)
    assert copied.card == replace(network.card, folded=True) and norms(copied) < norms(network) / 2
    assert all(torch.equal(values, before[key]) for key, values in network.state_dict().items())


@pytest.mark.parametrize("attention", ["cbam", "bam"])
def test_a_network_padded_by_replicates_says_the_same(attention):
    network = stirred(18, attention, least_hidden=6, bias=True, padding="replicate")
    assert norms(assert_same(network, torch.randn(3, 64, 96), 1e-4)) < norms(network) / 2


@pytest.mark.slow
@pytest.mark.parametrize(("library", "name"), OTHERS, ids=[name for _, name in OTHERS])
def test_networks_of_other_libraries_say_the_same(library, name):
    torch.manual_seed(0)
    network = getattr(importlib.import_module(library), name)().eval()
    copied = assert_same(network, torch.randn(3, 96, 128), 1e-4)
    own = norms(network) - sum(
        type(module).__name__ == "BatchNormAct2d" for module in network.modules()
    )  # those do more than normalise
    assert not own or norms(copied) < norms(network)


@pytest.mark.parametrize(
    "kind",
    [
        attention_modules.FunctionalCBAM,
        attention_modules.ResidualCBAM,
        attention_modules.SELayer,
        attention_modules.CoordAtt,
    ],
)
def test_gates_that_nobody_described_are_found_in_it_too(kind):
    torch.manual_seed(0)
    network = attention_modules.Tiny(with_spread_gates(kind(16)), 16).eval()
    with torch.no_grad():
        network(torch.randn(1, 3, 36, 44))  # makes the lazy head
    assert_same(network, torch.randn(3, 36, 44))


class Twice(nn.Module):
    """A convolution whose result goes into its batch norm and past it, one that runs twice, and one with a
    batch norm of batches."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
        self.again, self.second = nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8)
        self.last, self.batches = nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8, track_running_stats=False)
        self.gate = attention_modules.SELayer(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        x = torch.relu(self.norm(x)) + x
        x = self.second(self.again(self.again(x)))
        return self.gate(self.batches(self.last(x))).amax((2, 3))


def test_what_cannot_be_folded_stays():
    torch.manual_seed(0)
    network = Twice().eval()
    for norm in (network.norm, network.second):
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
        nn.init.normal_(norm.running_mean)
    copied = assert_same(network, torch.randn(3, 40, 40))
    assert norms(copied) == norms(network)


class Activated(nn.Module):
    """Activations of what nobody needs after them, of what is added to their result, of the photo itself, and
    of both in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.photo, self.stem, self.free = nn.ReLU(), nn.Conv2d(3, 8, 3), nn.SiLU()
        self.needed, self.both, self.weights = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.kept = nn.Parameter(torch.randn(8, 1, 1))
        self.gate = attention_modules.SELayer(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.free(self.stem(self.photo(x[:, :3])) + x.mean())
        x = self.needed(x) + x
        x = self.both(x - 1)
        x = self.both(x) + x + self.weights(self.kept)
        return self.gate(x).amax((2, 3))


def test_only_what_nobody_needs_is_written_over():
    torch.manual_seed(0)
    network, photo = Activated().eval(), torch.randn(3, 40, 40)
    before = photo.clone()
    copied = assert_same(network, photo)
    assert {path for path, module in copied.named_modules() if getattr(module, "inplace", False)} - {
        "gate.fc.1"
    } == {"free"}
    assert torch.equal(photo, before)
    assert {path for path, module in network.named_modules() if getattr(module, "inplace", False)} <= {
        "gate.fc.1"
    }


class Looking(nn.Module):
    """A network that computes something else where a batch norm is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm, self.gate = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), attention_modules.SELayer(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.stem(x))
        return self.gate(x if isinstance(self.norm, nn.BatchNorm2d) else x + 1).amax((2, 3))


def test_what_would_not_be_the_same_comes_back_itself(caplog):
    half = ResNet((1, 1, 1, 1), "se", width=8, classes=3).half()
    assert attnviz.fast(half) is half
    network = Looking().eval()
    before = {key: values.clone() for key, values in network.state_dict().items()}
    assert attnviz.fast(network) is network and isinstance(network.norm, nn.BatchNorm2d)
    assert all(torch.equal(values, before[key]) for key, values in network.state_dict().items())
    assert "compute the same" in caplog.text
    assert not speed_up(network)


def test_a_network_is_rewritten_in_place_to_what_its_copy_is():
    network = attnviz.load("cbam_resnet18")
    copied = attnviz.fast(network)
    weights = network.conv1.weight
    assert speed_up(network) and network.conv1.weight is weights
    for key, values in copied.state_dict().items():
        assert torch.equal(values, network.state_dict()[key]), key
    assert network.card == copied.card


class Tied(nn.Module):
    """Two convolutions of one weight, each with a batch norm of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3)
        self.first, self.second = nn.Conv2d(16, 16, 3), nn.Conv2d(16, 16, 3)
        self.second.weight = self.first.weight
        self.one, self.other = nn.BatchNorm2d(16), nn.BatchNorm2d(16)
        self.gate = attention_modules.SELayer(16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gate(self.other(self.second(self.one(self.first(self.stem(x)))))).amax((2, 3))


def test_weights_of_two_convolutions_stay_as_they_are():
    network = Tied().eval()
    nn.init.uniform_(network.one.running_var, 0.5, 1.5)
    copied = assert_same(network, torch.randn(3, 40, 40))
    assert norms(copied) == 2


def test_a_network_in_training_comes_back_in_training():
    network = ResNet((1, 1, 1, 1), "cbam", width=8, classes=3).train()
    copied = attnviz.fast(network)
    assert (
        network.training
        and network.layer1[0].bn1.training
        and not any(module.training for module in copied.modules())
    )


def test_fast_is_a_function_and_no_module():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("attnviz.fast")
    assert callable(attnviz.fast)
