"""What a network is called with: one tensor, or anything else that people call networks with."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, eq=False)
class Arguments:
    """The arguments of one call, with N inputs in them."""

    inputs: tuple
    named: dict[str, Any] = field(default_factory=dict)
    in_training: bool = False  # the mode in which the network is called

    def call(self, network: nn.Module) -> Any:
        """What the network gives back for them."""
        return network(*self.inputs, **self.named)

    @cached_property
    def photos(self) -> Tensor | list[Tensor] | None:
        """The inputs to look at, (N, C, H, W) or of other dimensions, or a list of (C, H, W): those of most
        dimensions, for beside images there may be numbers about them. None if no tensor is among them."""
        candidates = list(_batches((*self.inputs, *self.named.values())))
        return max(candidates, key=_dimensions, default=None)  # the first of the greatest

    @property
    def count(self) -> int:
        """How many inputs there are; 0 if that can't be told."""
        return len(self.photos) if self.photos is not None else 0

    def side(self) -> int:
        """The shortest side of the inputs in pixels; 0 if they have none."""
        first = self.photos[0] if self.count else None  # type: ignore[index]
        return min(first.shape[-2:]) if first is not None and first.ndim > 2 else 0

    def pair(self, scale: float = 1.0) -> Arguments:
        """The first of the inputs and another one made of it, so that what depends on the input can be told
        from what does not. Their rows and columns are scaled."""
        generator = torch.Generator().manual_seed(0)

        def two(row: Tensor) -> Tensor:
            if not row.is_floating_point():
                return torch.stack((row, row))
            row = _finite(_resized(row, scale) if scale != 1 else row, generator)
            return torch.stack((row, _another(row, generator)))

        return self._with_rows(two, lambda row: list(two(row)))

    def repeated(self, count: int) -> Arguments:
        """The first of the inputs so many times."""
        return self._with_rows(lambda row: torch.stack([row] * count), lambda row: [row] * count)

    def copied(self) -> Arguments:
        """The same in memory of their own, which a network may write over."""
        return self._mapped(lambda batch: batch.clone(), lambda rows: [row.clone() for row in rows])

    @property
    def state(self) -> tuple[int, ...]:
        """Something that is another after the inputs were written over."""
        rows = [self.photos] if isinstance(self.photos, Tensor) else self.photos or []
        return tuple(0 if each.is_inference() else each._version for each in rows)

    def resized(self, scale: float) -> Arguments:
        """All of the inputs with their rows and columns scaled."""

        def each(rows: Iterable[Tensor]) -> list[Tensor]:
            return [_resized(row, scale) if row.is_floating_point() else row for row in rows]

        return self._mapped(lambda batch: torch.stack(each(batch)), each)

    def with_others(self, places: Collection[int], seed: int) -> Arguments:
        """The same, but for the inputs at some places, which are others for another seed, from 0."""
        generator, scale = torch.Generator().manual_seed(seed), _scale(seed)

        def changed(rows: Iterable[Tensor]) -> list[Tensor]:
            return [
                _another(row, generator) * scale if index in places and row.is_floating_point() else row
                for index, row in enumerate(rows)
            ]

        return self._mapped(lambda batch: torch.stack(changed(batch)), changed)

    def _with_rows(
        self, of_batch: Callable[[Tensor], Tensor], of_list: Callable[[Tensor], list[Tensor]]
    ) -> Arguments:
        """With each batch replaced by what is made of its first row."""
        return self._mapped(lambda batch: of_batch(batch[0]), lambda rows: of_list(rows[0]))

    def _mapped(
        self, of_batch: Callable[[Tensor], Tensor], of_list: Callable[[list[Tensor]], list[Tensor]]
    ) -> Arguments:
        """With each batch of N, and each list of N tensors, replaced."""

        def change(value: Any) -> Any:
            if isinstance(value, Tensor):
                return of_batch(value.detach()) if value.ndim and len(value) == self.count else value
            if _are_photos(value) and len(value) == self.count:
                return type(value)(of_list([each.detach() for each in value]))
            return remade(value, change)

        named = {name: change(value) for name, value in self.named.items()}
        return Arguments(tuple(change(value) for value in self.inputs), named, self.in_training)


