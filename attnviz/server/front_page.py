"""What a browser gets first: a page of a few lines, and the app's script and style, whose addresses name
their content, so that a browser keeps them. All of it is written and packed once. Nothing of Gradio's own
page is in it: the app asks Gradio's routes itself."""

from __future__ import annotations

import hashlib
import html as markup
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Scope, Send

from ..languages.catalogue import catalogue, say
from ..viewer.javascript import script, style
from .stored_response import StoredResponse, compressed

FOREVER = "public, max-age=31536000, immutable"
NOW = "no-cache"  # a page that is kept would ask for the script of another version
DIGITS = 12  # of a content's hash in an address

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>attnviz</title>
<meta name="description" content="{description}">
<link rel="stylesheet" href="{style}">
<script defer src="{script}" data-component="{component}" data-networks="{networks}"></script>
</head>
<body class="av-page">
<main id="viewer"></main>
<noscript>{noscript}</noscript>
</body>
</html>
"""
# of the script, which its own element tells whom to ask
START = "attnviz.servedPage(document.getElementById('viewer'), document.currentScript.dataset);"


@dataclass(frozen=True, eq=False)
class OwnFile:
    """A file of ours as it is sent, plain and packed."""

    plain: StoredResponse
    packed: StoredResponse

    async def send(self, scope: Scope, send: Send) -> None:
        """Send it as the browser takes it."""
        takes_gzip = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        await (self.packed if takes_gzip else self.plain).send(send)


def front_files(component: int, networks: bool) -> Mapping[str, OwnFile]:
    """The page and its files by their paths. ``component`` is the number by which the app asks the server;
    ``networks``: whether visitors' own are opened."""
    code, look = f"{script()}\n{START}", style()
    addresses = {"script": _address(code, "js"), "style": _address(look, "css")}
    page = _page(component, networks, addresses)
    return {
        "/": _own_file(page, "text/html", NOW),
        f"/{addresses['script']}": _own_file(code, "text/javascript", FOREVER),
        f"/{addresses['style']}": _own_file(look, "text/css", FOREVER),
    }


def _page(component: int, networks: bool, addresses: dict[str, str]) -> str:
    languages = catalogue().languages
    without = (f'<p lang="{catalogue().tag(code)}">{say(code, "needs_script")}</p>' for code in languages)
    return PAGE.format(
        description=markup.escape(say("en", "heading")),
        component=component,
        networks="yes" if networks else "",
        noscript="".join(without),
        **addresses,
    )


def _address(content: str, ending: str) -> str:
    """Where a file stands, below the page: proxies may show it anywhere."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    return f"assets/attnviz-{digest[:DIGITS]}.{ending}"


def _own_file(content: str, kind: str, keep: str) -> OwnFile:
    body = content.encode()
    headers = MutableHeaders(
        {
            "content-type": f"{kind}; charset=utf-8",
            "content-length": str(len(body)),
            "cache-control": keep,
            "vary": "accept-encoding",
        }
    )
    plain = StoredResponse(200, headers, body)
    return OwnFile(plain, compressed(plain))
