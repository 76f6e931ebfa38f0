"""A cache of the page's scripts and styles. They are the same for everybody, some ninety a page, and Gradio
reads and compresses each anew for each visitor, while nobody else is answered."""

from __future__ import annotations

import asyncio
import gzip
import re
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 64_000_000  # of all that is kept; what comes later goes past
SMALLEST = 400  # bytes that are worth compressing
COMPRESSIBLE = (".js", ".css", ".json", ".svg", ".txt", ".html")  # the rest is compressed by its nature
HASHED = re.compile(r"/assets/[\w./-]*-[\w-]{8,10}\.\w+")  # a build names these by their content
PLAIN = re.compile(r"(/[\w-][\w.-]*)+")  # one spelling a file
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, eq=False)
class StoredResponse:
    """A response as it is sent."""

    status: int
    headers: MutableHeaders
    body: bytes

    async def send(self, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers.raw)})
        await send({"type": "http.response.body", "body": self.body})


class StaticCache:
    """Serves cached, gzip-compressed copies of an app's static responses; all other requests go to the
    app."""

    def __init__(self, app: ASGIApp, max_bytes: int = MAX_BYTES) -> None:
        self.bytes = 0  # of what is kept
        self._app, self._max_bytes = app, max_bytes
        self._responses: dict[str, StoredResponse] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if not _is_cacheable(scope):
            await self._app(scope, receive, send)
            return
        response = self._responses.get(path)
        if response is None:
            response = await fetched(self._app, scope, receive)
            if response.status == 200 and self.bytes + len(response.body) <= self._max_bytes:
                response = await asyncio.to_thread(_packed, path, response)
                if self._responses.setdefault(path, response) is response:  # two may have come for it at once
                    self.bytes += len(response.body)
        await response.send(send)


async def fetched(app: ASGIApp, scope: Scope, receive: Receive) -> StoredResponse:
    """The whole response of an app."""
    start: Message = {"status": 500, "headers": []}
    parts: list[bytes] = []

    async def collect(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
        else:
            parts.append(message.get("body", b""))

    # With extensions a server could be given a path in place of a body.
    await app({**scope, "extensions": {}}, receive, collect)
    return StoredResponse(start["status"], MutableHeaders(raw=list(start["headers"])), b"".join(parts))


def compressed(response: StoredResponse) -> StoredResponse:
    """The response with its body in gzip."""
    headers, body = response.headers.mutablecopy(), gzip.compress(response.body, 9, mtime=0)
    headers["content-encoding"] = "gzip"
    headers["vary"] = "accept-encoding"
    headers["content-length"] = str(len(body))
    return StoredResponse(response.status, headers, body)


def _is_cacheable(scope: Scope) -> bool:
    """Whether a request is for a whole file, as it is kept."""
    path, headers = scope["path"], Headers(scope=scope)
    if scope["method"] != "GET" or not PLAIN.fullmatch(path):
        return False
    if any(name in headers for name in ("range", "if-none-match", "if-modified-since")):
        return False
    return not path.endswith(COMPRESSIBLE) or "gzip" in headers.get("accept-encoding", "")


def _packed(path: str, response: StoredResponse) -> StoredResponse:
    """A response as it is kept. What is named by its content may stay with who asked for it."""
    headers = response.headers.mutablecopy()
    for name in ("content-encoding", "vary"):
        del headers[name]
    if HASHED.fullmatch(path):
        headers["cache-control"] = FOREVER
    headers["content-length"] = str(len(response.body))
    plain = StoredResponse(200, headers, response.body)
    return compressed(plain) if path.endswith(COMPRESSIBLE) and len(plain.body) >= SMALLEST else plain
