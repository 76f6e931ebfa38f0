"""The numbers of a bundle: every array as NPZ, channel weights as CSV."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
from torch import Tensor

from .selection import Selection

FORMULA_SIGNS = "=+-−@"  # a spreadsheet runs a cell that begins with one as a formula


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


def channels_csv(selections: Sequence[Selection]) -> bytes:
    """One row a channel: photo, network, layer, channel, weight; the weight is empty if it is unknown. A text
    that a spreadsheet would run as a formula is quoted."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("photo", "network", "layer", "channel", "weight"))
    for selection in selections:
        rows.writerows(_channel_rows(selection))
    return text.getvalue().encode(errors="backslashreplace")


def _channel_rows(selection: Selection) -> Iterator[tuple[str, ...]]:
    trace = selection.trace
    for name in selection.layers:
        weights = trace.layers[name].channel
        if weights is None:
            continue
        names = tuple(_quoted(text) for text in (trace.photo.name, trace.network, name))
        for index, weight in enumerate(weights):
            yield (*names, str(index), repr(float(weight)) if np.isfinite(weight) else "")


def _quoted(text: str) -> str:
    """A text with an apostrophe before it, if a spreadsheet may run it as a formula: signs count in all their
    widths, and blanks before them don't."""
    shown = (c for c in unicodedata.normalize("NFKC", text) if c.isprintable() and not c.isspace())
    is_formula = next(shown, " ") in FORMULA_SIGNS or text.startswith(("\t", "\r", "\n"))
    return f"'{text}" if is_formula else text
