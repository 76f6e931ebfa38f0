"""``attnviz intervene``, ``sweep`` and ``ablate``: gates changed, and what the network then says."""

from __future__ import annotations

import json
import math
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from torch import nn
from tqdm import tqdm

from ..errors import AttnvizError, EditError
from ..interventions.ablation import Ablation
from ..interventions.ablation import ablate as ablate_network
from ..interventions.edit_json import Edits, edits_from_json
from ..interventions.edits import Edit
from ..interventions.intervention import intervene as intervene_in
from ..interventions.statistics import reestimated
from ..interventions.sweep import Sweep, SweepRow, label_of
from ..interventions.sweep import sweep as sweep_network
from ..zoo.registry import load
from .terminal import say, say_assumptions
from .threads import take_threads

MOST_CHANNELS = 20  # that are printed, unless all are wanted


def intervene(options: Namespace) -> int:
    """Print what a network says of a photo before and after its gates are changed."""
    edits = _edits(options)
    network = _opened(options)
    found = intervene_in(network, options.photo, edits, not options.hold, options.view, options.reference)
    rows = [["before", "", "after", ""]]
    for before, after in zip(found.before.top(5), found.after.top(5)):
        rows.append([before[0], f"{before[1]:.1%}", after[0], f"{after[1]:.1%}"])
    say(f"Changed network: {found.before.network}, on {found.before.photo.name}\n")
    say(_aligned(rows))
    changed = f"the answer is now {found.answer.label}" if found.changed else "the answer is the same"
    before_label = found.answer.label_before or "the score"
    say(f"\n{changed}; the score of {before_label} changes by {found.score_change:+.3f}")
    moved = [
        [layer, f"{size:.4f}", "edited" if layer in found.edits else ""]
        for layer, size in found.moved.items()
    ]
    say("\n" + _aligned([["layer", "mean change of its factor", ""], *moved]))
    _say_remarks(found.remarks)
    _write_json(options.json, found.to_json() if options.json else None)
    return 0


def sweep(options: Namespace) -> int:
    """Print by how much the answer moves when every layer, or channel, is changed in turn."""
    how = edits_in(options.how)
    network = _opened(options)
    found = sweep_network(
        network,
        options.photo,
        how,
        options.layer,
        recompute=not options.hold,
        view=options.view,
        reference=options.reference,
    )
    top = ", ".join(f"{label} {p:.1%}" for label, p in found.before.top(3))
    say(f"Changed network: {found.before.network}, on {found.before.photo.name} (before: {top})\n")
    rows = found.rows if options.layer is None or options.all else found.most(MOST_CHANNELS)
    say(_sweep_table(rows))
    if len(rows) < len(found.rows):
        say(f"\n{len(rows)} of {len(found.rows)} channels, those that move the score most: --all prints all")
    _say_remarks(found.remarks)
    _write_csv(options.csv, found)
    _write_json(options.json, found.to_json())
    return 0


def ablate(options: Namespace) -> int:
    """Print what each layer is worth over a folder of photos."""
    how = edits_in(options.how)
    network = _opened(options)
    found = _ablated(options, network, how, options.layer, options.state)
    accuracy = "" if found.accuracy_before is None else f", {found.accuracy_before:.1%} right as it is"
    say(f"Changed network: {found.network}, {found.photos} photos{accuracy}\n")
    say(_ablation_table(found))
    again = {label_of(edit): _reestimated(options, network, edit) for edit in how if options.reestimate}
    for name, share in again.items():
        said = "" if share is None else f": {share:.1%} right"
        say(f"\nall {name}, with the batch norms' statistics taken anew{said}")
    _say_remarks(found.remarks)
    _write_csv(options.csv, found)
    _write_json(options.json, {**found.to_json(), "accuracy_reestimated": again})
    return 0


def _ablated(
    options: Namespace,
    network: nn.Module,
    how: Sequence[Edit],
    layers: Sequence[str] | None,
    state: Path | None,
) -> Ablation:
    with tqdm(disable=None, leave=False, unit=" photos", file=sys.stderr) as line:

        def progress(done: int, count: int) -> None:
            line.total = count
            line.update(done - line.n)

        return ablate_network(
            network,
            options.folder,
            how,
            layers,
            not options.hold,
            options.view,
            options.reference,
            state=state,
            progress=progress,
        )


