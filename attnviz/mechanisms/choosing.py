"""Which diagram a layer has."""

from __future__ import annotations

from collections.abc import Callable

from ..capture.layer_attention import LayerAttention
from .bam import bam_diagram
from .cbam import cbam_diagram
from .context import context_diagram
from .coordinate import coordinate_diagram
from .diagram import Diagram
from .other import other_diagram
from .paths import paths_diagram
from .se import eca_diagram, ese_diagram, ge_diagram, scse_diagram, se_diagram

DIAGRAMS: dict[str, Callable[[LayerAttention], Diagram]] = {
    "se": se_diagram,
    "cbam": cbam_diagram,
    "bam": bam_diagram,
    "eca": eca_diagram,
    "ese": ese_diagram,
    "ge": ge_diagram,
    "scse": scse_diagram,
    "gc": context_diagram,
    "sk": paths_diagram,
    "split": paths_diagram,
    "paths": paths_diagram,
    "coord": coordinate_diagram,
}
NEEDED = {  # what a layer must have for the diagram of its kind: all of these parts, and all of these steps
    "se": ({"channel"}, set()),
    "eca": ({"channel"}, set()),
    "ese": ({"channel"}, set()),
    "ge": ({"channel"}, set()),
    "scse": ({"channel", "spatial"}, set()),
    "cbam": ({"channel"}, {"average"}),
    "bam": ({"channel_logits", "spatial_logits"}, set()),
    "sk": ({"paths"}, set()),
    "split": ({"paths"}, set()),
    "paths": ({"paths"}, set()),
}


def diagram_of(layer: LayerAttention) -> Diagram:
    """The diagram of a layer's mechanism: that of its paper where the layer has what it shows, else what was
    kept, in its own order."""
    parts, steps = NEEDED.get(layer.kind, (set(), set()))
    kept = {step.name for step in layer.steps}
    has_all = all(getattr(layer, part) is not None for part in parts) and steps <= kept
    is_papers = layer.kind in DIAGRAMS and has_all and "variant" not in layer.form
    joint = layer.formula == "joint" and layer.kind != "coord"
    return DIAGRAMS[layer.kind](layer) if is_papers and not joint else other_diagram(layer)
