"""What is usual for gates: means over photos, kept in a file, of the network that they were taken of."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.small_networks import stirred

import attnviz
from attnviz.networks.card import Card, with_card


def photos(count: int, side: int = 64) -> list[torch.Tensor]:
    return list(torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(3)))


@pytest.mark.parametrize("attention", ["se", "cbam", "bam"])
def test_usual_is_the_mean_over_the_photos(attention):
    network, given = stirred(18, attention), photos(5)
    found, traced = attnviz.reference(network, given), [attnviz.trace(network, x) for x in given]
    assert found.photos == 5
    for name, layer in traced[0].layers.items():
        layers = [trace.layers[name] for trace in traced]
        for part in ("channel", "spatial", "channel_logits", "spatial_logits"):
            if getattr(layer, part) is not None:
                mean = np.mean([getattr(each, part) for each in layers], 0)
                np.testing.assert_allclose(found.means[name][part], mean, rtol=1e-4, atol=1e-5)
        if attention == "bam":
            mean = np.mean([each.factor() for each in layers], 0)
            np.testing.assert_allclose(found.means[name]["joint"], mean, rtol=1e-5)


@pytest.mark.parametrize("attention", ["cbam", "bam"])
def test_an_edit_to_the_usual_puts_it_there_cell_by_cell_where_the_grids_fit(attention):
    network = stirred(18, attention)
    usual = attnviz.reference(network, photos(3))
    name = next(iter(usual.means))
    found = attnviz.intervene(network, photos(1)[0], {name: "usual"}, reference=usual)
    means = usual.means[name]
    expected = means["joint"] if attention == "bam" else means["channel"][:, None, None] * means["spatial"]
    np.testing.assert_allclose(found.after.layers[name].factor(), expected, rtol=1e-6)
    assert not any("cell by cell" in str(remark) for remark in found.remarks)


@pytest.mark.parametrize("attention", ["cbam", "bam"])
def test_where_the_grids_differ_one_number_is_taken_and_that_is_said(attention):
    network = stirred(18, attention)
    usual = attnviz.reference(network, [*photos(2), *photos(2, side=96)])
    name = next(iter(usual.means))
    found = attnviz.intervene(network, photos(1)[0], {name: "usual"}, reference=usual)
    assert np.ptp(found.after.layers[name].factor(), (1, 2)).max() < 1e-6
    assert any("cell by cell" in str(remark) for remark in found.remarks)
    assert found.reference is usual


def test_a_reference_comes_back_from_its_file(tmp_path):
    network = stirred(18, "cbam")
    usual = attnviz.reference(network, photos(2))
    usual.save(tmp_path / "usual.npz")
    again = attnviz.load_reference(tmp_path / "usual.npz")
    assert (again.network, again.sha256, again.photos) == (usual.network, usual.sha256, 2)
    for layer, means in usual.means.items():
        assert all(np.array_equal(again.means[layer][part], values) for part, values in means.items())
    by_file = attnviz.intervene(network, photos(1)[0], {"all": "usual"}, reference=tmp_path / "usual.npz")
    assert by_file.reference.photos == 2


def test_what_is_no_reference_gets_one_sentence(tmp_path):
    network, x = stirred(18, "se"), photos(1)[0]
    (tmp_path / "no.npz").write_bytes(b"PK nothing")
    for name in ("no.npz", "absent.npz"):
        with pytest.raises(attnviz.EditError, match=f"“{name}” is not there or holds no means"):
            attnviz.intervene(network, x, {"all": "usual"}, reference=tmp_path / name)
    of_other = replace(attnviz.reference(network, [x]), sha256="other")
    with pytest.raises(attnviz.EditError, match="its weights are not those"):
        attnviz.intervene(network, x, {"all": "usual"}, reference=of_other)
    with pytest.raises(attnviz.EditError, match="not known what is usual for layer1"):
        empty = replace(attnviz.reference(network, [x]), means={})
        attnviz.intervene(network, x, {"layer1.0": "usual"}, reference=empty)


def test_a_folder_of_photos_is_a_reference(tmp_path, examples):
    network = stirred(18, "se")
    with pytest.raises(attnviz.PhotoError):
        attnviz.intervene(network, photos(1)[0], {"all": "usual"}, reference=tmp_path)
    shutil.copy(examples / "cat.jpg", tmp_path)
    found = attnviz.intervene(network, photos(1)[0], {"all": "usual"}, reference=tmp_path)
    assert found.reference.photos == 1 and any("1 photos only" in str(each) for each in found.remarks)


def test_without_one_the_example_photos_are_taken_once(examples):
    network = with_card(stirred(18, "se"), Card("mine"))
    calls: list[int] = []
    network.conv1.register_forward_hook(lambda _m, inputs, _o: calls.append(len(inputs[0])))
    first = attnviz.intervene(network, photos(1)[0], {"all": "usual"})
    count = sum(calls)
    again = attnviz.intervene(network, photos(1)[0], {"all": "usual"})
    assert first.reference is again.reference and sum(calls) == count + 2
    assert first.reference.photos == len(list(examples.glob("*.jpg")))
