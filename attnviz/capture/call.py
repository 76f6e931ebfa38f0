"""One call of an attention module: under way, and what it was found to compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import TraceError
from ..languages.catalogue import Phrase
from .factor_fit import fitted_factor
from .layer_attention import LayerAttention, Step
from .layouts import canonical
from .multiplications import Product, as_numpy
from .parts import Parts, joined, part_of, sizes_of, step_values
from .reads import Read, StepRead, role_phrase
from .taps import Ratio, Tap

PLAIN_KINDS = ("channel", "spatial", "both")  # of recognised gates, which can turn out to be joint ones


@dataclass(frozen=True, eq=False)
class CallResult:
    """What one call of one attention module computed: its parts and steps for each of M rows, and the shape
    (C, h, w) of the features. There are more rows than inputs where frames or groups of one input are folded
    into the batch."""

    tap: Tap
    shape: tuple[int, ...]
    parts: Parts
    steps: Parts = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return next((len(values) for values in (*self.parts.values(), *self.steps.values())), 0)

    def layer(self, name: str, row: int) -> LayerAttention:
        """What was computed for one of the rows, all of it copies."""
        parts = {part: values[row].copy() for part, values in self.parts.items()}
        formula = "joint" if "joint" in parts else self.tap.formula
        if formula == "product" and not {"channel", "spatial"} & parts.keys():
            formula = "none"
        steps = tuple(Step(step, values[row].copy()) for step, values in self.steps.items())
        kind = "joint" if formula == "joint" and self.tap.kind in PLAIN_KINDS else self.tap.kind
        form = self.tap.form
        return LayerAttention(name, kind, self.shape, formula=formula, steps=steps, form=form, **parts)


class Call:
    """A call of a tap's module under way: collects the parts of its gate and the steps on the way to it, and
    hands over the result as soon as they are whole. Then it is ready for the module's next call.

    With ``ends_with_parts`` the last of the reads ends the call, otherwise the end of the module does.
    ``differs`` is told when a recognised module does otherwise than when it was recognised."""

    def __init__(
        self,
        tap: Tap,
        ends_with_parts: bool,
        deliver: Callable[[CallResult], None],
        differs: Callable[[Tap], None] = lambda tap: None,
    ) -> None:
        self.tap = tap
        self._differs = differs
        self._delivered = False  # since the module's last call ended
        self.ends_with_parts = ends_with_parts
        self._deliver = deliver
        self._reads: list[Read] = []  # those that ran, in order
        self._parts: list[Parts] = []  # one a read, a division or a product
        self._sizes: np.ndarray | None = None  # of the features that it weighs
        self._steps: list[tuple[str, Parts]] = []  # of each call of a child: its path, and its steps
        # Of the modules to divide by, the innermost call last.
        self._inputs: dict[nn.Module, list[Tensor]] = {}

    def begin(self) -> None:
        """The module is called: forget the parts that its children gave inside another module."""
        self._reads.clear()
        self._parts.clear()

    def take_features(self, features: Tensor) -> None:
        """The module is called with features that it will weigh."""
        self._sizes = sizes_of(features)

    def take_part(self, read: Read, output: Tensor) -> None:
        """A child that is read has run. Raises TraceError if it ran before in this call, and only once should
        it."""
        if self.ends_with_parts and self._count(read):
            raise _repeated(self.tap, read, 2)
        self._reads.append(read)
        self._parts.append(part_of(read, self.tap, output))
        if self.ends_with_parts and len(self._reads) == len(self.tap.reads):
            parts = joined(self.tap, self._parts)
            self._end((parts["channel"].shape[1], *parts["spatial"].shape[1:]), parts)

    def take_step(self, path: str, steps: list[StepRead], given: Tensor, output: Tensor) -> None:
        """A child with steps has run, on ``given``."""
        number = 1 + sum(child == path for child, _ in self._steps)
        values = {
            step.name: step_values(step, given if step.side == "input" else output)
            for step in steps
            if step.call == number
        }
        self._steps.append((path, values))

    def end(self, output: Tensor) -> None:
        """The module has run. Raises TraceError if a child that is read ran too often or not at all."""
        for read in self.tap.reads:
            self._check_count(read, self._count(read))
        self._end(tuple(output.shape[1:]), joined(self.tap, self._parts))

    def _count(self, read: Read) -> int:
        """How often a child has run in this call."""
        return sum(other is read for other in self._reads)

    def _check_count(self, read: Read, count: int) -> None:
        if count > read.calls:
            raise _repeated(self.tap, read, count)
        if count < read.calls and not read.optional:
            raise TraceError("gate_silent", role=role_phrase(read), layer=self.tap.layer)

    def take_input(self, module: nn.Module, features: Tensor) -> None:
        """A module whose factor is its output ÷ its input is called with these features."""
        self._inputs.setdefault(module, []).append(features.detach().clone())

    def divide(self, by: Ratio, output: Tensor) -> None:
        """That module has run. One that does not scale as it did when it was recognised is read as a joint
        gate; where its features are not finite, its factor is not known."""
        kind = by.kind
        features = canonical(self._inputs[by.module].pop(), by.layout)
        output = canonical(output.detach(), by.layout)
        factor = fitted_factor(features, output, kind)
        if factor is None and not (features.isfinite().all() and output.isfinite().all()):
            factor = _unknown(features, kind)
        if factor is None:
            self._differs(self.tap)
            kind, factor = "joint", fitted_factor(features, output, "joint")
        shape = tuple(output.shape[1:])
        self._collect({kind: as_numpy(factor)}, shape, len(self.tap.ratios))  # type: ignore[arg-type]

    def take_product(self, product: Product) -> None:
        """Features were multiplied at one of the tap's sites."""
        if not product.is_as_told():
            self._differs(self.tap)
            return
        self._collect({product.where.kind: product.values()}, product.shape, len(self.tap.sites))

    def end_of_owner(self, _output: Any) -> None:
        """The module in whose code the sites are has run. If it did not multiply at all of them it ran other
        code than when it was recognised."""
        if self._parts or not self._delivered:
            self._differs(self.tap)
        self._parts.clear()
        self._delivered = False

    def _collect(self, parts: Parts, shape: tuple[int, ...], wanted: int) -> None:
        self._parts.append(parts)
        if len(self._parts) == wanted:
            self._end(shape, joined(self.tap, self._parts))

    def _end(self, shape: tuple[int, ...], parts: Parts) -> None:
        self._delivered = True
        values = {name: value for _, steps in self._steps for name, value in steps.items()}
        steps = {step.name: values[step.name] for step in self.tap.steps if step.name in values}
        sizes, self._sizes = self._sizes, None
        if sizes is not None and sizes.shape[1:] == shape[:1]:
            parts = {**parts, "sizes": sizes}
        self._steps.clear()
        self.begin()
        self._deliver(CallResult(self.tap, shape, parts, steps))


def _unknown(features: Tensor, kind: str) -> Tensor:
    """A factor of NaN for features (N, C, h, w)."""
    shape = {"channel": features.shape[:2], "spatial": (len(features), *features.shape[2:])}
    return torch.full(shape.get(kind, features.shape), torch.nan)


def _repeated(tap: Tap, read: Read, count: int) -> TraceError:
    times = Phrase("twice") if count == 2 else Phrase("several_times", count=count)
    return TraceError("gate_repeated", role=role_phrase(read), layer=tap.layer, times=times)
