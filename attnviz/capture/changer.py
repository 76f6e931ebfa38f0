"""Makes changes of gates while a network runs, and tells which of them were made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ..errors import EditError, TraceError
from .changes import Change, Changes, Place, place_of
from .hooks import Hooks, first_tensor
from .multiplications import GateSite
from .product_changer import ProductChanger
from .taps import Tap


@dataclass(frozen=True, eq=False)
class PlacedChange:
    """A change of one part of one layer, and where it is made."""

    layer: str  # as a trace calls it
    part: str
    change: Change
    tap: Tap
    call: int  # which of the tap's calls, from 1
    place: Place


def placed(taps: Sequence[Tap], changes: Changes, network: str) -> list[PlacedChange]:
    """The changes with their places. Raises TraceError for a layer that there is not, EditError for one that
    can't be changed."""
    by_name = {tap.layer: tap for tap in taps}
    found = []
    for layer, parts in changes.items():
        name, _, number = layer.partition(" #")
        if name not in by_name:
            raise TraceError("layer_unknown", layer=layer, name=network)
        for part, change in parts.items():
            place = place_of(by_name[name], part)
            if place is None:
                raise EditError("edit_place_unknown", layer=layer)
            found.append(PlacedChange(layer, part, change, by_name[name], int(number or 1), place))
    return found


class Changer:
    """Makes changes in the pass that it was made in, and in no other. ``hooks`` come before those that
    listen, ``products`` behind them: then what is heard is what was changed."""

    def __init__(self, changes: Sequence[PlacedChange]) -> None:
        self._changes = changes
        self._inside: Counter[nn.Module] = Counter()  # calls of taps' modules that are under way
        self._runs: Counter[tuple[Tap, str]] = Counter()  # of a part's place, in calls of its tap
        self._made: set[PlacedChange] = set()
        self._products = ProductChanger(
            [each.place.site for each in changes if each.place.site is not None], self._next_at
        )

    @contextmanager
    def hooks(self) -> Iterator[None]:
        """Change what modules give back, while it lasts."""
        with Hooks() as hooks:
            for tap in dict.fromkeys(each.tap for each in self._changes if each.place.read is not None):
                self._watch(tap, hooks)
            for part in self._parts():
                place = part[0].place
                if place.read is not None:
                    self._change_child(part, hooks)
                elif place.site is None:
                    self._change_scaling(part, hooks)
            yield

    @contextmanager
    def products(self) -> Iterator[None]:
        """Change what modules multiply by in their own code, while it lasts."""
        with ExitStack() as entered:
            if any(each.place.site is not None or each.place.is_read_later for each in self._changes):
                entered.enter_context(self._products)
            yield

    def check(self) -> None:
        """Raises EditError if a change was not made: the network ran otherwise than when it was looked at."""
        for each in self._changes:
            if each not in self._made:
                raise EditError("edit_not_made", layer=each.layer)

    def _parts(self) -> list[list[PlacedChange]]:
        """The changes of each part of each tap, which differ in the call."""
        parts: dict[tuple[Tap, str], list[PlacedChange]] = {}
        for each in self._changes:
            parts.setdefault((each.tap, each.part), []).append(each)
        return list(parts.values())

    def _next(self, part: list[PlacedChange]) -> PlacedChange | None:
        """What is to be done in the call that the part's place has now reached."""
        key = part[0].tap, part[0].part
        self._runs[key] += 1
        now = next((each for each in part if each.call == self._runs[key]), None)
        if now is not None and not now.place.is_read_later:
            self._made.add(now)
        return now

    def _next_at(self, where: GateSite) -> Change | None:
        for part in self._parts():
            if part[0].place.site == where:
                now = self._next(part)
                return None if now is None else now.change
        return None

    def _watch(self, tap: Tap, hooks: Hooks) -> None:
        def entered(module: nn.Module, _inputs: tuple, _named: dict[str, Any]) -> None:
            self._inside[module] += 1

        def left(module: nn.Module, _inputs: tuple, _output: Any) -> None:
            self._inside[module] -= 1

        hooks.before(tap.module, entered)
        hooks.after(tap.module, left, failed=True)

    def _change_child(self, part: list[PlacedChange], hooks: Hooks) -> None:
        place, tap = part[0].place, part[0].tap

        def changed(output: Any) -> Any:
            now = self._next(part) if self._inside[tap.module] else None
            if now is None:
                return None
            if place.is_read_later:
                self._products.await_sigmoid(output, lambda gate: self._changed_late(now, gate))
                return None
            return place.changed_output(now.change, output)

        assert place.module is not None
        hooks.change(place.module, changed)

    def _changed_late(self, now: PlacedChange, gate: Tensor) -> Tensor:
        self._made.add(now)
        return now.place.changed_output(now.change, gate)

    def _change_scaling(self, part: list[PlacedChange], hooks: Hooks) -> None:
        place, given = part[0].place, list[Tensor]()

        def entered(_module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
            given.append(first_tensor(inputs, named).clone())  # it may be changed in place

        def changed(output: Any) -> Any:
            features, now = given.pop(), self._next(part)
            if now is None:
                return None
            if not isinstance(output, Tensor) or output.shape != features.shape:
                raise EditError("edit_not_made", layer=now.layer)
            return place.scaled(now.change, features, output)

        assert place.module is not None
        hooks.before(place.module, entered)
        hooks.change(place.module, changed)
