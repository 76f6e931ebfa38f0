"""Squeeze-and-excitation, and what came of it: effective SE, ECA, gather-excite and scSE."""

from __future__ import annotations

from ..capture.layer_attention import LayerAttention
from .common import features_node, pooled_node, scaled_nodes, unit_nodes
from .diagram import Diagram, Node, Numbers, chain
from .paper import PAPERS

AVERAGE = "frac{1}{H W} ∑_{i,j} u_c(i, j)"


def se_diagram(layer: LayerAttention) -> Diagram:
    """Hu et al., equations 2 to 4."""
    nodes = (
        features_node("U"),
        pooled_node("squeeze", "AvgPool", f"z_c = {AVERAGE}", "squeezed", "z"),
        *unit_nodes("", "W_1", "z", "hidden"),
        Node(
            "second",
            "W_2",
            "W_2 δ(W_1 z)",
            "node_second_layer",
            Numbers("channels", "channel_logits"),
        ),
        Node(
            "gate",
            "σ",
            "s = σ(W_2 δ(W_1 z))",
            "node_channel_gate",
            Numbers("channels", "channel", "sigmoid", ("second",)),
            "s_@c = σ(@second) = @gate",
            "s",
        ),
        *scaled_nodes("output", ("input", "gate"), "x̃", "x̃_c = s_c · u_c", "x̃_@c = @gate · @input = @output"),
    )
    edges = [
        *chain("input", "squeeze", "first", "hidden", "second", "gate", "output_product", "output"),
        ("input", "output_product"),
    ]
    return Diagram("se", nodes, tuple(edges), ("gate", "output"), PAPERS["se"])


def _one_layer(
    kind: str, sign: str, words: str, gate: str, pooled: str, symbols: tuple[str, str, str]
) -> Diagram:
    """A mechanism of one layer: features, pooled, the layer, a sigmoid, a product."""
    features, squeezed, result = symbols
    nodes = (
        features_node(features),
        pooled_node("squeeze", "AvgPool", pooled, "squeezed", squeezed),
        Node("layer", sign, f"{sign}({squeezed})", words, Numbers("channels", "channel_logits"), small=True),
        Node(
            "gate",
            "σ",
            f"{gate} = σ({sign}({squeezed}))",
            "node_channel_gate",
            Numbers("channels", "channel"),
            f"{gate}_@c = @gate",
            gate,
        ),
        *scaled_nodes(
            "output",
            ("input", "gate"),
            result,
            f"{result} = {gate} ⊗ {features}",
            f"{result}_@c = @gate · @input = @output",
        ),
    )
    edges = [
        *chain("input", "squeeze", "layer", "gate", "output_product", "output"),
        ("input", "output_product"),
    ]
    return Diagram(kind, nodes, tuple(edges), ("gate", "output"), PAPERS[kind])


def eca_diagram(layer: LayerAttention) -> Diagram:
    """Wang et al., equation 9: a convolution along the channels."""
    return _one_layer("eca", "C1D_k", "node_along_channels", "ω", "y = AvgPool(X)", ("X", "y", "X̃"))


def ese_diagram(layer: LayerAttention) -> Diagram:
    """Lee and Park, equations 1 and 2."""
    return _one_layer("ese", "W_C", "node_one_layer", "A", "z = AvgPool(X)", ("X", "z", "X′"))


def ge_diagram(layer: LayerAttention) -> Diagram:
    """Hu et al. 2018, equation 1: what is gathered excites."""
    return _one_layer("ge", "Interp", "node_gathered", "g", "x̂ = ξ_G(X)", ("X", "x̂", "Y"))


def scse_diagram(layer: LayerAttention) -> Diagram:
    """Roy et al., equations 2 to 5: two gates of the same features, whose products are added."""
    channels = (
        pooled_node("squeeze", "AvgPool", f"z_c = {AVERAGE}", "squeezed", "z", -1),
        *unit_nodes("", "W_1", "z", "hidden", -1),
        Node("second", "W_2", "ẑ = W_2 δ(W_1 z)", "node_second_layer", lane=-1, small=True),
        Node(
            "gate",
            "σ",
            "σ(ẑ_c)",
            "node_channel_gate",
            Numbers("channels", "channel"),
            "@gate",
            lane=-1,
        ),
    )
    positions = (
        Node("point", "1×1", "q = W_{sq} U", "node_one_by_one", lane=1, small=True),
        Node(
            "map",
            "σ",
            "σ(q_{i,j})",
            "node_spatial_gate",
            Numbers("cells", "spatial"),
            "@map",
            lane=1,
        ),
    )
    sums = (
        Node(
            "sum",
            "⊕",
            "σ(ẑ_c) + σ(q_{i,j})",
            "node_sum_of_gates",
            Numbers("features", operation="sum", of=("gate", "map")),
            "@gate + @map = @sum",
            small=True,
        ),
        *scaled_nodes(
            "output",
            ("input", "sum"),
            "Û",
            "Û = U_{cSE} + U_{sSE}",
            "Û_@c(@i, @j) = (@gate + @map) · @input = @output",
        ),
    )
    nodes = (features_node("U"), *channels, *positions, *sums)
    edges = [
        *chain("input", "squeeze", "first", "hidden", "second", "gate", "sum", "output_product", "output"),
        *chain("input", "point", "map", "sum"),
        ("input", "output_product"),
    ]
    return Diagram("scse", nodes, tuple(edges), ("sum", "output"), PAPERS["scse"])
