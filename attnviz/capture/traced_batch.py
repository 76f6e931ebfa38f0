"""Inputs that a network was traced on, which can run again with changed gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import EditError
from ..networks.card import card_of
from .arguments import Arguments
from .batches import Batch, read_batch, stacked
from .changer import Changer, PlacedChange, placed
from .changes import Changes
from .exclusive import exclusive_eval
from .layer_attention import LayerAttention
from .outputs import scores_in
from .plan import ReadingPlan, check_there_is_attention, has_card, plan_for
from .reading import Heard, read_changed
from .run import batch_traces
from .trace import Trace

CHANGED = "{name} (changed network)"  # what a network is called where its gates were changed


@dataclass(frozen=True, eq=False)
class TracedBatch:
    """Inputs of one size, what was traced of them, and all that it takes to run them again."""

    network: nn.Module
    modules: dict[str, nn.Module]
    inputs: Batch
    given: Arguments
    plan: ReadingPlan
    traces: tuple[Trace, ...]  # one of each input
    steps: bool

    def changed(self, changes: Changes) -> list[Trace]:
        """The traces of one more pass with changed gates. Raises EditError if a change can't be made."""
        card = card_of(self.network)
        places = placed(self.plan.taps, changes, card.name)
        with exclusive_eval(self.network, list(self.modules.values())):
            heard = read_changed(self.network, self.given, self.plan, Changer(places), self.steps)
            scores = scores_in(self.network, self.modules, self.given, heard.output, heard.plan)
        _check_rows(heard, places)
        name = CHANGED.format(name=card.name)
        traces = batch_traces(card, self.inputs, scores, heard)
        return [
            replace(trace, network=name, doubt=None, layers=_as_changed(trace.layers, places, row))
            for row, trace in enumerate(traces)
        ]


def traced_batch(
    network: nn.Module,
    modules: dict[str, nn.Module],
    inputs: Batch,
    steps: bool = True,
    before: Sequence[Trace] = (),
    may_have_learned: bool = True,
) -> TracedBatch:
    """Trace inputs of one size in one pass. The traces ``before`` are taken in place of that pass if they are
    of these inputs, and the network's card says how it is called."""
    everything, sizes = list(modules.values()), [each.region.size for each in inputs]
    if has_card(network) and before and [trace.region.size for trace in before] == sizes:
        given = Arguments((stacked(network, inputs),))
        plan = plan_for(network, modules, given, may_have_learned)
        return TracedBatch(network, modules, inputs, given, plan, tuple(before), steps)
    with exclusive_eval(network, everything):
        inputs, given, heard = read_batch(network, modules, inputs, steps, may_have_learned)
        check_there_is_attention(network, heard.plan)
        scores = scores_in(network, modules, given, heard.output, heard.plan)
    traces = batch_traces(card_of(network), inputs, scores, heard)
    return TracedBatch(network, modules, inputs, given, heard.plan, tuple(traces), steps)


def _check_rows(heard: Heard, places: Sequence[PlacedChange]) -> None:
    """Raises EditError where a changed layer works on several rows of an input."""
    changed = {each.layer for each in places}
    for result, layer in heard.layers_with_results(0):
        if layer.name in changed and result.rows != heard.orders.count:
            raise EditError(
                "edit_layer_of_rows", layer=layer.name, rows=result.rows, count=heard.orders.count
            )


def _as_changed(
    layers: Mapping[str, LayerAttention], places: Sequence[PlacedChange], row: int
) -> dict[str, LayerAttention]:
    """The layers with the changes of those gates that were heard before they were changed."""
    changed = dict(layers)
    for each in places:
        layer = changed[each.layer]
        place, is_joint = each.place, each.part == "joint"
        if is_joint and layer.formula != "joint":  # BAM's gate is made of its branches; scSE's of its parts
            changed[each.layer] = _with_joint(layer, each, row, layer.factor())
        elif place.is_read_later or (place.read is None and each.tap.reads):
            values = layer.factor() if is_joint else getattr(layer, each.part)
            changed[each.layer] = (
                _with_joint(layer, each, row, values) if is_joint else _with_part(layer, each, row, values)
            )
    return changed


def _with_part(layer: LayerAttention, of: PlacedChange, row: int, values: np.ndarray) -> LayerAttention:
    change = of.change.row(row)
    flat = replace(change, times=change.times.flatten(), plus=change.plus.flatten())
    made = flat.of(torch.from_numpy(values).flatten()).view(values.shape)
    part: dict[str, Any] = {of.part: made.numpy()}
    return replace(layer, **part)


def _with_joint(layer: LayerAttention, of: PlacedChange, row: int, values: np.ndarray) -> LayerAttention:
    joint = of.change.row(row).of(torch.from_numpy(values)[None])[0]
    channel, spatial = joint.flatten(1).nanmean(1).numpy(), joint.nanmean(0).numpy()
    return replace(
        layer,
        formula="joint",
        joint=joint.numpy(),
        channel=channel,
        spatial=spatial,
        channel_logits=None,
        spatial_logits=None,
    )
