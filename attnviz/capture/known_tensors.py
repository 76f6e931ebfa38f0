"""What is known of the tensors of a pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .layouts import Layouts
from .marks import Marks
from .memory import Memories


@dataclass(frozen=True, eq=False)
class KnownTensors:
    """Their layouts, the functions that made them, and where their numbers lie."""

    layouts: Layouts = field(default_factory=Layouts)
    marks: Marks = field(default_factory=Marks)
    memories: Memories = field(default_factory=Memories)

    def follow(self, func: Any, args: tuple, kwargs: dict[str, Any], result: Any) -> None:
        """A function has given a result back for some arguments."""
        self.layouts.follow(func, args, kwargs, result)
        self.marks.follow(func, args, result)
        self.memories.follow(func, args, result)
