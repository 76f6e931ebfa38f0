"""Global context: positions are weighed and pooled, and what comes of it is added to the features, or
multiplies them."""

from __future__ import annotations

from ..capture.layer_attention import LayerAttention
from .common import features_node, scaled_nodes
from .diagram import Diagram, Node, Numbers, chain
from .paper import PAPERS


def context_diagram(layer: LayerAttention) -> Diagram:
    """Cao et al., equation 5; with a gate in place of the addition where the layer has one."""
    multiplies = layer.channel is not None
    nodes = (
        features_node("x"),
        Node("keys", "W_k", "W_k x", "node_one_by_one", small=True),
        Node(
            "shares",
            "softmax",
            "α = softmax(W_k x)",
            "node_shares",
            Numbers("cells", "pooling"),
            "α(@i, @j) = @shares",
            "α",
        ),
        Node("context", "∑", "∑_j α_j x_j", "node_context", small=True),
        Node("first", "W_{v1}", "δ(LN(W_{v1} ∑_j α_j x_j))", "node_first_layer", small=True),
        Node("second", "W_{v2}", "W_{v2} δ(LN(W_{v1} ∑_j α_j x_j))", "node_second_layer", small=True),
        *(_gate() if multiplies else _addition()),
    )
    before = ("gate", "output_product", "output") if multiplies else ("addition", "output")
    edges = [*chain("input", "keys", "shares", "context", "first", "second", *before)]
    edges += [("input", "context"), ("input", before[-2])]
    lines = ("shares", "gate", "output") if multiplies else ("shares", "output")
    return Diagram("gc", nodes, tuple(edges), lines, PAPERS["gc"])


def _gate() -> tuple[Node, ...]:
    gate = Node(
        "gate",
        "σ",
        "s = σ(W_{v2} δ(LN(W_{v1} ∑_j α_j x_j)))",
        "node_channel_gate",
        Numbers("channels", "channel"),
        "s_@c = @gate",
        "s",
    )
    return (
        gate,
        *scaled_nodes("output", ("input", "gate"), "z", "z_i = s ⊗ x_i", "z_@c = @gate · @input = @output"),
    )


def _addition() -> tuple[Node, ...]:
    formula = "z_i = x_i + W_{v2} δ(LN(W_{v1} ∑_j α_j x_j))"
    return (
        Node("addition", "⊕", formula, "node_added", small=True),
        Node("output", "z", formula, "node_output", small=True),
    )
