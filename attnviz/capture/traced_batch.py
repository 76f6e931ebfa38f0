"""Inputs that a network was traced on, which can run again with changed gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
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
from .hooks import Hooks
from .kept_features import KeptFeatures, hand_out, keep
from .layer_attention import LayerAttention
from .outputs import scores_in
from .plan import ReadingPlan, check_there_is_attention, has_card, plan_for
from .reading import quietly, read_changed
from .rows import RowOrders
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
    orders: RowOrders | None = None  # of the rows in the pass; None where that was not listened to
    _written_over: set[nn.Module] = field(default_factory=set)  # whose outputs others write over

    def changed(self, changes: Changes) -> list[Trace]:
        """The traces of one more pass with changed gates. Raises EditError if a change can't be made."""
        card = card_of(self.network)
        places = self._placed(changes)
        with exclusive_eval(self.network, list(self.modules.values())):
            heard = read_changed(self.network, self.given, self.plan, Changer(places), self.steps)
            scores = scores_in(self.network, self.modules, self.given, heard.output, heard.plan)
        name = CHANGED.format(name=card.name)
        traces = batch_traces(card, self.inputs, scores, heard)
        return [
            replace(trace, network=name, doubt=None, layers=_as_changed(trace.layers, places, row))
            for row, trace in enumerate(traces)
        ]

    def changed_scores(
        self, changes: Changes, kept: KeptFeatures | None = None, count: int = 1
    ) -> np.ndarray:
        """What the network says with changed gates (N, K) float32; of a single input ``count`` times, each
        time with one row of the changes. Begins at ``kept``, of which all changed layers stand behind. Raises
        EditError if a change can't be made."""
        given = self.given.repeated(count) if count > 1 else self.given
        places = self._placed(changes)
        with exclusive_eval(self.network, list(self.modules.values())):
            output = self._run(given, Changer(places), kept, count)
            return scores_in(self.network, self.modules, given, output, self.plan).values

    def kept_before(self, layer: str, since: KeptFeatures | None = None) -> KeptFeatures | None:
        """What is computed when a layer's module is about to run, beginning at ``since``, of an earlier one;
        None for a layer that runs several times, or where the pass does not come there."""
        taps = {tap.layer: tap.module for tap in self.plan.taps}
        if layer not in taps or any(f"{layer} #2" in trace.layers for trace in self.traces):
            return None
        found = self._kept(taps[layer], since) if since is not None and self.is_whole(since) else None
        while found is None or not self.is_whole(found):
            found = self._kept(taps[layer], None)
            if found is None:
                return None
        return found

    def is_whole(self, kept: KeptFeatures) -> bool:
        """Whether nothing wrote over what was kept; what did, is remembered, and happens once."""
        self._written_over.update(kept.written_over())
        return not kept.written_over()

    def _kept(self, until: nn.Module, since: KeptFeatures | None) -> KeptFeatures | None:
        with exclusive_eval(self.network, list(self.modules.values())):
            return keep(self.network, self.modules, self.given, until, since, self._written_over)

    def is_in_order(self) -> bool:
        """Whether every layer sees one row an input, in the order of the inputs."""
        return self.orders is None or self.orders.are_in_order()

    def collect(self, changes: Changes, norms: Sequence[nn.Module]) -> None:
        """Run once with changed gates while these batch norms, and nothing else, are in training."""
        places = self._placed(changes)
        with exclusive_eval(self.network, list(self.modules.values())):
            for norm in norms:
                norm.training = True
            try:
                self._run(self.given, Changer(places))
            finally:
                for norm in norms:
                    norm.training = False

    def _run(
        self, given: Arguments, changer: Changer, kept: KeptFeatures | None = None, count: int = 1
    ) -> Any:
        """What the network gives back in a pass with changed gates that nobody listens to."""
        with ExitStack() as entered:
            entered.enter_context(quietly(self.network) if kept is None else torch.no_grad())
            hand_out(kept, entered.enter_context(Hooks()), self._written_over, count=count)
            entered.enter_context(changer.hooks())
            entered.enter_context(changer.products())
            output = (given if has_card(self.network) else given.copied()).call(self.network)
        changer.check()
        return output

    def _placed(self, changes: Changes) -> list[PlacedChange]:
        """The changes with their places. Raises EditError where a layer works on several rows of an input."""
        places, count = placed(self.plan.taps, changes, card_of(self.network).name), len(self.inputs)
        heard = [] if self.orders is None else self.orders.layers_with_results(0)
        for result, layer in heard:
            if layer.name in changes and result.rows != count:
                raise EditError("edit_layer_of_rows", layer=layer.name, rows=result.rows, count=count)
        return places


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
    return TracedBatch(network, modules, inputs, given, heard.plan, tuple(traces), steps, heard.orders)


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
