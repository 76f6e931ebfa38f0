"""Gates changed in one photo's pass, held against what must then come out."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from helpers.small_networks import hook_count, stirred
from torch import nn
from torch.nn import functional

import attnviz
from attnviz import Flat, Off, Patch, Scale, Set, Shuffle, Usual
from attnviz.networks import ResNet

MECHANISMS = ("se", "cbam", "bam")
EVERY_EDIT = (Off(), Usual(), Flat(), Shuffle(3), Scale(0.5))


def alive(depth: int, attention: str) -> ResNet:
    """A network none of whose gates is dead."""
    return stirred(depth, attention, least_hidden=6, bias=True)


def photo(seed: int = 0, side: int = 64) -> torch.Tensor:
    return torch.randn(3, side, side, generator=torch.Generator().manual_seed(seed))


def usual(network: nn.Module) -> attnviz.Reference:
    return attnviz.reference(network, [photo(seed) for seed in range(10, 13)])


def own_set(layer: attnviz.LayerAttention) -> Set:
    """Every gate of a layer of two parts at its own value."""
    cells = {} if layer.spatial is None else {tuple(at): float(v) for at, v in np.ndenumerate(layer.spatial)}
    return Set(channel=dict(enumerate(map(float, layer.channel))), cells=cells)


@pytest.mark.parametrize("attention", MECHANISMS)
def test_what_leaves_gates_at_their_own_values_changes_nothing_bit_for_bit(attention):
    network, x = alive(18, attention), photo()
    before = attnviz.trace(network, x)
    for edit in (Scale(1.0), Patch(x), (Flat(), Patch(x)), *map(own_sets, before.layers.values())):
        edits = {"all": edit} if not isinstance(edit, dict) else edit
        for recompute in (True, False):
            found = attnviz.intervene(network, x, edits, recompute)
            assert np.array_equal(found.after.logits, before.logits)
            assert not found.changed and found.score_change == 0 and set(found.moved.values()) == {0.0}


def own_sets(layer: attnviz.LayerAttention):
    """The same as an edit of one layer; of a gate that can't be taken apart, all of it scaled by one."""
    return {layer.name: Scale(1.0) if layer.averaged else own_set(layer)}


@pytest.mark.parametrize("attention", MECHANISMS)
def test_all_gates_off_are_the_plain_network_of_the_same_weights(attention):
    network, x = alive(18, attention), photo()
    plain = ResNet(18, None, 8, classes=5).eval()
    ours = network.state_dict()
    plain.load_state_dict({key: ours[key] for key in plain.state_dict()})
    with torch.inference_mode():
        expected = plain(x[None])[0].numpy()
    found = attnviz.intervene(network, x, {"all": "off"})
    assert np.array_equal(found.after.logits, expected)
    assert all(np.array_equal(layer.factor(), np.ones(layer.shape)) for layer in found.after.layers.values())


