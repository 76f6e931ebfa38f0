"""The stages of a ResNet: their blocks, and where attention stands in or before them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..choices import PLACES
from ..networks.plan import GatePlan
from .blocks import ReadBlock, fitting_places, read_block
from .fault import CheckpointFault, printable
from .parts import Grouped

Stages = list[list[ReadBlock]]


def read_stages(
    found: Grouped, channels: int, norm_first: bool
) -> tuple[Stages, dict[str, str], dict[int, GatePlan]]:
    """The blocks by stage, where their parts go, and attention that stands before a stage's first block, by
    the stage behind which that is. Raises CheckpointFault."""
    stages: Stages = []
    for blocks, paths in zip(found.stages, found.paths):
        own = []
        for parts, path in zip(blocks, paths):
            own.append(read_block(parts, channels, path, norm_first))
            channels = own[-1].plan.out
        stages.append(own)
    before = _gates_before(stages)
    our_paths = _our_paths(stages, found, before is not None)
    if before is None:
        return _each(stages, place=_common_place(stages, found)), our_paths, {}
    return _each(stages, gate=None), our_paths, before


def _gates_before(stages: Stages) -> dict[int, GatePlan] | None:
    """The attention of a network whose blocks have none but BAM, of which each takes what its stage takes: it
    stands before the stage, as pytorchcv's, and is named as a part of its first block. None of any other
    network."""
    gates: dict[int, GatePlan] = {}
    for number, stage in enumerate(stages):
        for index, block in enumerate(stage):
            gate = block.plan.gate
            if gate is None:
                continue
            if gate.kind != "bam" or index > 0 or gate.channels == block.plan.out:
                return None
            gates[number] = gate
    return gates


def _our_paths(stages: Stages, found: Grouped, gates_before: bool) -> dict[str, str]:
    """Where each part of the blocks goes: from its path in the file to that in our network."""
    our_paths: dict[str, str] = {}
    for number, (stage, paths) in enumerate(zip(stages, found.paths), 1):
        before = "attention0." if number == 1 else f"bam{number - 1}."
        for index, (block, path) in enumerate(zip(stage, paths)):
            for part, ours in block.our_paths.items():
                goes = f"layer{number}.{index}.{ours}"
                if gates_before and ours.startswith("attention."):
                    goes = before + ours.removeprefix("attention.")
                our_paths[f"{path}.{part}"] = goes
    return our_paths


def _common_place(stages: Stages, found: Grouped) -> str:
    """The likeliest place that the attention of all blocks has. Raises CheckpointFault where there is
    none."""
    places: tuple[str, ...] = PLACES
    for stage, paths in zip(stages, found.paths):
        for block, path in zip(stage, paths):
            gate = block.plan.gate
            if gate is None:
                continue
            places = tuple(place for place in fitting_places(block.plan) if place in places)
            if not places:
                part = next(part for part, ours in block.our_paths.items() if ours.startswith("attention."))
                raise CheckpointFault(
                    "layout_gate_elsewhere",
                    tensor=printable(f"{path}.{part}"),
                    channels=gate.channels,
                    out=block.plan.out,
                )
    return places[0]


def _each(stages: Stages, **values: Any) -> Stages:
    """The blocks with these values in their plans."""
    return [[replace(block, plan=replace(block.plan, **values)) for block in stage] for stage in stages]
