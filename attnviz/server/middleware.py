"""What stands between the page's server and everybody: which routes there are, how much may be sent, how
often, and one line of log a request. An ASGI middleware; it reads no more of a request than its size and, of
one that joins the queue, whose it is."""

from __future__ import annotations

import errno
import json
import logging
import math
import shutil
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ..errors import AttnvizError
from ..languages.catalogue import Value
from .settings import Settings
from .static_cache import Still

Scope = dict[str, Any]

log = logging.getLogger("attnviz.requests")

API = "/gradio_api"
# All that the page, gradio_client and MCP ask for. Gradio has more routes: some fetch addresses, write files
# or resize pictures for anyone.
PAGES = ("/", "/config", "/theme.css", "/robots.txt", "/favicon.ico", "/manifest.json", "/healthz")
BELOW = ("/assets/", "/static/", "/svelte/")
CALLS = (
    "/info",
    "/openapi.json",
    "/app_id",
    "/startup-events",
    "/theme.css",
    "/queue/join",
    "/queue/data",
    "/queue/status",
    "/cancel",
    "/reset",
    "/upload",
    "/upload_progress",
    "/component_server",
)
CALLS_BELOW = ("/heartbeat/", "/call/", "/file=")
TOOLS = ("/mcp",)
STILL = (
    "assets",
    "static",
    "svelte",
    "/theme.css",
)  # some eighty scripts a page, the same for all: they are not counted

JSON_BYTES = 256_000
FORM_BYTES = 1_000_000  # what a form adds to the file in it
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
ADDRESSES = 10_000  # whose requests are counted
# Nothing that the page shows comes from anywhere else; Gradio makes functions of text.
PAGE_POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'; form-action 'self'"
FILE_POLICY = "default-src 'none'; sandbox"  # an upload is never a page


class Refusal(AttnvizError):
    """What is answered in place of what was asked for: a status and a sentence."""

    def __init__(self, status: int, key: str, /, **values: Value) -> None:
        super().__init__(key, **values)
        self.status = status


@dataclass(eq=False)
class House:
    """What the guard has to know of the server behind it."""

    settings: Settings
    folder: Path  # of uploads
    shown: tuple[Path, ...]  # folders whose files anybody may see
    waiting: Callable[[], int] = lambda: 0  # events in the queue
    busy: Callable[[], bool] = lambda: False  # whether any of them waits or runs
    of_session: Callable[[str], int] = lambda _: 0  # events of one visitor, waiting or running
    seconds: Callable[[], float] = lambda: 1.0  # until the line is one shorter, by what passes took lately
    memory: Callable[[], int] = lambda: 0  # bytes that the process takes
    health: Callable[[], dict[str, Any]] = dict
    closing: bool = False
    exploring: Counter[str] = field(
        default_factory=Counter
    )  # questions of each visitor's viewer that are being answered


