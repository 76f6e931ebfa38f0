"""What a link to the page asks for. ``viewer/js/gradio.js`` writes these addresses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ..languages.catalogue import ENGLISH, LANGUAGES, catalogue
from .example_photos import EXAMPLE, PHOTOS

TABS = ("explore", "networks", "photos")
LONGEST_CHANNEL = 5  # digits


@dataclass(frozen=True)
class Link:
    """What a page begins with: the language, the photo's name, the network and the view, and the state of the
    viewer as its JavaScript takes it."""

    language: str
    photo: str | None  # None for the first that the network is shown with
    network: str | None  # None for the first that is offered
    view: str
    state: dict[str, Any]

    @classmethod
    def from_query(cls, query: Mapping[str, str], accept_language: str, networks: Collection[str]) -> Link:
        """What an address's query asks for, of the examples and these networks; all else is passed over."""
        language = query.get("lang") or catalogue().preferred(accept_language)
        example, network = query.get("photo", ""), query.get("network")
        return cls(
            language if language in LANGUAGES else ENGLISH,
            EXAMPLE + example if example in PHOTOS else None,
            network if network in networks else None,
            "crop" if query.get("view") == "crop" else "whole",
            _viewer_state(query, networks),
        )


def _viewer_state(query: Mapping[str, str], networks: Collection[str]) -> dict[str, Any]:
    state: dict[str, Any] = {}
    if query.get("tab") in TABS:
        state["tab"] = query["tab"]
    if "layer" in query:
        state["layer"] = query["layer"]
    channel = query.get("channel", "")
    if channel.isdecimal() and len(channel) <= LONGEST_CHANNEL:
        state["channel"] = int(channel)
    compared = [name for name in query.get("networks", "").split(",") if name in networks]
    photos = [EXAMPLE + name for name in query.get("photos", "").split(",") if name in PHOTOS]
    state |= {key: names for key, names in (("networks", compared), ("photos", photos)) if names}
    state |= {side: EXAMPLE + query[side] for side in ("a", "b") if query.get(side) in PHOTOS}
    if query.get("block") == "first":
        state["block"] = "first"
    return state
