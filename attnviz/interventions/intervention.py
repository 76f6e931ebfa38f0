"""One photo before and after gates were changed: ``intervene``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from torch import nn

from ..capture.changes import place_of
from ..capture.exclusive import exclusive_eval
from ..capture.inputs import PhotoSource, prepare
from ..capture.items import single_photo
from ..capture.plan import some, unwrapped
from ..capture.run import features_of_layers, form_of
from ..capture.trace import Features, Trace
from ..capture.traced_batch import TracedBatch, traced_batch
from ..errors import EditError, TraceRemark
from ..networks.card import card_of
from ..photos.geometry import VIEWS
from .answer import Answer, answer
from .edit_json import Edits, Said, edits_of, edits_to_json, photo_name
from .edits import Off, Patch
from .reference import FEW, Reference, ReferenceSource
from .resolving import LayerChanges, changes_for, spread, stacked
from .sources import Sources

MOVED = 1e-6  # mean size of a change of a factor beyond which it is said that a layer changed


@dataclass(frozen=True, eq=False)
class Intervention:
    """What a network said of a photo, and what it says with some gates changed.

    That an answer moves says what these gates do for this network, photo and edit. What a gate looks like
    says nothing of that: reading is not causing."""

    before: Trace
    after: Trace  # of the changed network, and called so
    edits: Edits  # layer -> what was done, in order
    recompute: bool  # whether all other gates were computed anew, or held as they were before
    reference: Reference | None = None  # what "usual" was; None if no edit asked
    remarks: tuple[TraceRemark, ...] = ()  # what is to be known of these edits

    @cached_property
    def answer(self) -> Answer:
        """What changed of the answer."""
        return answer(self.before, self.after.logits)

    @property
    def changed(self) -> bool:
        """Whether it is another answer."""
        return self.answer.changed

    @property
    def score_change(self) -> float:
        """By how much the score of the class before is now more, in logits."""
        return self.answer.score_change

    @cached_property
    def moved(self) -> dict[str, float]:
        """For each layer the mean size of the change of its factor, 0 where nothing changed; layers whose
        factor is not known are left out."""
        return moved(self.before, self.after)

    def to_json(self) -> dict[str, Any]:
        """All of it but the arrays, as plain values. Raises EditError where an edit has a photo in memory."""
        return {
            "changed_network": self.before.network,
            "photo": self.before.photo.name,
            "edits": edits_to_json(self.edits),
            "recompute": self.recompute,
            "usual_of_photos": self.reference.photos if self.reference else None,
            "answer_before": self.before.top(5),
            "answer_after": self.after.top(5),
            "changed": self.changed,
            "score_change": self.score_change,
            "divergence": None if np.isnan(self.answer.divergence) else self.answer.divergence,
            "moved": self.moved,
            "remarks": [str(remark) for remark in self.remarks],
        }

    def __repr__(self) -> str:
        """A few lines: what was done, what was said before and is said now."""
        before, after = (
            ", ".join(f"{label} {p:.1%}" for label, p in trace.top(3)) for trace in (self.before, self.after)
        )
        done = ", ".join(
            f"{layer} {'+'.join(edit.name for edit in each)}" for layer, each in self.edits.items()
        )
        same = f"now {self.answer.label}" if self.changed else "same answer"
        lines = [
            f"Intervention in {self.before.network}: {done}",
            f"before: {before}",
            f"after: {after}",
            f"{same}; score of the class before {self.score_change:+.3f}",
            *map(str, self.remarks),
        ]
        return "\n  ".join(lines)


def moved(before: Trace, after: Trace) -> dict[str, float]:
    """For each layer the mean size of the change of its factor, see ``Intervention.moved``."""
    sizes = {}
    for name, layer in before.layers.items():
        changed = after.layers.get(name)
        if changed is not None and "none" not in (layer.formula, changed.formula):
            sizes[name] = float(np.nanmean(np.abs(changed.factor() - layer.factor())))
    return sizes


def intervene(
    network: nn.Module,
    photo: PhotoSource,
    edits: Mapping[str, Said],
    recompute: bool = True,
    view: str = "whole",
    reference: ReferenceSource | None = None,
    before: Trace | None = None,
    steps: bool = True,
) -> Intervention:
    """Run one photo through a network as it is and with changed gates, and hold both against each other.

    ``edits`` maps layers, as a trace names them, or "all", to edits of ``edits``: "off", "usual", "flat",
    "shuffle", an object such as ``Set(channel={17: 0.0})``, or several of these, made in order. All later
    gates are computed anew, as the network would; with ``recompute`` False every other gate is held at its
    value before, so that what is left is the direct effect. ``reference`` says what is usual: a
    ``Reference``, its file, photos, or a folder of photos; without one it is what lies with the network, or
    else the mean over the example photos that come with attnviz. A trace ``before`` of this photo in this
    view saves a pass. The network is never changed itself: other threads that use it see nothing. The rest is
    as in ``trace``.

    A gate is changed where it is computed or multiplied, so that its own values change nothing bit for bit;
    one that is known only as a module's output ÷ input is changed there, to about 1e-5.

    Raises EditError for an edit that can't be made, and what ``trace`` raises."""
    network, said = unwrapped(network), edits_of(edits)
    if not said:
        raise ValueError("edits is empty: name a layer and what is done to it")
    batch = traced_photo(network, photo, view, before, steps)
    sources = Sources(network, view, reference)
    trace_before = batch.traces[0]
    made = spread(said, trace_before)
    changes = without_unplaced(batch, changes_for(said, trace_before, sources, recompute), made, sources)
    after = batch.changed(changes)[0]
    remarks = (*sources.remarks, *remarks_on(network, made, sources))
    marked = replace(
        after,
        edits={"layers": _described(made), "recompute": recompute},
        remarks=(*after.remarks, _mark(trace_before, made), *remarks),
    )
    return Intervention(trace_before, marked, made, recompute, sources.used, remarks)


