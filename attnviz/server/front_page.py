"""What a browser gets first: a page of a few lines, and the app's script and style, whose addresses name
their content, so that a browser keeps them. All of it is written and packed once. Nothing of Gradio's own
page is in it: the app asks Gradio's routes itself."""

from __future__ import annotations

import hashlib
import html as markup
import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Scope, Send

from .._paths import ASSETS
from ..drawing.icon import icon
from ..languages.catalogue import catalogue, say
from ..viewer.javascript import first_script, first_style, later_script
from .stored_response import StoredResponse, compressed

FOREVER = "public, max-age=31536000, immutable"
NOW = "no-cache"  # a page that is kept would ask for the script of another version
A_DAY = "public, max-age=86400"
DIGITS = 12  # of a content's hash in an address
CARD = ASSETS / "card.jpg"  # 1200 × 630, what drawing/link_card.py draws
ICON_DPI = 144  # of the icon as pixels, 64 × 64
ADDRESS = "{own address}"  # what a page has in place of its address until it is asked for
HOST = re.compile(r"[\w.-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:.]+\](:\d{1,5})?")

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>attnviz</title>
<meta name="description" content="{description}">
<meta property="og:type" content="website">
<meta property="og:site_name" content="attnviz">
<meta property="og:title" content="{title}">
<meta property="og:description" content="{description}">
<meta property="og:url" content="{address}">
<meta property="og:image" content="{address}{card}">
<meta property="og:image:width" content="1200">
<meta property="og:image:height" content="630">
<meta property="og:image:alt" content="{picture}">
<meta name="twitter:card" content="summary_large_image">
<meta name="twitter:title" content="{title}">
<meta name="twitter:description" content="{description}">
<meta name="twitter:image" content="{address}{card}">
<link rel="icon" type="image/svg+xml" href="{icon}">
<link rel="stylesheet" href="{style}">
<script defer src="{script}" data-component="{component}" data-networks="{networks}"
 data-later="{later}"></script>
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


@dataclass(frozen=True, eq=False)
class OwnPage:
    """The page. Link cards need whole addresses, so it says by which one it was called."""

    text: str  # with ``ADDRESS`` where that stands

    async def send(self, scope: Scope, send: Send) -> None:
        """Send it as the browser takes it."""
        page = self.text.replace(ADDRESS, markup.escape(called_by(scope)))
        await _own_file(page.encode(), "text/html; charset=utf-8", NOW).send(scope, send)


def called_by(scope: Scope) -> str:
    """The address of the page as a request calls it, with a slash at its end; empty where that is no name."""
    headers = Headers(scope=scope)
    host, scheme = headers.get("host", ""), headers.get("x-forwarded-proto", scope.get("scheme", "http"))
    if not HOST.fullmatch(host) or scheme not in ("http", "https"):
        return ""
    return f"{scheme}://{host}/"


def front_files(component: int, networks: bool) -> Mapping[str, OwnFile | OwnPage]:
    """The page and its files by their paths. ``component`` is the number by which the app asks the server;
    ``networks``: whether visitors' own are opened."""
    code, look = f"{first_script()}\n{START}".encode(), first_style().encode()
    drawn, card = icon(), CARD.read_bytes()
    files = {
        "script": (code, "js", "text/javascript; charset=utf-8"),
        "later": (later_script().encode(), "js", "text/javascript; charset=utf-8"),
        "style": (look, "css", "text/css; charset=utf-8"),
        "icon": (drawn.svg(), "svg", "image/svg+xml"),
        "card": (card, "jpg", "image/jpeg"),
    }
    addresses = {name: _address(content, ending) for name, (content, ending, _) in files.items()}
    return {
        "/": OwnPage(_page(component, networks, addresses)),
        "/favicon.ico": _own_file(drawn.png(ICON_DPI), "image/png", A_DAY),  # what browsers ask for unasked
        **{
            f"/{addresses[name]}": _own_file(content, kind, FOREVER)
            for name, (content, _, kind) in files.items()
        },
    }


def _page(component: int, networks: bool, addresses: dict[str, str]) -> str:
    languages = catalogue().languages
    without = (f'<p lang="{catalogue().tag(code)}">{say(code, "needs_script")}</p>' for code in languages)
    return PAGE.format(
        title=markup.escape(say("en", "card_title")),
        description=markup.escape(say("en", "heading")),
        picture=markup.escape(say("en", "card_picture")),
        address=ADDRESS,
        component=component,
        networks="yes" if networks else "",
        noscript="".join(without),
        **addresses,
    )


def _address(content: bytes, ending: str) -> str:
    """Where a file stands, below the page: proxies may show it anywhere."""
    digest = hashlib.sha256(content).hexdigest()
    return f"assets/attnviz-{digest[:DIGITS]}.{ending}"


def _own_file(body: bytes, kind: str, keep: str) -> OwnFile:
    headers = MutableHeaders(
        {
            "content-type": kind,
            "content-length": str(len(body)),
            "cache-control": keep,
            "vary": "accept-encoding",
        }
    )
    plain = StoredResponse(200, headers, body)
    return OwnFile(plain, compressed(plain))
