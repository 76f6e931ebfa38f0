"""The table of ImageNet networks agrees with the libraries that have them."""

from __future__ import annotations

import sys

import pytest
import torch

import attnviz
from attnviz import imagenet
from attnviz.geometry import Recipe


def test_the_table_offers_what_people_know():
    assert set(attnviz.list_networks("imagenet")) >= {
        *(f"pytorchcv/{name}" for name in ("seresnet18", "seresnet50", "seresnet101", "resnet18", "resnet50")),
        "pytorchcv/cbam_resnet50", "pytorchcv/bam_resnet50",
        *(f"timm/legacy_seresnet{depth}.in1k" for depth in (18, 34, 50, 101)),
        "timm/seresnet50.ra2_in1k", "timm/ecaresnet50t.ra2_in1k", "timm/gcresnet50t.ra2_in1k",
        *(f"torchvision/{name}" for name in ("mobilenet_v3_large", "efficientnet_b0", "regnet_y_400mf")),
    }


def made(row: imagenet.Row) -> torch.nn.Module:
    """The library's own network, without weights or memory."""
    if row.library == "torchvision":
        import torchvision
        return torchvision.models.get_model(row.name, weights=None)
    with torch.device("meta"):
        if row.library == "timm":
            import timm
            return timm.create_model(row.name)
        from pytorchcv.model_provider import get_model
        return get_model(row.name, pretrained=False)


@pytest.mark.parametrize("key", imagenet.names())
def test_sizes_and_attention_are_the_librarys(key):
    row = imagenet.row(key)
    network = made(row)
    megabytes = sum(values.numel() for values in network.state_dict().values()) * 4 / 1e6
    assert row.megabytes == pytest.approx(megabytes, rel=0.1)
    from attnviz.taps import find_taps
    kinds = {tap.kind for tap in find_taps(dict(network.named_modules()))}
    assert kinds == ({row.attention.lower()} if row.attention else set())
    assert row.licence in ("MIT", "Apache-2.0", "BSD-3-Clause")


@pytest.mark.parametrize("key", [key for key in imagenet.names() if key.startswith("timm/")])
def test_timms_preprocessing_is_timms(key):
    import timm
    from timm.data import resolve_data_config

    row = imagenet.row(key)
    config = timm.get_pretrained_cfg(row.name)
    told = resolve_data_config(pretrained_cfg=config.to_dict(), use_test_size=True)
    side = told["input_size"][-1]
    assert row.recipe == Recipe(int(side / told["crop_pct"]), side, told["mean"], told["std"], told["interpolation"])
    assert row.licence.lower() == config.license and config.has_weights


@pytest.mark.parametrize("key", [key for key in imagenet.names() if key.startswith("torchvision/")])
def test_torchvisions_preprocessing_and_accuracy_are_torchvisions(key):
    import torchvision

    row = imagenet.row(key)
    weights = torchvision.models.get_model_weights(row.name).DEFAULT
    told = weights.transforms()
    assert row.recipe == Recipe(told.resize_size[0], told.crop_size[0], tuple(told.mean), tuple(told.std), told.interpolation.value)
    assert row.accuracy == pytest.approx(weights.meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100)


@pytest.mark.parametrize("key", [key for key in imagenet.names() if key.startswith("pytorchcv/")])
def test_pytorchcvs_networks_have_weights_and_take_only_some_sizes(key):
    from pytorchcv.models.common.model_store import get_model_metainfo_dict

    row = imagenet.row(key)
    assert row.name in get_model_metainfo_dict()
    if row.name == "seresnet18":
        network = made(row).to_empty(device="cpu").eval()
        for side in (192, 193, 200, 224, 225):
            x = torch.zeros(1, 3, side, side)
            if row.sides[0] <= side <= row.sides[1]:
                assert network(x).shape == (1, 1000)
            else:
                with pytest.raises(RuntimeError):
                    network(x)


def test_labels_are_a_thousand_different_names_in_torchvisions_order():
    import torchvision

    assert len(set(imagenet.labels())) == 1000
    assert list(imagenet.labels()) == list(torchvision.models.ResNet50_Weights.DEFAULT.meta["categories"])


@pytest.mark.parametrize("name, key", [
    ("cbam_resnet50", "pytorchcv/cbam_resnet50"), ("seresnet50", "pytorchcv/seresnet50"),
    ("seresnet50.ra2_in1k", "timm/seresnet50.ra2_in1k"), ("mobilenet_v3_large", "torchvision/mobilenet_v3_large"),
    ("timm/skresnet18.ra_in1k", "timm/skresnet18.ra_in1k"), ("skresnet18.ra_in1k", "timm/skresnet18.ra_in1k"),
    ("no_such_net", None), ("../x", None), ("timm/../../x", None), ("timm/", None),
])
def test_names_are_resolved(name, key):
    assert imagenet.resolve(name) == key


def test_any_network_of_timm_has_a_row():
    row = imagenet.row("timm/skresnet18.ra_in1k")
    assert row.megabytes == pytest.approx(47.9, rel=0.05) and row.recipe.crop == 224
    for name in ("timm/no_such_net", "timm/vit_tiny_patch16_224.augreg_in21k"):
        with pytest.raises(attnviz.NetworkError, match="timm has no network"):
            imagenet.row(name)


@pytest.mark.parametrize("library, key", [
    ("timm", "timm/seresnet50.ra2_in1k"), ("pytorchcv", "pytorchcv/cbam_resnet50"), ("torchvision", "torchvision/efficientnet_b0"),
])
def test_a_missing_library_is_named_with_the_line_that_installs_it(monkeypatch, library, key):
    monkeypatch.setitem(sys.modules, library, None)
    assert not imagenet.kept(key)
    with pytest.raises(attnviz.NetworkError, match=rf'{library} is not installed.*pip install "attnviz\[zoo\]"'):
        attnviz.load(key)
