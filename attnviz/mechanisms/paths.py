"""Mechanisms that choose between paths: selective kernels, split attention, and what is recognised as one."""

from __future__ import annotations

import numpy as np

from ..capture.layer_attention import LayerAttention
from .common import pooled_node
from .diagram import Diagram, Node, Numbers, chain
from .paper import PAPERS

MOST_PATHS = 4  # that are drawn
SIGNS = ("Ũ", "Û", "U_3", "U_4")


def paths_diagram(layer: LayerAttention) -> Diagram:
    """Li et al., equations 1 to 6; Zhang et al. split in the same way. Several paths are added, pooled and
    sent through two layers; a softmax over the paths says each one's share."""
    count = min(MOST_PATHS, len(np.asarray(layer.paths)) if layer.paths is not None else 2)
    lanes = [float(2 * index - count + 1) for index in range(count)]
    nodes = (
        Node("input", "X", "X", "node_paths_input", small=True),
        *(_path(index, lane) for index, lane in enumerate(lanes)),
        Node("sum", "⊕", f"U = {' + '.join(SIGNS[:count])}", "node_paths_sum", small=True),
        pooled_node("squeeze", "AvgPool", "s = AvgPool(U)", "squeezed", "s"),
        Node("first", "W", "z = δ(W s)", "node_first_layer", small=True),
        Node("softmax", "softmax", "softmax over paths", "node_softmax_paths", small=True),
        *(_share(index, lane) for index, lane in enumerate(lanes)),
        Node("output", "⊕", f"V = {_weighed(count)}", "node_paths_output", example=_numbers(count)),
    )
    edges = [*chain("sum", "squeeze", "first", "softmax")]
    for index in range(count):
        edges += [*chain("input", f"path{index}", "sum")]
        edges += [*chain("softmax", f"share{index}", "output")]
        edges.append((f"path{index}", "output"))
    return Diagram(layer.kind, nodes, tuple(edges), ("output",), PAPERS.get(layer.kind))


def _path(index: int, lane: float) -> Node:
    return Node(f"path{index}", SIGNS[index], SIGNS[index], "node_path", lane=lane, small=True)


def _share(index: int, lane: float) -> Node:
    sign = f"a_{index + 1}"
    numbers = Numbers("channels", f"paths.{index}")
    return Node(f"share{index}", sign, sign, "node_share", numbers, f"{sign} = @share{index}", lane=lane)


def _weighed(count: int) -> str:
    return " + ".join(f"a_{index + 1} ⊗ {SIGNS[index]}" for index in range(count))


def _numbers(count: int) -> str:
    return "V_@c = " + " + ".join(f"@share{index} · {SIGNS[index]}" for index in range(count))
