"""Coordinate attention: a gate of rows and one of columns, for each channel."""

from __future__ import annotations

from ..capture.layer_attention import LayerAttention
from .common import features_node, scaled_nodes
from .diagram import Diagram, Node, Numbers, chain
from .paper import PAPERS


def coordinate_diagram(layer: LayerAttention) -> Diagram:
    """Hou et al., equations 4 to 9. The two gates are known as their product only."""

    def small(key: str, sign: str, formula: str, words: str, lane: float = 0.0) -> Node:
        return Node(key, sign, formula, words, lane=lane, small=True)

    nodes = (
        features_node("x"),
        small("rows", "X Avg", "z^h_c(i) = frac{1}{W} ∑_j x_c(i, j)", "node_rows", -1),
        small("columns", "Y Avg", "z^w_c(j) = frac{1}{H} ∑_i x_c(i, j)", "node_columns", 1),
        small("shared", "F_1", "f = δ(F_1([z^h; z^w]))", "node_shared_coordinates"),
        small("row_gate", "σ", "g^h = σ(F_h(f^h))", "node_row_gate", -1),
        small("column_gate", "σ", "g^w = σ(F_w(f^w))", "node_column_gate", 1),
        Node(
            "factor",
            "⊗",
            "g^h_c(i) · g^w_c(j)",
            "node_coordinate_factor",
            Numbers("cells", "spatial"),
            symbol="g",
        ),
        *scaled_nodes(
            "output",
            ("input", "factor"),
            "y",
            "y_c(i, j) = x_c(i, j) · g^h_c(i) · g^w_c(j)",
            "",
        )[:1],
        small("output", "y", "y_c(i, j) = x_c(i, j) · g^h_c(i) · g^w_c(j)", "node_output"),
    )
    edges = [
        *chain("input", "rows", "shared", "row_gate", "factor", "output_product", "output"),
        *chain("input", "columns", "shared", "column_gate", "factor"),
        ("input", "output_product"),
    ]
    return Diagram("coord", nodes, tuple(edges), ("row_gate", "column_gate", "output"), PAPERS["coord"])
