"""Batch norms' statistics taken anew: those of the network that the edits make, in a copy."""

from __future__ import annotations

import pytest
import torch
from helpers import attention_modules
from helpers.brought_networks import Small, alive
from helpers.small_networks import hook_count, stirred
from torch import nn

import attnviz
from attnviz.networks import ResNet
from attnviz.networks.card import Card, with_card


def photos(count: int) -> torch.Tensor:
    return torch.randn(count, 3, 64, 64, generator=torch.Generator().manual_seed(5))


def statistics(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: values for name, values in network.state_dict().items() if "running" in name}


@pytest.mark.parametrize("attention", ["se", "cbam"])
def test_with_all_gates_off_they_are_those_of_the_plain_network(attention):
    network = stirred(18, attention)
    plain = ResNet(18, None, 8, classes=5)
    ours = network.state_dict()
    plain.load_state_dict({key: ours[key] for key in plain.state_dict()})
    found = attnviz.reestimated(network, photos(12), {"all": "off"}, batch_size=6)
    for norm in plain.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.reset_running_stats()
            norm.momentum = None
    with torch.no_grad():
        for batch in photos(12).split(6):
            plain.train()(batch)
    for name, values in statistics(plain).items():
        torch.testing.assert_close(found.state_dict()[name], values, rtol=1e-4, atol=1e-5)


def test_the_network_itself_stays_as_it_was_and_the_copy_is_called_otherwise():
    network = stirred(18, "se")
    before = {name: values.clone() for name, values in network.state_dict().items()}
    found = attnviz.reestimated(network, photos(4), {"layer3.0": "flat"})
    assert all(torch.equal(values, before[name]) for name, values in network.state_dict().items())
    assert found.card.name == "ResNet (statistics re-estimated)" and not found.training
    assert hook_count(network) == hook_count(found) == 0
    assert not any(module.training for module in found.modules())
    changed = [name for name, values in statistics(found).items() if not torch.equal(values, before[name])]
    assert len(changed) == len(statistics(found))
    momenta = [
        (a.momentum, b.momentum) for a, b in zip(network.modules(), found.modules()) if hasattr(a, "momentum")
    ]
    assert all(one == other for one, other in momenta)


def test_edits_on_the_copy_change_less_of_its_scale():
    network, x = stirred(18, "se"), photos(24)
    found = attnviz.reestimated(network, x, {"all": "off"})

    def spread(one: nn.Module) -> float:
        kept: list[torch.Tensor] = []
        handle = one.layer4[1].bn1.register_forward_hook(lambda _m, _i, output: kept.append(output))
        for each in x[:4]:
            attnviz.intervene(one, each, {"all": "off"})
        handle.remove()
        return float(torch.cat(kept[1::2]).std())

    with torch.no_grad():
        network.layer4[1].bn1.weight.fill_(1)
        found.layer4[1].bn1.weight.fill_(1)
        network.layer4[1].bn1.bias.fill_(0)
        found.layer4[1].bn1.bias.fill_(0)
    assert abs(spread(found) - 1) < abs(spread(network) - 1)


def test_a_network_that_nobody_described_is_taken_too():
    class Normed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.se, self.norm = attention_modules.SELayer(16), nn.BatchNorm2d(16)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.norm(self.se(x))

    network = alive(Small(Normed()))
    found = attnviz.reestimated(network, photos(6), {"all": "off"}, batch_size=6)
    with torch.no_grad():
        features = network.stem(photos(6))
    torch.testing.assert_close(found.att.norm.running_mean, features.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)


def test_a_batch_shows_photos_from_all_over_a_list_and_a_folder(examples):
    network, seen = with_card(stirred(18, "se"), Card("mine")), []
    x = photos(16) + torch.arange(16.0)[:, None, None, None]
    handle = network.conv1.register_forward_pre_hook(
        lambda _m, inputs: seen.append(inputs[0].mean((1, 2, 3)))
    )
    attnviz.reestimated(network, list(x), {"all": "off"}, batch_size=4)
    handle.remove()
    assert len(seen) == 8  # of the network, and of its copy
    order = torch.cat(seen[::2]).round().int().tolist()
    assert sorted(order) == list(range(16)) != order
    assert attnviz.reestimated(network, examples, {"all": "off"}).card.sha256 == ""


def test_what_can_not_be_taken_anew_gets_one_sentence():
    with pytest.raises(attnviz.EditError, match="fewer than two photos"):
        attnviz.reestimated(stirred(18, "se"), photos(1), {"all": "off"})
    with pytest.raises(attnviz.EditError, match="has no batch norms"):
        attnviz.reestimated(alive(Small(attention_modules.SELayer(16))), photos(2), {"all": "off"})