def _batches(values: Any) -> Iterator[Tensor | list[Tensor]]:
    """The tensors, and the lists of photos, among some values and in what they hold."""
    for value in values:
        if isinstance(value, Tensor):
            if value.ndim and len(value):
                yield value
        elif _are_photos(value):
            yield list(value)
        elif isinstance(value, list | tuple):
            yield from _batches(value)
        elif isinstance(value, Mapping):
            yield from _batches(value.values())
        elif _is_dataclass(value):
            yield from _batches(_fields_of(value).values())


def remade(value: Any, change: Callable[[Any], Any]) -> Any:
    """What holds other values, with these changed; anything else as it is."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(change, value))
    if type(value) in (list, tuple):
        return type(value)(change(each) for each in value)
    if isinstance(value, Mapping):
        changed = {key: change(each) for key, each in value.items()}
        with suppress(TypeError):  # of a mapping that is made otherwise
            return type(value)(changed)  # type: ignore[call-arg]
        return changed
    if _is_dataclass(value):
        return _with_fields(value, {name: change(each) for name, each in _fields_of(value).items()})
    return value


def _is_dataclass(value: Any) -> bool:
    """Whether a value is an object of a dataclass, and not such a class."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _fields_of(value: Any) -> dict[str, Any]:
    """The fields of an object of a dataclass that have been set."""
    names = [field.name for field in dataclasses.fields(value)]
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def _with_fields(value: Any, changed: dict[str, Any]) -> Any:
    """An object of a dataclass made anew with other fields; a copy with these where that takes more."""
    given = {field.name for field in dataclasses.fields(value) if field.init}
    with suppress(TypeError, ValueError):
        return dataclasses.replace(value, **{name: changed[name] for name in given & changed.keys()})
    made = copy.copy(value)
    for name, each in changed.items():
        object.__setattr__(made, name, each)  # also where it is frozen
    return made


def _are_photos(value: Any) -> bool:
    """Whether a value is a list of photos, as detectors take them."""
    if not isinstance(value, list | tuple) or not value:
        return False
    tensors = [each for each in value if isinstance(each, Tensor)]
    return len(tensors) == len(value) and all(each.ndim == 3 and each.is_floating_point() for each in tensors)


def _dimensions(batch: Tensor | list[Tensor]) -> int:
    if isinstance(batch, list):
        return 4
    return batch.ndim if batch.is_floating_point() else 0


def _resized(row: Tensor, scale: float) -> Tensor:
    """A row (C, H, W), or (…, C, H, W), with its rows and columns scaled; others as they are."""
    if row.ndim < 3:
        return row
    size = [max(1, round(side * scale)) for side in row.shape[-2:]]
    photos = row.reshape(-1, *row.shape[-3:])
    resized = functional.interpolate(photos.float(), size=size, mode="bilinear", antialias=scale < 1)
    return resized.to(row.dtype).reshape(*row.shape[:-2], *size)


def _finite(row: Tensor, generator: torch.Generator) -> Tensor:
    """The row with noise where it is NaN or infinite."""
    if bool(torch.isfinite(row).all()):
        return row
    return torch.where(torch.isfinite(row), row, _noise(row, generator))


def _another(row: Tensor, generator: torch.Generator) -> Tensor:
    """An input unlike this one, with numbers of about its size."""
    flipped = row.flip(-1) * 0.8 - row.mean() * 0.3
    return flipped + 0.5 * max(float(row.std(correction=0)), 0.1) * _noise(row, generator)


def _scale(seed: int) -> int:
    """1, −2, 3, −4 …: a gate that is shut for inputs of one sign or size may be open for others."""
    return (1 + seed) * (-1) ** seed


def _noise(row: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(row.shape, generator=generator).to(row.device, row.dtype)
