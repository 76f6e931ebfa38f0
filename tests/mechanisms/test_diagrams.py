"""Every layer has a diagram: connected, in order, of what the layer has, in words that the page knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.small_networks import stirred
from torch import nn

import attnviz
from attnviz import LayerAttention
from attnviz.capture.layer_attention import KINDS, Step
from attnviz.languages.catalogue import LANGUAGES, words
from attnviz.mechanisms.choosing import diagram_of
from attnviz.mechanisms.diagram import OPERATIONS, SHOWS, Diagram
from attnviz.mechanisms.formula import parsed
from attnviz.mechanisms.paper import PAPERS
from attnviz.networks.attention import BAM, CBAM, ReleasedBAM

C, H, W = 8, 3, 4
GATE, MAP = np.full(C, 0.5, np.float32), np.full((H, W), 0.5, np.float32)


def bare(kind: str) -> LayerAttention:
    """A layer of a kind, with what modules of it have."""
    layer = LayerAttention("layer1.0", kind, (C, H, W))
    if kind in ("sk", "split", "paths"):
        return replace(layer, paths=np.full((3, C), 1 / 3, np.float32), formula="none")
    if kind == "gc":
        return replace(layer, pooling=MAP / MAP.sum(), formula="none")
    if kind == "bam":
        return replace(
            layer, channel=GATE, spatial=MAP, channel_logits=GATE, spatial_logits=MAP, formula="bam sum"
        )
    if kind in ("coord", "joint"):
        joint = np.full((C, H, W), 0.5, np.float32)
        return replace(layer, channel=GATE, spatial=MAP, joint=joint, formula="joint")
    if kind == "scse":
        return replace(layer, channel=GATE, spatial=MAP, formula="sum")
    spatial = MAP if kind in ("cbam", "spatial", "both") else None
    return replace(layer, channel=None if kind == "spatial" else GATE, spatial=spatial)


def traced(module: nn.Module) -> LayerAttention:
    network = nn.Sequential(nn.Conv2d(3, 16, 3), module).eval()
    return attnviz.trace(network, torch.randn(3, 32, 48)).layers["1"]


LAYERS = {kind: bare(kind) for kind in KINDS} | {"unheard of": bare("unheard of")}


@pytest.mark.parametrize("kind", LAYERS)
def test_a_diagram_is_connected_and_in_the_order_of_computing(kind):
    diagram = diagram_of(LAYERS[kind])
    order = [node.key for node in diagram.nodes]
    assert len(set(order)) == len(order)
    assert {start for start, _ in diagram.edges} == set(order) - {"output"}
    assert {end for _, end in diagram.edges} == set(order) - {"input"}
    assert all(order.index(start) < order.index(end) for start, end in diagram.edges)
    assert set(diagram.lines) <= set(order)
    assert {key for group in diagram.groups for key in group.nodes} <= set(order)
    columns = diagram.columns()
    assert len({(columns[node.key], node.lane) for node in diagram.nodes}) == len(order)


@pytest.mark.parametrize("kind", LAYERS)
def test_numbers_are_of_what_the_layer_has_or_follow_from_nodes_before(kind):
    layer = LAYERS[kind]
    seen = []
    for node in diagram_of(layer).nodes:
        numbers = node.numbers
        if numbers is not None:
            assert numbers.shows in SHOWS and (not numbers.operation or numbers.operation in OPERATIONS)
            assert set(numbers.of) <= set(seen)
        seen.append(node.key)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_node_is_said_in_every_language(kind, language):
    diagram, known = diagram_of(LAYERS[kind]), words(language)
    keys = [node.words for node in diagram.nodes] + [group.words for group in diagram.groups]
    assert [key for key in [*keys, *filter(None, [diagram.note])] if key not in known] == []


@pytest.mark.parametrize("attention", ["se", "cbam", "bam"])
def test_every_step_that_is_kept_is_a_node(attention):
    trace = attnviz.trace(stirred(18, attention), torch.randn(3, 64, 96))
    for layer in trace.layers.values():
        diagram = diagram_of(layer)
        arrays = {node.numbers.array for node in diagram.nodes if node.numbers}
        assert {step.name for step in layer.steps} <= arrays
        assert diagram.paper == PAPERS[attention]


def test_a_step_of_any_name_is_a_node_in_its_own_place():
    steps = (Step("my sums", np.ones(C, np.float32)), Step("my units", np.ones(2, np.float32)))
    diagram = diagram_of(replace(bare("mine"), steps=steps))
    assert [node.name for node in diagram.nodes if node.name] == ["my sums", "my units"]
    assert [node.numbers.shows for node in diagram.nodes if node.name] == ["channels", "units"]


def keys(diagram: Diagram) -> list[str]:
    return [node.key for node in diagram.nodes]


def test_both_paths_of_cbam_meet_in_a_sum_and_its_gates_come_in_the_order_of_the_module():
    usual = diagram_of(traced(CBAM(16, 4)))
    assert {("average_logits", "sum"), ("maximum_logits", "sum"), ("sum", "channel_gate")} <= set(usual.edges)
    assert ("weighed", "mean_map") in usual.edges and keys(usual).index("sum") < keys(usual).index("mean_map")
    turned = diagram_of(traced(CBAM(16, 4, sequence="spatial first")))
    assert ("input", "mean_map") in turned.edges and ("weighed", "average") in turned.edges
    beside = diagram_of(traced(CBAM(16, 4, sequence="parallel")))
    assert {("input", "mean_map"), ("input", "average")} <= set(beside.edges)
    average = diagram_of(traced(CBAM(16, 4, average_only=True)))
    assert "sum" not in keys(average) and ("average_logits", "channel_gate") in average.edges


def test_the_size_of_cbams_convolution_is_the_modules():
    assert diagram_of(traced(CBAM(16, 4))).node("convolved").sign == "f^{7×7}"
    assert diagram_of(traced(CBAM(16, 4, kernel=3))).node("convolved").sign == "f^{3×3}"


def test_bams_branches_are_joined_as_the_module_joins_them():
    papers, released = diagram_of(traced(BAM(16, 4))), diagram_of(traced(ReleasedBAM(16, 4)))
    assert papers.node("joined").numbers.operation == "sum" and not papers.note
    assert released.node("joined").numbers.operation == "product" and released.note
    assert "BN" in papers.node("channel_branch").formula
    assert "BN" not in released.node("channel_branch").formula


def test_an_edge_goes_round_the_nodes_between_its_ends():
    diagram = diagram_of(traced(CBAM(16, 4)))
    ways = dict(zip(diagram.edges, diagram.ways()))
    assert ways["input", "weighed_product"] == ways["weighed", "output_product"] == "below"
    assert ways["input", "average"] == ways["sum", "channel_gate"] == "straight"


def test_formulas_are_read_as_they_are_written():
    assert parsed("M_c(F)") == ("row", ("sub", "M", "c"), "(", "F", ")")
    assert parsed("F^c_avg") == ("subsup", "F", "avg", "c")
    assert parsed("frac{1}{H W} x") == ("row", ("frac", "1", ("row", "H", "W")), "x")
    assert parsed("σ(@sum) = 1.5") == ("row", "σ", "(", "@sum", ")", "=", "1.5")
    assert parsed("F′ x̃_c") == ("row", "F′", ("sub", "x̃", "c"))


@pytest.mark.parametrize("text", ["{a", "a}", "a_", "_a"])
def test_a_formula_that_is_not_one_is_an_error(text):
    with pytest.raises(ValueError):
        parsed(text)


def test_papers_have_addresses():
    assert PAPERS["se"].address == "https://arxiv.org/abs/1709.01507"
    assert "Woo et al." in PAPERS["cbam"].citation and "ECCV 2018" in PAPERS["cbam"].citation
