"""Lets the page find itself behind any proxy: below a path, under any name, with TLS or without.

Gradio writes its own address into the page, as the request tells it: a proxy that shows the page below a
path, and says so nowhere, makes all that the page asks for go elsewhere. The browser knows where it is."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

START = b"<script>window.gradio_config = "  # of the script that says, among the rest, where the page is
END = b"</script>"
SCRIPT = (
    b"<script>window.gradio_config.root = location.origin + location.pathname.replace(/\\/$/, '');</script>"
)
MANIFEST = (
    b'<link rel="manifest" href="/manifest.json" />'  # of a page that can be installed, which ours can't
)


class OwnAddress:
    """Puts a script into an app's page that sets the page's address to where the browser sees it. ``path`` is
    what a proxy may leave in front of the paths that it asks for."""

    def __init__(self, app: ASGIApp, path: str = "") -> None:
        self._app, self._path = app, path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        page = _Page(send)
        await self._app(scope, receive, page.send)

    def inside(self, scope: Scope) -> Scope:
        """A request as the app knows it: without the path before it."""
        path = scope["path"]
        if not self._path or not f"{path}/".startswith(f"{self._path}/"):
            return scope
        return {**scope, "path": path[len(self._path) :] or "/"}


class _Page:
    """A response that is sent with the script in it once all of it is there."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message = {}
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = with_own_address(bytes(self._body))
        headers = MutableHeaders(raw=list(self._start["headers"]))
        headers["content-length"] = str(len(body))
        await self._send({**self._start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


def with_own_address(page: bytes) -> bytes:
    """Gradio's page with the script behind the one that it corrects; another page as it is."""
    begin = page.find(START)
    if begin < 0:
        return page
    end = page.index(END, begin) + len(END)
    return (page[:end] + SCRIPT + page[end:]).replace(MANIFEST, b"")
