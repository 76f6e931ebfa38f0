"""Checks of every request before Gradio sees it: which route, how large, how often, and whether there is
room; and a line of log for each. An ASGI middleware; it reads no more of a request than its size and, of one
that joins the queue, whose it is."""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import DISK_FULL
from ..languages.catalogue import catalogue
from .asker import address_of
from .form_fields import FieldLimit
from .front_page import OwnFile, OwnPage
from .log_format import last_place
from .origins import OriginRules
from .page_cache import ROUTES as PAGES
from .page_cache import PageCache
from .rate_limit import RateLimit
from .refusal_pause import RefusalPause
from .request_body import Arrivals, Refusal, limited, lively, question_in, read, replayed
from .routes import ADDRESS, SESSION, STATIC, UNKNOWN, WITH_QUESTION, below, headers_of, route_of
from .settings import Settings
from .sweeping import make_again

log = logging.getLogger("attnviz.requests")

QUESTION_BYTES = 256_000
ONE_REQUEST_BYTES = 4_000  # of a question; a larger one takes longer to read, and counts as several requests
FORM_BYTES = 1_000_000  # what a form adds to the file in it
FIELDS_BYTES = 1_000_000  # what of a form is not in a file, and lies in memory
LONGEST_SESSION = 64  # characters of a session's name; browsers choose some ten
ROOM_SHARE = 0.75  # of the settings' memory, above which room is made
MEMORY_SHARE = 0.85  # and above which uploads wait
RETRY_SECONDS = 5


async def _yes() -> bool:
    return True


@dataclass(eq=False)
class ServerState:
    """What the middleware reads of the server behind it."""

    settings: Settings
    folder: Path  # of uploads
    public_folders: Mapping[str, Path] = field(default_factory=dict)  # whose files anybody may see, by name
    files: Mapping[str, OwnFile | OwnPage] = field(
        default_factory=dict
    )  # the page and its files, by their paths
    waiting: Callable[[], int] = lambda: 0  # events in the queue
    busy: Callable[[], bool] = lambda: False  # whether any of them waits or runs
    has_event: Callable[[Any], bool] = lambda _: True  # whether the page has one of this number
    events_of: Callable[[str], int] = lambda _: 0  # of one visitor, waiting or running
    events_of_address: Callable[[str], int] = lambda _: 0  # the same of all visitors from there
    seconds_per_pass: Callable[[], float] = lambda: 1.0  # until the queue is one shorter
    memory: Callable[[], int] = lambda: 0  # bytes that the process takes
    make_room: Callable[[], None] = lambda: None  # lets go of memory, soon
    health: Callable[[], dict[str, Any]] = dict
    answers: Callable[[], Awaitable[bool]] = _yes  # whether what answers visitors does so now
    closing: bool = False
    # requests of viewers and agents that are being answered, by session and by address
    viewer_requests: Counter[str] = field(default_factory=Counter)
    requests_from: Counter[str] = field(default_factory=Counter)
    arrivals: Arrivals = field(default_factory=Arrivals)


