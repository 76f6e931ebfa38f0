"""Every layer or channel in turn: the same as one intervention after another, from features that were
kept."""

from __future__ import annotations

import csv
import importlib
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from helpers import attention_modules
from helpers.brought_networks import OpenBlock, Small, alive, noise
from helpers.small_networks import hook_count, stirred
from torch import nn

import attnviz
from attnviz import Off, Set
from attnviz.interventions.intervention import traced_photo
from attnviz.interventions.resolving import changes_for
from attnviz.interventions.sources import Sources

MECHANISMS = ("se", "cbam", "bam")


def lively(attention: str) -> nn.Module:
    return stirred(18, attention, least_hidden=6, bias=True)


class Blocks(nn.Module):
    """Two residual blocks that multiply in their own code, with functions between their modules."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.first, self.second = nn.Conv2d(3, 16, 3, 2, 1), OpenBlock(), OpenBlock()
        self.act, self.fc = nn.ReLU(inplace=True), nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.nn.functional.relu_(self.stem(x))
        x = self.act(self.first(x) + 0.5)
        x *= 1.5
        return self.fc(self.act(self.second(x)).mean((2, 3)))


NETWORKS = [
    *(pytest.param(lambda attention=attention: lively(attention), id=attention) for attention in MECHANISMS),
    pytest.param(lambda: alive(Blocks()), id="gates in a block's own code"),
    pytest.param(lambda: alive(Small(attention_modules.CoordAtt(16))), id="recognised by output and input"),
]
LIBRARIES = [
    ("torchvision.models", "mobilenet_v3_small"),
    ("timm.models", "seresnet18"),
    ("pytorchcv.model_provider", "cbam_resnet18"),
]


def assert_restarts_as_a_full_pass(network: nn.Module, x: torch.Tensor) -> None:
    batch = traced_photo(network, x, "whole", None)
    sources, kept = Sources(network, "whole", None), None
    for name in batch.traces[0].layers:
        changes = changes_for({name: (Off(),)}, batch.traces[0], sources)
        kept = batch.kept_before(name, kept)
        assert kept is not None
        restarted, full = batch.changed_scores(changes, kept), batch.changed_scores(changes)
        assert np.array_equal(restarted, full), name
        from_the_start = batch.kept_before(name)
        assert np.array_equal(batch.changed_scores(changes, from_the_start), full)
    assert hook_count(network) == 0 and not any("forward" in vars(module) for module in network.modules())


@pytest.mark.parametrize("make", NETWORKS)
def test_a_restart_from_kept_features_is_the_full_pass_bit_for_bit(make):
    assert_restarts_as_a_full_pass(make(), noise(3, 64, 64))


@pytest.mark.slow
@pytest.mark.parametrize(("library", "name"), LIBRARIES, ids=[name for _, name in LIBRARIES])
def test_networks_of_other_libraries_restart_bit_for_bit(library, name):
    module = importlib.import_module(library)
    network = module.get_model(name) if library.startswith("pytorchcv") else getattr(module, name)()
    assert_restarts_as_a_full_pass(network.eval(), noise(3, 224, 224))


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("recompute", [True, False])
def test_a_sweep_over_layers_is_one_intervention_after_another(make, recompute):
    network, x = make(), noise(3, 64, 64)
    found = attnviz.sweep(network, x, ("off", "flat"), recompute=recompute)
    assert [row.layer for row in found.rows] == list(found.before.layers)
    for row in found.rows:
        for how, said in row.answers.items():
            one = attnviz.intervene(network, x, {row.layer: how}, recompute)
            assert (said.score_change, said.label) == (one.score_change, one.answer.label)
            assert said.divergence == one.answer.divergence or np.isnan(said.divergence)


@pytest.mark.parametrize("attention", MECHANISMS)
def test_a_sweep_over_channels_is_one_intervention_after_another(attention):
    network, x = lively(attention), noise(3, 64, 64)
    name = list(attnviz.trace(network, x).layers)[-2]
    found = attnviz.sweep(network, x, layer=name, channels=[5, 0])
    values = {"1": 1.0, "2": 2.0} if attention == "bam" else {"0": 0.0, "1": 1.0}
    assert [row.channel for row in found.rows] == [5, 0]
    for row in found.rows:
        assert list(row.answers) == list(values)
        for done, said in row.answers.items():
            one = attnviz.intervene(network, x, {name: Set({row.channel: values[done]})})
            np.testing.assert_allclose(said.score_change, one.score_change, atol=2e-5)
    every = attnviz.sweep(network, x, layer=name)
    assert len(every.rows) == found.before.layers[name].shape[0]


def test_rows_are_sorted_by_how_far_they_move_the_answer():
    found = attnviz.sweep(lively("se"), noise(3, 64, 64), "off")
    sizes = [abs(row.answers["off"].score_change) for row in found.most(8)]
    assert sizes == sorted(sizes, reverse=True) and len(sizes) == 8 and sizes[0] > 0


def test_a_sweep_does_less_work_than_as_many_passes():
    """Counted in multiplications of convolutions, which no clock disturbs."""
    network, x, done = lively("se"), noise(3, 64, 64), [0]

    def count(module: nn.Conv2d, _inputs: tuple, output: torch.Tensor) -> None:
        done[0] += output.numel() * module.weight[0].numel()

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            forward = module.forward
            module.forward = lambda x, forward=forward, module=module: counted(forward, module, x, count)
    attnviz.trace(network, x)
    one_pass, done[0] = done[0], 0
    rows = attnviz.sweep(network, x, "off").rows
    assert done[0] < 0.55 * (1 + len(rows)) * one_pass


def counted(forward, module, x, count):
    output = forward(x)
    count(module, (x,), output)
    return output


def test_while_one_thread_sweeps_another_gets_its_own_logits_bit_for_bit():
    network, x, other = lively("cbam"), noise(3, 64, 64), noise(1, 3, 64, 64, seed=8)
    with torch.inference_mode():
        expected = network(other)
    enough, equal = threading.Event(), []

    def passes() -> None:
        while not enough.is_set():
            with torch.inference_mode():
                equal.append(torch.equal(network(other), expected))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(passes)
        found = [attnviz.sweep(network, x, "off").rows[0].answers["off"].score_change for _ in range(4)]
        enough.set()
        running.result()
    assert len(equal) > 1 and all(equal) and len(set(found)) == 1


def test_no_hook_and_no_forward_is_left_after_a_failure():
    network = lively("se")
    attnviz.trace(network, noise(3, 64, 64))
    network.fc = nn.Linear(3, 3)
    with pytest.raises(RuntimeError):
        attnviz.sweep(network, noise(3, 64, 64))
    batch = traced_photo(lively("se"), noise(3, 64, 64), "whole", None)
    kept = batch.kept_before("layer3.0")
    batch.network.fc = nn.Linear(3, 3)
    with pytest.raises(RuntimeError):
        batch.changed_scores(changes_for({"layer3.0": (Off(),)}, batch.traces[0], None), kept)
    for each in (network, batch.network):
        assert hook_count(each) == 0 and not any("forward" in vars(module) for module in each.modules())


def test_layers_that_can_not_be_changed_are_left_out_and_named():
    found = attnviz.sweep(lively("se"), noise(3, 64, 64), (Off("spatial"), "off"))
    assert all(list(row.answers) == ["off"] for row in found.rows)
    assert sum("was left out: layer" in str(remark) for remark in found.remarks) == 8


def test_tables_say_that_the_network_was_changed():
    found = attnviz.sweep(lively("se"), noise(3, 64, 64), ("off", "flat"))
    lines = list(csv.DictReader(io.StringIO(found.to_csv().decode())))
    assert len(lines) == 16 and {line["network"] for line in lines} == {"changed network: ResNet"}
    assert [line["edit"] for line in lines[:2]] == ["off", "flat"]
    said = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert said["changed_network"] == "ResNet" and len(said["rows"]) == 8
    assert float(lines[0]["score change"]) == pytest.approx(
        said["rows"][0]["edits"]["off"]["score_change"], 1e-5
    )
    assert "layer1.0: off" in repr(found)


def test_an_unknown_layer_gets_one_sentence():
    with pytest.raises(attnviz.TraceError, match="no layer “layer9”"):
        attnviz.sweep(lively("se"), noise(3, 64, 64), layer="layer9")
    with pytest.raises(attnviz.EditError, match="there is no channel 8"):
        attnviz.sweep(lively("se"), noise(3, 64, 64), layer="layer1.0", channels=[8])


class WritesOver(nn.Module):
    """Blocks that write over what other modules gave, in modules and in functions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm, self.se = (
            nn.Conv2d(3, 16, 3, 2, 1),
            nn.BatchNorm2d(16),
            attention_modules.InPlaceSE(16),
        )
        self.act, self.conv, self.again = nn.ReLU(inplace=True), nn.Conv2d(16, 16, 3, padding=1), OpenBlock()
        self.fc = nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        stem = self.stem(x)
        normed = self.norm(stem)
        mean = normed.mean() + stem.std()  # of what the next line writes over
        y = self.se(self.act(normed) + mean)
        stem += y
        y = self.conv(stem)
        y.mul_(mean)
        return self.fc(self.again(y).add_(stem).mean((2, 3)))


def test_what_a_network_writes_over_is_kept_as_it_was():
    network = alive(WritesOver())
    assert_restarts_as_a_full_pass(network, noise(3, 64, 64))
    found = attnviz.sweep(network, noise(3, 64, 64), ("off", "flat", "shuffle"))
    assert len(found.rows) == 2
    for row in found.rows:
        for how, said in row.answers.items():
            assert (
                said.score_change
                == attnviz.intervene(network, noise(3, 64, 64), {row.layer: how}).score_change
            )


@pytest.mark.slow
def test_a_fast_copy_which_writes_over_its_features_restarts_bit_for_bit(cbam, examples):
    quick = attnviz.fast(cbam)
    assert_restarts_as_a_full_pass(quick, torch.randn(3, 96, 128))
