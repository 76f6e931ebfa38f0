"""Edits of gates that a browser asks for: read, held against limits, and written in one form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..errors import EditError
from ..interventions.edit_json import Edits, edits_from_json, edits_to_json
from ..interventions.edits import Edit, Patch, PatchSource, Usual
from ..photos.example_photos import EXAMPLE
from .uploads import UPLOAD

MOST_CHARACTERS = 50_000  # of edits as JSON: all 56 × 56 cells of a map take 45,000
MOST_LAYERS = 256
MOST_OF_A_LAYER = 8  # edits, made in order
MOST_PHOTOS = 8  # whose gates are put in: each takes a pass


def edits_text(said: Any) -> str:
    """The edits of a request as JSON that is the same for the same edits, by which a pass is kept; "" for
    none. Raises EditError for what is no edit, for too many, and for a photo that has no name of ours."""
    if said is None or said == {}:
        return ""
    edits = {layer: each for layer, each in edits_from_json(said).items() if each}
    if not all(name.startswith((EXAMPLE, UPLOAD)) for name in photos_in(edits)):
        raise EditError("patch_photo_gone")
    text = json.dumps(edits_to_json(edits), sort_keys=True) if edits else ""
    longest = max(map(len, edits.values()), default=0)
    if len(text) > MOST_CHARACTERS or len(edits) > MOST_LAYERS or longest > MOST_OF_A_LAYER:
        raise EditError("edits_too_many", layers=MOST_LAYERS, count=MOST_OF_A_LAYER, most=MOST_CHARACTERS)
    if len(photos_in(edits)) > MOST_PHOTOS:
        raise EditError("patch_photos_too_many", most=MOST_PHOTOS)
    return text


def edits_in(text: str) -> Edits:
    """The edits that ``edits_text`` wrote; none of ""."""
    return edits_from_json(json.loads(text)) if text else {}


def photos_in(edits: Edits) -> list[str]:
    """The names of the photos whose gates are put in, each once."""
    patches = (edit for each in edits.values() for edit in each if isinstance(edit, Patch))
    return list(dict.fromkeys(str(patch.photo) for patch in patches))


def with_photos(edits: Edits, photos: Mapping[str, PatchSource]) -> Edits:
    """The edits with photos, or what was traced of them, in place of their names."""

    def put(edit: Edit) -> Edit:
        return replace(edit, photo=photos[str(edit.photo)]) if isinstance(edit, Patch) else edit

    return {layer: tuple(put(edit) for edit in each) for layer, each in edits.items()}


def asks_what_is_usual(edits: Edits) -> bool:
    """Whether a reference is needed to make them."""
    return any(isinstance(edit, Usual) for each in edits.values() for edit in each)
