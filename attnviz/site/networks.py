"""Networks for a page without a server: which can be computed there, and what it has to know of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as save_arrays
from safetensors.torch import save as save_tensors
from torch import nn

from ..capture.layer_attention import LayerAttention, Step
from ..errors import NetworkError
from ..interventions.known_reference import FILE, kept_reference
from ..interventions.reference import stored_means
from ..languages.catalogue import catalogue
from ..mechanisms.choosing import diagram_of
from ..networks.card import Card, card_of
from ..networks.doubt import Doubt
from ..networks.plan import Plan, usual_plan
from ..networks.resnet import ResNet
from ..zoo.registry import folder_of, list_networks, load, resolve
from .packing import packed

# Kind -> the names of vectors and of maps that its module computes on the way, as in networks/attention.py.
STEPS = {
    "se": (("squeezed", "hidden", "channel_logits"), ()),
    "cbam": (
        (
            *("average", "average_hidden", "average_logits"),
            *("maximum", "maximum_hidden", "maximum_logits"),
        ),
        ("mean_map", "maximum_map", "spatial_logits"),
    ),
    "bam": (("squeezed", "hidden"), ()),
}
FORMULAS = {"se": "product", "cbam": "product", "bam": "bam sum"}


@dataclass(frozen=True, eq=False)
class SiteNetwork:
    """One network of a page: its name in links, its card, its plan, its file of weights, and what is usual
    for its gates, where that lies with them."""

    name: str
    card: Card
    plan: Plan
    weights: bytes  # safetensors
    embedded: bool  # it comes with attnviz
    usual: Mapping[str, np.ndarray] | None = None  # by layer and part, as its file has them
    usual_photos: int = 0  # over which that was taken

    @property
    def sha256(self) -> str:
        """The checksum of its weights."""
        return hashlib.sha256(self.weights).hexdigest()

    @cached_property
    def packed(self) -> bytes:
        """Its weights as they are fetched."""
        return packed(self.weights)

    @property
    def packed_usual(self) -> bytes | None:
        """What is usual for its gates as it is fetched: tensors by layer and part, a file like its weights'.
        None where that is not known."""
        if self.usual is None:
            return None
        known = {name: values for name, values in self.usual.items() if np.isfinite(values).all()}
        return packed(save_arrays({name: np.ascontiguousarray(values) for name, values in known.items()}))

    @property
    def title(self) -> str:
        """What it is, for people; of a person's own with its name."""
        return self.card.heading if self.embedded else f"{self.card.heading} ({self.name})"

    def described(self) -> dict[str, Any]:
        """What the browser has to know of it, as plain values."""
        attention = self.plan.attention
        return {
            "name": self.name,
            "title": self.title,
            "attention": (attention or "") if self.embedded else None,
            "architecture": engine_architecture(self.plan),
            "mechanism": _mechanism(attention) if attention else None,
            "recipe": asdict(self.card.recipe),
            "labels": list(self.card.labels),
            "accuracy": self.card.accuracy,
            "doubts": {view: _doubt(doubt) for view, doubt in self.card.doubts.items()},
            "bytes": len(self.packed),
            "sha256": self.sha256,
        }


def site_networks(names: Sequence[str]) -> list[SiteNetwork]:
    """The networks by these names, or paths of folders and files of weights. Raises NetworkError for one that
    a page without a server can't have, and for two of one name."""
    networks = [_site_network(name) for name in names]
    for place, network in enumerate(networks):
        if any(other.name == network.name for other in networks[:place]):
            raise NetworkError("site_two_of_one_name", name=network.name)
    return networks


def engine_architecture(plan: Plan) -> dict[str, Any]:
    """What the browser's engine has to be told of a plan: what it can't tell from the weights."""
    gates = plan.all_gates
    return {
        "counts": list(plan.counts),
        "isBottleneck": plan.bottleneck,
        "attention": plan.attention,
        "padding": gates[0].padding if gates else "zeros",
    }


