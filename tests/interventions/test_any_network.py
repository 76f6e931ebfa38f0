"""Gates of other people's modules and networks are changed like our own: read from a child, by what a module
does to its input, or where a block multiplies in its own code."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable

import numpy as np
import pytest
import torch
from helpers import attention_modules
from helpers.attention_modules import UNDESCRIBED, Tiny
from helpers.brought_networks import OpenBlock, Small, alive, noise
from helpers.known_modules import KNOWN, PATHS, C, around_paths
from helpers.small_networks import hook_count, with_spread_gates
from torch import Tensor, nn

import attnviz
from attnviz import Off, Patch, Set, Shuffle

MODULES = [*KNOWN, *(pytest.param(lambda kind=kind: kind(C), id=kind.__name__) for kind in UNDESCRIBED)]


def tiny(module: nn.Module) -> Tiny:
    """A network around a module, all of whose features are alive."""
    network = Tiny(with_spread_gates(module), C).eval()
    nn.init.uniform_(network.stem[1].weight, 0.2, 4)
    nn.init.uniform_(network.stem[1].bias, 0.1, 1)
    with torch.no_grad():
        network(noise(1, 3, 36, 44))
    return network


def said(network: nn.Module, x: Tensor) -> np.ndarray:
    with torch.no_grad():
        return network(x[None])[0].numpy()


@pytest.mark.parametrize("make", MODULES)
def test_off_is_the_network_without_the_module_bit_for_bit(make):
    network, x = tiny(make()), noise(3, 36, 44)
    without = copy.deepcopy(network)
    without.block = nn.Identity()
    found = attnviz.intervene(network, x, {"all": "off"})
    assert np.array_equal(found.after.logits, said(without, x))
    assert not np.array_equal(found.after.logits, found.before.logits)
    (layer,) = found.after.layers.values()
    np.testing.assert_allclose(np.nan_to_num(layer.factor(), nan=1), 1, atol=1e-5)  # of zero it is undefined


@pytest.mark.parametrize("make", MODULES)
def test_own_values_change_nothing(make):
    network, x = tiny(make()), noise(3, 36, 44)
    found = attnviz.intervene(network, x, {"all": Patch(x)})
    np.testing.assert_allclose(found.after.logits, found.before.logits, rtol=1e-5, atol=1e-5)
    (before,), (after,) = found.before.layers.values(), found.after.layers.values()
    np.testing.assert_allclose(after.factor(), before.factor(), atol=2e-5)


@pytest.mark.parametrize("make", MODULES)
@pytest.mark.parametrize(
    "edit",
    ["flat", Shuffle(2), attnviz.Scale(0.5), Patch(noise(3, 36, 44, seed=8))],
    ids=["flat", "shuffle", "scale", "patch"],
)
def test_the_factor_after_is_what_the_features_were_multiplied_by(make, edit):
    network, x = tiny(make()), noise(3, 36, 44)
    sides: dict[str, Tensor] = {}
    network.block.register_forward_pre_hook(lambda _m, inputs: sides.update(before=inputs[0].clone()))
    found = attnviz.intervene(network, x, {"all": edit})
    (layer,) = found.after.layers.values()
    expected = (sides["before"][0].numpy() * np.nan_to_num(layer.factor()) + 1).mean((1, 2))
    with torch.no_grad():
        logits = network.head(torch.from_numpy(expected)[None])[0].numpy()
    np.testing.assert_allclose(found.after.logits, logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("make", PATHS)
def test_what_chooses_between_paths_gets_one_sentence(make):
    network = around_paths(with_spread_gates(make()))
    (name,) = attnviz.trace(network, noise(3, 36, 36)).layers
    with pytest.raises(attnviz.EditError, match="does not multiply its features by a factor"):
        attnviz.intervene(network, noise(3, 36, 36), {name: "off"})
    assert hook_count(network) == 0


WRITTEN: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "as it is": lambda gate, x: gate,
    "expanded": lambda gate, x: gate.expand_as(x),
    "written out": lambda gate, x: gate.expand_as(x).contiguous(),
}


class Ones(nn.Module):
    """A gate that is open."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.ones_like(x[:, :1, :1, :1])


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_gates_that_a_block_multiplies_in_its_own_code_are_changed_bit_for_bit(written):
    network, x = alive(Small(OpenBlock(written))), noise(3, 64, 64)
    open_network = copy.deepcopy(network)
    open_network.att.ca, open_network.att.sa = Ones(), Ones()
    found = attnviz.intervene(network, x, {"all": "off"})
    assert np.array_equal(found.after.logits, said(open_network, x))
    own = attnviz.intervene(network, x, {"all": Patch(x)})
    assert np.array_equal(own.after.logits, own.before.logits)
    channel = attnviz.intervene(network, x, {"all": Off("channel")})
    open_network.att.sa = network.att.sa
    assert np.array_equal(channel.after.logits, said(open_network, x))


