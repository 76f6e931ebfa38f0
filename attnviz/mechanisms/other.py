"""Modules of which no paper is known here: the steps that were kept, in their own order, then the gates."""

from __future__ import annotations

from collections.abc import Iterator

from ..capture.layer_attention import LayerAttention, Step
from .common import features_node, scaled_nodes
from .diagram import Diagram, Node, Numbers, chain

# What steps with these names are, whoever declares them: their sign and the key of their line.
KNOWN_STEPS = {
    "squeezed": ("AvgPool", "node_average"),
    "average": ("AvgPool", "node_average"),
    "maximum": ("MaxPool", "node_maximum"),
    "mean_map": ("AvgPool", "node_mean_map"),
    "maximum_map": ("MaxPool", "node_maximum_map"),
    "spatial_logits": ("f", "node_convolved"),
}


def other_diagram(layer: LayerAttention) -> Diagram:
    """The features, a chain of what was kept on the way to each gate, the gates, and the product."""
    maps = [step for step in layer.steps if step.values.ndim == 2]
    vectors = [step for step in layer.steps if step.values.ndim < 2]
    has_both = layer.channel is not None and layer.map is not None
    lane = 1.0 if has_both else 0.0
    upper = list(_chain("channel", vectors, layer, -lane)) if layer.channel is not None or vectors else []
    lower = list(_chain("spatial", maps, layer, lane)) if layer.map is not None or maps else []
    nodes = [features_node("X"), *upper, *lower]
    edges = []
    ends = []
    for branch in (upper, lower):
        if branch:
            keys = [node.key for node in branch]
            edges += chain("input", *keys)
            ends.append(keys[-1])
    if layer.formula == "none" or not ends:
        nodes.append(Node("output", "Y", "Y", "node_output_unknown", small=True))
        edges += [(end, "output") for end in ends or ["input"]]
        return Diagram(layer.kind, tuple(nodes), tuple(edges), (), note="diagram_unknown")
    nodes += _product(layer, ends)
    edges += [(end, "output_product") for end in ends]
    edges += [("input", "output_product"), ("output_product", "output")]
    return Diagram(layer.kind, tuple(nodes), tuple(edges), ("output",), note=_note(layer))


def _chain(part: str, steps: list[Step], layer: LayerAttention, lane: float) -> Iterator[Node]:
    """The kept steps of a gate and the gate; where none was kept, a node that says so."""
    if not steps:
        yield Node(f"{part}_unknown", "?", "g(X)", "node_unknown", lane=lane, small=True)
    for step in steps:
        yield _step(step, layer, lane)
    if part == "channel" and layer.channel is not None:
        yield _gate("gate", "channels", "channel", "node_any_channel_gate", layer, lane)
    if part == "spatial" and layer.map is not None:
        array = "spatial" if layer.spatial is not None else "pooling"
        yield _gate("map", "cells", array, "node_any_spatial_gate", layer, lane)


def _step(step: Step, layer: LayerAttention, lane: float) -> Node:
    shows = (
        "cells" if step.values.ndim == 2 else "channels" if len(step.values) == layer.shape[0] else "units"
    )
    sign, words = KNOWN_STEPS.get(step.name, ("h" if shows == "units" else "→", "node_any_step"))
    name = "" if step.name in KNOWN_STEPS else step.name.replace("_", " ")
    numbers = Numbers(shows, step.name)
    return Node(f"step_{step.name}", sign, sign, words, numbers, lane=lane, name=name)


def _gate(key: str, shows: str, array: str, words: str, layer: LayerAttention, lane: float) -> Node:
    if layer.averaged:
        words = f"{words}_mean"
    sign = "g_c" if shows == "channels" else "g_{i,j}"
    return Node(key, sign, sign, words, Numbers(shows, array), f"{sign} = @{key}", lane=lane)


def _product(layer: LayerAttention, ends: list[str]) -> tuple[Node, ...]:
    """The factor on the features, and what it gives. Of a factor that can't be taken apart only means are
    known, so that no number of a cell follows from them."""
    if layer.averaged:
        formula = "Y_c(i, j) = g_c(i, j) · X_c(i, j)"
        product, _ = scaled_nodes("output", ("input", ends[0]), "Y", formula, "")
        return (
            Node(product.key, product.sign, formula, "node_product", small=True),
            Node("output", "Y", formula, "node_output", small=True),
        )
    gates = {"gate": "g_c", "map": "g_{i,j}"}
    mark = " + " if layer.formula == "sum" else " · "
    factor = mark.join(gates[end] for end in ends)
    numbers = mark.join(f"@{end}" for end in ends)
    if layer.formula == "sum":
        factor, numbers = f"({factor})", f"({numbers})"
    of = ("input", *ends)
    formula = f"Y_c(i, j) = {factor} · X_c(i, j)"
    return scaled_nodes("output", of, "Y", formula, f"Y = {numbers} · @input = @output")


def _note(layer: LayerAttention) -> str:
    return "" if layer.steps else "mechanism_no_steps"
