"""Which rows of a module's batch belong to which input. A network may fold frames, groups or windows of an
input into the batch: then a module sees N × k rows, in an order that only the network knows; it may turn the
order of its rows around, take them in several calls, or leave some out. It is told by running the network
again, on smaller inputs, with others in place of some.

Every input has a number, and in each pass those are changed whose number has a certain bit, or has it not.
The passes in which a row changes so spell the number of its input; a row that changes with a bit and without
it holds something of several inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from contextlib import suppress

import numpy as np
from torch import nn

from ..errors import TraceRemark
from .arguments import Arguments
from .call import CallResult
from .exclusive import exclusive_eval, without_drawing
from .hooks import Listener
from .layer_attention import LayerAttention
from .measured_call import NOBODY, SEVERAL, MeasuredCall, Rows, in_order
from .plan import ReadingPlan, has_card

MOST_ROWS = 64  # of one input in one call, that are told apart
SIDE = 64  # pixels; what larger inputs are made for that
ATTEMPTS = 3  # with other inputs, of which some may not change a gate
MUCH_LESS = 0.05  # of a row's change by its own input, that others may change it by
MOST_MEASURED = 4  # sequences of calls of as many inputs; beyond these, the calls are others in each pass


class RowOrders:
    """The rows of the inputs in the calls of a network that was given N of them."""

    def __init__(
        self, network: nn.Module, given: Arguments, plan: ReadingPlan, results: list[CallResult]
    ) -> None:
        self._network, self._given, self._plan, self._results = network, given, plan, results
        self.count = given.count
        self._rows: list[Rows | None] | None = None  # of each call

    def _of_calls(self) -> list[Rows | None]:
        if self._rows is None:
            self._rows = self._told()
        return self._rows

    def _told(self) -> list[Rows | None]:
        if not self.count:
            return [None] * len(self._results)
        if all(self._is_plain(result) for result in self._results):
            return [in_order(self.count, 1) for _ in self._results]
        told = self._measured_or_known()
        return [None] * len(self._results) if told is None else told

    def _measured_or_known(self) -> list[Rows | None] | None:
        """By what was measured of these calls, or of others that stand in the same order, or by what is
        measured now; what can't be told is measured only once."""
        measured = self._plan.orders.setdefault(self.count, {})
        for calls in tuple(measured.values()):  # another thread may measure too
            told = self._applied(calls)
            if told is not None:
                return told
        sequence = tuple(result.tap for result in self._results)
        if sequence in measured or len(measured) >= MOST_MEASURED:
            return None
        measured[sequence] = self._measured_now()
        return self._applied(measured[sequence])

    def _is_plain(self, result: CallResult) -> bool:
        """Whether a call has one row an input, of which it is known whose it is."""
        return result.rows == self.count and (self.count == 1 or has_card(self._network))

    def _applied(self, measured: list[MeasuredCall]) -> list[Rows | None] | None:
        """Whose the rows of these calls are; None if they are not the calls that were measured, whose orders
        differ."""
        if [call.tap for call in measured] == [result.tap for result in self._results]:
            calls = measured
        else:
            by_tap = {call.tap: call for call in measured}
            orders = {tap: {call.order(self.count) for call in measured if call.tap is tap} for tap in by_tap}
            if any(len(orders.get(result.tap, ())) != 1 for result in self._results):
                return None
            calls = [by_tap[result.tap] for result in self._results]
        return [
            call.rows(self.count, result.rows) if result.rows <= MOST_ROWS * self.count else None
            for call, result in zip(calls, self._results)
        ]

    def layers_with_results(self, row: int) -> list[tuple[CallResult, LayerAttention]]:
        """The layers of one input in running order, each with the call that it is from; those of a module
        that ran more than once, or that saw several rows of the input, are told apart by a number:
        "layer3.1", "layer3.1 #2"."""
        layers: list[tuple[CallResult, LayerAttention]] = []
        numbers: Counter[str] = Counter()
        for result, rows in zip(self._results, self._of_calls()):
            for each in () if rows is None else rows[row]:
                layer = result.tap.layer
                numbers[layer] += 1
                name = layer if numbers[layer] == 1 else f"{layer} #{numbers[layer]}"
                layers.append((result, result.layer(name, each)))
        return layers

    def are_in_order(self) -> bool:
        """Whether every call has one row an input, in the order of the inputs."""
        return all(rows == in_order(self.count, 1) for rows in self._of_calls())

    def remarks(self) -> list[TraceRemark]:
        """The layers that are not read because their rows can't be told apart."""
        calls = zip(self._results, self._of_calls())
        unread = {result.tap.layer: result.rows for result, rows in calls if rows is None}
        return [
            TraceRemark("layer_rows_unknown", layer=layer, rows=rows, count=self.count)
            for layer, rows in unread.items()
        ]

    def _measured_now(self) -> list[MeasuredCall]:
        side = self._given.side()
        for scale in (SIDE / side, 1.0) if side > SIDE else (1.0,):
            given = self._given if scale == 1 else self._given.resized(scale)
            with suppress(Exception):  # of the network, which may take no smaller inputs
                measured = self._compared(given)
                if scale == 1 or self._applied(measured) is not None:
                    return measured
        return []

    def _compared(self, given: Arguments) -> list[MeasuredCall]:
        """Whose rows they are, by the passes in which they change."""
        plain = self._heard(given, seed=0)
        changes = [self._changes_by_bit(given, bit, plain) for bit in range(self.count.bit_length())]
        owners = [
            _owners(np.stack([each[place] for each in changes]), self.count) for place in range(len(plain))
        ]
        return [MeasuredCall(call.tap, whose) for call, whose in zip(plain, owners)]

    def _changes_by_bit(self, given: Arguments, bit: int, plain: list[CallResult]) -> list[np.ndarray]:
        """How much each row of each call changes, (2, rows), where the inputs with a bit are others, and
        where those without it are. Rows that change with neither are tried with still other inputs."""
        sides = [
            [n - 1 for n in range(1, self.count + 1) if bool(n >> bit & 1) == has] for has in (True, False)
        ]
        changes = [np.zeros((2, call.rows)) for call in plain]
        for attempt in range(ATTEMPTS):
            found = [self._changes(given, places, plain, seed=1 + bit + attempt) for places in sides]
            changes = [np.maximum(before, np.stack(pair)) for before, pair in zip(changes, zip(*found))]
            if all(change.any(0).all() for change in changes):
                break
        return changes

    def _changes(
        self, given: Arguments, places: Collection[int], plain: list[CallResult], seed: int
    ) -> list[np.ndarray]:
        """How much each row of each call changes where the inputs at some places are others."""
        if not places:
            return [np.zeros(call.rows) for call in plain]
        heard = self._heard(given.with_others(places, seed), seed)
        if [(call.tap, call.rows) for call in heard] != [(call.tap, call.rows) for call in plain]:
            return [np.full(call.rows, np.inf) for call in plain]  # other inputs, other calls
        return [_change(one, other) for one, other in zip(plain, heard)]

    def _heard(self, given: Arguments, seed: int) -> list[CallResult]:
        """The calls of a pass, whose random numbers are others for another seed: an order that is drawn
        can't be told."""
        listener = Listener(self._plan.taps)
        everything = list(self._network.modules())
        with exclusive_eval(self._network, everything), without_drawing(seed), listener.listening():
            given.copied().call(self._network)
        return listener.take()


