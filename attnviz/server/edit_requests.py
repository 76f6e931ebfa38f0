"""Edits of gates that a browser asks for: read, held against limits, and written in one form."""

from __future__ import annotations

import json
from typing import Any

from ..errors import EditError
from ..interventions.edit_json import Edits, edits_from_json, edits_to_json
from ..interventions.edits import Patch, Usual

MOST_CHARACTERS = 20_000  # of edits as JSON: every second channel of a layer of 2,048 takes 15,000
MOST_LAYERS = 256
MOST_OF_A_LAYER = 8  # edits, made in order


def edits_text(said: Any) -> str:
    """The edits of a request as JSON that is the same for the same edits, by which a pass is kept; "" for
    none. Raises EditError for what is no edit, for too many, and for another photo's gates."""
    if said is None or said == {}:
        return ""
    edits = {layer: each for layer, each in edits_from_json(said).items() if each}
    if any(isinstance(edit, Patch) for each in edits.values() for edit in each):
        raise EditError("edit_patch_not_served")
    text = json.dumps(edits_to_json(edits), sort_keys=True) if edits else ""
    longest = max(map(len, edits.values()), default=0)
    if len(text) > MOST_CHARACTERS or len(edits) > MOST_LAYERS or longest > MOST_OF_A_LAYER:
        raise EditError("edits_too_many", layers=MOST_LAYERS, count=MOST_OF_A_LAYER, most=MOST_CHARACTERS)
    return text


def edits_in(text: str) -> Edits:
    """The edits that ``edits_text`` wrote; none of ""."""
    return edits_from_json(json.loads(text)) if text else {}


def asks_what_is_usual(edits: Edits) -> bool:
    """Whether a reference is needed to make them."""
    return any(isinstance(edit, Usual) for each in edits.values() for edit in each)
