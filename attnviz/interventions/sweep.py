"""Every layer of a network, or every channel of a layer, changed in turn for one photo: ``sweep``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from ..capture.inputs import PhotoSource
from ..capture.kept_features import KeptFeatures
from ..capture.layer_attention import FORMULAS
from ..capture.plan import unwrapped
from ..capture.trace import Trace
from ..capture.traced_batch import TracedBatch
from ..csv_table import table
from ..errors import EditError, TraceError, TraceRemark
from ..networks.card import card_of
from .answer import Answer, answer
from .edit_json import Edits, Said, edits_of
from .edits import Edit, Set
from .intervention import remarks_on, traced_photo, without_unplaced
from .reference import Reference, ReferenceSource
from .resolving import LayerChanges, changes_for, stacked
from .sources import Sources

AT_ONCE = 32  # changed passes in a batch, at most
MOST_KEPT = 256 * 2**20  # bytes of features that such a batch is handed
COLUMNS = ("network", "photo", "layer", "channel", "edit", "answer", "changed", "score change", "divergence")


@dataclass(frozen=True, eq=False)
class SweepRow:
    """One layer, or one channel of it, and what the network says with each edit of it alone."""

    layer: str
    channel: int | None  # None: the whole layer
    answers: dict[str, Answer]  # by what was done: "usual", "off" …, or the factor that a channel was set to


@dataclass(frozen=True, eq=False)
class Sweep:
    """What a network says of one photo with every layer, or channel, changed in turn."""

    before: Trace
    rows: tuple[SweepRow, ...]  # in running order, or by channel
    recompute: bool
    reference: Reference | None = None  # what "usual" was
    remarks: tuple[TraceRemark, ...] = ()

    def most(self, count: int = 5) -> list[SweepRow]:
        """The rows whose edits move the score of the class before most, the most first."""
        return sorted(self.rows, key=lambda row: -_size(row))[:count]

    def records(self) -> Iterator[tuple[Any, ...]]:
        """A record for each row and edit, with values as in ``COLUMNS``."""
        name = f"changed network: {self.before.network}"
        for row in self.rows:
            channel = "" if row.channel is None else row.channel
            for done, said in row.answers.items():
                numbers = (said.label or "", said.changed, said.score_change, said.divergence)
                yield name, self.before.photo.name, row.layer, channel, done, *numbers

    def to_csv(self) -> bytes:
        """The records as a CSV file."""
        return table(COLUMNS, self.records())

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "changed_network": self.before.network,
            "photo": self.before.photo.name,
            "recompute": self.recompute,
            "usual_of_photos": self.reference.photos if self.reference else None,
            "answer_before": self.before.top(5),
            "rows": [
                {
                    "layer": row.layer,
                    "channel": row.channel,
                    "edits": {done: said.to_json() for done, said in row.answers.items()},
                }
                for row in self.rows
            ],
            "remarks": [str(remark) for remark in self.remarks],
        }

    def __repr__(self) -> str:
        """A line a row, of the first of them."""
        lines = [f"Sweep of {len(self.rows)} rows in {self.before.network}"]
        for row in self.rows[:12]:
            place = row.layer if row.channel is None else f"{row.layer} {row.channel}"
            lines.append(f"{place}: " + ", ".join(f"{done} {said}" for done, said in row.answers.items()))
        return "\n  ".join(lines)


def _size(row: SweepRow) -> float:
    return max(abs(said.score_change) for said in row.answers.values())


def sweep(
    network: nn.Module,
    photo: PhotoSource,
    how: Said = "usual",
    layer: str | None = None,
    channels: Sequence[int] | None = None,
    recompute: bool = True,
    view: str = "whole",
    reference: ReferenceSource | None = None,
    before: Trace | None = None,
) -> Sweep:
    """Change every layer of a network in turn, each alone, and hold what it says against what it said before.

    ``how`` is an edit as ``intervene`` takes it, or several, each of which is made in a pass of its own. With
    a ``layer`` its channels are changed in turn, all or those named, each to the least and the greatest that
    a factor can be there, 0 and 1 (BAM: 1 and 2). Layers that can't be changed are left out, and named in
    ``remarks``. A pass begins at the layer that is changed, from features that were kept, so that all layers
    together take about half of as many passes. The rest is as in ``intervene``, and so is what is raised."""
    network = unwrapped(network)
    batch, sources = traced_photo(network, photo, view, before), Sources(network, view, reference)
    if layer is None:
        edits = edits_of({"how": how})["how"]
        rows = _layers(batch, edits, sources, recompute)
        edited = {row.layer: edits for row in rows}
    else:
        rows, edited = _channels(batch, layer, channels, recompute, sources), {}
    remarks = (*sources.remarks, *remarks_on(network, edited, sources))
    return Sweep(batch.traces[0], tuple(rows), recompute, sources.used, remarks)


def label_of(edit: Edit) -> str:
    """What a row calls an edit."""
    part = getattr(edit, "part", None)
    return f"{edit.name} {part}" if part else edit.name


def _layers(batch: TracedBatch, edits: Sequence[Edit], sources: Sources, recompute: bool) -> list[SweepRow]:
    before, rows = batch.traces[0], []
    kept: KeptFeatures | None = None
    for name, layer in before.layers.items():
        if layer.formula == "none":
            sources.remark(TraceRemark("edit_without_factor", layer=name))
            continue
        changed = {}
        for edit in edits:
            try:
                changed[label_of(edit)] = one_layer(batch, name, edit, sources, recompute)
            except EditError as error:
                sources.remark(TraceRemark("sweep_left_out", layer=name, why=str(error)))
        answers = {}
        for done, changes in changed.items():
            kept = batch.kept_before(name, kept) if recompute else None
            answers[done] = answer(before, batch.changed_scores(changes, kept)[0])
        if answers:
            rows.append(SweepRow(name, None, answers))
    return rows


def one_layer(
    batch: TracedBatch, layer: str, edit: Edit, sources: Sources, recompute: bool
) -> dict[str, LayerChanges]:
    """What one edit of one layer comes to for a batch's only input."""
    edits: Edits = {layer: (edit,)}
    changes = changes_for(edits, batch.traces[0], sources, recompute)
    return without_unplaced(batch, changes, edits, sources)