def _site_network(name: str) -> SiteNetwork:
    if name not in list_networks() and not os.path.lexists(name):
        resolve(name)  # which says that there is none
        raise NetworkError("site_takes_no_library", name=name)
    network = load(name)
    card, plan = card_of(network), getattr(network, "plan", None)
    if not isinstance(network, ResNet) or not isinstance(plan, Plan) or not _is_usual(plan):
        raise NetworkError("site_takes_usual_only", name=card.name)
    shown = replace(card, labels=card.labels if len(card.labels) == plan.head[-1].outputs else ())
    return SiteNetwork(
        Path(name).resolve().name if os.path.isdir(name) else card.name,
        shown,
        plan,
        _weights(name, network),
        name in list_networks(),
        *_usual(network),
    )


def _usual(network: ResNet) -> tuple[Mapping[str, np.ndarray] | None, int]:
    """What lies with a network of what is usual for its gates, and over how many photos it was taken. Raises
    EditError for a file of another network's."""
    kept = kept_reference(network)
    if kept is None or network.home is None:
        return None, 0
    return stored_means(network.home / FILE), kept.photos


def _weights(name: str, network: nn.Module) -> bytes:
    """The file of a model folder as it is; of other weights a new one."""
    if name in list_networks() or os.path.isfile(Path(name) / "model.safetensors"):
        return (folder_of(name) / "model.safetensors").read_bytes()
    tensors = {key: value.contiguous() for key, value in network.state_dict().items()}
    return save_tensors(tensors, metadata={"format": "pt"})


def _is_usual(plan: Plan) -> bool:
    """Whether a plan is that of attnviz.networks.ResNet without a plan, whatever its counts and widths."""
    gates = plan.all_gates
    bias, padding = (gates[0].bias, gates[0].padding) if gates else (False, "zeros")
    more = {"bias": bias, "padding": padding}
    classes = plan.head[-1].outputs
    usual = usual_plan(plan.depth, plan.attention, plan.stem[0].out, 1, classes, **more)  # type: ignore[arg-type]
    return _without_hidden(plan) == _without_hidden(usual)


def _without_hidden(plan: Plan) -> Plan:
    """The plan without the numbers of hidden units, which the browser finds in the weights."""
    stages = tuple(
        tuple(replace(block, gate=block.gate and replace(block.gate, hidden=0)) for block in stage)
        for stage in plan.stages
    )
    gates = {stage: replace(gate, hidden=0) for stage, gate in plan.gates.items()}
    return replace(plan, stages=stages, gates=gates)


def _mechanism(kind: str) -> dict[str, Any]:
    """What is true of all layers of a kind: how its gates are computed, and its diagram."""
    vectors, maps = STEPS[kind]
    vector, hidden, map_ = (
        np.ones(shape, np.float32) for shape in (2, 1, (1, 1))
    )  # fewer units than channels
    both = kind != "se"
    steps = [Step(name, hidden if name.endswith("hidden") else vector) for name in vectors]
    layer = LayerAttention(
        "layer1.0",
        kind,
        (2, 1, 1),
        channel=vector,
        spatial=map_ if both else None,
        channel_logits=vector if kind == "bam" else None,
        spatial_logits=map_ if kind == "bam" else None,
        formula=FORMULAS[kind],
        steps=(*steps, *(Step(name, map_) for name in maps)),
    )
    told = {"kind": kind, "title": layer.title, **_told(layer)}
    if layer.formula != "bam sum":
        return told
    # a joint gate that was changed is made of its branches no more
    changed = replace(
        layer, formula="joint", joint=np.stack([map_, map_]), channel_logits=None, spatial_logits=None
    )
    return {**told, "joint": _told(changed)}


def _told(layer: LayerAttention) -> dict[str, Any]:
    """What is true of a layer's factor, and how it is computed."""
    return {
        "formula": layer.formula,
        "averaged": layer.averaged,
        "limits": list(layer.limits),
        "diagram": diagram_of(layer).plain(),
    }


def _doubt(doubt: Doubt) -> dict[str, Any]:
    """A doubt as the viewer takes it, with what is said where it holds."""
    said = {language: catalogue().phrase(language, doubt.sentence) for language in catalogue().languages}
    return {**asdict(doubt), "said": said}