class Guard:
    """The middleware around Gradio's app."""

    def __init__(self, app: Callable, house: House) -> None:
        self.app, self.house, self._still = app, house, Still(app)
        self._spent: OrderedDict[str, tuple[float, float]] = (
            OrderedDict()
        )  # address: requests that it has left, and when that was

    async def __call__(self, scope: Scope, receive: Callable, send: Callable) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":  # Gradio has none
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self.app(scope, receive, send)
            return
        began, told, route = time.monotonic(), {"status": 0, "in": 0, "out": 0}, _route(scope["path"])

        async def counted() -> dict[str, Any]:
            message = await receive()
            told["in"] += len(message.get("body", b""))
            return message

        async def answer(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), *_headers(route)]}
            told["out"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._served(scope, counted, answer, route)
        except Refusal as refusal:
            await _refused(refusal, scope, answer, told)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            await _refused(Refusal(507, "no_room"), scope, answer, told)
        finally:
            took = round(1000 * (time.monotonic() - began), 1)
            log.info(
                "request", extra={"fields": {"method": scope["method"], "route": route, "ms": took, **told}}
            )

    async def _served(self, scope: Scope, receive: Callable, send: Callable, route: str) -> None:
        if route == "/healthz":
            await _plain(send, 503 if self.house.closing else 200, self.house.health())
            return
        if route not in STILL:
            self._check_rate(scope)
        if (
            route == "unknown"
            or (route == "mcp" and not self.house.settings.mcp)
            or (route == "file" and not self._may_see(scope["path"]))
        ):
            raise Refusal(404, "nothing_here")
        if scope["method"] not in ("GET", "HEAD"):
            if self.house.closing:
                raise Refusal(503, "server_restarts")
            receive = await self._checked_body(scope, receive, route)
        if route != "component_server":
            await (self._still if route in STILL else self.app)(scope, receive, send)
            return
        session = scope["attnviz.session"]
        self.house.exploring[session] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.house.exploring[session] -= 1
            if not self.house.exploring[session]:
                del self.house.exploring[session]

    async def _checked_body(self, scope: Scope, receive: Callable, route: str) -> Callable:
        """What gives the body on, no more of it than may be sent. Raises Refusal."""
        house, upload = self.house, route == "upload"
        limit = JSON_BYTES
        if upload:
            limit = max(house.settings.photo_mb * 1_000_000, house.settings.checkpoint_bytes) + FORM_BYTES
            self._check_room()
        length = _header(scope, b"content-length")
        if length and (not length.isdigit() or int(length) > limit):
            raise Refusal(413, "request_too_large", limit=limit // 1_000_000 or 1)
        if upload:
            return _bounded(receive, limit)
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal(499, "visitor_gone")
            body, more = body + message.get("body", b""), message.get("more_body", False)
            if len(body) > limit:
                raise Refusal(413, "request_too_long")
        if route in ("queue/join", "call", "component_server", "mcp"):
            self._check_turn(scope, body, route)
        return _again(body, receive)

    def _check_turn(self, scope: Scope, body: bytes, route: str) -> None:
        """Raises Refusal where the queue, or one visitor's part of it, is full."""
        house = self.house
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            raise Refusal(400, "request_not_json") from None
        if _names_an_address(asked):  # Gradio would fetch it
            raise Refusal(400, "request_names_address")
        session = str(asked.get("session_hash") or "") if isinstance(asked, dict) else ""
        scope["attnviz.session"] = session
        if route == "mcp":
            return
        if route == "component_server":
            if not isinstance(asked, dict) or house.exploring[session] >= 2 * house.settings.each:
                raise Refusal(429, "viewer_waits_enough")
            return
        if session and house.of_session(session) >= house.settings.each:
            raise Refusal(429, "visitor_waits_enough", most=house.settings.each)
        self._check_line()

    def _check_line(self) -> None:
        number = self.house.waiting() + 1
        if number > self.house.settings.waiting:
            wait = max(1, math.ceil(number * self.house.seconds()))
            raise Refusal(429, "line_full_for", number=number, seconds=wait)

    def _check_room(self) -> None:
        house = self.house
        self._check_line()  # before a photo is sent for nothing
        house.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # somebody may have deleted it underneath
        if shutil.disk_usage(house.folder).free < house.settings.free_mb * 1_000_000:
            raise Refusal(507, "no_room_for_uploads")
        if house.memory() > 0.85 * house.settings.memory_mb * 1_000_000:
            raise Refusal(503, "memory_short")

    def _check_rate(self, scope: Scope) -> None:
        """A bucket of a minute's requests an address, which fills as the minute passes. Raises Refusal where
        it is empty."""
        rate = self.house.settings.rate
        if not rate:
            return
        now, address = time.monotonic(), _address(scope, self.house.settings.proxies)
        left, then = self._spent.pop(address, (float(rate), now))
        left = min(float(rate), left + (now - then) * rate / 60) - 1
        self._spent[address] = max(left, -1.0), now
        if len(self._spent) > ADDRESSES:
            self._spent.popitem(last=False)
        if left < 0:
            raise Refusal(429, "address_asks_too_often", rate=rate)

    def _may_see(self, path: str) -> bool:
        """Only uploads, what was drawn of them, and the examples; a name is taken as it is, an address
        never."""
        named = path.partition("/file=")[2]
        try:
            file = Path(named).resolve()
        except (OSError, ValueError, RuntimeError):
            return False
        return any(folder.resolve() in file.parents for folder in (self.house.folder, *self.house.shown))


def _route(path: str) -> str:
    """The route that a path takes, without what it names: it is what the log holds."""
    path = unquote(path)
    if path in PAGES or (path.startswith(BELOW) and ".." not in path):
        return path if path in PAGES else path.split("/")[1]
    if not path.startswith(API):
        return "unknown"
    rest = path.removeprefix(API)
    if rest.rstrip("/") in CALLS:
        return rest.strip("/")
    if rest.startswith(TOOLS):
        return "mcp"
    return next((below.strip("/=") for below in CALLS_BELOW if rest.startswith(below)), "unknown")


def _names_an_address(asked: Any) -> bool:
    """Whether there is a file anywhere in this whose path is an address."""
    left = [asked]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            tool = value.get("arguments")  # of an agent's call, whose files may be plain text
            named = [value.get("path"), *(tool.values() if isinstance(tool, dict) else ())]
            if any("://" in str(each)[:20] for each in named):
                return True
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
    return False


def _headers(route: str) -> list[tuple[bytes, bytes]]:
    policy = FILE_POLICY if route == "file" else PAGE_POLICY
    private = [(b"cache-control", b"private, no-store")] if route == "file" else []
    return [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"content-security-policy", policy.encode()),
        *private,
    ]


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _address(scope: Scope, proxies: int) -> str:
    """Who asks: with proxies in front, what the farthest of them that is ours saw."""
    hops = (
        [hop.strip() for hop in _header(scope, b"x-forwarded-for").split(",") if hop.strip()]
        if proxies
        else []
    )
    return hops[-proxies] if len(hops) >= proxies > 0 else (scope.get("client") or ("",))[0]


def _bounded(receive: Callable, limit: int) -> Callable:
    seen = 0

    async def bounded() -> dict[str, Any]:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise Refusal(413, "request_too_large", limit=limit // 1_000_000)
        return message

    return bounded


def _again(body: bytes, receive: Callable) -> Callable:
    """A body that was read, given once more; after it what comes, such as that the visitor left."""
    given = False

    async def again() -> dict[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refused(refusal: Refusal, scope: Scope, send: Callable, told: dict[str, int]) -> None:
    if not told["status"]:  # else an answer has begun, and can only end
        language = "zh" if _header(scope, b"accept-language").lower().startswith("zh") else "en"
        await _plain(send, refusal.status, {"detail": refusal.sentence(language)})


async def _plain(send: Callable, status: int, content: dict[str, Any]) -> None:
    body = json.dumps(content, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    if status in (429, 503):
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
