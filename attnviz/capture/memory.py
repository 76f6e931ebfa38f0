"""Where the numbers of a pass's tensors lie. That tells what is the same in another layout, even when the
tensor that a function gave back has gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

# Functions that can give a copy of the same numbers back, in another order or another precision.
COPYING = {
    "contiguous",
    "clone",
    "reshape",
    "reshape_as",
    "flatten",
    "to",
    "type_as",
    "double",
    "float",
    "half",
    "bfloat16",
}


@dataclass(frozen=True)
class Memory:
    """The numbers of a tensor, until they are changed. They may go while this is kept, but then no others get
    the same storage."""

    storage: StorageWeakRef
    offset: int
    count: int
    version: int  # how often they had been changed in place

    def begins_like(self, other: Memory) -> bool:
        """Whether two begin at the same number."""
        return (self.storage, self.offset) == (other.storage, other.offset)


def has_memory(tensor: Tensor) -> bool:
    """Whether a tensor has numbers of its own, which it has not inside vmap."""
    try:
        tensor.data_ptr()
    except RuntimeError:
        return False
    return True


def storage_of(tensor: Tensor) -> StorageWeakRef | None:
    """The storage that a tensor is a part of; None if it has no memory."""
    try:
        return StorageWeakRef(tensor.untyped_storage())
    except RuntimeError:
        return None


def version_of(tensor: Tensor) -> int:
    """How often a tensor was changed in place; of one made in inference mode that is not known."""
    return 0 if tensor.is_inference() else tensor._version


class Memories:
    """The memory of the tensors of a pass; that of a copy is the one of what was copied."""

    def __init__(self) -> None:
        self._copied: dict[Memory, Memory] = {}

    def of(self, tensor: Tensor) -> Memory | None:
        """Where a tensor's numbers lie; None if it has none of its own."""
        memory = _memory_of(tensor)
        return None if memory is None else self._copied.get(memory, memory)

    def follow(self, func: Any, args: tuple, result: Any) -> None:
        """A function has given a result back for some arguments."""
        if getattr(func, "__name__", "") not in COPYING or not args or not isinstance(args[0], Tensor):
            return
        given, copy = self.of(args[0]), _memory_of(result) if isinstance(result, Tensor) else None
        if given is not None and copy is not None and copy.storage != given.storage:
            self._copied[copy] = given


def _memory_of(tensor: Tensor) -> Memory | None:
    storage = storage_of(tensor)
    if storage is None:
        return None
    return Memory(storage, int(tensor.storage_offset()), tensor.numel(), version_of(tensor))
