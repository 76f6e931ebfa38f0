"""What an edit of a layer comes to in numbers: times · part + plus for every part of its factor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..capture.changes import Change
from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from ..errors import EditError, TraceError, TraceRemark
from .edit_json import Edits
from .edits import Edit, Flat, Off, Patch, Scale, Set, Shuffle, Usual, permutation
from .sources import Sources

EVERY = "all"  # in place of a layer's name: all layers that have a factor
LayerChanges = dict[str, Change]  # part -> what becomes of it


def changes_for(
    edits: Edits, before: Trace, sources: Sources, recompute: bool = True
) -> dict[str, LayerChanges]:
    """What edits of some layers come to for one photo, by the pass before; with ``recompute`` False also what
    holds the gates of all other layers at their values of that pass. Raises TraceError for a layer that there
    is not, EditError for an edit that can't be made."""
    edits = spread(edits, before)
    changes = {}
    for name, layer in before.layers.items():
        parts = _edited(layer, edits.get(name, ()), sources, recompute)
        if parts:
            changes[name] = parts
    return changes


def spread(edits: Edits, before: Trace) -> Edits:
    """The edits with "all" replaced by the layers that have a factor. Raises TraceError for an unknown
    layer."""
    every = [name for name, layer in before.layers.items() if layer.formula != "none"]
    found: Edits = {}
    for name, each in edits.items():
        if name != EVERY and name not in before.layers:
            raise TraceError("layer_unknown", layer=name, name=before.network)
        for layer in every if name == EVERY else [name]:
            found[layer] = (*found.get(layer, ()), *each)
    return {name: found[name] for name in before.layers if name in found}


def stacked(changes: Sequence[dict[str, LayerChanges]]) -> dict[str, LayerChanges]:
    """The changes of several inputs as those of a batch of them."""
    return {
        layer: {part: Change.stacked([each[layer][part] for each in changes]) for part in parts}
        for layer, parts in changes[0].items()
    }


def _edited(layer: LayerAttention, edits: Sequence[Edit], sources: Sources, recompute: bool) -> LayerChanges:
    if edits:
        _check(layer)
    made: dict[str, Change] = {}
    for edit in edits:
        for part, change in _one(layer, edit, sources).items():
            made[part] = made[part].then(change) if part in made else change
    if recompute:
        return made
    if layer.formula == "none":
        sources.remark(TraceRemark("edit_not_frozen", layer=layer.name))
        return made
    of_branches = any(part.endswith("logits") for part in made)
    parts = ("channel_logits", "spatial_logits") if of_branches else _whole(layer)
    frozen = {part: _put(own(layer, part)) for part in parts}
    return {
        part: frozen[part].then(made[part]) if part in made and part in frozen else each
        for part, each in {**frozen, **made}.items()
    }


def _check(layer: LayerAttention) -> None:
    """Raises EditError for a layer that has no factor, or none that is known."""
    if layer.formula == "none":
        raise EditError("edit_without_factor", layer=layer.name)
    if all(bool(own(layer, part).isnan().all()) for part in _whole(layer)):
        raise EditError("edit_undefined", layer=layer.name)


def _whole(layer: LayerAttention) -> tuple[str, ...]:
    """The parts that together are the factor."""
    if layer.averaged:
        return ("joint",)
    return tuple(part for part in ("channel", "spatial") if getattr(layer, part) is not None)


def _parts(layer: LayerAttention, part: str | None) -> tuple[str, ...]:
    """The parts that an edit of a part, or of all of it, is made of. Raises EditError if there is none."""
    whole = _whole(layer)
    if part is None:
        return whole
    if layer.formula.startswith("bam"):
        return (f"{part}_logits",)
    if whole == ("joint",):
        raise EditError("edit_joint", layer=layer.name)
    if part not in whole:
        raise EditError("edit_part_missing", layer=layer.name, part=part, parts=", ".join(whole))
    return (part,)


def own(layer: LayerAttention, part: str) -> Tensor:
    """A part of a layer's factor as (1, C, 1, 1), (1, 1, h, w) or (1, C, h, w), of other dimensions where the
    features have others."""
    if part == "joint":
        return torch.from_numpy(np.ascontiguousarray(layer.factor()))[None]
    return _as_part(np.asarray(getattr(layer, part)), part, len(layer.shape) - 1)


def _as_part(values: np.ndarray, part: str, positions: int) -> Tensor:
    tensor = torch.from_numpy(np.ascontiguousarray(values, np.float32))
    if part.startswith("channel"):
        return tensor.reshape(1, -1, *[1] * positions)
    return tensor[None] if part == "joint" else tensor[None, None]


def _put(values: Tensor) -> Change:
    """Puts values in place of a part; where one is undefined, the part's own stays."""
    undefined = values.isnan()
    return Change(undefined.to(values.dtype), values.nan_to_num())


