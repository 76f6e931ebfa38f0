"""Whole responses, kept as they are sent."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


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