class Multiplies(nn.Module):
    """A block that multiplies by a channel gate in one of the ways that there are."""

    def __init__(self, multiply: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.ca, self.multiply = nn.Conv2d(16, 16, 3, padding=1), Gate(), multiply

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return x + self.multiply(y, self.ca(y))


class Gate(nn.Module):
    """Gives a gate (N, C, 1, 1) back."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Conv2d(16, 16, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.fc(x.mean((2, 3), True)))


class Open(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.ones(len(x), 16, 1, 1)


WAYS = {
    "x * gate": lambda x, gate: x * gate,
    "gate * x": lambda x, gate: gate * x,
    "torch.mul": lambda x, gate: torch.mul(x, other=gate),
    "in place": lambda x, gate: x.mul_(gate),
    "imul": lambda x, gate: x.__imul__(gate),
    "einsum": lambda x, gate: torch.einsum("nchw,nc->nchw", x, gate.flatten(1)),
    "einsum turned": lambda x, gate: torch.einsum("nchw,cn->nchw", x, gate.flatten(1).t()),
    "addcmul": lambda x, gate: torch.addcmul(torch.zeros_like(x), x, gate),
    "channels last": lambda x, gate: (x.permute(0, 2, 3, 1) * gate.permute(0, 2, 3, 1)).permute(0, 3, 1, 2),
    "positions merged": lambda x, gate: (x.flatten(2) * gate.flatten(2)).view(x.shape),
    "in groups": lambda x, gate: (x.view(-1, 4, 4, *x.shape[2:]) * gate.view(-1, 4, 4, 1, 1)).view(x.shape),
}


@pytest.mark.parametrize("multiply", WAYS.values(), ids=WAYS)
def test_whatever_way_code_multiplies_its_gate_is_changed(multiply):
    network, x = alive(Small(Multiplies(multiply))), noise(3, 64, 64)
    (name,) = attnviz.trace(network, x).layers
    open_network = copy.deepcopy(network)
    open_network.att.ca = Open()
    found = attnviz.intervene(network, x, {name: "off"})
    assert np.array_equal(found.after.logits, said(open_network, x))
    np.testing.assert_array_equal(found.after.layers[name].channel, 1)
    own = attnviz.intervene(network, x, {name: Patch(x)})
    assert np.array_equal(own.after.logits, own.before.logits)
    one = attnviz.intervene(network, x, {name: Set(channel={3: 0.25})})
    expected = one.before.layers[name].channel.copy()
    expected[3] = 0.25
    assert np.array_equal(one.after.layers[name].channel, expected)


def test_calls_of_one_module_are_edited_by_their_number():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.se = attention_modules.SELayer(16)

        def forward(self, x: Tensor) -> Tensor:
            return self.se(self.se(x) + 1)

    network, x = alive(Small(Twice())), noise(3, 64, 64)
    first, second = attnviz.trace(network, x).layers
    assert second == f"{first} #2"
    found = attnviz.intervene(network, x, {second: "off"})
    assert found.moved[first] == 0 and found.moved[second] > 0
    found = attnviz.intervene(network, x, {first: "off"}, recompute=False)
    assert found.moved[first] > 0 and found.moved[second] < 1e-5


def test_a_layer_of_several_rows_an_input_gets_one_sentence():
    from helpers.brought_networks import CBAM, Folded

    network, x = alive(Folded(CBAM(), False)), noise(4, 3, 32, 32)
    first, *_ = attnviz.trace(network, x).layers
    with pytest.raises(attnviz.EditError, match="works on 4 rows for 1 inputs"):
        attnviz.intervene(network, x, {first: "off"})


def test_a_factor_that_is_undefined_gets_one_sentence():
    network = alive(Small(attention_modules.SimAM()))
    nn.init.zeros_(network.stem[0].bias)
    (name,) = attnviz.trace(network, noise(3, 64, 64)).layers
    with pytest.raises(attnviz.EditError, match="all its features are zero"):
        attnviz.intervene(network, torch.zeros(3, 64, 64), {name: "off"})


NETWORKS = [
    ("torchvision.models", "mobilenet_v3_small"),
    ("timm.models", "seresnet18"),
    ("timm.models", "ecaresnet26t"),
    ("pytorchcv.model_provider", "cbam_resnet18"),
    ("pytorchcv.model_provider", "bam_resnet18"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("library", "name"), NETWORKS, ids=[name for _, name in NETWORKS])
def test_networks_of_other_libraries_are_edited(library, name):
    module = importlib.import_module(library)
    network = module.get_model(name) if library.startswith("pytorchcv") else getattr(module, name)()
    network, x = with_spread_norms(network), noise(3, 224, 224)
    before = attnviz.trace(network, x)
    edited = list(before.layers)[len(before.layers) // 2]
    same = attnviz.intervene(network, x, {edited: Patch(x)})
    assert np.array_equal(same.after.logits, before.logits)
    found = attnviz.intervene(network, x, {edited: "off"})
    place = list(before.layers).index(edited)
    assert all(found.moved[layer] == 0 for layer in list(before.layers)[:place])
    assert found.moved[edited] > 0 and not np.array_equal(found.after.logits, before.logits)
    np.testing.assert_array_equal(found.after.layers[edited].factor(), 1)
    assert hook_count(network) == 0


def with_spread_norms(network: nn.Module) -> nn.Module:
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, 0, 0.3)
    return network.eval()
