from __future__ import annotations

import pytest
import torch
import torchvision
from torch import nn

from attnviz.networks import BAM, CBAM, ResNet, SqueezeExcite

COUNTS = {  # width 64, 1000 classes, reduction 16
    (18, None): 11_689_512,
    (34, None): 21_797_672,
    (50, None): 25_557_032,
    (101, None): 44_549_160,
    (152, None): 60_192_808,
    (18, "se"): 11_776_552,
    (34, "se"): 21_954_856,
    (50, "se"): 28_071_976,
    (101, "se"): 49_292_328,
    (152, "se"): 66_770_984,
    (18, "cbam"): 11_777_336,
    (34, "cbam"): 21_956_424,
    (50, "cbam"): 28_073_544,
    (101, "cbam"): 49_295_562,
    (152, "cbam"): 66_775_884,
}


@pytest.mark.parametrize(("depth", "attention"), COUNTS)
def test_parameter_counts_are_exact(depth, attention):
    with torch.device("meta"):
        network = ResNet(depth, attention)
    assert sum(parameter.numel() for parameter in network.parameters()) == COUNTS[depth, attention]


@pytest.mark.parametrize("depth", [18, 50])
def test_without_attention_it_is_torchvisions_resnet(depth):
    theirs = getattr(torchvision.models, f"resnet{depth}")(num_classes=7).eval()
    ours = ResNet(depth, classes=7).eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 65, 97)
    with torch.inference_mode():
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("attention", "kind", "count"), [("se", SqueezeExcite, 8), ("cbam", CBAM, 8), ("bam", BAM, 3)]
)
def test_attention_stands_in_every_block_or_after_three_stages(attention, kind, count):
    network = ResNet(18, attention, 16, 4, 10)
    assert sum(isinstance(module, kind) for module in network.modules()) == count


@pytest.mark.parametrize("attention", [None, "se", "cbam", "bam"])
@pytest.mark.parametrize("size", [(64, 64), (33, 97), (1, 40)])
def test_any_height_and_width_goes_through(attention, size):
    assert ResNet(18, attention, 8, 4, 10).eval()(torch.randn(2, 3, *size)).shape == (2, 10)


@pytest.mark.parametrize("arguments", [{"depth": 19}, {"attention": "eca"}, {"padding": "reflect"}])
def test_what_does_not_exist_is_refused_by_name(arguments):
    with pytest.raises(ValueError, match=str(next(iter(arguments.values())))):
        ResNet(**arguments)


@pytest.mark.parametrize("attention", ["se", "cbam", "bam"])
def test_hidden_layers_have_at_least_so_many_units(attention):
    network = ResNet(18, attention, 16, 4, 10, least_hidden=9)
    assert (
        sorted({gate.hidden for gate in network.plan.all_gates})
        == {
            "se": [9, 16, 32],
            "cbam": [9, 16, 32],
            "bam": [9, 16],
        }[attention]
    )


def test_layers_of_se_and_cbam_have_a_bias_where_it_is_asked_for():
    for attention in ("se", "cbam"):
        keys = ResNet(18, attention, 8, 4, 10, bias=True).state_dict()
        found = [key for key in keys if "attention" in key and key.endswith("fc1.bias")]
        assert len(found) == 8


@pytest.mark.parametrize(("attention", "count"), [("cbam", 8), ("bam", 6)])
def test_only_spatial_gates_are_padded_otherwise(attention, count):
    network = ResNet(18, attention, 8, 4, 10, padding="replicate")
    padded = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and module.padding_mode == "replicate"
    ]
    assert len(padded) == count and all(".spatial." in name for name in padded)
