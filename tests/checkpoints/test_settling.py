"""What the same keys leave open: numbers settle it, or it is said that it was assumed, or a person tells."""

from __future__ import annotations

import re
from typing import get_type_hints

import pytest
import torch
from helpers.placed_networks import photos
from helpers.public_networks import ONE_EACH, untold, with_stem
from helpers.reference_networks import ORIGINALS, luuuyi, moskomule, resnet, with_random_statistics
from torch import Tensor, nn

import attnviz
from attnviz.checkpoints.opening import open_state_dict
from attnviz.checkpoints.told import Options, Told
from attnviz.choices import BUILT, CHOICES, OFFERED
from attnviz.languages.catalogue import LANGUAGES, Phrase, catalogue
from attnviz.networks.card import ASSUMED


class MaximumFirst(nn.Module):
    """CBAM's spatial gate as luuuyi names it, with the maximum before the mean."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.conv1(torch.stack((x.amax(1), x.mean(1)), 1)))


def maximum_first(owner: nn.Module, channels: int):
    attend = luuuyi()(owner, channels)
    owner.sa = MaximumFirst()
    return attend


def stem(stride: int) -> nn.Module:
    return nn.Conv2d(3, 64, 3, stride, 1, bias=False)


def strides_first() -> nn.Module:
    """A ResNet-50 of torchvision's names whose bottlenecks have their stride in the first convolution."""
    network = resnet(50, moskomule(), classes=5)
    for stage in (network.layer2, network.layer3, network.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    return network


def trained(network: nn.Module, side: int) -> nn.Module:
    """Random weights, and statistics that batch norms have of this network itself."""
    torch.manual_seed(5)
    with_random_statistics(network)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(photos(side))
    return network.eval()


READINGS = {  # how a network was built, and the side of the photos that it was trained on
    "no pooling": (lambda: with_stem(stem(1), pool=False), 32),
    "pooling kept": (lambda: with_stem(stem(1)), 32),
    "no pooling, stride 2": (lambda: with_stem(stem(2), pool=False), 48),
    "pooling and stride 2": (lambda: with_stem(stem(2)), 48),
    "the mean first": (lambda: resnet(ONE_EACH, luuuyi(), classes=5), 64),
    "the maximum first": (lambda: resnet(ONE_EACH, maximum_first, classes=5), 64),
    "the maximum first, no pooling": (lambda: with_stem(stem(1), pool=False, attach=maximum_first), 32),
    "stride in the second convolution": (lambda: resnet(50, moskomule(), classes=5), 64),
    "stride in the first convolution": (strides_first, 64),
}


HARD = {"the maximum first, no pooling": "order", "stride in the first convolution": "stride"}


def opened_and_off(case: str) -> tuple[nn.Module, float]:
    """What is opened of a network, and how far its scores are off, as a share of the greatest."""
    make, side = READINGS[case]
    network = trained(make(), side)
    opened = open_state_dict({key: value.clone() for key, value in network.state_dict().items()}, "mine.pth")
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected, given = network.double()(x.double()), opened.double()(x.double())
    return opened, float((given - expected).abs().max() / expected.abs().max())


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in READINGS if case not in HARD])
def test_numbers_settle_how_a_network_was_built(case):
    assert opened_and_off(case)[1] <= 1e-7


@pytest.mark.slow
@pytest.mark.parametrize("case", HARD)
def test_what_was_read_wrongly_was_at_least_said_to_be_assumed(case):
    opened, off = opened_and_off(case)
    assert off <= 1e-7 or any(key.startswith(HARD[case]) for key in opened.card.assumed)


def test_what_numbers_do_not_settle_is_assumed_and_said():
    opened = open_state_dict(untold(), "mine.pth")
    gates = ("place branch", "squeeze both", "sequence channel first", "order mean first")
    assert opened.card.assumed == ("pool padded", "stem 1", *gates)
    assert len(opened.assumed) == 6 and all(sentence.endswith(").") for sentence in opened.assumed)
    assert "pooling" in opened.assumed[0] and "stride" in opened.assumed[1] and "mean" in opened.assumed[-1]