def _reestimated(options: Namespace, network: nn.Module, edit: Edit) -> float | None:
    """The accuracy with all layers changed and the batch norms' statistics taken anew."""
    copied = reestimated(
        network, options.reestimate, {"all": edit}, options.view, reference=options.reference
    )
    (row,) = _ablated(options, copied, [edit], ["all"], None).rows
    return row.accuracy


def _opened(options: Namespace) -> nn.Module:
    take_threads()
    network = load(options.network, labels=options.labels, **dict(options.built))
    say_assumptions(network)
    return network


def _edits(options: Namespace) -> Edits:
    """The edits that the options say. Raises EditError for what is none."""
    edits: Edits = {}
    if options.edits is not None:
        try:
            edits = edits_from_json(json.loads(options.edits.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            raise EditError("edits_file_unreadable", name=options.edits.name) from None
    for text in options.edit:
        layer, equals, said = text.partition("=")
        if not equals or not layer:
            raise EditError("edit_without_layer", text=text)
        edits[layer] = (*edits.get(layer, ()), _edit_in(said))
    if not edits:
        raise EditError("edits_missing")
    return edits


def edits_in(text: str) -> list[Edit]:
    """The edits of a text with commas between them; those of an object of JSON stand in it."""
    if text.lstrip().startswith(("{", "[")):
        return [_edit_in(text)]
    return [_edit_in(word.strip()) for word in text.split(",")]


def _edit_in(text: str) -> Edit:
    """The edit of a word such as "scale:0.5", or of an object of JSON. Raises EditError for what is none."""
    value: Any = text
    if text.startswith("{"):
        try:
            value = json.loads(text)
        except ValueError:
            raise EditError("edit_no_json", text=text) from None
    elif ":" in text:
        value = _with_argument(*text.split(":", 1))
    ((edit,),) = edits_from_json({"": value}).values()
    return edit


def _with_argument(name: str, said: str) -> dict[str, Any]:
    """An edit with what stands behind its name, as JSON has it."""
    try:
        match name:
            case "scale":
                return {"edit": name, "by": float(said)}
            case "shuffle":
                return {"edit": name, "seed": int(said)}
            case "set":
                channel, _, factor = said.partition("=")
                return {"edit": name, "channel": [[int(channel), float(factor)]]}
            case "patch":
                return {"edit": name, "photo": said}
    except ValueError:
        raise EditError("edit_argument_wrong", name=name, said=said) from None
    return {"edit": name, "part": said}


def _sweep_table(rows: Iterable[SweepRow]) -> str:
    lines = [["layer", "edit", "change of score", "divergence", "answer"]]
    for row in rows:
        place = row.layer if row.channel is None else f"{row.layer} channel {row.channel}"
        for done, said in row.answers.items():
            now = f"now {said.label}" if said.changed else "the same"
            lines.append([place, done, f"{said.score_change:+.3f}", _number(said.divergence), now])
    return _aligned(lines)


def _ablation_table(found: Ablation) -> str:
    lines = [["layer", "edit", "accuracy", "answers that change", "divergence", "change of score"]]
    for row in found.rows:
        accuracy = "" if row.accuracy is None else f"{row.accuracy:.1%}"
        numbers = [accuracy, f"{row.changed:.1%}", _number(row.divergence), f"{row.score_change:+.3f}"]
        lines.append([row.layer, row.how, *numbers])
    return _aligned(lines)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lines with their cells one below the other."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines
    )


def _say_remarks(remarks: Sequence[AttnvizError]) -> None:
    for remark in remarks:
        say(f"\n{remark}")


def _write_csv(path: Path | None, found: Sweep | Ablation) -> None:
    if path is not None:
        path.write_bytes(found.to_csv())


def _write_json(path: Path | None, value: dict[str, Any] | None) -> None:
    if path is not None:
        path.write_text(
            json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8", errors="backslashreplace"
        )
