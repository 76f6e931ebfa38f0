"""The convolutional block attention module: a gate of channels and one of positions, in each order."""

from __future__ import annotations

from dataclasses import dataclass

from ..capture.layer_attention import LayerAttention
from .common import pooled_node, scaled_nodes, unit_nodes
from .diagram import Diagram, Group, Node, Numbers, chain
from .paper import PAPERS

FIRST = Node("input", "F", "F", "node_input", Numbers("features", operation="features"))


@dataclass(frozen=True)
class Half:
    """One of the two gates: its nodes, edges and frames, and the keys of the nodes that take the features."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]
    starts: tuple[str, ...]
    gate: str
    groups: tuple[Group, ...] = ()


def cbam_diagram(layer: LayerAttention) -> Diagram:
    """Woo et al., equations 1 to 3."""
    kept = {step.name for step in layer.steps}
    is_parallel = "parallel" in layer.form
    is_turned = "spatial first" in layer.form
    lane = 2.0 if is_parallel else 0.0
    seen = "F" if is_turned or is_parallel else "F′"
    channels = channel_half("F′" if is_turned else "F", "maximum" in kept, -lane)
    if layer.spatial is None:
        return _diagram([channels], ["input"])
    positions = spatial_half(seen, kernel_of(layer), lane)
    halves = [positions, channels] if is_turned else [channels, positions]
    return _diagram(halves, ["input", "input" if is_parallel else "weighed"])


def kernel_of(layer: LayerAttention) -> str:
    """The size of the convolution of both maps: "7×7" unless the module says otherwise."""
    sizes = [word.removeprefix("kernel ") for word in layer.form if word.startswith("kernel ")]
    return f"{sizes[0]}×{sizes[0]}" if sizes else "7×7"


def channel_half(features: str, has_maximum: bool, lane: float) -> Half:
    """The gate of channels. Both paths go through one shared network, and meet in a sum."""
    upper = -1.0 if has_maximum else 0.0
    nodes = [*_path("average", "AvgPool", f"{features}^c_avg", features, lane + upper)]
    result = f"W_1 δ(W_0 {features}^c_avg)"
    logits, before = "@average_logits", "average_logits"
    edges = chain("average", "average_first", "average_hidden", "average_logits")
    if has_maximum:
        nodes += _path("maximum", "MaxPool", f"{features}^c_max", features, lane + 1)
        other = f"W_1 δ(W_0 {features}^c_max)"
        nodes.append(
            Node(
                "sum",
                "⊕",
                f"{result} + {other}",
                "node_sum",
                Numbers("channels", operation="sum", of=("average_logits", "maximum_logits")),
                "@average_logits + @maximum_logits = @sum",
                lane=lane,
                small=True,
            )
        )
        edges += [*chain("maximum", "maximum_first", "maximum_hidden", "maximum_logits", "sum")]
        edges += [("average_logits", "sum")]
        result, before = f"{result} + {other}", "sum"
        logits = "@average_logits + @maximum_logits) = σ(@sum"
    nodes.append(
        Node(
            "channel_gate",
            "σ",
            f"M_c({features}) = σ({result})",
            "node_channel_gate",
            Numbers("channels", "channel", "sigmoid", (before,)),
            f"M_c = σ({logits}) = @channel_gate",
            "M_c",
            lane,
        )
    )
    edges.append((before, "channel_gate"))
    paths = ("average", "maximum") if has_maximum else ("average",)
    shared = tuple(f"{path}_{part}" for path in paths for part in ("first", "hidden", "logits"))
    groups = (Group("group_shared", shared),) if has_maximum else ()
    return Half(tuple(nodes), tuple(edges), paths, "channel_gate", groups)


def _path(key: str, sign: str, symbol: str, features: str, lane: float) -> tuple[Node, ...]:
    """One of the two paths through the shared network."""
    return (
        pooled_node(key, sign, f"{symbol} = {sign}({features})", key, symbol, lane),
        *unit_nodes(f"{key}_", "W_0", symbol, f"{key}_hidden", lane),
        Node(
            f"{key}_logits",
            "W_1",
            f"W_1 δ(W_0 {symbol})",
            "node_second_layer",
            Numbers("channels", f"{key}_logits"),
            lane=lane,
        ),
    )


def spatial_half(features: str, kernel: str, lane: float) -> Half:
    """The gate of positions: two maps, a convolution, a sigmoid."""
    mean, most = f"{features}^s_avg", f"{features}^s_max"
    nodes = (
        Node(
            "mean_map",
            "AvgPool",
            f"{mean} = AvgPool({features})",
            "node_mean_map",
            Numbers("cells", "mean_map"),
            symbol=mean,
            lane=lane - 1,
        ),
        Node(
            "maximum_map",
            "MaxPool",
            f"{most} = MaxPool({features})",
            "node_maximum_map",
            Numbers("cells", "maximum_map"),
            symbol=most,
            lane=lane + 1,
        ),
        Node(
            "convolved",
            f"f^{{{kernel}}}",
            f"f^{{{kernel}}}([{mean}; {most}])",
            "node_convolved",
            Numbers("cells", "spatial_logits"),
            lane=lane,
        ),
        Node(
            "spatial_gate",
            "σ",
            f"M_s({features}) = σ(f^{{{kernel}}}([{mean}; {most}]))",
            "node_spatial_gate",
            Numbers("cells", "spatial", "sigmoid", ("convolved",)),
            "M_s(@i, @j) = σ(@convolved) = @spatial_gate",
            "M_s",
            lane,
        ),
    )
    edges = (*chain("mean_map", "convolved", "spatial_gate"), ("maximum_map", "convolved"))
    return Half(nodes, edges, ("mean_map", "maximum_map"), "spatial_gate")


def _diagram(halves: list[Half], sources: list[str]) -> Diagram:
    """The halves one after the other, each multiplied; ``sources`` are the keys of the features that they
    take."""
    nodes: list[Node] = [FIRST]
    edges: list[tuple[str, str]] = []
    groups: list[Group] = []
    features = "input"
    for half, source, is_last in zip(halves, sources, [False] * (len(halves) - 1) + [True]):
        key = "output" if is_last else "weighed"
        nodes += [*half.nodes, *_scaled(half, key, features, len(halves))]
        edges += [(source, start) for start in half.starts]
        edges += [*half.edges, *chain(half.gate, f"{key}_product", key), (features, f"{key}_product")]
        groups += half.groups
        features = key
    lines = (*(half.gate for half in halves), "output")
    return Diagram("cbam", tuple(nodes), tuple(edges), lines, PAPERS["cbam"], tuple(groups))


def _scaled(half: Half, key: str, features: str, count: int) -> tuple[Node, Node]:
    symbol = {"input": "F", "weighed": "F′"}[features]
    result = "F″" if key == "output" and count == 2 else "F′"
    gate = "M_c" if half.gate == "channel_gate" else "M_s"
    formula = f"{result} = {gate}({symbol}) ⊗ {symbol}"
    example = f"{result} = @{half.gate} · @{features} = @{key}"
    return scaled_nodes(key, (features, half.gate), result, formula, example)