OF_GATES = {"place": "branch", "squeeze": "both", "sequence": "channel first"}


def test_what_a_person_tells_is_not_assumed():
    told = Told(stem=2, pool="none", order="maximum first", **OF_GATES)
    opened = open_state_dict(untold(), "mine.pth", told)
    assert opened.assumed == [] and opened.card.assumed == ()
    assert opened.conv1.stride == (2, 2) and isinstance(opened.maxpool, nn.Identity)
    assert opened.get_submodule("layer1.0.attention.spatial").maximum_first


def test_load_takes_what_a_person_tells(tmp_path):
    torch.save(untold(), tmp_path / "mine.pth")
    opened = attnviz.load(tmp_path / "mine.pth", stem=2, pool="ceil", order="mean first", **OF_GATES)
    assert opened.assumed == [] and opened.maxpool.ceil_mode and opened.conv1.stride == (2, 2)
    with pytest.raises(ValueError, match="'padded', 'ceil', 'none'"):
        attnviz.load(tmp_path / "mine.pth", pool="yes")
    with pytest.raises(TypeError, match="no option 'pooling': there are pool, stem, "):
        attnviz.load(tmp_path / "mine.pth", pooling="none")


def test_options_are_what_can_be_built_and_a_slope_each_of_the_type_of_its_values():
    kinds = get_type_hints(Options)
    assert [*kinds] == [*BUILT, "slope"]
    assert all(type(value) is kinds[about] for about, values in BUILT.items() for value in values)


@pytest.mark.parametrize("choice", [choice for choice in CHOICES if choice in ASSUMED])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_assumed_is_said_with_all_that_can_be_told_instead(choice, language):
    about, own = choice.split(" ", 1)
    sentence = catalogue().phrase(language, Phrase(ASSUMED[choice]))
    told = sentence.partition(f"{about}=")[2]
    others = [str(value) for value in OFFERED[about] if str(value) != own]
    assert others and all(re.search(rf"[=“ ]{re.escape(other)}\b", f"={told}") for other in others)


def test_a_bottlenecks_stride_can_be_told():
    state = dict(strides_first().state_dict())
    opened = open_state_dict(state, "mine.pth", Told(stride="first"))
    assert opened.get_submodule("layer2.0.conv1").stride == (2, 2)


def test_leaky_activations_can_be_told(tmp_path):
    network = resnet(ONE_EACH, moskomule(), classes=5)
    for module in [module for module in network.modules() if hasattr(module, "bn1")]:
        module.relu = nn.LeakyReLU(0.1)
    with_random_statistics(network)
    torch.save(network.state_dict(), tmp_path / "mine.pth")
    opened, x = attnviz.load(tmp_path / "mine.pth", slope=0.1), torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(opened(x), network(x), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="slope is 1"):
        Told(slope=1)


def test_a_code_that_is_known_leaves_nothing_open():
    weights = dict(ORIGINALS["timm-legacy_seresnet18"]().state_dict())
    assert open_state_dict(weights, "mine.pth").assumed == []


@pytest.mark.parametrize("name", ["attnviz-cbam-resnet50", "attnviz-bam-resnet18"])
def test_our_own_networks_leave_their_padding_open_until_it_is_told(name):
    weights = ORIGINALS[name]().state_dict()
    opened = open_state_dict(dict(weights), "mine.pth")
    assert opened.card.assumed == ("padding zeros",)
    told = open_state_dict(dict(weights), "mine.pth", Told(padding="replicate"))
    assert told.card.assumed == () and told.card.built == {"padding": "replicate"}
    for network, mode in ((opened, "zeros"), (told, "replicate")):
        modes = {
            module.padding_mode
            for path, module in network.named_modules()
            if ".spatial." in path and isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1)
        }
        assert modes == {mode}


def test_one_network_of_two_is_said_to_be_chosen():
    state = resnet(ONE_EACH, moskomule(), classes=5).state_dict()
    two = {f"{prefix}{key}": value.clone() for prefix in ("net.", "net_ema.") for key, value in state.items()}
    assert open_state_dict(two, "mine.pth", Told(place="branch")).card.assumed == ("one of several",)
