"""The numbers of a bundle: every array as NPZ."""

from __future__ import annotations

import io

import numpy as np
from torch import Tensor

from .selection import Selection


def arrays(selection: Selection) -> dict[str, np.ndarray]:
    """The arrays of a trace by name.

    ``logits``; the parts of each layer, ``LAYER.channel``, ``.spatial``, ``.channel_logits`` and so on, and
    its steps, ``LAYER.step.NAME``; the features of each channel, ``LAYER.channel-N.before`` and ``.after``;
    and, of a trace of a tensor, which no photo could make again, the ``input``."""
    trace = selection.trace
    named = {"logits": trace.logits}
    for name in selection.layers:
        layer = trace.layers[name]
        for part, values in vars(layer).items():
            if isinstance(values, np.ndarray):
                named[f"{name}.{part}"] = values
        for step in layer.steps:
            named[f"{name}.step.{step.name}"] = step.values
    for channel in selection.channels:
        named[f"{channel.name}.before"] = channel.before
        named[f"{channel.name}.after"] = channel.after
    if isinstance(trace.source, Tensor):
        named["input"] = trace.source.float().cpu().numpy()
    return named


def arrays_npz(selection: Selection) -> bytes:
    """The arrays of a trace as a compressed file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays(selection))  # type: ignore[arg-type]
    return buffer.getvalue()