def _channels(
    batch: TracedBatch, name: str, channels: Sequence[int] | None, recompute: bool, sources: Sources
) -> list[SweepRow]:
    before = batch.traces[0]
    if name not in before.layers:
        raise TraceError("layer_unknown", layer=name, name=card_of(batch.network).name)
    layer = before.layers[name]
    wanted = range(layer.shape[0]) if channels is None else channels
    limits = FORMULAS[layer.formula]
    tasks = [(channel, value) for channel in wanted for value in limits]
    changes = [one_layer(batch, name, Set({channel: value}), sources, recompute) for channel, value in tasks]
    scores = _scores_of_all(batch, changes, name if recompute else None)
    answers: dict[int, dict[str, Answer]] = {}
    for (channel, value), said in zip(tasks, scores):
        answers.setdefault(channel, {})[f"{value:g}"] = answer(before, said)
    return [SweepRow(name, channel, each) for channel, each in answers.items()]


def _scores_of_all(
    batch: TracedBatch, changes: Sequence[dict[str, LayerChanges]], behind: str | None
) -> Iterator[Any]:
    """The scores of one input with each of the changes, many in a pass, which begins at the layer ``behind``
    which they all stand; None: at the input."""
    start, kept = 0, None
    while start < len(changes):
        kept = None if behind is None else batch.kept_before(behind, kept)
        count = AT_ONCE if kept is None else max(1, min(AT_ONCE, MOST_KEPT // max(1, kept.byte_count)))
        some = changes[start : start + count]
        yield from batch.changed_scores(stacked(some), kept, len(some))
        start += count
