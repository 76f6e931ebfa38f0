"""Modules that declare their attention, or stand in the table, and what their layers are called."""

from __future__ import annotations

import torch
from timm.layers.cbam import CbamModule
from timm.layers.squeeze_excite import SEModule
from torch import nn

from attnviz.capture.taps import find_taps
from attnviz.networks import BAM, CBAM, SqueezeExcite


def taps(network: nn.Module) -> dict[str, str]:
    return {tap.layer: tap.how for tap in find_taps(dict(network.named_modules()))}


def test_a_layer_is_named_after_the_block_that_its_attention_stands_in():
    block = nn.ModuleDict({"conv": nn.Conv2d(8, 8, 1), "attention": CBAM(8, 4)})
    network = nn.ModuleDict({"layer1": nn.Sequential(block), "gate": SqueezeExcite(8, 4)})
    assert taps(network) == {"layer1.0": "declared", "gate": "declared"}
    assert taps(BAM(8, 4)) == {"BAM": "declared"}


def test_a_module_inside_attention_is_a_part_of_it():
    # its channel gate stands in the table too
    network = nn.ModuleDict({"cbam": CbamModule(16), "cbam2": CbamModule(16)})
    assert taps(network) == {"cbam": "table", "cbam2": "table"}
    assert taps(CbamModule(16)) == {"CbamModule": "table"}


class FromHidden(SqueezeExcite):
    attention_taps = {"relu": "channel"}


def test_what_a_class_declares_is_read():
    (tap,) = find_taps({"": FromHidden(8, 4)})
    assert [(read.role, read.child) for read in tap.reads] == [("channel", "relu")]
    assert isinstance(tap.children["relu"], nn.ReLU)


class Doubled(SEModule):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)


def test_a_subclass_of_a_known_module_may_compute_otherwise():
    assert taps(nn.Sequential(SEModule(16), Doubled(16))) == {"0": "table"}
