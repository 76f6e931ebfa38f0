"""One visitor who wants the server for herself: the worst files, answers that she never fetches, forms whose
fields are huge, and small requests without end, from one address, all at once, in a process of its own."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx

from .notes import GREEDY, Notes
from .visitors import API, Declined, Photo, Refused, Visitor, checked

NICENESS = 10  # her program has the same machine as the server, which has not the others' machines
FIELD_MB = 40
SMALL_AT_ONCE = 8
JOINS_AT_ONCE = 2
SMALL = (  # method, path, JSON
    ("GET", "/", None),
    ("GET", "/config", None),
    ("GET", "/healthz", None),
    ("GET", f"{API}/file=/etc/passwd", None),
    ("GET", f"{API}/queue/data?session_hash=nobody", None),
    ("POST", f"{API}/component_server", {"data": {}, "component_id": 1, "session_hash": "a", "fn_name": "x"}),
    ("POST", f"{API}/queue/join", {"data": [], "fn_index": 99_999, "session_hash": "a"}),
    ("POST", f"{API}/queue/join", {"data": [[]] * 50_000, "fn_index": 0, "session_hash": "a" * 60}),
    ("POST", f"{API}/call/analyze", {"data": [{"path": "http://127.0.0.1/", "meta": {}}]}),
)


class HostileVisitor:
    """Her process, and what she noted whenever she was let loose."""

    def __init__(self, url: str, address: str, files: Path) -> None:
        self._pipe, theirs = get_context("spawn").Pipe()
        self._process = get_context("spawn").Process(
            target=_run, args=(theirs, url, address, files), daemon=True
        )
        self._process.start()
        theirs.close()  # so that it is noticed if she ends early

    def attack(self, seconds: float) -> Notes:
        """Let her do her worst for so long."""
        self._pipe.send(seconds)
        return self._pipe.recv()

    def end(self) -> None:
        """End her process."""
        self._pipe.close()
        self._process.join(20)


def _run(pipe: Connection, url: str, address: str, files: Path) -> None:
    os.nice(NICENESS)
    with suppress(EOFError):
        while True:
            pipe.send(asyncio.run(_Attack(url, address, files, pipe.recv()).all_at_once()))


class _Attack:
    """All that she does in some seconds."""

    def __init__(self, url: str, address: str, files: Path, seconds: float) -> None:
        self._url, self._address, self._half = url, address, seconds / 2
        self._until = time.monotonic() + seconds
        self._pictures = sorted((files / "pictures").iterdir())
        self._checkpoints = sorted((files / "checkpoints").iterdir())
        self._notes = Notes("what the hostile visitor did")

    async def all_at_once(self) -> Notes:
        """What was noted of it."""
        await asyncio.gather(
            self._send("hostile picture", "photo", self._pictures),
            self._send("hostile picture", "photo", self._pictures[::-1]),
            self._send("hostile checkpoint", "checkpoint", self._checkpoints),
            self._with_client(self._send_huge_fields),
            *(self._join_and_leave() for _ in range(JOINS_AT_ONCE)),
            *(self._with_client(partial(self._ask_little, start)) for start in range(SMALL_AT_ONCE)),
        )
        return self._notes

    def _goes_on(self) -> bool:
        return time.monotonic() < self._until

    async def _note(self, kind: str, request: Awaitable[Any]) -> Any:
        return await self._notes.ask(kind, GREEDY, _judged(request))

    async def _with_client(self, work: Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]]) -> None:
        """Do this with connections of its own, until it is time to stop."""
        transport = httpx.AsyncHTTPTransport(local_address=self._address)
        async with httpx.AsyncClient(
            base_url=self._url, transport=transport, timeout=90, trust_env=False
        ) as client:
            while self._goes_on():
                await work(client)

    async def _send(self, kind: str, component: str, files: list[Path]) -> None:
        """Upload one file after the other, and let each be opened; as one visitor, then as another."""
        for turn in itertools.count():
            visitor = Visitor(self._url, self._address)
            opened = await self._note("page opened by her", visitor.open())
            for path in files if opened else ():
                if not self._goes_on():
                    break
                await self._note(kind, _opened(visitor, component, _named(path, turn)))
            await visitor.leave()
            if not self._goes_on():
                return
            await asyncio.sleep(0 if opened else 0.5)

    async def _join_and_leave(self) -> None:
        """Call an endpoint under ever new names, and never fetch the answers; in the second
        half of her time, since she may not wait for more than so many answers."""
        await asyncio.sleep(self._half)
        visitor = Visitor(self._url, self._address)
        while self._goes_on() and not await self._note("page opened by her", visitor.fetch(files=False)):
            await asyncio.sleep(0.5)
        while self._goes_on():
            name = secrets.token_hex(6)
            question = {"data": [], "session_hash": name}
            await self._note(
                "call that nobody reads", visitor.client.post(f"{API}/call/list_networks", json=question)
            )
        await visitor.leave()

    async def _send_huge_fields(self, client: httpx.AsyncClient) -> None:
        """A form whose field is no file."""
        kind = {"content-type": "multipart/form-data; boundary=x"}
        await self._note("huge field", client.post(f"{API}/upload", content=_huge_field(), headers=kind))

    async def _ask_little(self, start: int, client: httpx.AsyncClient) -> None:
        """One small request after the other."""
        for turn in range(start, start + len(SMALL)):
            method, path, question = SMALL[turn % len(SMALL)]
            if self._goes_on():
                await self._note("small request", client.request(method, path, json=question))


async def _judged(request: Awaitable[Any]) -> Any:
    """What came of a hostile request: any answer in a sentence is one, and so is a connection that the server
    closed on what it had refused."""
    try:
        answer = await request
        return checked(answer) if isinstance(answer, httpx.Response) else answer
    except Declined as sentence:
        raise Refused(str(sentence)) from None
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError) as error:
        raise Refused(f"cut off: {type(error).__name__}") from None


async def _opened(visitor: Visitor, component: str, sent: Photo) -> None:
    upload = await visitor.send(sent)
    if component == "photo":
        photo = (await visitor.ask("add_photo", {"upload": upload}))["photo"]
        await visitor.ask("capture", {**visitor.shown["asked"], "photo": photo})
    else:
        await visitor.ask("add_network", {"upload": upload, "told": []})


def _named(path: Path, turn: int) -> Photo:
    """A file as it is sent, each time under another name."""
    return Photo(f"{turn}-{path.name}", "octet-stream", path.read_bytes(), (0, 0, 0))


async def _huge_field() -> AsyncIterator[bytes]:
    yield b'--x\r\ncontent-disposition: form-data; name="files"\r\n\r\n'
    for _ in range(FIELD_MB):
        yield b"a" * 1_000_000
    yield b"\r\n--x--\r\n"
