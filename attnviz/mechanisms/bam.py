"""The bottleneck attention module: two branches side by side, joined in one gate, which is added to 1."""

from __future__ import annotations

from ..capture.layer_attention import LayerAttention
from .common import features_node, pooled_node, scaled_nodes, unit_nodes
from .diagram import Diagram, Node, Numbers, chain
from .paper import PAPERS

CONVOLVED = "f_3^{1×1}(f_2^{3×3}(f_1^{3×3}(f_0^{1×1}(F))))"


def bam_diagram(layer: LayerAttention) -> Diagram:
    """Park et al., equations 1 to 4; in the released code's form the branches are multiplied."""
    is_product = layer.formula == "bam product"
    is_papers = "released" not in layer.form and "rectified" not in layer.form
    nodes = (
        features_node("F"),
        *_channel_branch(is_papers),
        *_spatial_branch(is_papers),
        *_joined(is_product),
    )
    branch = chain("input", "squeeze", "first", "hidden", "channel_branch", "joined")
    convolutions = chain("input", "reduce", "dilated", "dilated_again", "spatial_branch", "joined")
    ends = chain("joined", "gate", "factor", "output_product", "output")
    edges = (*branch, *convolutions, *ends, ("input", "output_product"))
    note = "diagram_bam_product" if is_product else ""
    lines = ("gate", "factor", "output")
    return Diagram("bam", nodes, edges, lines, PAPERS["bam"], note=note)


def _channel_branch(is_papers: bool) -> tuple[Node, ...]:
    whole = "BN(MLP(AvgPool(F)))" if is_papers else "MLP(AvgPool(F))"
    return (
        pooled_node("squeeze", "AvgPool", "AvgPool(F)", "squeezed", "F_avg", -1),
        *unit_nodes("", "W_0", "AvgPool(F)", "hidden", -1),
        Node(
            "channel_branch",
            "W_1",
            f"M_c(F) = {whole}",
            "node_channel_branch",
            Numbers("channels", "channel_logits"),
            symbol="M_c",
            lane=-1,
        ),
    )


def _spatial_branch(is_papers: bool) -> tuple[Node, ...]:
    whole = f"BN({CONVOLVED})" if is_papers else CONVOLVED

    def convolution(key: str, sign: str, formula: str, words: str) -> Node:
        return Node(key, sign, formula, words, lane=1, small=True)

    return (
        convolution("reduce", "1×1", "f_0^{1×1}(F)", "node_reduce"),
        convolution("dilated", "3×3", "f_1^{3×3}(f_0^{1×1}(F))", "node_dilated"),
        convolution("dilated_again", "3×3", "f_2^{3×3}(f_1^{3×3}(f_0^{1×1}(F)))", "node_dilated"),
        Node(
            "spatial_branch",
            "1×1",
            f"M_s(F) = {whole}",
            "node_spatial_branch",
            Numbers("cells", "spatial_logits"),
            symbol="M_s",
            lane=1,
        ),
    )


def _joined(is_product: bool) -> tuple[Node, ...]:
    """The branches joined for each channel and cell, the gate, the factor, and the product."""
    sign, mark = ("⊗", "·") if is_product else ("⊕", "+")
    joined = f"M_c(F) {'⊗' if is_product else '+'} M_s(F)"
    numbers = f"@channel_branch {mark} @spatial_branch"
    operation = "product" if is_product else "sum"
    return (
        Node(
            "joined",
            sign,
            joined,
            "node_joined_product" if is_product else "node_joined",
            Numbers("features", operation=operation, of=("channel_branch", "spatial_branch")),
            f"{numbers} = @joined",
            small=True,
        ),
        Node(
            "gate",
            "σ",
            f"M(F) = σ({joined})",
            "node_joint_gate",
            Numbers("features", operation="sigmoid", of=("joined",)),
            f"M = σ({numbers}) = σ(@joined) = @gate",
            "M",
        ),
        Node(
            "factor",
            "1 +",
            "1 + M(F)",
            "node_one_plus",
            Numbers("features", operation="one plus", of=("gate",)),
            "1 + @gate = @factor",
            small=True,
        ),
        *scaled_nodes(
            "output",
            ("input", "factor"),
            "F′",
            "F′ = F + F ⊗ M(F)",
            "F′ = @factor · @input = @output",
        ),
    )
