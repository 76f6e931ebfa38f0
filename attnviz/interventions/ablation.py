"""Every layer changed in turn over a folder of photos: ``ablate``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from torch import nn

from ..capture.batches import Batch, of_one_size
from ..capture.exclusive import exclusive_eval
from ..capture.input_form import InputForm
from ..capture.inputs import prepare
from ..capture.plan import unwrapped
from ..capture.run import form_of
from ..capture.traced_batch import TracedBatch, traced_batch
from ..csv_table import table
from ..errors import AttnvizError, EditError, PhotoError, TraceError, TraceRemark
from ..networks.card import card_of
from ..photos.geometry import VIEWS
from .ablation_state import AblationState, state_of, weights_digest
from .answer import answer
from .edit_json import Edits, Said, edits_of, edits_to_json
from .edits import Edit, Usual
from .intervention import batch_changes, remarks_on
from .known_reference import kept_reference
from .labelled_photos import LabelledPhotos, labelled_photos
from .reference import Reference, ReferenceSource
from .resolving import EVERY
from .sources import Sources
from .sweep import label_of
from .tally import Tally

HOW = ("usual", "off", "flat")
REFERENCE_PHOTOS = 200  # of the folder, for what is usual: a channel's mean is known to about 0.012
COLUMNS = (
    *("network", "layer", "edit", "photos", "accuracy before", "accuracy", "changed", "divergence"),
    "score change",
)
Progress: TypeAlias = Callable[[int, int], None]  # is told photos that are done, and all


@dataclass(frozen=True)
class AblationRow:
    """One layer with one edit, or "all" layers that have a factor at once, over N photos."""

    layer: str
    how: str
    photos: int
    accuracy: float | None  # share of the photos that are answered rightly; None where classes are not known
    changed: float  # share of the photos whose answer is another one
    divergence: float  # mean of Kullback and Leibler's, before ‖ after, in nats; NaN without probabilities
    score_change: float  # mean change of the score of the class before, in logits


@dataclass(frozen=True, eq=False)
class Ablation:
    """What a network says of photos where one layer after another is changed, and where all are."""

    network: str
    photos: int
    accuracy_before: float | None
    rows: tuple[AblationRow, ...]
    recompute: bool
    reference: Reference | None = None  # what "usual" was
    remarks: tuple[AttnvizError, ...] = ()  # what is to be known of it, and photos that can't be opened

    def records(self) -> Iterator[tuple[Any, ...]]:
        """A record a row, with values as in ``COLUMNS``."""
        before = math.nan if self.accuracy_before is None else self.accuracy_before
        for row in self.rows:
            accuracy = math.nan if row.accuracy is None else row.accuracy
            said = (row.photos, before, accuracy, row.changed, row.divergence, row.score_change)
            yield f"changed network: {self.network}", row.layer, row.how, *said

    def to_csv(self) -> bytes:
        """The records as a CSV file."""
        return table(COLUMNS, self.records())

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values; None where a number is not known."""
        rows = [
            {name: None if value != value else value for name, value in asdict(row).items()}
            for row in self.rows
        ]
        return {
            "changed_network": self.network,
            "photos": self.photos,
            "accuracy_before": self.accuracy_before,
            "recompute": self.recompute,
            "usual_of_photos": self.reference.photos if self.reference else None,
            "rows": rows,
            "remarks": [str(remark) for remark in self.remarks],
        }

    def __repr__(self) -> str:
        """A line a row, of the first of them."""
        lines = [f"Ablation of {self.network} over {self.photos} photos"]
        for row in self.rows[:12]:
            right = "" if row.accuracy is None else f"{row.accuracy:.1%} right, "
            lines.append(f"{row.layer} {row.how}: {right}{row.changed:.1%} changed, KL {row.divergence:.3f}")
        return "\n  ".join(lines)


def ablate(
    network: nn.Module,
    photos: str | Path | Iterable[str | Path],
    how: Said = HOW,
    layers: Sequence[str] | None = None,
    recompute: bool = True,
    view: str = "crop",
    reference: ReferenceSource | None = None,
    batch_size: int = 8,
    state: str | Path | None = None,
    progress: Progress | None = None,
) -> Ablation:
    """Change every layer of a network in turn over photos, each alone, then all together, and count.

    ``photos`` is a folder of class folders, as the network's classes, another folder of pictures, or paths;
    without classes there is no accuracy. ``how`` is an edit as ``intervene`` takes it, or several, each by
    itself; ``layers`` are those to change, or all that can be. What is usual is the mean over ``reference``,
    or, without one, what lies with the network, or else the mean over 200 of these photos. Memory does not
    grow with the photos. With a file ``state`` what was counted is written after every ``batch_size`` photos,
    and a call with the same arguments goes on from there, to the same numbers bit for bit. Photos that can't
    be opened are left out and named in ``remarks``.

    Raises EditError for a ``state`` of something else, and for layers none of which can be changed;
    AttnvizError for a folder without photos, or of another number of classes."""
    if view not in VIEWS:
        raise ValueError(f"view is {view!r}; it can be {' or '.join(map(repr, VIEWS))}")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it is at least 1")
    network = unwrapped(network)
    given, edits = labelled_photos(photos, card_of(network)), edits_of({"how": how})["how"]
    if reference is None and any(isinstance(edit, Usual) for edit in edits):
        reference = kept_reference(network)
    usual = given.spread(REFERENCE_PHOTOS) if reference is None else reference
    run = _Ablating(network, given, edits, layers, recompute, view, Sources(network, view, usual))
    about = {**run.about(), "batch": batch_size, "usual": None if reference is None else _named(reference)}
    counted = run.count(state_of(None if state is None else Path(state), about), batch_size, state, progress)
    return run.result(counted)


