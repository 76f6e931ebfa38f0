"""A state dict alone is enough to rebuild the network that it came from, exactly; the originals are the
oracles."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from helpers import reference_networks
from helpers.checkout import SHARED
from helpers.public_networks import PUBLIC, timm_resnet
from helpers.reference_networks import ORIGINALS, pytorchcv, with_random_statistics
from helpers.settled_originals import SETTLED
from helpers.small_networks import stirred as ours
from helpers.weight_names import NAMES
from torch import nn

import attnviz
from attnviz.checkpoints.opening import HeldWeights, open_state_dict, open_weights

LAYOUTS = sorted((SHARED / "checkpoint-layouts").glob("*.json"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ORIGINALS)
def test_the_opened_network_computes_what_the_original_computes(name):
    torch.manual_seed(3)
    original, side = ORIGINALS[name](), 224 if name == "pytorchcv-se-resnet18" else 64
    if name.startswith("pytorchcv") and side < 224:  # it ends in the mean of a window of 7 × 7
        original.features.final_pool = nn.AdaptiveAvgPool2d(1)
    original = with_random_statistics(original, side)
    x = torch.randn(3, side, side)
    with torch.no_grad():
        expected = original(x[None])[0]
    opened = open_state_dict(
        {key: value.clone() for key, value in original.state_dict().items()}, f"{name}.pth"
    )
    trace = attnviz.trace(opened, x)
    assert np.abs(trace.logits - expected.numpy()).max() <= 1e-4 * expected.abs().max(), "logits"
    theirs = list(attnviz.trace(original, x).layers.values())
    assert len(theirs) == len(trace.layers)
    spread = []
    for one, other in zip(trace.layers.values(), theirs):
        assert one.shape == other.shape
        off = np.abs(one.factor() - other.factor())
        assert np.nanmax(off) <= 1e-5, one.name
        spread.append(one.factor().std())
    assert np.median(spread) > 0.02, "gates that say nothing would agree whatever was computed"


def with_input(make: Callable[[], nn.Module]) -> tuple[nn.Module, torch.Tensor]:
    """A network with statistics of its own, and two inputs (2, C, 64, 64) for it."""
    torch.manual_seed(3)
    original = make()
    channels = next(weight for weight in original.parameters() if weight.ndim == 4).shape[1]
    return with_random_statistics(original, channels=channels), torch.randn(2, channels, 64, 64)


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLIC)
def test_a_network_of_nobodys_table_computes_what_the_original_computes(name):
    original, x = with_input(PUBLIC[name])
    assert_same_scores(original, original.state_dict(), x, f"{name}.pth")


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTLED)
def test_names_tell_what_a_known_code_computes(name):
    original, x = with_input(SETTLED[name])
    state = original.state_dict()
    assert_same_scores(original, state, x, "weights.pth")
    assert open_state_dict(dict(state), "weights.pth").assumed == []


@pytest.mark.parametrize("groups", [1, 32])
def test_features_that_a_network_may_smooth_are_said_to_be_assumed_plain(groups):
    network = timm_resnet(
        "Bottleneck",
        "se",
        cardinality=groups,
        base_width=64 // groups,
        stem_width=32,
        stem_type="deep",
        avg_down=True,
    )
    opened = open_state_dict(dict(network.state_dict()), "model.safetensors")
    assert ("smoothing none" in opened.card.assumed) == (groups > 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["se", "cbam"])
def test_a_network_opens_by_whatever_names_its_parts_have(name, kind):
    torch.manual_seed(3)
    attach = {"se": reference_networks.moskomule(), "cbam": reference_networks.luuuyi()}[kind]
    original = with_random_statistics(reference_networks.resnet((1, 1, 1, 1), attach, classes=5), 64)
    assert_same_scores(original, NAMES[name](original.state_dict()), torch.randn(2, 3, 64, 64), "named.pth")


def assert_same_scores(
    original: nn.Module, state: dict[str, torch.Tensor], x: torch.Tensor, name: str
) -> None:
    """What is opened from a state dict gives the original's scores, in twice the digits of float32: many
    layers of random weights make much of little."""
    opened = open_state_dict({key: value.clone() for key, value in state.items()}, name)
    with torch.no_grad():
        expected, given = original.double()(x.double()), opened.double()(x.double())
    assert given.shape == expected.shape
    assert (given - expected).abs().max() <= 1e-7 * expected.abs().max()


def test_both_branches_of_a_released_bam_are_the_originals():
    original = with_random_statistics(reference_networks.JongchanBAMResNet(18, classes=5))
    seen = {}
    for name in ("bam1", "bam2", "bam3"):
        original.get_submodule(name).register_forward_pre_hook(
            lambda module, inputs, name=name: seen.update({name: module.branches(inputs[0])})
        )
    x = torch.randn(3, 64, 64)
    with torch.no_grad():
        original(x[None])
    layers = attnviz.trace(open_state_dict(dict(original.state_dict()), "bam.pth"), x).layers
    for name, (channel, spatial) in seen.items():
        assert np.allclose(layers[name].channel_logits, channel[0].numpy(), atol=1e-4)
        assert np.allclose(layers[name].spatial_logits, spatial[0, 0].numpy(), atol=1e-4)


@pytest.mark.skipif(
    not LAYOUTS, reason="the lists of public implementations' keys are not beside the checkout"
)
@pytest.mark.parametrize("path", LAYOUTS, ids=lambda path: path.stem)
def test_the_public_layouts_are_recognised_from_keys_and_shapes(path):
    layout = json.loads(path.read_text())
    tensors = {
        key: torch.zeros(shape, dtype=torch.int64 if key.endswith("tracked") else torch.float32)
        for key, shape in layout["state_dict"].items()
    }
    if path.stem in ORIGINALS and "50" not in path.stem:
        assert {
            key: list(value.shape) for key, value in ORIGINALS[path.stem]().state_dict().items()
        } == layout["state_dict"]
    network = open_state_dict(tensors, path.name)
    assert not tensors, "weights are moved, not copied"
    assert sum(values.numel() for values in network.parameters()) == layout["parameters"]
    _, kind, depth = (
        path.stem.replace("legacy_seresnet", "se-resnet").replace("-seresnet", "-se-resnet").split("-", 2)
    )
    card = network.card
    assert (card.architecture["attention"], card.architecture["depth"]) == (
        kind,
        int(depth.removeprefix("resnet")),
    )
    assert (card.architecture["width"], card.architecture["reduction"], card.architecture["classes"]) == (
        64,
        16,
        1000,
    )
    assert card.title == f"{kind.upper()} ResNet-{card.architecture['depth']}"


def small(attention: str | None = "cbam") -> dict[str, torch.Tensor]:
    return dict(ours(18, attention).state_dict())


def test_half_precision_is_widened():
    network = open_state_dict(
        {key: value.half() if value.is_floating_point() else value for key, value in small().items()},
        "half.pth",
    )
    assert all(value.dtype == torch.float32 for value in network.parameters())


def test_counts_of_batches_may_be_missing():
    network = open_state_dict(
        {key: value for key, value in small().items() if not key.endswith("tracked")}, "old.pth"
    )
    assert attnviz.trace(network, torch.randn(3, 64, 64)).layers


def test_the_widest_kernel_is_opened():
    network = open_state_dict(with_kernel(31), "wide.pth")
    assert network.get_submodule("layer1.0.attention.spatial.conv").kernel_size == (31, 31)


def test_what_does_not_fit_is_refused_before_any_number_is_read():
    class Refused(Exception):
        """What the owner of the memory raises."""

    def reserve(size: int, beside: int) -> None:
        assert size == sum(value.nbytes for value in small().values())
        raise Refused

    class Unread(HeldWeights):
        def take(self, key: str) -> torch.Tensor:
            raise AssertionError("read")

    with pytest.raises(Refused):
        open_weights(Unread(small()), "large.pth", reserve)


def without(*keys: str) -> dict[str, torch.Tensor]:
    return {name: value for name, value in small().items() if name not in keys}


def both(*prefixes: str) -> dict[str, torch.Tensor]:
    """Two networks in one state dict."""
    return {f"{prefix}{key}": value for prefix in prefixes for key, value in small().items()}


def with_kernel(side: int) -> dict[str, torch.Tensor]:
    """A CBAM network whose spatial kernels have this side."""
    tensors = small()
    for key in tensors:
        if key.endswith("spatial.conv.weight"):
            tensors[key] = torch.zeros(1, 2, 1, 1).expand(1, 2, side, side)
    return tensors


@pytest.mark.parametrize(
    "tensors, words",
    [
        (small(None), "plain ResNet-18: there is no attention to show"),
        (dict(reference_networks.resnet(50).state_dict()), "plain ResNet-50: there is no attention to show"),
        ({**small(), "extra.weight": torch.ones(3)}, "“extra”"),
        ({**small(), **{f"extra{n}.weight": torch.ones(3) for n in range(9)}}, " and 6 more"),
        (
            {**small(), "layer2.0.extra.weight": torch.ones(3)},
            "in its block “layer2.0”, “layer2.0.extra” has no place",
        ),
        (
            without("layer2.0.attention.spatial.conv.bias", "layer2.0.bn1.running_var"),
            "“layer2.0.bn1.running_var”",
        ),
        (without("layer2.0.attention.channel.fc1.weight"), "none of SE, CBAM and BAM"),
        (without("fc.weight"), "no classifier"),
        ({**small(), "fc.weight": torch.ones(5, 99)}, "gives 64 channels, but “fc” takes 99"),
        (without("conv1.weight"), "take 8 channels, but no convolutions that are understood"),
        ({**small(), "layer3.0.conv1.weight": torch.ones(3, 4, 5, 6)}, "“layer3.0.conv1” has no place"),
        ({**small(), "layer3.0.bn1.bias": torch.ones(3)}, r"“layer3.0.bn1.bias” has the shape \(3,\) where"),
        (
            {"encoder.layer.0.attention.self.query.weight": torch.ones(3, 3)},
            "is no ResNet that is known here",
        ),
        ({"x" * 500: torch.ones(3)}, "is no ResNet"),
        (with_kernel(33), "33 numbers wide: one of an odd width of at most 31"),
        (with_kernel(1001), "1001 numbers wide"),
        (with_kernel(6), "6 numbers wide"),
        (with_kernel(0), "none of SE, CBAM and BAM"),
        ({**small(), "layer1.0.attention.spatial.conv.weight": torch.ones(())}, "none of SE, CBAM and BAM"),
        (both("student.", "other."), "several networks \\(“other”, “student”\\)"),
        ({}, "is no ResNet"),
    ],
)
def test_what_is_no_whole_network_says_what_is_wrong(tensors, words):
    with pytest.raises(attnviz.NetworkError, match=words) as caught:
        open_state_dict(dict(tensors), "mine.pth")
    assert str(caught.value).startswith("“mine.pth”") and len(str(caught.value)) < 500


SOURCES = [
    lambda: small("se"),
    small,
    lambda: small("bam"),
    lambda: dict(reference_networks.resnet((1, 1, 1, 1), reference_networks.luuuyi()).state_dict()),
    lambda: dict(reference_networks.resnet((1, 1, 1, 1), reference_networks.jongchan_cbam).state_dict()),
    lambda: dict(reference_networks.JongchanBAMResNet(18, 3).state_dict()),
    lambda: dict(pytorchcv("cbam_resnet18").state_dict()),
]


@pytest.mark.slow
@pytest.mark.parametrize("source", range(len(SOURCES)))
def test_a_changed_state_dict_opens_whole_or_says_why(source):
    random = np.random.default_rng(source)
    whole = SOURCES[source]()
    refused = 0
    for _ in range(40):
        tensors = dict(whole)
        for key in random.choice(sorted(tensors), random.integers(1, 4), replace=False):
            value = tensors.pop(key)
            change = random.integers(5)
            if change == 0:
                tensors[key + ".x"] = value
            elif change == 1:
                tensors[key] = value.reshape(-1)
            elif change == 2:
                tensors[key] = value.transpose(0, -1) if value.ndim else value[None]
            elif change == 3:
                tensors[key] = torch.zeros(
                    [int(size) for size in random.integers(0, 9, random.integers(0, 5))]
                )
        try:
            network = open_state_dict(tensors, "changed.pth")
        except attnviz.NetworkError:
            refused += 1
        else:
            assert all(not value.is_meta for value in network.state_dict().values())
    assert refused > 10