def _one(layer: LayerAttention, edit: Edit, sources: Sources) -> LayerChanges:
    if isinstance(edit, Set):
        return _set(layer, edit)
    if isinstance(edit, Off):
        return _off(layer, edit)
    ways: dict[type, Callable[..., Change]] = {
        Usual: _usual,
        Flat: _flat,
        Patch: _patch,
        Scale: _scale,
        Shuffle: _shuffle,
    }
    make, parts = partial(ways[type(edit)], layer, edit, sources), _parts(layer, edit.part)
    if isinstance(edit, Scale) and layer.formula == "product":
        parts = parts[-1:]  # the other gate need not see it
    return {part: make(part) for part in parts}


def _off(layer: LayerAttention, edit: Off) -> LayerChanges:
    dimensions = len(layer.shape) + 1

    def put(value: float) -> Change:
        return Change(torch.zeros([1] * dimensions), torch.full([1] * dimensions, value))

    if edit.part is None and layer.formula == "sum":
        return {"joint": put(1.0)}
    parts = _parts(layer, edit.part)
    is_sum = layer.formula == "sum" or (layer.formula == "bam sum" and parts != ("joint",))
    return {part: put(0.0 if is_sum else 1.0) for part in parts}


def _usual(layer: LayerAttention, _edit: Usual, sources: Sources, part: str) -> Change:
    known, by_cell = sources.reference().usual(layer, part)
    if not by_cell:
        sources.remark(TraceRemark("usual_without_cells", layer=layer.name))
    return _put(_as_part(known, part, len(layer.shape) - 1))


def _flat(layer: LayerAttention, _edit: Flat, _sources: Sources, part: str) -> Change:
    values = own(layer, part)
    return _put(values.nanmean().reshape([1] * values.ndim))


def _scale(layer: LayerAttention, edit: Scale, _sources: Sources, _part: str) -> Change:
    ones = torch.ones([1] * (len(layer.shape) + 1))
    return Change(ones * edit.by, ones * 0)


def _shuffle(layer: LayerAttention, edit: Shuffle, _sources: Sources, part: str) -> Change:
    values = own(layer, part)
    if values.shape[1] > 1:
        values = values[:, permutation(values.shape[1], edit.seed)]
    if values[0, 0].numel() > 1:
        order = permutation(values[0, 0].numel(), edit.seed)
        values = values.flatten(2)[..., order].view(values.shape)
    return _put(values)


def _patch(layer: LayerAttention, edit: Patch, sources: Sources, part: str) -> Change:
    other = sources.patched(edit)
    theirs = other.layers.get(layer.name)
    if theirs is None or theirs.formula != layer.formula:
        raise EditError("patch_without_layer", layer=layer.name, name=other.photo.name)
    values, wanted = own(theirs, part), own(layer, part)
    if values.shape == wanted.shape:
        return _put(values)
    if values.ndim != 4 or values.shape[1] != wanted.shape[1]:
        raise EditError("patch_of_other_shape", layer=layer.name, name=other.photo.name)
    sources.remark(TraceRemark("patch_resized", layer=layer.name, name=other.photo.name))
    return _put(functional.interpolate(values, wanted.shape[2:], mode="bilinear", align_corners=False))


def _set(layer: LayerAttention, edit: Set) -> LayerChanges:
    made: LayerChanges = {}
    for part, chosen in (("channel", edit.channel), ("spatial", edit.cells)):
        if chosen:
            where = "joint" if layer.averaged else _parts(layer, part)[0]
            change = _chosen(layer, part, chosen)
            made[where] = made[where].then(change) if where in made else change
    return made


def _chosen(layer: LayerAttention, part: str, chosen: Mapping) -> Change:
    """The change of some channels or cells."""
    is_channel = part == "channel"
    sides = layer.shape[:1] if is_channel else layer.shape[1:]
    times, plus = torch.ones(sides), torch.zeros(sides)
    for index, value in chosen.items():
        place = (index,) if is_channel else index
        if len(place) != len(sides) or any(at >= side for at, side in zip(place, sides)):
            raise _outside(layer, part, place)
        times[place], plus[place] = 0.0, value
    positions = len(layer.shape) - 1
    return Change(*(_as_part(each.numpy(), part, positions) for each in (times, plus)))


def _outside(layer: LayerAttention, part: str, place: tuple[int, ...]) -> EditError:
    if part == "channel":
        return EditError("edit_channel_missing", layer=layer.name, count=layer.shape[0], channel=place[0])
    size = " × ".join(map(str, layer.shape[1:]))
    return EditError("edit_cell_missing", layer=layer.name, size=size, cell=", ".join(map(str, place)))
