"""Where edits take values from beside the photo itself, and what is to be known of how they were taken."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from ..capture.run import trace
from ..capture.trace import Trace
from ..errors import TraceRemark
from .edits import Patch
from .known_reference import reference_for
from .reference import Reference, ReferenceSource


class Sources:
    """What is usual for a network, and the gates of other photos: each is taken when an edit first needs it,
    and once."""

    def __init__(self, network: nn.Module, view: str, reference: ReferenceSource | None) -> None:
        self._network, self._view, self._source = network, view, reference
        self._traces: dict[Patch, Trace] = {}
        self._remarks: dict[str, TraceRemark] = {}
        self.used: Reference | None = None  # what was usual; None if no edit asked

    def reference(self) -> Reference:
        """What is usual. Raises as ``reference_for``."""
        if self.used is None:
            self.used = reference_for(self._network, self._source)
        return self.used

    def patched(self, patch: Patch) -> Trace:
        """What was traced of the other photo of a patch."""
        if isinstance(patch.photo, Trace):
            return patch.photo
        key = replace(patch, part=None)
        if key not in self._traces:
            self._traces[key] = trace(self._network, patch.photo, self._view, steps=False)
        return self._traces[key]

    def remark(self, remark: TraceRemark) -> None:
        """Note a sentence, which is said once."""
        self._remarks.setdefault(str(remark), remark)

    @property
    def remarks(self) -> tuple[TraceRemark, ...]:
        """What was noted."""
        return tuple(self._remarks.values())
