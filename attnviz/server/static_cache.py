"""The page's scripts and styles, kept in memory as they are sent: they are the same for everybody, some
ninety a page, and Gradio reads and compresses each anew for each visitor, while nobody else is answered."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 64_000_000  # of all that is kept; what comes later goes past
SMALLEST = 400  # bytes that are worth compressing
PACKED = (".js", ".css", ".json", ".svg", ".txt", ".html")  # the rest is compressed by its nature
HASHED = re.compile(r"/assets/[\w./-]*-[\w-]{8,10}\.\w+")  # a build names these by their content
PLAIN = re.compile(r"(/[\w-][\w.-]*)+")  # one spelling a file
FOREVER = (b"cache-control", b"public, max-age=31536000, immutable")

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, eq=False)
class Kept:
    """One answer: its headers without that of its length, and its body, as they are sent."""

    headers: Headers
    body: bytes


class Still:
    """Answers in place of an ASGI application what it answered before, to those who take it as it is kept;
    the rest goes past."""

    def __init__(self, app: Callable) -> None:
        self.app = app
        self._kept: dict[str, Kept] = {}
        self._bytes = 0

    async def __call__(self, scope: dict[str, Any], receive: Callable, send: Callable) -> None:
        path, asked = scope["path"], dict(scope["headers"])
        packed = path.endswith(PACKED)
        if (
            scope["method"] != "GET"
            or not PLAIN.fullmatch(path)
            or asked.keys() & {b"range", b"if-none-match", b"if-modified-since"}
            or (packed and b"gzip" not in asked.get(b"accept-encoding", b""))
        ):
            await self.app(scope, receive, send)
            return
        kept = self._kept.get(path)
        if kept is None:
            status, headers, body = await self._fetched(scope, receive)
            if status != 200 or self._bytes + len(body) > MOST_BYTES:
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body})
                return
            kept = await asyncio.to_thread(_kept, path, headers, body, packed and len(body) >= SMALLEST)
            if self._kept.setdefault(path, kept) is kept:  # two may have come for it at once
                self._bytes += len(kept.body)
        length = (b"content-length", str(len(kept.body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*kept.headers, length]})
        await send({"type": "http.response.body", "body": kept.body})

    async def _fetched(self, scope: dict[str, Any], receive: Callable) -> tuple[int, Headers, bytes]:
        """The whole answer of the application."""
        status, headers, parts = 500, Headers(), []

        async def taken(message: dict[str, Any]) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message["headers"])
            else:
                parts.append(message.get("body", b""))

        await self.app(
            {**scope, "extensions": {}}, receive, taken
        )  # by which a server could be given a path in place of a body
        return status, headers, b"".join(parts)


def _kept(path: str, headers: Headers, body: bytes, packed: bool) -> Kept:
    """An answer as it is kept. What is named by its content may stay with who asked for it."""
    left = [
        (name, value)
        for name, value in headers
        if name not in (b"content-length", b"content-encoding", b"vary")
    ]
    if HASHED.fullmatch(path):
        left = [*((name, value) for name, value in left if name != b"cache-control"), FOREVER]
    if packed:
        body, left = (
            gzip.compress(body, 9, mtime=0),
            [*left, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")],
        )
    return Kept(left, body)
