"""What becomes of a layer's factor in a pass: changes of its parts, and where in the network they are made.

A part is "channel" (N, C, 1, 1), "spatial" (N, 1, h, w) or "joint" (N, C, h, w) of the factor, or a branch of
BAM's joint gate, "channel_logits" and "spatial_logits". Whatever is done to it has one form:

    part' = times · part + plus"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from ..errors import EditError
from .layouts import laid_out
from .multiplications import GateSite
from .reads import Read
from .taps import Tap

PARTS = ("channel", "spatial", "joint", "channel_logits", "spatial_logits")


@dataclass(frozen=True, eq=False)
class Change:
    """What becomes of one part: times · part + plus, float32 of the part's dimensions, any of which may be 1.
    The first counts inputs: 1 where all of a batch are treated alike."""

    times: Tensor
    plus: Tensor

    @classmethod
    def none(cls, dimensions: int) -> Change:
        """What leaves a part of so many dimensions as it is, bit for bit."""
        return cls(torch.ones([1] * dimensions), torch.zeros([1] * dimensions))

    def then(self, other: Change) -> Change:
        """This one, and then another."""
        return Change(other.times * self.times, other.times * self.plus + other.plus)

    def of(self, values: Tensor, more: float = 0.0) -> Tensor:
        """The values after the change; with ``more``, the part is so much more than the values."""
        times, plus = self.times.to(values), self.plus.to(values)
        if more:
            plus = plus + more * (times - 1)
        return times * values + plus

    def row(self, number: int) -> Change:
        """The change of one input of a batch."""
        return Change(*(each[min(number, len(each) - 1)][None] for each in (self.times, self.plus)))

    @classmethod
    def stacked(cls, changes: list[Change]) -> Change:
        """One change for each input of a batch."""
        times, plus = ([getattr(each, name) for each in changes] for name in ("times", "plus"))
        return cls(torch.cat(_of_one_shape(times)), torch.cat(_of_one_shape(plus)))


def _of_one_shape(values: list[Tensor]) -> list[Tensor]:
    return list(torch.broadcast_tensors(*values))


# Layer, as a trace calls it -> part -> what becomes of it.
Changes: TypeAlias = Mapping[str, Mapping[str, Change]]


@dataclass(frozen=True, eq=False)
class Place:
    """Where a part of a tap's factor can be changed: at the output of a child that is read, at a product in
    the module's code, or, with neither, at the output of a module that scales its input, where

        output' = times · output + plus · input"""

    module: nn.Module | None = None  # the child, or the module that scales
    read: Read | None = None
    site: GateSite | None = None
    layout: str = ""  # of what a module scales
    more: float = 0.0  # by how much the factor is more than what is found there: 1 of BAM's gate

    @property
    def is_read_later(self) -> bool:
        """Whether the gate's last step is a function in the module's code, behind what is read."""
        return self.read is not None and bool(self.read.then)

    def changed_output(self, change: Change, output: Tensor) -> Tensor:
        """A child's output after the change. Raises EditError if that has another shape."""
        if all(_can_be_broadcast(each.shape, output.shape) for each in (change.times, change.plus)):
            return fitting(change.of(output, self.more), output)
        flat = Change(change.times.flatten(1), change.plus.flatten(1))  # of channels: (N, C), (N, 1, C) …
        values = output.flatten(1)
        return fitting(flat.of(values, self.more), values).view(output.shape)

    def scaled(self, change: Change, given: Tensor, output: Tensor) -> Tensor:
        """What a module that scales its input gives back after the change."""
        times, plus = (
            laid_out(each.to(output), self.layout, output.shape) for each in (change.times, change.plus)
        )
        return fitting(times * output + plus * given, output)


def fitting(changed: Tensor, before: Tensor) -> Tensor:
    """What was changed, in its shape before. Raises EditError if it has another one."""
    if changed.shape != before.shape:
        raise EditError("edit_of_other_shape", given=_shape(changed), wanted=_shape(before))
    return changed


def _can_be_broadcast(shape: torch.Size, wanted: torch.Size) -> bool:
    return len(shape) == len(wanted) and all(mine in (1, theirs) for mine, theirs in zip(shape, wanted))


def _shape(values: Tensor) -> str:
    return " × ".join(map(str, values.shape[1:]))


def place_of(tap: Tap, part: str) -> Place | None:
    """Where a part of a tap's factor can be changed; None if that is not known."""
    if tap.formula == "none":
        return None
    if tap.sites:
        return _at_product(tap, part)
    return _at_scaling(tap, part) if tap.ratios else _at_child(tap, part)


def _at_product(tap: Tap, part: str) -> Place | None:
    fitting = [where for where in tap.sites if where.kind == part]
    return Place(site=fitting[0]) if len(fitting) == 1 else None


def _at_scaling(tap: Tap, part: str) -> Place | None:
    """A module with one factor can turn out to be a joint one, whatever it was recognised by."""
    is_whole = part == "joint" and len(tap.ratios) == 1
    fitting = [ratio for ratio in tap.ratios if is_whole or ratio.kind == part]
    return Place(fitting[0].module, layout=fitting[0].layout) if len(fitting) == 1 else None


def _at_child(tap: Tap, part: str) -> Place | None:
    reads = [read for read in tap.reads if read.child in tap.children]
    exact = [read for read in reads if read.role == part and read.calls == 1]
    if len(exact) == 1 and not tap.plus:
        more = 1.0 if part == "joint" else 0.0
        return Place(tap.children[exact[0].child], exact[0], more=more)
    if [(read.role, read.calls) for read in reads] == [("factor", 1)] and not tap.plus:
        return Place(tap.children[reads[0].child], reads[0])
    is_whole = part == "joint" or len([read for read in reads if read.role != "pooling"]) == 1
    return Place(tap.module) if is_whole and not part.endswith("logits") else None
