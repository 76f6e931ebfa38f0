"""The HTML of a page without a server: one that names its files, or one that holds them."""

from __future__ import annotations

import base64
import hashlib
import html as markup
from dataclasses import replace

from .._paths import ASSETS
from ..drawing.icon import icon
from ..languages.catalogue import catalogue, say
from ..viewer.javascript import in_markup, offline_script, site_script, site_style
from .content import SiteContent

PAGE = """<!doctype html>
<html lang="{tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>attnviz</title>
<meta name="description" content="{description}">
{head}
</head>
<body class="av-page">
<main id="viewer"></main>
<noscript>{noscript}</noscript>
{body}
</body>
</html>
"""
CARD = """<meta property="og:type" content="website">
<meta property="og:site_name" content="attnviz">
<meta property="og:title" content="{title}">
<meta property="og:description" content="{description}">
<meta property="og:url" content="{base}">
<meta property="og:image" content="{base}{picture}">
<meta property="og:image:width" content="1200">
<meta property="og:image:height" content="630">
<meta property="og:image:alt" content="{words}">
<meta name="twitter:card" content="summary_large_image">"""
# Only the page's own files can be asked for, and in one file nothing at all, whatever the script tries.
POLICY = (
    "default-src 'none'; script-src {scripts} 'wasm-unsafe-eval'; worker-src {workers}; "
    "connect-src {connects}; img-src {pictures} data: blob:; style-src {styles} 'unsafe-inline'; "
    "media-src blob:; base-uri 'none'; form-action 'none'"
)
OFFLINE = "offline.js"  # the worker that serves the page without a network; its scope is its folder


def folder_files(content: SiteContent) -> dict[str, bytes]:
    """All files of the page by path, the page itself and what serves it offline among them."""
    files = dict(content.files)
    whole = replace(content, files=files)
    drawn = icon()
    script = whole.put("assets", "attnviz.js", site_script().encode())
    look = whole.put("assets", "attnviz.css", site_style().encode())
    told = {"isOneFile": False, "offline": OFFLINE, "script": script, "style": look}
    start = whole.put("assets", "start.js", content.start(**told).encode())
    sign = whole.put("assets", "icon.svg", drawn.svg())
    picture = whole.put("assets", "card.jpg", (ASSETS / "card.jpg").read_bytes())
    head = [
        *([_card(content.plan.base, picture)] if content.plan.base else []),
        f'<link rel="icon" type="image/svg+xml" href="{sign}">',
        f'<link rel="stylesheet" href="{look}">',
        *(f'<script defer src="{path}"></script>' for path in (script, start)),
    ]
    policy = POLICY.format(
        scripts="'self'", workers="'self'", connects="'self'", pictures="'self'", styles="'self'"
    )
    files["index.html"] = _page(content, policy, "\n".join(head), "").encode()
    told_of = (content.about[name] for name in ("worker", "code", "saving"))
    kept = ["./", script, start, look, sign, *told_of]
    files[OFFLINE] = offline_script(kept, sorted(files)).encode()
    return files


def one_file(content: SiteContent) -> str:
    """The page with all its files in it."""
    told = {"isOneFile": True, "script": "script", "style": "style"}  # the names of elements
    scripts = [in_markup(text) for text in (site_script(), content.start(**told))]
    sums = " ".join(f"'sha256-{_digest(text)}'" for text in scripts)
    policy = POLICY.format(scripts=sums, workers="blob:", connects="'none'", pictures="", styles="")
    held = "\n".join(
        f'<script type="text/plain" data-file="{path}">{_in_base64(file)}</script>'
        for path, file in content.files.items()
    )
    head = (
        f'<link rel="icon" href="data:image/svg+xml;base64,{_in_base64(icon().svg())}">\n'
        f'<style data-part="style">{site_style()}</style>'
    )
    app, start = scripts
    return _page(
        content, policy, head, f'{held}\n<script data-part="script">{app}</script>\n<script>{start}</script>'
    )


def _digest(text: str) -> str:
    """A script's checksum, as a policy names it."""
    return _in_base64(hashlib.sha256(text.encode()).digest())


def _in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _page(content: SiteContent, policy: str, head: str, body: str) -> str:
    languages = catalogue().languages
    without = (f'<p lang="{catalogue().tag(code)}">{say(code, "needs_script")}</p>' for code in languages)
    language = content.plan.language or "en"
    return PAGE.format(
        tag=catalogue().tag(language),
        policy=" ".join(policy.split()),
        description=markup.escape(say(language, "heading")),
        head=head,
        noscript="".join(without),
        body=body,
    )


def _card(base: str, picture: str) -> str:
    """What a link to the page is shown with."""
    return CARD.format(
        title=markup.escape(say("en", "card_title")),
        description=markup.escape(say("en", "heading")),
        base=markup.escape(f"{base.rstrip('/')}/"),
        picture=picture,
        words=markup.escape(say("en", "card_picture")),
    )
