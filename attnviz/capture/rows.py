"""Which rows of a module's batch belong to which input. A network may fold frames, groups or windows of an
input into the batch: then a module sees N × k rows, in an order that only the network knows; it may also turn
the order of N rows around. It is told by running the network again, on smaller inputs, with another one in
place of the second, which is where a turned order shows."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import numpy as np
from torch import nn

from ..errors import TraceRemark
from .arguments import Arguments
from .call import CallResult
from .exclusive import exclusive_eval, without_drawing
from .hooks import Listener
from .layer_attention import LayerAttention
from .plan import ReadingPlan, has_card
from .taps import Tap

MOST_ROWS = 64  # of one input in one call, that are told apart
SIDE = 64  # pixels; what larger inputs are made for that
MOST_CHANGED = 3  # inputs, one after another
INPUTS_FIRST, PARTS_FIRST, MIXED, UNTOLD = "inputs first", "parts first", "mixed", ""


class RowOrders:
    """The order of the rows in the calls of a network that was given N inputs."""

    def __init__(self, network: nn.Module, given: Arguments, plan: ReadingPlan) -> None:
        self._network, self._given, self._plan = network, given, plan
        self.count = given.count

    def of_input(self, result: CallResult, row: int) -> range | None:
        """The rows of a call that belong to one of the inputs; None if that can't be told."""
        each = result.rows // max(1, self.count)
        if not each or each > MOST_ROWS or result.rows % self.count:
            return None
        is_plain = self.count == 1 or (each == 1 and has_card(self._network))
        order = INPUTS_FIRST if is_plain else self._order(result.tap)
        if order == INPUTS_FIRST or (order == UNTOLD and each == 1):
            return range(row * each, (row + 1) * each)
        return range(row, result.rows, self.count) if order == PARTS_FIRST else None

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
        if self.count not in self._plan.orders:
            self._plan.orders[self.count] = self._measured()
        return self._plan.orders[self.count].get(tap, UNTOLD)

    def _measured(self) -> dict[Tap, str]:
        side = self._given.side()
        for scale in (SIDE / side, 1.0) if side > SIDE else (1.0,):
            given = self._given if scale == 1 else self._given.resized(scale)
            with suppress(Exception):  # of the network, which may take no smaller inputs
                return self._compared(given)
        return {}

    def _compared(self, given: Arguments) -> dict[Tap, str]:
        """The orders that show where inputs are changed, one after another until each tap has told its
        own."""
        orders: dict[Tap, str] = {}
        plain = self._heard(given)
        for place in range(1, min(self.count, MOST_CHANGED + 1)):
            for one, other in zip(plain, self._heard(given.with_another(place))):
                if one.tap is other.tap and one.rows == other.rows and one.tap not in orders:
                    order = _order_of(_changed(one, other), self.count, place)
                    orders |= {one.tap: order} if order != UNTOLD else {}
            if all(result.tap in orders for result in plain):
                break
        return orders

    def _heard(self, given: Arguments) -> list[CallResult]:
        listener = Listener(self._plan.taps)
        everything = list(self._network.modules())
        with exclusive_eval(self._network, everything), without_drawing(), listener.listening():
            given.copied().call(self._network)
        return listener.take()


def _changed(one: CallResult, other: CallResult) -> np.ndarray:
    """Which rows of a call are not as in another."""
    changed = np.zeros(one.rows, bool)
    for part, values in one.parts.items():
        if part in other.parts and other.parts[part].shape == values.shape:
            differ = ~np.isclose(values, other.parts[part], rtol=1e-6, atol=1e-7, equal_nan=True)
            changed |= differ.reshape(one.rows, -1).any(1)
    return changed


def _order_of(changed: np.ndarray, count: int, place: int) -> str:
    """How the rows of so many inputs stand, where these are the rows that changed with the input at a
    place."""
    rows, each = set(np.flatnonzero(changed).tolist()), len(changed) // count
    if not rows:  # a gate that is the same for other inputs does not tell
        return UNTOLD
    if each == 1:
        return INPUTS_FIRST if place in rows else MIXED
    inputs_first, parts_first = (
        set(range(place * each, (place + 1) * each)),
        set(range(place, len(changed), count)),
    )
    if (rows <= inputs_first) == (rows <= parts_first):
        return UNTOLD if rows <= inputs_first else MIXED
    return INPUTS_FIRST if rows <= inputs_first else PARTS_FIRST
