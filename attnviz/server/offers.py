"""The networks that are offered, as the app takes them (``Network`` in viewer/js/host/host.js)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..zoo import imagenet
from ..zoo.registry import card, intact, list_networks
from .catalog import Choice

Offer = dict[str, Any]
ATTENTIONS = ("se", "cbam", "bam", "")  # in the order in which they were published; "" is none


def offers(mine: list[Choice], first: Collection[str] = ()) -> list[Offer]:
    """All that one visitor can choose from: what comes with attnviz, ImageNet's, and the visitor's ``mine``.
    Of ImageNet's those that the page opens ``first`` stand with what comes with attnviz."""
    imagenet_rows = [_of_imagenet(key) for key in list_networks("imagenet")]
    for row in imagenet_rows:
        if row["name"] in first:
            row["group"] = "embedded"
    return [
        *sorted(map(_embedded, list_networks()), key=lambda row: ATTENTIONS.index(row["attention"])),
        *imagenet_rows,
        *(own_offer(choice) for choice in mine),
    ]


def own_offer(choice: Choice) -> Offer:
    """A visitor's own network."""
    title, name = choice
    return {"name": name, "title": title, "group": "yours", "attention": None, "isReady": True}


def _embedded(name: str) -> Offer:
    described, is_whole = card(name), intact(name)
    return {
        "name": name,
        "title": described.heading,
        "group": "embedded" if is_whole else "damaged",
        "attention": str(described.architecture["attention"] or ""),
        "isReady": is_whole,
    }


def _of_imagenet(key: str) -> Offer:
    row = imagenet.row(key)
    return {
        "name": key,
        "title": row.title,
        "group": "imagenet",
        "attention": None,
        "isReady": imagenet.kept(key),
        "library": row.library,
        "megabytes": row.megabytes,
    }
