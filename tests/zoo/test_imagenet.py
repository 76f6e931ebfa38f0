"""The table of ImageNet networks says what the libraries say."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from functools import cache

import pytest
import timm
import torch
import torchvision
from helpers.checkout import ROOT
from torch import nn

import attnviz
from attnviz.capture.taps import find_taps
from attnviz.photos.geometry import Recipe
from attnviz.zoo import imagenet


def rows(library: str = "") -> list:
    found = [about for about in imagenet.TABLE.values() if about.library.startswith(library)]
    return [pytest.param(about, id=about.key) for about in found]


@cache
def shapes_of(about: imagenet.Row) -> nn.Module:
    """The library's network as shapes alone, without a byte of weights."""
    from pytorchcv.model_provider import get_model

    if about.library == "torchvision":  # computes RegNet's widths with tensors
        return torchvision.models.get_model(about.name).eval().to("meta")
    with torch.device("meta"):
        return (timm.create_model if about.library == "timm" else get_model)(about.name).eval()


def test_the_table_has_the_networks_that_people_look_for():
    assert set(imagenet.names()) >= {
        *(
            f"pytorchcv/{name}"
            for name in ("seresnet18", "seresnet50", "seresnet101", "resnet18", "resnet50")
        ),
        "pytorchcv/cbam_resnet50",
        "pytorchcv/bam_resnet50",
        *(f"timm/legacy_seresnet{depth}.in1k" for depth in (18, 34, 50, 101)),
        "timm/seresnet50.ra2_in1k",
        "timm/ecaresnet50t.ra2_in1k",
        "timm/gcresnet50t.ra2_in1k",
        *(f"torchvision/{name}" for name in ("mobilenet_v3_large", "efficientnet_b0", "regnet_y_400mf")),
    }
    assert all(imagenet.row(key).key == key for key in imagenet.names())
    assert len({(about.title, about.library) for about in imagenet.TABLE.values()}) == len(imagenet.TABLE)


@pytest.mark.slow
@pytest.mark.parametrize("about", rows())
def test_size_and_attention_are_those_of_the_librarys_network(about):
    network = shapes_of(about)
    size = sum(tensor.nbytes for tensor in network.state_dict().values())
    assert about.megabytes == pytest.approx(size / 1e6, rel=0.01)
    kinds = {tap.kind for tap in find_taps(dict(network.named_modules()))}
    assert kinds == ({about.attention.lower()} if about.attention else set())


@pytest.mark.slow
@pytest.mark.parametrize("about", rows())
def test_it_takes_the_sides_that_the_table_says_and_no_others(about):
    network = shapes_of(about)

    def takes(height: int, width: int) -> bool:
        try:
            return network(torch.empty(1, 3, height, width, device="meta")).shape == (1, 1000)
        except RuntimeError:
            return False

    if about.sides is None:
        assert takes(about.recipe.crop, about.recipe.crop) and takes(64, 448)
        return
    least, greatest = about.sides
    assert least <= about.recipe.crop <= greatest
    assert takes(least, greatest) and takes(greatest, greatest)
    assert not takes(least - 1, greatest) and not takes(greatest, greatest + 1)


@pytest.mark.parametrize("about", rows("timm"))
def test_timms_preprocessing_and_licence_are_what_timm_says_of_them(about):
    from timm.data import create_transform, resolve_data_config

    config = timm.get_pretrained_cfg(about.name)
    told = resolve_data_config(
        pretrained_cfg=config.to_dict(), use_test_size=True
    )  # what its table of results was measured with
    resize, crop, *_ = create_transform(**told).transforms
    recipe = about.recipe
    assert (resize.size, resize.interpolation.value) == (recipe.resize, recipe.interpolation)
    assert tuple(crop.size) == (recipe.crop, recipe.crop) and told["crop_mode"] == "center"
    assert (tuple(told["mean"]), tuple(told["std"])) == (recipe.mean, recipe.std)
    assert about.licence.lower() == config.license and config.num_classes == 1000


@pytest.mark.parametrize("about", rows("torchvision"))
def test_torchvisions_preprocessing_size_and_accuracy_are_what_its_weights_say(about):
    weights = torchvision.models.get_model_weights(about.name).DEFAULT
    told = weights.transforms()
    assert about.recipe == Recipe(
        told.resize_size[0], told.crop_size[0], tuple(told.mean), tuple(told.std), told.interpolation.value
    )
    assert about.accuracy == pytest.approx(weights.meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100)
    assert about.megabytes == pytest.approx(weights.meta["_file_size"] * 2**20 / 1e6, abs=0.1)
    assert about.licence == "BSD-3-Clause" and importlib.metadata.metadata("torchvision")[
        "License"
    ].startswith("BSD")


