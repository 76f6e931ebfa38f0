"""The weights in an open file: their shapes at once, their numbers one tensor at a time, so that a network
needs no second copy of them in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import NetworkError
from .fault import CheckpointFault, printable
from .formats import File, Ranges, dtype_of
from .pickle_reader import Claim

PIECE = 100_000  # numbers read together


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor of a file: what is claimed of it, and where in the file the numbers of each storage lie."""

    file: File
    claim: Claim
    ranges: Ranges


class StoredWeights(Mapping[str, Tensor]):
    """A state dict whose tensors are read when they are asked for, each time anew, on the CPU and in the
    file's type of numbers, while the file is open, or the files.

    Raises NetworkError for a tensor that is damaged or has numbers that are not finite."""

    def __init__(self, name: str, entries: dict[str, Entry]) -> None:
        self._name, self._entries = name, entries
        self.shapes = {key: entry.claim.shape for key, entry in entries.items()}  # in the file's order
        self._piece = torch.empty(PIECE, dtype=torch.float64)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, key: str) -> Tensor:
        entry = self._entries[key]
        claim = entry.claim
        with faults_named(self._name):
            numbers = _empty(claim.span, dtype_of(claim.storage))
            _read(entry, 0, numbers)
            for start in range(0, len(numbers), PIECE):
                _check_finite(numbers[start : start + PIECE], key)
            return numbers.as_strided(claim.shape, claim.stride)

    def take(self, key: str) -> Tensor:
        """The tensor of this key, row by row in memory of its own, in float32 if it is not of whole numbers.

        It is read in pieces: nothing is freed between the tensors of a network, which would leave holes."""
        entry = self._entries[key]
        claim = entry.claim
        with faults_named(self._name):
            dtype = dtype_of(claim.storage)
            if claim.span != claim.size or not _is_row_by_row(claim):
                return widened(self[key]).contiguous()
            target = _empty(claim.size, torch.float32 if dtype.is_floating_point else dtype)
            for start in range(0, claim.size, PIECE):
                part = target[start : start + PIECE]
                numbers = self._piece.view(dtype)[: len(part)]
                _read(entry, start, numbers)
                _check_finite(numbers, key)
                part.copy_(numbers)
            return target.reshape(claim.shape)


def _read(entry: Entry, start: int, numbers: Tensor) -> None:
    """Fill ``numbers`` with those of a tensor's storage, from its first and ``start`` on."""
    if not len(numbers):
        return
    first, _ = entry.ranges[entry.claim.storage.key]
    entry.file.seek(first + (entry.claim.offset + start) * numbers.element_size())
    content = numbers.view(torch.uint8).numpy()
    if entry.file.readinto(content) != numbers.nbytes:  # type: ignore[arg-type]
        raise ValueError("cut off")


def widened(tensor: Tensor) -> Tensor:
    """A tensor in float32, if it is not of whole numbers."""
    return tensor.float() if tensor.is_floating_point() else tensor


@contextmanager
def faults_named(name: str) -> Iterator[None]:
    """Raise whatever a file of this name leads to as a NetworkError, one sentence."""
    try:
        yield
    except CheckpointFault as fault:
        raise fault.error(name) from None
    except NetworkError:  # which has a name
        raise
    except MemoryError:
        raise NetworkError("checkpoint_out_of_memory", name=name) from None
    # zipfile, json and pickletools raise what they like: BadZipFile, ValueError, IndexError, struct.error, …
    except Exception:
        raise NetworkError("checkpoint_damaged", name=name) from None


def _empty(count: int, dtype: torch.dtype) -> Tensor:
    try:
        return torch.empty(count, dtype=dtype)
    except RuntimeError:  # torch's word for memory that is not there
        raise MemoryError from None


def _is_row_by_row(claim: Claim) -> bool:
    steps = [math.prod(claim.shape[side + 1 :]) for side in range(len(claim.shape))]
    return all(side <= 1 or stride == step for side, stride, step in zip(claim.shape, claim.stride, steps))


def _check_finite(numbers: Tensor, key: str) -> None:
    if numbers.is_floating_point() and not all(math.isfinite(extreme) for extreme in numbers.aminmax()):
        raise CheckpointFault("checkpoint_has_nan", tensor=printable(key))
