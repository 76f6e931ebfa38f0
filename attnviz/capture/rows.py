"""Which rows of a module's batch belong to which input. A network may fold frames, groups or windows of an
input into the batch: then a module sees N × k rows, in an order that only the network knows. It is told by
running the network on two inputs, and again with another one in place of the first."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import numpy as np
import torch
from torch import nn

from ..errors import TraceRemark
from .arguments import Arguments
from .call import CallResult
from .exclusive import exclusive_eval
from .hooks import Listener
from .layer_attention import LayerAttention
from .plan import ReadingPlan
from .taps import Tap

MOST_ROWS = 64  # of one input in one call, that are told apart


class RowOrders:
    """The order of the rows in the calls of a network that was given N inputs."""

    def __init__(self, network: nn.Module, given: Arguments, plan: ReadingPlan) -> None:
        self._network, self._given, self._plan = network, given, plan
        self.count = given.count

    def of_input(self, result: CallResult, row: int) -> range | None:
        """The rows of a call that belong to one of the inputs; None if that can't be told."""
        if result.rows == self.count:
            return range(row, row + 1)
        each = result.rows // max(1, self.count)
        if not each or each > MOST_ROWS or result.rows % self.count:
            return None
        order = "inputs first" if self.count == 1 else self._order(result.tap)
        if order == "inputs first":
            return range(row * each, (row + 1) * each)
        return range(row, result.rows, self.count) if order == "parts first" else None

    def layers(self, results: list[CallResult], row: int) -> list[tuple[CallResult, LayerAttention]]:
        """The layers of one input in running order, each with the call that it is from; those of a module
        that ran more than once, or that saw several rows of the input, are told apart by a number:
        "layer3.1", "layer3.1 #2"."""
        layers: list[tuple[CallResult, LayerAttention]] = []
        numbers: Counter[str] = Counter()
        for result in results:
            for each in self.of_input(result, row) or ():
                layer = result.tap.layer
                numbers[layer] += 1
                name = layer if numbers[layer] == 1 else f"{layer} #{numbers[layer]}"
                layers.append((result, result.layer(name, each)))
        return layers

    def remarks(self, results: list[CallResult]) -> list[TraceRemark]:
        """The layers that are not read because their rows can't be told apart."""
        unread = {result.tap.layer: result.rows for result in results if self.of_input(result, 0) is None}
        return [
            TraceRemark("layer_rows_unknown", layer=layer, rows=rows, count=self.count)
            for layer, rows in unread.items()
        ]

    def _order(self, tap: Tap) -> str:
        if self._plan.orders is None:
            self._plan.orders = self._measured()
        return self._plan.orders.get(tap, "")

    def _measured(self) -> dict[Tap, str]:
        orders: dict[Tap, str] = {}
        with suppress(Exception):  # of the network, which may not take two inputs
            two = self._given.pair()
            one, other = self._heard(two), self._heard(two.with_other_first())
            for first, second in zip(one, other):
                if first.tap is second.tap and first.rows == second.rows and first.tap not in orders:
                    orders[first.tap] = _order_of(_changed(first, second))
        return orders

    def _heard(self, given: Arguments) -> list[CallResult]:
        listener = Listener(self._plan.taps)
        everything = list(self._network.modules())
        with exclusive_eval(self._network, everything), torch.no_grad(), listener.listening():
            given.call(self._network)
        return listener.take()


def _changed(one: CallResult, other: CallResult) -> np.ndarray:
    """Which rows of a call are not as in another."""
    changed = np.zeros(one.rows, bool)
    for part, values in one.parts.items():
        if part in other.parts and other.parts[part].shape == values.shape:
            differ = ~np.isclose(values, other.parts[part], rtol=1e-6, atol=1e-7, equal_nan=True)
            changed |= differ.reshape(one.rows, -1).any(1)
    return changed


def _order_of(changed: np.ndarray) -> str:
    """How the rows of two inputs stand, where these are the rows that changed with the first of them."""
    places = set(np.flatnonzero(changed).tolist())
    inputs_first, parts_first = set(range(len(changed) // 2)), set(range(0, len(changed), 2))
    if not places or (places <= inputs_first) == (places <= parts_first):
        return ""
    return "inputs first" if places <= inputs_first else "parts first"
