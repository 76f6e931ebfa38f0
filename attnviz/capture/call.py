"""One call of an attention module: under way, and what it was found to compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor, nn

from ..errors import TraceError
from ..languages.catalogue import Phrase
from .factor_fit import ratio
from .layer_attention import LayerAttention, Step
from .multiplications import Product, as_numpy
from .parts import Parts, joined, part_of, step_values
from .reads import Read, StepRead, role_phrase
from .taps import Tap


@dataclass(frozen=True, eq=False)
class CallResult:
    """What one call of one attention module computed: its parts and steps for each of N inputs, and the shape
    (C, h, w) of the features."""

    tap: Tap
    shape: tuple[int, int, int]
    parts: Parts
    steps: Parts = field(default_factory=dict)

    def layer(self, name: str, row: int) -> LayerAttention:
        """What was computed for one of the inputs, all of it copies."""
        parts = {part: values[row].copy() for part, values in self.parts.items()}
        formula = "joint" if "joint" in parts else self.tap.formula
        if formula == "product" and not {"channel", "spatial"} & parts.keys():
            formula = "none"
        steps = tuple(Step(step, values[row].copy()) for step, values in self.steps.items())
        return LayerAttention(name, self.tap.kind, self.shape, formula=formula, steps=steps, **parts)


class Call:
    """A call of a tap's module under way: collects the parts of its gate and the steps on the way to it, and
    hands over the result as soon as they are whole. Then it is ready for the module's next call.

    With ``ends_with_parts`` the last of the reads ends the call, otherwise the end of the module does."""

    def __init__(self, tap: Tap, ends_with_parts: bool, deliver: Callable[[CallResult], None]) -> None:
        self.tap = tap
        self.ends_with_parts = ends_with_parts
        self._deliver = deliver
        self._reads: list[Read] = []  # those that ran, in order
        self._parts: list[Parts] = []  # one a read, a division or a product
        self._steps: list[tuple[str, Parts]] = []  # of each call of a child: its path, and its steps
        self._inputs: dict[
            nn.Module, list[Tensor]
        ] = {}  # of the modules to divide by, the innermost call last

    def begin(self) -> None:
        """The module is called: forget the parts that its children gave inside another module."""
        self._reads.clear()
        self._parts.clear()

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
        _, channels, height, width = output.shape
        self._end((channels, height, width), joined(self.tap, self._parts))

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

    def divide(self, module: nn.Module, kind: str, output: Tensor) -> None:
        """That module has run. One that does not scale as it did when it was recognised is read as a joint
        gate."""
        features, output = self._inputs[module].pop(), output.detach()
        factor = ratio(features, output, kind)
        if factor is None:
            kind, factor = "joint", ratio(features, output, "joint")
        self._collect({kind: as_numpy(factor)}, output, len(self.tap.ratios))  # type: ignore[arg-type]

    def take_product(self, product: Product) -> None:
        """Features were multiplied at one of the tap's sites."""
        self._collect({product.kind: product.values()}, product.features, len(self.tap.sites))

    def _collect(self, parts: Parts, features: Tensor, wanted: int) -> None:
        self._parts.append(parts)
        if len(self._parts) == wanted:
            _, channels, height, width = features.shape
            self._end((channels, height, width), joined(self.tap, self._parts))

    def _end(self, shape: tuple[int, int, int], parts: Parts) -> None:
        values = {name: value for _, steps in self._steps for name, value in steps.items()}
        steps = {step.name: values[step.name] for step in self.tap.steps if step.name in values}
        self._steps.clear()
        self.begin()
        self._deliver(CallResult(self.tap, shape, parts, steps))


def _repeated(tap: Tap, read: Read, count: int) -> TraceError:
    times = Phrase("twice") if count == 2 else Phrase("several_times", count=count)
    return TraceError("gate_repeated", role=role_phrase(read), layer=tap.layer, times=times)
