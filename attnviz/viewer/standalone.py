"""Traces as one HTML file to explore: captures, script, style and words are in it, and it fetches nothing."""

from __future__ import annotations

import html as markup
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..capture.trace import Trace
from ..drawing.look import Look
from ..languages.catalogue import say
from ..networks.card import Card
from .encoding import pack
from .javascript import in_markup, script, style

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body class="av-page">
<main id="viewer"></main>
<script>
{script}
</script>
<script>
attnviz.viewer = attnviz.savedFile(document.getElementById('viewer'), {captures}, {state});
</script>
</body>
</html>
"""


@dataclass(frozen=True)
class ViewerState:
    """What a page shows first."""

    look: Look = Look(way="dim")
    layer: str | None = None  # its name; None: the one that tells most
    order: str = "size"  # of bars, one of ORDERS
    channel: int | None = None  # its number; None: the one that tells most
    tab: str = "explore"  # or "networks", "photos"

    def for_script(self) -> dict[str, object]:
        """The state under the names that ``state.js`` has."""
        return {
            "layer": self.layer,
            "opacity": self.look.opacity,
            "way": self.look.way,
            "colours": self.look.colormap,
            "scale": self.look.scale,
            "smooth": self.look.smooth,
            "order": self.order,
            "channel": self.channel,
            "tab": self.tab,
        }


class Document:
    """A page that traces are put into one by one; it keeps of each what it shows."""

    def __init__(self, state: ViewerState = ViewerState()) -> None:
        self._state = state
        self._captures: list[dict[str, Any]] = []

    def add(self, trace: Trace, card: Card | None = None, credit: str = "") -> None:
        """Put a trace in; ``card`` describes its network, if more is known of it than the trace tells, and
        ``credit`` says whose its photo is."""
        capture = pack(trace, card or Card(trace.network, labels=trace.labels))
        capture["photo"]["credit"] = credit
        self._captures.append(capture)

    def html(self) -> str:
        """The page: it shows the first trace, the others can be chosen. Raises ValueError without any
        trace."""
        if not self._captures:
            raise ValueError("there is no trace to show")
        photos = dict.fromkeys(capture["photo"]["name"] for capture in self._captures)
        networks = dict.fromkeys(_network_title(capture) for capture in self._captures)
        title = f"{', '.join(photos)} · {', '.join(networks)} – attnviz"
        return PAGE.format(
            title=markup.escape(title.encode(errors="replace").decode()),
            style=style(),
            script=in_markup(script()),
            captures=_json(self._captures),
            state=_json(self._state.for_script()),
        )


def _network_title(capture: dict[str, Any]) -> str:
    """What a capture's network is called, with a word where its gates are changed."""
    title = str(capture["network"]["title"])
    return say("en", "changed_title", network=title) if capture.get("change") else title


def html(traces: Sequence[Trace], card: Card | None = None) -> str:
    """An HTML page to explore traces without a server; ``card`` is of the network of all. Raises ValueError
    without any trace."""
    document = Document()
    for trace in traces:
        document.add(trace, card)
    return document.html()


def _json(value: object) -> str:
    """JSON in ASCII, in which nothing can end a ``<script>``."""
    return json.dumps(value).replace("<", "\\u003c")


def frame(trace: Trace, height: int = 2100) -> str:
    """The page of a trace in an ``<iframe>``, ``height`` pixels high, for a notebook's cell."""
    page = markup.escape(html([trace]))
    look = f"width: 100%; height: {height}px; border: 0"
    return f'<iframe srcdoc="{page}" style="{look}" title="attnviz" sandbox="allow-scripts"></iframe>'
