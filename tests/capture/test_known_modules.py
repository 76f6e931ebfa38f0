"""Modules of other libraries that stand in the table: each beside what it computes."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch
from helpers.attention_modules import traced_inside
from helpers.known_modules import KNOWN, PATHS, C, around_paths
from helpers.small_networks import with_spread_gates

import attnviz
from attnviz.capture.known_modules import TABLE


@pytest.mark.parametrize("make", KNOWN)
def test_input_times_factor_is_output_for_known_modules(make):
    trace, x, y = traced_inside(with_spread_gates(make()))
    (layer,) = trace.layers.values()
    factor = layer.factor()
    assert np.isfinite(factor).all() and factor.shape == x.shape == layer.shape
    assert factor.std() > 0.01, "a gate that says nothing would pass whatever was read"
    assert np.abs(x.numpy() * factor - y.numpy()).max() <= 1e-5 * np.abs(y.numpy()).max()


@pytest.mark.parametrize("make", PATHS)
def test_paths_are_shares_of_each_channel(make):
    network = around_paths(with_spread_gates(make()))
    (layer,) = attnviz.trace(network, torch.randn(3, 36, 36)).layers.values()
    paths = layer.paths
    assert paths.shape[1] == layer.shape[0] == C and paths.shape[0] in (2, 4) and paths.std() > 0.01
    assert np.abs(paths.sum(0) - 1).max() < 1e-5
    with pytest.raises(ValueError, match="does not multiply"):
        layer.factor()


def test_selective_kernel_weighs_its_paths():
    from timm.layers.selective_kernel import SelectiveKernel

    module, kept = with_spread_gates(SelectiveKernel(C)), {}
    for index, path in enumerate(module.paths):
        path.register_forward_hook(lambda _m, _i, y, index=index: kept.update({index: y.clone()}))
    trace, _, y = traced_inside(module)
    (layer,) = trace.layers.values()
    made = sum(kept[index][0].numpy() * layer.paths[index][:, None, None] for index in kept)
    assert np.abs(made - y.numpy()).max() <= 1e-5 * np.abs(y.numpy()).max()
    assert len(kept) == 2


def test_a_known_module_knows_its_dead_channels_too():
    from timm.layers import SEModule

    trace, _, _ = traced_inside(with_spread_gates(SEModule(C)), torch.zeros(3, 32, 32))
    (layer,) = trace.layers.values()
    assert np.isfinite(layer.channel).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, gates, kind",
    [
        ("torchvision.mobilenet_v3_small", 9, "se"),
        ("torchvision.efficientnet_b0", 16, "se"),
        ("torchvision.regnet_y_400mf", 16, "se"),
        ("timm.ecaresnet26t", 8, "eca"),
        ("timm.skresnet18", 8, "sk"),
        ("timm.resnest14d", 4, "split"),
        ("timm.ese_vovnet19b_dw", 4, "ese"),
        ("pytorchcv.seresnet18", 8, "se"),
        ("pytorchcv.cbam_resnet18", 8, "cbam"),
        ("pytorchcv.bam_resnet18", 3, "bam"),
    ],
)
def test_whole_networks_have_their_gates(name, gates, kind):
    where, short = name.split(".")
    if where == "torchvision":
        import torchvision

        network = torchvision.models.get_model(short, weights=None)
    elif where == "timm":
        import timm

        network = timm.create_model(short)
    else:
        from pytorchcv.model_provider import get_model

        network = get_model(short, pretrained=False)
    found = attnviz.find(network.eval())
    assert [(row.kind, row.how) for row in found] == [(kind, "table")] * gates


def test_every_row_of_the_table_is_a_class_that_exists():
    for path in TABLE:
        where, name = path.rsplit(".", 1)
        assert hasattr(importlib.import_module(where), name), path
