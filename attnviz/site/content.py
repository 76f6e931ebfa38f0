"""The files of a page without a server, by their paths in it. What never changes under its name has its
checksum in that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._paths import SCRIPTS
from .._version import __version__
from ..export.bundle import SCRIPT as REPRODUCE
from ..export.readme import KINDS as README_KINDS
from ..export.readme import TEXT as README_TEXT
from ..languages.catalogue import catalogue
from ..viewer.javascript import worker_script
from ..viewer.standalone import PAGE
from .examples import SiteExample, examples_in, our_examples
from .networks import SiteNetwork, site_networks

DIGITS = 12  # of a checksum in a path
ATTENTIONS = ("se", "cbam", "bam", "")  # as they were published; "" is none
# What is to be known of changed gates, in the words of the library's remarks.
REMARKS = (
    *("network_changed", "edit_off_with_norms", "usual_without_cells", "patch_resized", "reference_of_few"),
)
ENGINE = SCRIPTS / "engine" / "engine.wasm"


@dataclass(frozen=True)
class SitePlan:
    """What a page is to have. ``networks``: names or paths, the first opens first; ``examples``: a folder of
    photos, or ours; ``language``: which it speaks first, or the visitor's browser's; ``base``: the address
    that it will have, for cards of links."""

    networks: tuple[str, ...]
    examples: Path | None = None
    language: str | None = None
    base: str = ""


@dataclass(eq=False)
class SiteContent:
    """What a page is made of: files by path, and what the app is told of them."""

    plan: SitePlan
    files: dict[str, bytes] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def put(self, folder: str, name: str, content: bytes) -> str:
        """Add a file, and give its path, which has its checksum."""
        stem, ending = name.rsplit(".", 1)
        path = f"{folder}/{stem}-{hashlib.sha256(content).hexdigest()[:DIGITS]}.{ending}"
        self.files[path] = content
        return path

    def start(self, **more: object) -> str:
        """The script that starts the page; ``more`` is what else the app is told."""
        about = _json({**self.about, **more})
        return f"attnviz.viewer = attnviz.sitePage(document.getElementById('viewer'), {about});"


def site_content(plan: SitePlan) -> SiteContent:
    """All that a page has but for the page itself. Raises NetworkError and PhotoError for what can't be
    had."""
    content = SiteContent(plan)
    networks = site_networks(plan.networks)
    photos, shown = _examples(plan, networks)
    content.about = {
        "networks": [
            {
                **network.described(),
                "weights": content.put("models", f"{network.name}.packed", network.packed),
                **_usual(content, network),
                "examples": rows,
            }
            for network, rows in sorted(zip(networks, shown), key=_place)
        ],
        "examples": [
            photo.described(content.put("examples", _file_name(photo), photo.file.read_bytes()))
            for photo in photos
        ],
        "first": networks[0].name,
        "language": plan.language,
        "remarks": {
            language: {key: catalogue().template(language, key) for key in REMARKS}
            for language in catalogue().languages
        },
        "worker": content.put("assets", "worker.js", worker_script().encode()),
        "saving": content.put("assets", "saving.json", _json(_saving_texts()).encode()),
        "code": content.put("assets", "engine.wasm", ENGINE.read_bytes()),
    }
    return content


def _usual(content: SiteContent, network: SiteNetwork) -> dict[str, Any]:
    """Where what is usual for a network's gates is found, and over how many photos it was taken."""
    file = network.packed_usual
    if file is None:
        return {}
    path = content.put("assets", f"{network.name}.usual", file)
    return {"usual": {"path": path, "photos": network.usual_photos}}


def _saving_texts() -> dict[str, object]:
    """What a zip that the browser makes says of itself, and the script in it."""
    script = REPRODUCE.read_text(encoding="utf-8")
    text = README_TEXT.replace("{version}", __version__)
    return {
        "version": __version__,
        "script": script,
        "readme": text,
        "kinds": README_KINDS,
        "page": PAGE.replace("{{", "{").replace("}}", "}"),
    }


def _examples(
    plan: SitePlan, networks: Sequence[SiteNetwork]
) -> tuple[list[SiteExample], list[list[dict[str, Any]]]]:
    """The photos of a page, and of each network which."""
    if plan.examples is None:
        return our_examples([network.card for network in networks])
    photos = examples_in(plan.examples)
    rows = [{"photo": photo.described("")["photo"], "outside": False} for photo in photos]
    return photos, [rows for _ in networks]


def _place(row: tuple[SiteNetwork, Any]) -> tuple[bool, int]:
    """Where a network stands among those to choose from: ours first, as they were published."""
    network = row[0]
    return not network.embedded, ATTENTIONS.index(network.plan.attention or "")


def _file_name(photo: SiteExample) -> str:
    return f"{photo.name}.{photo.file.suffix.lstrip('.').lower() or 'jpg'}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