def changed_features(
    network: nn.Module,
    before: Trace,
    edits: Edits,
    layers: Sequence[str],
    view: str = "whole",
    reference: ReferenceSource | None = None,
) -> dict[str, Features]:
    """Features before and after layers' gates in a changed network, by name, from one pass. ``before`` is a
    trace of the photo in the network as it is; the rest is as in ``intervene``."""
    network = unwrapped(network)
    changes = changes_for(edits, before, Sources(network, view, reference))
    return features_of_layers(network, before.source, layers, view, changes)


def traced_photo(
    network: nn.Module, photo: PhotoSource, view: str, before: Trace | None, steps: bool = False
) -> TracedBatch:
    """One photo traced, unless it was before, and ready to run again."""
    if view not in VIEWS:
        raise ValueError(f"view is {view!r}; it can be {' or '.join(map(repr, VIEWS))}")
    modules = dict(network.named_modules())
    with exclusive_eval(network, list(modules.values())):
        form = form_of(network, modules)
    prepared = prepare(single_photo(photo, form), card_of(network), view, form)
    return traced_batch(network, modules, [prepared], steps, () if before is None else (before,))


def without_unplaced(
    batch: TracedBatch, changes: dict[str, LayerChanges], edits: Edits, sources: Sources
) -> dict[str, LayerChanges]:
    """The changes without those of layers that were only to be held as they are, and can't be."""
    taps = {tap.layer: tap for tap in batch.plan.taps}
    kept = {}
    for layer, parts in changes.items():
        tap = taps[layer.partition(" #")[0]]
        if layer in edits or all(place_of(tap, part) is not None for part in parts):
            kept[layer] = parts
        else:
            sources.remark(TraceRemark("edit_not_frozen", layer=layer))
    return kept


def batch_changes(
    batch: TracedBatch, edits: Edits, sources: Sources, recompute: bool = True
) -> dict[str, LayerChanges]:
    """What edits come to for each input of a batch, as changes of all of them. Raises as ``changes_for``, and
    EditError where it is not known whose the rows of a batch are."""
    if len(batch.inputs) > 1 and not batch.is_in_order():
        raise EditError("edit_rows_turned", name=card_of(batch.network).name)
    return stacked(
        [
            without_unplaced(
                batch, changes_for(edits, trace, sources, recompute), spread(edits, trace), sources
            )
            for trace in batch.traces
        ]
    )


def remarks_on(network: nn.Module, edits: Edits, sources: Sources) -> list[TraceRemark]:
    """What is to be known of edits whoever asks: that "off" is not what training saw, and how few photos say
    what is usual."""
    remarks = []
    off = [layer for layer, each in edits.items() if any(isinstance(edit, Off) for edit in each)]
    if off and _has_norms(network):
        remarks.append(TraceRemark("edit_off_with_norms", layers=some(off)))
    elif off:
        remarks.append(TraceRemark("edit_off", layers=some(off)))
    if sources.used is not None and sources.used.photos < FEW:
        remarks.append(TraceRemark("reference_of_few", count=sources.used.photos, few=FEW))
    return remarks


def _has_norms(network: nn.Module) -> bool:
    norms = (nn.modules.batchnorm._BatchNorm,)
    return card_of(network).folded or any(isinstance(module, norms) for module in network.modules())


def _mark(before: Trace, edits: Edits) -> TraceRemark:
    return TraceRemark("network_changed", name=before.network, layers=some(edits))


def _described(edits: Edits) -> dict[str, Any]:
    """The edits as JSON, for whoever only shows them: a photo in memory by its name."""
    try:
        return edits_to_json(edits)
    except EditError:
        named = {
            layer: tuple(
                replace(edit, photo=photo_name(edit.photo)) if isinstance(edit, Patch) else edit
                for edit in each
            )
            for layer, each in edits.items()
        }
        return edits_to_json(named)
