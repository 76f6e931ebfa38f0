"""Bodies of requests: read or passed on, within a limit of bytes, and as long as they go on arriving."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
from starlette.types import Message, Receive

from ..errors import AttnvizError
from ..languages.catalogue import Value

MOST_PARTS = 5_000  # of a question in JSON; those of the page have some dozens
STALLED_SECONDS = 60.0  # in which nothing arrives, after which nobody waits for the rest


class Refusal(AttnvizError):
    """What is answered in place of what was asked for: a status and a sentence."""

    def __init__(self, status: int, key: str, /, **values: Value) -> None:
        super().__init__(key, **values)
        self.status = status


def lively(receive: Receive, seconds: float = STALLED_SECONDS) -> Receive:
    """Pass a body on, piece by piece. Raises Refusal where nothing arrives for so long."""

    is_whole = False

    async def receive_lively() -> Message:
        nonlocal is_whole
        if is_whole:  # what comes now is only that the sender left
            return await receive()
        try:
            with anyio.fail_after(seconds):
                message = await receive()
        except TimeoutError:
            raise Refusal(408, "request_stalled", seconds=round(seconds)) from None
        is_whole = not message.get("more_body", False)
        return message

    return receive_lively


def limited(receive: Receive, limit: int, look: Callable[[bytes], None]) -> Receive:
    """Pass a body on, piece by piece, each after a ``look`` at it. Raises Refusal at the piece that makes it
    longer than ``limit``, and what ``look`` raises."""
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        piece = message.get("body", b"")
        received += len(piece)
        if received > limit:
            raise Refusal(413, "request_too_large", limit=limit // 1_000_000)
        if piece:
            look(piece)
        return message

    return receive_limited


class Arrivals:
    """The bytes of uploads on their way that were announced and have not come yet, in all and of each
    address."""

    def __init__(self) -> None:
        self.missing = 0
        self.missing_from: Counter[str] = Counter()

    @contextmanager
    def expecting(self, announced: int, address: str = "") -> Iterator[Callable[[int], None]]:
        """While one is on its way from an address; the function that is given counts what came of it."""
        missing = announced

        def count(size: int) -> None:
            nonlocal missing
            came = min(size, missing)
            missing -= came
            self._add(address, -came)

        self._add(address, announced)
        try:
            yield count
        finally:
            self._add(address, -missing)

    def _add(self, address: str, size: int) -> None:
        self.missing += size
        self.missing_from[address] += size
        if not self.missing_from[address]:
            del self.missing_from[address]


async def read(receive: Receive, limit: int) -> bytes:
    """A whole body. Raises Refusal for one that is longer than ``limit``, or that its sender left."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(499, "visitor_gone")
        body, more = body + message.get("body", b""), message.get("more_body", False)
        if len(body) > limit:
            raise Refusal(413, "request_too_long")
    return body


def replayed(body: bytes, receive: Receive) -> Receive:
    """A body that was read, given once more; after it what comes, such as that the visitor left."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def question_in(body: bytes) -> Any:
    """What a body says in JSON. Raises Refusal for one that is no JSON, that has so many parts that to look
    at them all would keep others waiting, or in which a file is named by an address, which Gradio would
    fetch."""
    if sum(map(body.count, (b",", b"[", b"{"))) > MOST_PARTS:
        raise Refusal(413, "request_too_long")
    try:
        question = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(400, "request_not_json") from None
    if _names_an_address(question):
        raise Refusal(400, "request_names_address")
    return question


def _names_an_address(question: Any) -> bool:
    """Whether there is a file anywhere in this whose path is an address."""
    unchecked = [question]
    while unchecked:
        value = unchecked.pop()
        if isinstance(value, dict):
            arguments = value.get("arguments")  # of an agent's call, whose files may be plain text
            named = [value.get("path"), *(arguments.values() if isinstance(arguments, dict) else ())]
            if any("://" in name[:20] for name in named if isinstance(name, str)):
                return True
            unchecked.extend(value.values())
        elif isinstance(value, list):
            unchecked.extend(value)
    return False