@pytest.mark.parametrize("about", rows("pytorchcv"))
def test_pytorchcvs_accuracy_is_in_its_readme_beside_the_file_that_is_downloaded(about):
    from pytorchcv.models.common.model_store import get_model_name_suffix_data

    error, sha1, tag = get_model_name_suffix_data(about.name)  # raises for a network without weights
    readme = importlib.metadata.metadata("pytorchcv").get_payload()
    top1 = re.findall(
        rf"^\| [^|]+ \| +([\d.]+) \|.*/{re.escape(f'{tag}/{about.name}-{error}-{sha1[:8]}')}\.pth",
        readme,
        re.M,
    )
    assert [float(one) for one in top1] == [pytest.approx(100 - 100 * about.accuracy)]
    assert importlib.metadata.metadata("pytorchcv")["License-Expression"] == about.licence
    assert about.recipe == Recipe()


def test_labels_are_a_thousand_names_in_torchvisions_order_that_differ_in_more_than_capitals():
    theirs = torchvision.models.ResNet50_Weights.DEFAULT.meta["categories"]
    assert len({name.lower() for name in imagenet.labels()}) == len(theirs) == 1000
    clearer = {index: name for index, name in enumerate(imagenet.labels()) if name != theirs[index]}
    assert clearer == {
        134: "crane (bird)",
        264: "Cardigan (dog)",
        517: "crane (machine)",
        639: "maillot (tank suit)",
    }


@pytest.mark.parametrize(
    "name, key",
    [
        ("timm/seresnet50.ra2_in1k", "timm/seresnet50.ra2_in1k"),
        ("pytorchcv/resnet18", "pytorchcv/resnet18"),
        ("cbam_resnet50", "pytorchcv/cbam_resnet50"),
        ("seresnet50", "pytorchcv/seresnet50"),
        ("efficientnet_b0", "torchvision/efficientnet_b0"),
        ("seresnet50.ra2_in1k", "timm/seresnet50.ra2_in1k"),
        ("skresnet18", "timm/skresnet18"),
        ("skresnet18.ra_in1k", "timm/skresnet18.ra_in1k"),
        ("timm/no_such_net", "timm/no_such_net"),
        ("no_such_net", None),
        ("resnet50.no_such_training", None),
        ("vit_tiny_patch16_224.augreg_in21k", None),
        ("pytorchcv/no_such_net", None),
        ("", None),
        ("timm/", None),
        ("timm/../../x", None),
        ("../x", None),
        ("/etc/passwd", None),
        ("hf-hub:timm/resnet18", None),
    ],
)
def test_names_stand_for_keys(name, key):
    assert imagenet.resolve(name) == key


def test_any_other_network_of_timm_has_a_row_of_what_timm_says():
    about = imagenet.row("timm/skresnet18.ra_in1k")
    assert (
        about.recipe == Recipe(256, 224, interpolation="bicubic")
        and about.licence == "apache-2.0"
        and about.sides is None
    )
    assert (
        about.megabytes == pytest.approx(11.96 * 4, rel=0.01)
        and about.accuracy is None
        and "skresnet18.ra_in1k" in about.title
    )
    assert imagenet.row("timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k").sides == (224, 224)


@pytest.mark.parametrize(
    "name", ["no_such_net", "resnet50.no_such_training", "vit_tiny_patch16_224.augreg_in21k", "hf-hub:timm"]
)
def test_a_network_that_timm_can_not_offer_is_refused_in_a_sentence(name):
    for ask in (imagenet.row, imagenet.open_network):
        with pytest.raises(
            attnviz.NetworkError,
            match=f"timm has no network “{name}” with weights for ImageNet's 1,000 classes",
        ):
            ask(f"timm/{name}")
    assert not imagenet.kept(f"timm/{name}")


@pytest.mark.parametrize(
    "key",
    ["timm/seresnet50.ra2_in1k", "timm/skresnet18", "pytorchcv/cbam_resnet50", "torchvision/efficientnet_b0"],
)
def test_a_library_that_is_not_installed_is_named_with_the_line_that_installs_it(key, monkeypatch):
    library = key.split("/")[0]
    monkeypatch.setitem(sys.modules, library, None)
    imagenet._timm_row.cache_clear()
    with pytest.raises(
        attnviz.NetworkError,
        match=rf'needs {library}, which is not installed.*: pip install "attnviz\[zoo\]"',
    ):
        imagenet.open_network(key)
    assert not imagenet.kept(key)
    if library == "timm":
        assert imagenet.resolve("skresnet18") is None


@pytest.mark.slow
def test_the_table_and_the_labels_need_none_of_the_libraries():
    code = """
import sys
from attnviz.zoo import imagenet
imagenet.labels(), [imagenet.row(key) for key in imagenet.names()], imagenet.resolve("cbam_resnet50")
print(*{"timm", "torchvision", "pytorchcv", "huggingface_hub", "pooch"} & set(sys.modules))
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert run.stdout == "\n"