class RequestGuard:
    """The middleware around Gradio's app."""

    def __init__(
        self,
        app: ASGIApp,
        state: ServerState,
        clock: Callable[[], float] = time.monotonic,
        pause: RefusalPause | None = None,
    ) -> None:
        self._app, self._state, self._pause = app, state, pause or RefusalPause(clock)
        self._pages = PageCache(app)
        self._rate, self._origins = RateLimit(state.settings.rate, clock), OriginRules(state.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # Gradio has none
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = below(scope, self._state.settings.path or "")
        began, route = time.monotonic(), route_of(scope["path"])
        address = address_of(scope, self._state.settings.proxies)
        exchange = _Exchange(headers_of(route, self._origins.frame_policy), receive, send)
        if route != "/healthz":  # which a supervisor asks as often as it likes
            exchange.before_refusing = partial(self._pause.before_refusing, address)
        try:
            await self._serve(scope, exchange.receive, exchange.send, route, address)
        except Refusal as refusal:
            await exchange.refuse(refusal, scope)
        except Exception as error:  # Gradio's and Starlette's, for a broken-off upload as for a fault
            await self._tell_failure(error, route, exchange, scope)
        finally:
            took = round(1000 * (time.monotonic() - began), 1)
            fields = {"method": scope["method"], "route": route, "ms": took, **exchange.counts()}
            log.info("request", extra={"fields": fields})

    async def _tell_failure(self, error: Exception, route: str, exchange: _Exchange, scope: Scope) -> None:
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            await exchange.refuse(Refusal(507, "no_room"), scope)
            return
        fields = {"route": route, "error": type(error).__name__, "at": last_place(error)}
        log.error("request failed", extra={"fields": fields})
        await exchange.refuse(Refusal(500, "server_failed"), scope)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, route: str, address: str) -> None:
        state = self._state
        if route == "/healthz":
            await self._tell_health(scope, receive, send)
            return
        headers = Headers(scope=scope)
        self._origins.check_name(headers)
        if route != STATIC and not self._rate.allows(address):
            raise Refusal(429, "address_asks_too_often", rate=self._rate.per_minute)
        if route == "file":
            scope = self._with_public_path(scope)
        if not self._is_served(route, scope["path"]):
            raise Refusal(404, "nothing_here")
        if scope["method"] in ("GET", "HEAD") and scope["path"] in state.files:
            await state.files[scope["path"]].send(scope, send)
            return
        _check_names(scope, route)
        session = ""
        if scope["method"] not in ("GET", "HEAD"):
            if state.closing:
                raise Refusal(503, "server_restarts")
            self._origins.check_origin(headers)
            if route == "upload":
                await self._pass_upload(scope, lively(receive), send, address)
                return
            receive, session = await self._checked_question(scope, receive, route, address)
        scope = {**scope, SESSION: session, ADDRESS: address}
        app = self._pages if route in PAGES else self._app
        if scope["method"] != "POST" or route not in ("component_server", "mcp"):
            await app(scope, receive, send)
            return
        with _counted(state.viewer_requests, session), _counted(state.requests_from, address):
            await app(scope, receive, send)

    async def _tell_health(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = self._state
        status = "closing" if state.closing else "ok" if await state.answers() else "stuck"
        answer = _json({"status": status, **state.health()}, 200 if status == "ok" else 503)
        await answer(scope, receive, send)

    def _is_served(self, route: str, path: str) -> bool:
        if route == "mcp":
            return self._state.settings.mcp
        if route == "file":
            return self._may_see(path)
        return path in self._state.files if route == STATIC else route != UNKNOWN

    def _with_public_path(self, scope: Scope) -> Scope:
        """A request for a file of a public folder, by the path that it has on this machine. Raises Refusal
        where there is no such file: Gradio would name the path."""
        before, _, name = scope["path"].partition("/file=")
        folder = self._state.public_folders.get(name.partition("/")[0])
        if folder is None:
            return scope
        file = folder / name.partition("/")[2]
        path = f"{before}/file={file}"
        if not self._may_see(path) or not file.is_file():
            raise Refusal(404, "nothing_here")
        return {**scope, "path": path, "raw_path": quote(path).encode()}

    def _may_see(self, path: str) -> bool:
        """Whether a file is an upload, was drawn of one, or is an example; its name is taken as it is, an
        address never."""
        try:
            file = Path(path.partition("/file=")[2]).resolve()
        except (OSError, ValueError, RuntimeError):
            return False
        folders = (self._state.folder, *self._state.public_folders.values())
        return any(folder.resolve() in file.parents for folder in folders)

    async def _pass_upload(self, scope: Scope, receive: Receive, send: Send, address: str) -> None:
        """Pass a form with files on, as it comes, while there is room for it and it is within its limits."""
        limit, headers = self._upload_bytes(), Headers(scope=scope)
        announced, most = _announced_bytes(scope, limit), self._state.settings.quota_mb
        if self._state.arrivals.missing_from[address] + announced > max(most * 1_000_000, limit):
            raise Refusal(429, "uploads_on_their_way", limit=most)
        self._check_room(announced)
        fields = FieldLimit.of(headers.get("content-type", ""), FIELDS_BYTES)
        with self._state.arrivals.expecting(announced, address) as came:

            def look(piece: bytes) -> None:
                if not announced:
                    self._check_disk(len(piece))
                if fields is not None:
                    fields.feed(piece)
                came(len(piece))

            await self._app(scope, limited(receive, limit, look), send)

    async def _checked_question(
        self, scope: Scope, receive: Receive, route: str, address: str
    ) -> tuple[Receive, str]:
        """What gives the body once more, no larger than it may be; and whose request it is. Raises
        Refusal."""
        _announced_bytes(scope, QUESTION_BYTES)
        body = await read(lively(receive), QUESTION_BYTES)
        if route not in WITH_QUESTION:
            return replayed(body, receive), ""
        if not self._rate.allows(address, len(body) // ONE_REQUEST_BYTES):
            raise Refusal(429, "address_asks_too_often", rate=self._rate.per_minute)
        self._check_address(address, route)
        return replayed(body, receive), self._checked_session(question_in(body), route)

    def _check_address(self, address: str, route: str) -> None:
        """A session's name is chosen by who sends it, an address is not."""
        state, most = self._state, self._state.settings.each_address
        if route in ("component_server", "mcp"):
            if state.requests_from[address] >= 2 * most:
                raise Refusal(429, "viewer_waits_enough")
        elif state.events_of_address(address) >= most:
            raise Refusal(429, "visitor_waits_enough", most=most)

    def _checked_session(self, question: Any, route: str) -> str:
        """The visitor who sends this. Raises Refusal where the queue, or this visitor's part of it, is
        full."""
        state, most = self._state, self._state.settings.each
        session = str(question.get("session_hash") or "") if isinstance(question, dict) else ""
        _check_length(session)
        if route == "component_server":
            if not isinstance(question, dict) or state.viewer_requests[session] >= 2 * most:
                raise Refusal(429, "viewer_waits_enough")
        elif route != "mcp":
            if isinstance(question, dict) and not state.has_event(question.get("fn_index")):
                raise Refusal(404, "nothing_here")
            if session and state.events_of(session) >= most:
                raise Refusal(429, "visitor_waits_enough", most=most)
            self._check_queue()
        return session

    def _check_queue(self) -> None:
        number = self._state.waiting() + 1
        if number > self._state.settings.waiting:
            seconds = max(1, math.ceil(number * self._state.seconds_per_pass()))
            raise Refusal(429, "line_full_for", number=number, seconds=seconds)

    def _check_room(self, announced: int) -> None:
        """Raises Refusal where there is none for an upload of so many bytes and those on their way."""
        state = self._state
        self._check_queue()  # before a photo is sent for nothing
        make_again(state.folder)
        self._check_disk(announced)
        share = state.memory() / (state.settings.memory_mb * 1_000_000)
        if share > ROOM_SHARE:
            state.make_room()
        if share > MEMORY_SHARE:
            raise Refusal(503, "memory_short")

    def _check_disk(self, size: int) -> None:
        state = self._state
        free = shutil.disk_usage(state.folder).free - state.arrivals.missing - size
        if free < state.settings.free_mb * 1_000_000:
            raise Refusal(507, "no_room_for_uploads")

    def _upload_bytes(self) -> int:
        settings = self._state.settings
        return max(settings.photo_bytes, settings.checkpoint_bytes) + FORM_BYTES


class _Exchange:
    """One request and its answer: counts their bytes, and gives the answer its route's headers."""

    def __init__(self, headers: dict[str, str], receive: Receive, send: Send) -> None:
        self._headers, self._receive, self._send = headers, receive, send
        self.before_refusing: Callable[[], Awaitable[None]] | None = None
        self._status = self._in = self._out = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._in += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            if self._status >= 400 and self.before_refusing is not None:
                await self.before_refusing()
            message = {**message, "headers": list(message.get("headers", ()))}
            for name, value in self._headers.items():
                MutableHeaders(scope=message).append(name, value)
        self._out += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, refusal: Refusal, scope: Scope) -> None:
        if not self._status:  # else an answer has begun, and can only end
            language = catalogue().preferred(Headers(scope=scope).get("accept-language", ""))
            answer = _json({"detail": refusal.sentence(language)}, refusal.status)
            await answer(scope, self.receive, self.send)

    def counts(self) -> dict[str, int]:
        return {"status": self._status, "in": self._in, "out": self._out}


@contextmanager
def _counted(under_way: Counter[str], whose: str) -> Iterator[None]:
    under_way[whose] += 1
    try:
        yield
    finally:
        under_way[whose] -= 1
        if not under_way[whose]:
            del under_way[whose]


def _check_names(scope: Scope, route: str) -> None:
    """Raises Refusal for a request whose address holds a long name of a session or an upload, which Gradio
    keeps."""
    for key, name in parse_qsl(scope.get("query_string", b"").decode("latin-1")):
        if key in ("session_hash", "upload_id"):
            _check_length(name)
    if route == "heartbeat":
        _check_length(scope["path"].rpartition("/")[2])


def _check_length(name: str) -> None:
    if len(name) > LONGEST_SESSION:
        raise Refusal(400, "session_too_long", limit=LONGEST_SESSION)


def _announced_bytes(scope: Scope, limit: int) -> int:
    """The length that a request's header says, or 0. Raises Refusal for one over the limit."""
    length = Headers(scope=scope).get("content-length") or "0"
    if not length.isdecimal() or int(length[:20]) > limit:
        raise Refusal(413, "request_too_large", limit=limit // 1_000_000 or 1)
    return int(length)


def _json(content: dict[str, Any], status: int) -> JSONResponse:
    headers = {"retry-after": str(RETRY_SECONDS)} if status in (429, 503) else None
    return JSONResponse(content, status, headers, "application/json; charset=utf-8")