@pytest.mark.parametrize("attention", MECHANISMS)
@pytest.mark.parametrize("edit", EVERY_EDIT, ids=lambda edit: edit.name)
def test_layers_before_an_edit_stay_and_those_behind_it_move(attention, edit):
    network, x = alive(18, attention), photo()
    names = list(attnviz.trace(network, x).layers)
    edited = names[len(names) // 2]
    found = attnviz.intervene(network, x, {edited: edit}, reference=usual(network))
    place = names.index(edited)
    for name in names[:place]:
        assert np.array_equal(found.after.layers[name].factor(), found.before.layers[name].factor())
    assert all(found.moved[name] > 0 for name in names[place:])


@pytest.mark.parametrize("attention", MECHANISMS)
@pytest.mark.parametrize("edit", EVERY_EDIT, ids=lambda edit: edit.name)
def test_gates_that_are_not_recomputed_stay_as_they_were(attention, edit):
    network, x = alive(18, attention), photo()
    first, *others = attnviz.trace(network, x).layers
    found = attnviz.intervene(network, x, {first: edit}, recompute=False, reference=usual(network))
    assert found.moved.pop(first) > 0 and set(found.moved.values()) == {0.0}
    assert not np.array_equal(found.after.logits, found.before.logits) and len(others) > 1


@pytest.mark.parametrize("attention", MECHANISMS)
def test_an_edited_gate_is_in_the_trace_after_as_the_edit_says(attention):
    network, x, other = alive(18, attention), photo(), photo(1)
    theirs = attnviz.trace(network, other)
    name = list(theirs.layers)[1]
    reference = usual(network)

    def after(edit):
        return attnviz.intervene(network, x, {name: edit}, reference=reference).after.layers[name]

    own = attnviz.trace(network, x).layers[name]
    np.testing.assert_array_equal(after(Patch(other)).factor(), theirs.layers[name].factor())
    np.testing.assert_allclose(after(Scale(0.5)).factor(), own.factor() * 0.5, rtol=1e-6)
    flat = after(Flat()).factor()
    assert np.ptp(flat) < 1e-6
    mean = own.channel.mean() * (own.spatial.mean() if attention == "cbam" else 1)
    np.testing.assert_allclose(flat.mean(), mean, rtol=1e-5)
    shuffled, whole = after(Shuffle(5)).factor(), own.factor()
    np.testing.assert_allclose(np.sort(shuffled.ravel()), np.sort(whole.ravel()), rtol=1e-6)
    assert not np.allclose(shuffled, whole)
    shut = attnviz.intervene(network, x, {name: Set(channel={2: 0.0})}, recompute=False)
    assert shut.after.layers[name].factor()[2].max() == 0
    np.testing.assert_array_equal(shut.after.layers[name].factor()[3], own.factor()[3])


def test_cells_are_set_where_they_are_named():
    for attention in ("cbam", "bam"):
        network, x = alive(18, attention), photo()
        name = next(iter(attnviz.trace(network, x).layers))
        found = attnviz.intervene(network, x, {name: Set(cells={(1, 2): 0.0, (0, 0): 1.0})})
        before, after = found.before.layers[name].factor(), found.after.layers[name].factor()
        assert after[:, 1, 2].max() == 0 and before[:, 1, 2].min() > 0
        assert np.array_equal(after[:, 2:], before[:, 2:])


@pytest.mark.parametrize("part", ["channel", "spatial"])
def test_one_part_of_a_gate_is_edited_alone(part):
    other = {"channel": "spatial", "spatial": "channel"}[part]
    for edit in (
        Off(part),
        Usual(part),
        Flat(part),
        Shuffle(1, part),
        Scale(0.5, part),
        Patch(photo(1), part),
    ):
        network, x = alive(18, "cbam"), photo()
        found = attnviz.intervene(network, x, {"layer2.0": edit}, recompute=False, reference=usual(network))
        before, after = found.before.layers["layer2.0"], found.after.layers["layer2.0"]
        assert np.array_equal(getattr(after, other), getattr(before, other))
        assert not np.array_equal(getattr(after, part), getattr(before, part))


@pytest.mark.parametrize("product", [False, True])
@pytest.mark.parametrize("part", ["channel", "spatial"])
def test_a_branch_of_bam_is_edited_before_its_sigmoid(part, product):
    network, x = alive(18, "bam"), photo()
    for module in network.modules():
        if type(module).__name__ == "BAM":
            module.product = product
    found = attnviz.intervene(network, x, {"bam1": Flat(part)})
    before, after = found.before.layers["bam1"], found.after.layers["bam1"]
    other = {"channel": "spatial", "spatial": "channel"}[part]
    assert np.array_equal(getattr(after, f"{other}_logits"), getattr(before, f"{other}_logits"))
    logits = getattr(after, f"{part}_logits")
    np.testing.assert_allclose(
        logits, np.full_like(logits, getattr(before, f"{part}_logits").mean()), rtol=1e-5
    )
    off = attnviz.intervene(network, x, {"bam1": Off(part)}).after.layers["bam1"]
    kept = torch.from_numpy(getattr(before, f"{other}_logits"))
    expected = torch.sigmoid(kept)[:, None, None] if part == "spatial" else torch.sigmoid(kept)[None]
    np.testing.assert_allclose(off.factor(), 1 + expected.expand(off.shape).numpy(), rtol=1e-6)


def test_edits_of_a_layer_are_made_in_order():
    network, x = alive(18, "se"), photo()
    edits = {"layer1.0": (Flat(), Set(channel={1: 0.25}), Scale(2.0))}
    found = attnviz.intervene(network, x, edits)
    channel, mean = found.after.layers["layer1.0"].channel, found.before.layers["layer1.0"].channel.mean()
    assert channel[1] == 0.5
    np.testing.assert_allclose(np.delete(channel, 1), 2 * mean, rtol=1e-6)


def test_the_last_layer_of_a_resnet_has_a_closed_form():
    """Δ logits = W[:, c] · Δ mean over positions of relu(gate · branch + shortcut)."""
    network, x = alive(18, "se"), photo()
    features = attnviz.features(network, x, "layer4.1")
    with torch.inference_mode():
        for name, module in network.named_modules():
            if name in ("layer4.0",):
                handle = module.register_forward_hook(
                    lambda _m, _i, output: shortcut.append(output[0].clone())
                )
        shortcut: list[torch.Tensor] = []
        network(x[None])
        handle.remove()
    branch, weight = torch.from_numpy(features.before), network.fc.weight.detach()
    own = torch.from_numpy(attnviz.trace(network, x).layers["layer4.1"].channel)
    for channel, value in ((0, 0.0), (5, 1.0), (9, 3.0)):
        means = [
            functional.relu(gate * branch[channel] + shortcut[0][channel]).mean()
            for gate in (own[channel], value)
        ]
        expected = weight[:, channel] * (means[1] - means[0])
        found = attnviz.intervene(network, x, {"layer4.1": Set(channel={channel: value})})
        change = found.after.logits - found.before.logits
        np.testing.assert_allclose(change, expected.numpy(), atol=1e-5)


def test_a_photo_with_the_gates_of_another_is_the_same_whichever_way_it_is_said():
    network, x, other = alive(18, "se"), photo(), photo(1)
    theirs = attnviz.trace(network, other).layers["layer3.0"].channel
    by_photo = attnviz.intervene(network, x, {"layer3.0": Patch(other)})
    by_value = attnviz.intervene(network, x, {"layer3.0": Set(channel=dict(enumerate(map(float, theirs))))})
    assert np.array_equal(by_photo.after.logits, by_value.after.logits)


def test_no_hook_is_left_after_an_edit_nor_after_one_that_fails():
    network, x = alive(18, "cbam"), photo()
    attnviz.intervene(network, x, {"all": "off"})
    assert hook_count(network) == 0
    forwards = [vars(module).get("forward") for module in network.modules()]
    network.fc = nn.Linear(3, 3)  # does not fit: the pass fails at its very end
    with pytest.raises(RuntimeError):
        attnviz.intervene(network, x, {"all": "off"})
    assert hook_count(network) == 0
    assert [vars(module).get("forward") for module in network.modules()] == forwards


def test_a_network_in_training_comes_back_as_it_was():
    network, x = alive(18, "cbam").train(), photo()
    before = {key: values.clone() for key, values in network.state_dict().items()}
    attnviz.intervene(network, x, {"all": "flat"})
    assert all(module.training for module in network.modules())
    assert all(torch.equal(values, before[key]) for key, values in network.state_dict().items())


@pytest.mark.parametrize("attention", MECHANISMS)
def test_while_one_thread_edits_another_gets_its_own_logits_bit_for_bit(attention):
    network, x, other = alive(18, attention), photo(), photo(1)
    with torch.inference_mode():
        expected = network(other[None])
    traced, enough, equal = attnviz.trace(network, other).logits, threading.Event(), []

    def passes() -> None:
        while not enough.is_set():
            with torch.inference_mode():
                equal.append(torch.equal(network(other[None]), expected))
            equal.append(np.array_equal(attnviz.trace(network, other).logits, traced))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(passes)
        found = [attnviz.intervene(network, x, {"all": "off"}).after.logits for _ in range(12)]
        enough.set()
        running.result()
    assert len(equal) > 1 and all(equal)
    assert all(np.array_equal(each, found[0]) for each in found)


def test_a_trace_before_saves_a_pass_and_gives_the_same(cbam, examples):
    path = examples / "temple.jpg"
    before = attnviz.trace(cbam, path)
    calls: list[int] = []
    handle = cbam.conv1.register_forward_hook(lambda *_: calls.append(1))
    found = attnviz.intervene(cbam, path, {"layer3.0": "flat"}, before=before)
    handle.remove()
    assert len(calls) == 1 and found.before is before
    again = attnviz.intervene(cbam, path, {"layer3.0": "flat"})
    assert np.array_equal(again.after.logits, found.after.logits)


def test_everything_that_leaves_says_that_the_network_was_changed(cbam, examples):
    found = attnviz.intervene(
        cbam, examples / "temple.jpg", {"layer3.0": "off", "layer3.1": Set(channel={1: 0})}
    )
    assert (
        found.after.network == "cbam_resnet18 (changed network)" and found.before.network == "cbam_resnet18"
    )
    assert found.after.edits == {"layers": attnviz.edits_to_json(found.edits), "recompute": True}
    assert found.before.edits == {}
    said = [str(remark) for remark in found.after.remarks]
    assert any("changed gates (layer3.0, layer3.1)" in each for each in said)
    assert any("batch norms behind layer3.0" in each for each in said)
    assert found.to_json()["changed_network"] == "cbam_resnet18" and found.after.doubt is None
    assert found.before.top(1)[0][0] in repr(found) and "layer3.0" in repr(found)


@pytest.mark.parametrize(
    ("edits", "sentence"),
    [
        ({"layer9.9": "off"}, "no layer “layer9.9”"),
        ({"layer1.0": "of"}, "did you mean off"),
        ({"layer1.0": "nothing"}, "choose one of off, usual, flat, shuffle"),
        ({"layer1.0": Set(channel={8: 0.0})}, "8 channels, counted from 0: there is no channel 8"),
        ({"layer1.0": Set(cells={(0, 0): 0.0})}, "layer1.0 has no spatial gate: it has channel"),
        ({"layer1.0": Off("spatial")}, "layer1.0 has no spatial gate: it has channel"),
    ],
)
def test_an_edit_that_can_not_be_made_gets_one_sentence(edits, sentence):
    network = alive(18, "se")
    with pytest.raises(attnviz.AttnvizError, match=sentence):
        attnviz.intervene(network, photo(), edits)
    assert hook_count(network) == 0


def test_a_cell_beyond_the_map_gets_one_sentence():
    with pytest.raises(
        attnviz.EditError, match="map of 16 × 16 cells, counted from 0: there is no cell 16, 0"
    ):
        attnviz.intervene(alive(18, "cbam"), photo(), {"layer1.0": Set(cells={(16, 0): 0.0})})


def test_a_map_of_another_grid_is_resized_and_that_is_said():
    network = alive(18, "cbam")
    found = attnviz.intervene(network, photo(), {"layer1.0": Patch(photo(1, side=96))})
    assert any("other grid" in str(remark) for remark in found.remarks) and found.moved["layer1.0"] > 0


def test_what_is_no_edit_is_the_callers_mistake():
    network = alive(18, "se")
    for wrong in (3, None, {"layer1.0": 1}):
        with pytest.raises(TypeError):
            attnviz.intervene(network, photo(), {"layer1.0": wrong})
    with pytest.raises(ValueError, match="empty"):
        attnviz.intervene(network, photo(), {})
    with pytest.raises(ValueError, match="view"):
        attnviz.intervene(network, photo(), {"layer1.0": "off"}, view="middle")
