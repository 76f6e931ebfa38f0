"""Edits as JSON and back: what links, files and scripts carry.

One edit is an object with its name and what else it says::

    {"edit": "usual", "part": "spatial"}
    {"edit": "set", "channel": [[17, 0.0]], "cells": [[3, 4, 1.0]]}      (cells: row, column, factor)
    {"edit": "patch", "photo": "other.jpg"}

and those of a network are an object of lists by layer, in the order in which they are made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeAlias

from ..capture.trace import Trace
from ..errors import EditError
from ..naming import close_name
from ..photos.photo import Photo
from .edits import BY_NAME, KINDS, Edit, Patch, PatchSource, Set

# One layer's edits as people write them: by name, one, or several in order.
Said: TypeAlias = str | Edit | Sequence[str | Edit]
Edits: TypeAlias = dict[str, tuple[Edit, ...]]  # layer -> its edits, in order
EXAMPLE = '{"edit": "set", "channel": [[17, 0.0]]}'
LONGEST = 60  # characters of what is quoted


def edits_of(said: Mapping[str, Said]) -> Edits:
    """The edits that are meant by a mapping of layers. Raises EditError for a word that is none, TypeError
    for what is no edit at all."""
    return {str(layer): _of_layer(each) for layer, each in said.items()}


def _of_layer(said: Said) -> tuple[Edit, ...]:
    if isinstance(said, str):
        return (edit_named(said),)
    if isinstance(said, Sequence):
        return tuple(edit for each in said for edit in _of_layer(each))
    if not isinstance(said, tuple(KINDS.values())):
        raise TypeError(f"{said!r} is no edit: pass {', '.join(BY_NAME)}, or an object such as attnviz.Off()")
    return (said,)


def edit_named(name: str) -> Edit:
    """The edit that a name alone says: "off", "usual", "flat" or "shuffle". Raises EditError for another."""
    if name in BY_NAME:
        return BY_NAME[name]()
    close = close_name(name, BY_NAME)
    if close:
        raise EditError("edit_unknown_close", name=name[:LONGEST], close=close)
    raise EditError("edit_unknown", name=name[:LONGEST], names=", ".join(BY_NAME))


def edits_to_json(edits: Mapping[str, Said]) -> dict[str, list[dict[str, Any]]]:
    """Edits as plain values. Raises EditError for a photo that is no file."""
    return {layer: [_plain(edit) for edit in each] for layer, each in edits_of(edits).items()}


def _plain(edit: Edit) -> dict[str, Any]:
    values: dict[str, Any] = {"edit": edit.name}
    for one in fields(edit):
        values[one.name] = getattr(edit, one.name)
    if isinstance(edit, Set):
        values["channel"] = [[channel, value] for channel, value in edit.channel.items()]
        values["cells"] = [[*cell, value] for cell, value in edit.cells.items()]
    elif isinstance(edit, Patch):
        values["photo"] = _file(edit.photo)
    return {name: value for name, value in values.items() if value is not None and value != []}


def _file(photo: PatchSource) -> str:
    if not isinstance(photo, str | os.PathLike):
        raise EditError("edit_photo_in_memory", name=photo_name(photo))
    return os.fspath(photo)


def photo_name(photo: PatchSource) -> str:
    """What a photo is called: its file's name, or what it is."""
    if isinstance(photo, Trace):
        return photo.photo.name
    if isinstance(photo, str | os.PathLike):
        return os.path.basename(os.fspath(photo))
    return photo.name if isinstance(photo, Photo) else type(photo).__name__


def edits_from_json(value: Any) -> Edits:
    """Edits from plain values; a layer can also have one edit in place of a list, and an edit its name in
    place of an object. Raises EditError for what is none."""
    if not isinstance(value, Mapping):
        raise _unreadable(value)
    edits: Edits = {}
    for layer, each in value.items():
        several = each if isinstance(each, list) else [each]
        edits[str(layer)] = tuple(_edit(one) for one in several)
    return edits


def _edit(value: Any) -> Edit:
    if isinstance(value, str):
        return edit_named(value)
    if not isinstance(value, Mapping) or not isinstance(value.get("edit"), str):
        raise _unreadable(value)
    kind = KINDS.get(value["edit"])
    if kind is None:
        raise EditError("edit_unknown", name=value["edit"][:LONGEST], names=", ".join(KINDS))
    said = {str(name): each for name, each in value.items() if name != "edit"}
    try:
        if kind is Set:
            said = _of_set(**said)
        elif kind is Patch and not isinstance(said.get("photo"), str):
            raise TypeError("photo")
        return kind(**said)
    except (TypeError, ValueError):
        raise _unreadable(value) from None


def _of_set(channel: list = (), cells: list = ()) -> dict[str, Any]:  # type: ignore[assignment]
    return {
        "channel": dict(channel),
        "cells": {(row, column): factor for row, column, factor in cells},
    }


def _unreadable(value: Any) -> EditError:
    return EditError("edit_unreadable", text=repr(value)[:LONGEST], example=EXAMPLE)