def _change(one: CallResult, other: CallResult) -> np.ndarray:
    """The most by which each row of a call differs from another's; what is NaN in only one of them by 1."""
    most = np.zeros(one.rows)
    for part, values in one.parts.items():
        theirs = other.parts.get(part)
        if theirs is None or theirs.shape != values.shape:
            return np.full(one.rows, np.inf)
        off = np.where(
            np.isclose(values, theirs, rtol=1e-6, atol=1e-7, equal_nan=True), 0, np.abs(values - theirs)
        )
        most = np.maximum(most, np.nan_to_num(off, nan=1.0).reshape(one.rows, -1).max(1))
    return most


def _owners(changes: np.ndarray, count: int) -> tuple[int, ...]:
    """Whose each row is, where ``changes`` (bits, 2, rows) are by how much each changes with the inputs that
    have a bit, and with those that do not."""
    greatest, least = changes.max(1), changes.min(1)
    is_clear = (least <= MUCH_LESS * greatest) & np.isfinite(greatest)
    is_known = greatest > 0
    bits = changes[:, 0] > changes[:, 1]
    owners = []
    for row in range(changes.shape[2]):
        known = np.flatnonzero(is_known[:, row])
        fitting = [
            number - 1
            for number in range(1, count + 1)
            if all(bool(number >> bit & 1) == bits[bit, row] for bit in known)
        ]
        if not is_clear[:, row].all() or not fitting:
            owners.append(SEVERAL)
        else:
            owners.append(fitting[0] if len(fitting) == 1 and len(known) else NOBODY)
    return tuple(owners)
