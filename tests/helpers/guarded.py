"""A guard around an application that would do anything, and requests to it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from attnviz.server.middleware import RequestGuard, ServerState
from attnviz.server.refusal_pause import RefusalPause
from attnviz.server.settings import Settings


class Inner:
    """An application that reads all that it is sent and says so."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.bodies: list[bytes] = []
        self.trouble = trouble

    async def __call__(self, scope, receive, send) -> None:
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        self.bodies.append(b"".join(parts))
        if self.trouble:
            raise self.trouble
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


def state(folder: Path, **settings) -> ServerState:
    return ServerState(Settings(free_mb=0, **settings), folder)


async def _at_once(_seconds: float) -> None:
    """Wait for nothing."""


def guard(inner, state, clock=time.monotonic, sleep=_at_once) -> RequestGuard:
    """A guard that lets nobody wait before it refuses."""
    return RequestGuard(inner, state, clock, RefusalPause(clock, sleep))


def ask(inner, state, path, method="GET", chunks=(b"",), headers=(), query=b"") -> tuple[int, dict, dict]:
    """The status, the headers, and the JSON or {"text": …} that one request to a new guard brings back."""
    return ask_again(guard(inner, state), path, method, chunks, headers, query=query)


def ask_again(
    guard, path="/config", method="GET", chunks=(b"",), headers=(), client="1.2.3.4", query=b""
) -> tuple[int, dict, dict]:
    """One more request to a guard; what comes back is as in ``ask``."""
    sent, left = [], list(chunks)

    async def receive():
        return (
            {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}
            if left
            else {"type": "http.disconnect"}
        )

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "method": method, "headers": list(headers), "client": (client, 1)}
    scope["query_string"] = query
    asyncio.run(guard(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent)
    found = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return sent[0]["status"], found, json.loads(body) if body[:1] == b"{" else {"text": body.decode()}


def post(inner, state, path, content, **more) -> tuple[int, dict, dict]:
    return ask(inner, state, path, "POST", [json.dumps(content).encode()], **more)


def form(*parts: tuple[str, bytes]) -> list[bytes]:
    """A form's body in pieces of 64 kB, of (what stands behind "form-data; ", content)."""
    body = b"".join(
        b"--x\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    body += b"--x--\r\n"
    return [body[start : start + 65_536] for start in range(0, len(body), 65_536)]
