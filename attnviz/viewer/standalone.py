"""The viewer as one self-contained HTML file: captures, script, style and words are in it, and nothing is
fetched."""

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
viewer.speak(navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en');
viewer.show({captures});
</script>
</body>
</html>
"""


def html(traces: Sequence[Trace], card: Card | None = None) -> str:
    """A page to explore these traces, offline; the first is shown, the others can be chosen. ``card`` is
    their network's, if more is known of it than the traces tell. Raises ValueError if there is none."""
    if not traces:
        raise ValueError("there is no trace to show")
    captures = json.dumps(
        [pack(trace, card or Card(trace.network, labels=trace.labels)) for trace in traces]
    )  # in ASCII
    names = ", ".join(dict.fromkeys(trace.photo.name for trace in traces))
    title = markup.escape(f"{names} – attnviz".encode(errors="replace").decode())
    return PAGE.format(
        title=title, style=style(), script=in_markup(script()), captures=captures.replace("<", "\\u003c")
    )


def frame(trace: Trace, height: int = 2100) -> str:
    """The page in a frame of its own, for a notebook's cell."""
    page = markup.escape(html([trace]))
    return f'<iframe srcdoc="{page}" style="width: 100%; height: {height}px; border: 0" title="attnviz" sandbox="allow-scripts"></iframe>'
