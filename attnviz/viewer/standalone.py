"""Traces as one HTML file to explore: captures, script, style and words are in it, and it fetches nothing."""

from __future__ import annotations

import html as markup
import json
from collections.abc import Sequence

from ..capture.trace import Trace
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
const viewer = attnviz.mount(document.getElementById('viewer'));
viewer.speak(attnviz.preferredLanguage(navigator.language));
viewer.show({captures});
</script>
</body>
</html>
"""


def html(traces: Sequence[Trace], card: Card | None = None) -> str:
    """An HTML page to explore traces without a server; it shows the first, the others can be chosen.

    ``card`` describes their network, if more is known of it than the traces tell. Raises ValueError without
    any trace."""
    if not traces:
        raise ValueError("there is no trace to show")
    captures = [pack(trace, card or Card(trace.network, labels=trace.labels)) for trace in traces]
    names = ", ".join(dict.fromkeys(trace.photo.name for trace in traces))
    return PAGE.format(
        title=markup.escape(f"{names} – attnviz".encode(errors="replace").decode()),
        style=style(),
        script=in_markup(script()),
        captures=json.dumps(captures).replace("<", "\\u003c"),  # in ASCII
    )


def frame(trace: Trace, height: int = 2100) -> str:
    """The page of a trace in an ``<iframe>``, ``height`` pixels high, for a notebook's cell."""
    page = markup.escape(html([trace]))
    look = f"width: 100%; height: {height}px; border: 0"
    return f'<iframe srcdoc="{page}" style="{look}" title="attnviz" sandbox="allow-scripts"></iframe>'
