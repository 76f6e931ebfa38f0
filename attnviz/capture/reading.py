"""One pass of a network that is listened to, by a plan that holds for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..errors import TraceRemark
from .arguments import Arguments
from .call import CallResult
from .changer import Changer
from .hooks import Listener
from .layer_attention import LayerAttention
from .plan import ReadingPlan, has_card, plan_for, remarks_on, renewed_plan, some
from .rows import RowOrders
from .taps import Tap


@dataclass(frozen=True, eq=False)
class Heard:
    """What a network gave back for N inputs, and what was heard meanwhile."""

    output: Any
    plan: ReadingPlan
    orders: RowOrders
    remarks: tuple[TraceRemark, ...]

    def layers(self, row: int) -> dict[str, LayerAttention]:
        """The layers of one of the inputs; see ``RowOrders.layers_with_results``."""
        return {layer.name: layer for _, layer in self.layers_with_results(row)}

    def layers_with_results(self, row: int) -> list[tuple[CallResult, LayerAttention]]:
        """The same, each with the call that it is from."""
        return self.orders.layers_with_results(row)


def read(
    network: nn.Module,
    modules: dict[str, nn.Module],
    given: Arguments,
    steps: bool = False,
    may_have_learned: bool = True,
) -> Heard:
    """Run a network in eval mode once, and hear its attention; once more where the pass showed that the plan
    does not hold. Raises TraceError if a gate is silent."""
    plan = plan_for(network, modules, given, may_have_learned)
    output, listener = _pass(network, given, plan, steps)
    differing = listener.differing - plan.accepted
    if differing:
        plan = renewed_plan(network, modules, given, differing)
        output, listener = _pass(network, given, plan, steps)
    return heard(network, given, plan, output, listener)


def read_changed(
    network: nn.Module, given: Arguments, plan: ReadingPlan, changer: Changer, steps: bool = False
) -> Heard:
    """Run a network in eval mode once with changed gates, and hear its attention, by a plan that holds for
    these inputs. Raises EditError if a change can't be made, TraceError if a gate is silent."""
    listener = listener_for(plan, steps)
    with quietly(network), changer.hooks(), listener.listening(), changer.products():
        output = (given if has_card(network) else given.copied()).call(network)
    changer.check()
    return heard(network, given, plan, output, listener)


def heard(network: nn.Module, given: Arguments, plan: ReadingPlan, output: Any, listener: Listener) -> Heard:
    """What was heard in a pass. Raises TraceError if a gate was silent."""
    remarks, results = [*remarks_on(plan), *_silent(listener)], listener.take()
    remarks += _not_drawn(results)
    orders = RowOrders(network, given, plan, results)
    return Heard(output, plan, orders, (*remarks, *orders.remarks()))


def _pass(network: nn.Module, given: Arguments, plan: ReadingPlan, steps: bool) -> tuple[Any, Listener]:
    listener = listener_for(plan, steps)
    with quietly(network), listener.listening():
        return (given if has_card(network) else given.copied()).call(network), listener


def listener_for(plan: ReadingPlan, steps: bool = False, is_guest: bool = False) -> Listener:
    """A listener for what a plan says."""
    return Listener(plan.taps, steps, plan.untold_modules(), plan.sites, is_guest)


def quietly(network: nn.Module) -> AbstractContextManager:
    """Without gradients. What a network that nobody described keeps of a pass for later must be good for
    training too, which what is made in inference mode is not."""
    return torch.inference_mode() if has_card(network) else torch.no_grad()


def _not_drawn(results: list[CallResult]) -> list[TraceRemark]:
    """The maps of what is no photo, such as a volume."""
    maps = [(result.tap.layer, result.parts["spatial"]) for result in results if "spatial" in result.parts]
    names = dict.fromkeys(layer for layer, values in maps if values.ndim != 3)
    return [TraceRemark("layers_not_drawn", layers=some(names))] if names else []


def _silent(listener: Listener) -> Iterator[TraceRemark]:
    """Gates that a module did not multiply by where it did when they were recognised."""
    heard = {result.tap for result in listener.results}
    for differs in listener.differing:
        if isinstance(differs, Tap) and differs not in heard:
            yield TraceRemark("layer_ran_otherwise", layer=differs.layer)