def _named(reference: ReferenceSource) -> str:
    """What a reference is told by."""
    return reference.digest if isinstance(reference, Reference) else str(reference)


@dataclass(eq=False)
class _Ablating:
    """One call of ``ablate``: what is changed, in which network, over which photos."""

    network: nn.Module
    given: LabelledPhotos
    edits: tuple[Edit, ...]
    layers: Sequence[str] | None
    recompute: bool
    view: str
    sources: Sources

    def __post_init__(self) -> None:
        self.modules = dict(self.network.named_modules())
        self.card = card_of(self.network)

    def about(self) -> dict[str, Any]:
        """What a state is held against."""
        return {
            "network": self.card.name,
            "weights": weights_digest(self.network),
            "photos": self.given.digest,
            "how": edits_to_json({"how": self.edits})["how"],
            "layers": None if self.layers is None else list(self.layers),
            "recompute": self.recompute,
            "view": self.view,
        }

    def count(
        self, state: AblationState, size: int, path: str | Path | None, progress: Progress | None
    ) -> AblationState:
        """The state after all photos."""
        files, where = self.given.files, None if path is None else Path(path)
        with exclusive_eval(self.network, list(self.modules.values())):
            form = form_of(self.network, self.modules)
        for start in range(state.done * size, len(files), size):
            numbers = range(start, min(start + size, len(files)))
            self._count_batch(state, numbers, form)
            state.done += 1
            state.save(where)
            if progress is not None:
                progress(numbers[-1] + 1, len(files))
        return state

    def _count_batch(self, state: AblationState, numbers: Sequence[int], form: InputForm) -> None:
        inputs, known = [], []
        for number in numbers:
            try:
                inputs.append(prepare(self.given.files[number], self.card, self.view, form))
                known.append(number)
            except PhotoError:
                state.left_out.append(self.given.files[number].name)
        for places in of_one_size(inputs):
            self._count_inputs(state, [inputs[place] for place in places], [known[place] for place in places])

    def _count_inputs(self, state: AblationState, inputs: Batch, numbers: list[int]) -> None:
        batch = traced_batch(self.network, self.modules, inputs, steps=False)
        before = np.stack([trace.logits for trace in batch.traces])
        self._add(state.tally("", ""), batch, before, numbers)
        kept = None
        for layer in self._layers(batch):
            for edit in self.edits:
                changes = self._changes(batch, layer, edit)
                if changes is None:
                    continue
                if layer != EVERY and self.recompute:
                    kept = batch.kept_before(layer, kept)
                start = kept if layer != EVERY and self.recompute else None
                scores = batch.changed_scores(changes, start)
                self._add(state.tally(layer, label_of(edit)), batch, scores, numbers)

    def _layers(self, batch: TracedBatch) -> list[str]:
        """The layers to change, and "all"."""
        there = batch.traces[0].layers
        if self.layers is None:
            return [*(name for name, layer in there.items() if layer.formula != "none"), EVERY]
        for name in self.layers:
            if name != EVERY and name not in there:
                raise TraceError("layer_unknown", layer=name, name=self.card.name)
        return [name for name in (*there, EVERY) if name in self.layers]

    def _changes(self, batch: TracedBatch, layer: str, edit: Edit) -> Any:
        """What an edit of a layer comes to; None where it can't be made, which is noted."""
        edits: Edits = {layer: (edit,)}
        try:
            return batch_changes(batch, edits, self.sources, self.recompute)
        except EditError as error:
            if error.key == "edit_rows_turned":
                raise
            self.sources.remark(TraceRemark("sweep_left_out", layer=layer, why=str(error)))
            return None

    def _add(self, tally: Tally, batch: TracedBatch, scores: np.ndarray, numbers: list[int]) -> None:
        targets = self.given.targets
        for trace, said, number in zip(batch.traces, scores, numbers):
            is_right = targets is not None and int(np.argmax(said)) == targets[number]
            tally.add(answer(trace, said), is_right)

    def result(self, state: AblationState) -> Ablation:
        """The rows of what was counted. Raises EditError if nothing could be changed."""
        before = state.tallies.get(("", ""), Tally())
        rows = tuple(
            AblationRow(
                layer,
                how,
                tally.photos,
                self._accuracy(tally),
                tally.mean("changed"),
                tally.mean("divergence"),
                tally.mean("score_change"),
            )
            for (layer, how), tally in state.tallies.items()
            if layer
        )
        if not rows:
            raise EditError("ablation_of_nothing", name=self.card.name)
        left_out = [TraceRemark("photo_left_out", name=name) for name in state.left_out]
        edited: Edits = {row.layer: self.edits for row in rows if row.layer != EVERY}
        remarks = (*self.sources.remarks, *remarks_on(self.network, edited, self.sources), *left_out)
        accuracy = self._accuracy(before)
        return Ablation(
            self.card.name, before.photos, accuracy, rows, self.recompute, self.sources.used, remarks
        )

    def _accuracy(self, tally: Tally) -> float | None:
        return None if self.given.targets is None else tally.mean("right")
