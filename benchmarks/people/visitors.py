"""Visitors of a served page who speak as a browser does: the page with its files, the heartbeat, uploads,
events by way of the queue and its stream, and the viewer's questions. What they find is read from
``/config``: events by what triggers them, never by number.

What a visitor gets instead of an answer is an exception: Refused, with the server's sentence, Lost, or Wrong.
"""

from __future__ import annotations

import asyncio
import base64
import colorsys
import hashlib
import html
import io
import json
import re
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from PIL import Image

API = "/gradio_api"
PATIENCE = 90  # seconds after which an answer is lost
REFUSING = re.compile(r"busy|number \d|waiting|requests a minute|short of memory|no room|restarting")
NAMED = re.compile(r'"(?:\./|/|\./assets/|/assets/|assets/)([\w.-]+\.(?:js|css))"')
# that Chromium asks for when it opens this page; the scripts name more, for components that it has not
FILES = 79
SIZES = ((640, 480), (480, 640), (600, 450), (640, 426), (512, 512))


class Refused(Exception):
    """The server said that it can't now, in a sentence."""


class Lost(Exception):
    """No answer, or an error in place of one."""


class Declined(Lost):
    """The server said in a sentence that it won't, which it never does to who works as the page does."""


class Wrong(Exception):
    """An answer, but not the one to what was asked."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A visitor's own photo, like no other's."""

    name: str
    kind: str  # "jpeg" or "png"
    content: bytes
    colour: tuple[float, float, float]  # mean of red, green and blue


def photo(person: int, number: int, size: tuple[int, int] | None = None) -> Photo:
    """A person's photo of this number: her hue, waves and blotches of her own."""
    random = np.random.default_rng((person, number))
    width, height = size or SIZES[(person + number) % len(SIZES)]
    hue = (person * 0.618034 + number * 0.21) % 1
    base = 255 * np.array(colorsys.hsv_to_rgb(hue, 0.55, 0.7))
    y, x = np.mgrid[:height, :width]
    waves = np.sin(x * random.uniform(0.02, 0.2) + y * random.uniform(-0.2, 0.2)) + np.sin(
        y * random.uniform(0.02, 0.2)
    )
    blotches = Image.fromarray(random.integers(0, 256, (12, 16, 3), np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    pixels = np.clip(
        base + 18 * waves[..., None] + 0.35 * (np.asarray(blotches, float) - 127.5), 0, 255
    ).astype(np.uint8)
    kind, buffer = ("jpeg", "png")[(person + number) % 4 == 0], io.BytesIO()
    Image.fromarray(pixels).save(
        buffer, kind, **({"quality": 90} if kind == "jpeg" else {"compress_level": 3})
    )
    return Photo(
        f"visitor-{person:04}-photo-{number}.{kind}",
        kind,
        buffer.getvalue(),
        tuple(pixels.mean((0, 1)).tolist()),
    )


class Page:
    """What ``/config`` says of a page: its components' first values, and its events."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.components = {one["id"]: one for one in config["components"]}
        self.events = {one["id"]: one for one in config["dependencies"]}
        self.ids = {
            one["props"]["elem_id"]: one["id"] for one in config["components"] if one["props"].get("elem_id")
        }
        self.troubles = {number for name, number in self.ids.items() if "trouble" in name}

    def event(self, component: str, name: str) -> dict[str, Any]:
        """The event of this name of the component with this elem_id; "" is the page itself."""
        number = self.ids[component] if component else None
        return next(
            event
            for event in self.events.values()
            for target, trigger in event["targets"]
            if trigger == name and (target == number or number is None)
        )

    def after(self, event: int) -> list[dict[str, Any]]:
        """The events that follow on this one."""
        return [one for one in self.events.values() if one.get("trigger_after") == event]


@dataclass(eq=False)
class Waited:
    """An event on its way: its answer, and how many were before it in the line when it joined, as the server
    said."""

    done: asyncio.Future = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    rank: int | None = None


class Visitor:
    """One open page. ``address`` is the visitor's own on the loopback interface, such as 127.0.1.7."""

    def __init__(self, url: str, address: str | None = None) -> None:
        transport = httpx.AsyncHTTPTransport(
            local_address=address, verify=False, limits=httpx.Limits(max_connections=16)
        )
        self.client = httpx.AsyncClient(base_url=url, transport=transport, timeout=PATIENCE, trust_env=False)
        self.session = secrets.token_hex(6)
        self.rank: int | None = None  # of the latest event
        self.values: dict[int, Any] = {}  # of the page's components, as this visitor sees them
        self._events: defaultdict[str, Waited] = defaultdict(Waited)
        self._asked: set[str] = set()
        self._tasks: list[asyncio.Task] = []
        self._stream: asyncio.Task | None = None
        self._few = asyncio.Semaphore(6)

    async def fetch(self, files: bool) -> None:
        """Get the page; with ``files`` also its scripts and styles, six at a time, as one does who was never
        here."""
        left, seen = [(await self._get("/")).text], set[str]()
        while files and left and len(seen) < FILES:
            named = {name for text in left for name in NAMED.findall(text)} - seen
            paths = sorted(named)[: FILES - len(seen)]
            seen.update(paths)
            left = [
                answer.text
                for answer in await asyncio.gather(
                    *(self._get(f"/assets/{path}", self._few) for path in paths)
                )
            ]
        self.page = Page((await self._get("/config")).json())
        self.values = {
            number: one["props"].get("value")
            for number, one in self.page.components.items()
            if one["type"] != "state"
        }

    async def open(self, files: bool = False) -> None:
        """Open the page, until it shows its first capture."""
        await self.fetch(files)
        self._tasks.append(asyncio.create_task(self._heartbeat()))
        await self.fire("", "load")

    async def upload(self, sent: Photo) -> None:
        """Choose a photo, until its capture is shown; its small picture is the one that was sent."""
        file = await self.store(sent)
        self.values[self.page.ids["photo"]] = file
        thumbnail = asyncio.create_task(
            self._get(f"{API}/file={file['path']}")
        )  # beside the event, as the browser does
        try:
            await self.fire("photo", "upload")
        except BaseException:
            thumbnail.cancel()
            raise
        if (await thumbnail).content != sent.content:
            raise Wrong("another's file under the photo's address")

    async def store(self, sent: Photo) -> dict[str, Any]:
        """Send a file; what the page calls it. Raises Wrong for another's name."""
        file = await self.send(sent)
        if not file["path"].endswith(f"/{sent.name}"):
            raise Wrong(f"an upload with another's name: {file['path']}")
        return file

    async def send(self, sent: Photo) -> dict[str, Any]:
        """Send a file, whatever its name becomes; what the page calls it."""
        form = {"files": (sent.name, sent.content, f"image/{sent.kind}")}
        path = checked(await self.client.post(f"{API}/upload", files=form)).json()[0]
        return {
            "path": path,
            "url": f"{self.client.base_url}{API[1:]}/file={path}",
            "orig_name": sent.name,
            "size": len(sent.content),
            "mime_type": f"image/{sent.kind}",
            "meta": {"_type": "gradio.FileData"},
        }

    async def choose(self, network: str) -> None:
        """Choose a network, until the photo's capture in it is shown."""
        self.values[self.page.ids["network"]] = network
        await self.fire("network", "select", {"value": network, "selected": True})

    async def ask(self, function: str, question: dict[str, Any]) -> dict[str, Any]:
        """A question of the viewer. Raises Refused or Lost for an {"error"}."""
        body = {
            "data": {**question, "language": "en"},
            "component_id": self.page.ids["viewer"],
            "session_hash": self.session,
            "fn_name": function,
        }
        answer = checked(await self.client.post(f"{API}/component_server", json=body)).json()
        if "error" in answer:
            raise _said(answer["error"])
        return answer

    async def fire(self, component: str, name: str, data: Any = None) -> None:
        """Trigger an event, and those that follow on it, until all are answered."""
        await self._run(self.page.event(component, name), data)

    async def _run(self, event: dict[str, Any], data: Any = None) -> None:
        answer = await self.join(event, data)
        for number, value in zip(event["outputs"], answer["data"]):
            update = isinstance(value, dict) and value.get("__type__") == "update"
            if number in self.page.troubles and (text := (value.get("value") if update else value)):
                raise _said(html.unescape(re.sub(r"[*]{2}", "", text)))
            if number in self.values and (not update or "value" in value):
                self.values[number] = value["value"] if update else value
        for following in self.page.after(event["id"]):
            await self._run(following)

    async def join(self, event: dict[str, Any], data: Any = None) -> dict[str, Any]:
        """Put an event in the line; what came of it, which changes nothing here."""
        number = await self.put_in_line(event, self.session, data)
        self._asked.add(number)
        waited = self._events[number]
        if self._stream is None or self._stream.done():
            self._stream = asyncio.create_task(self._listen())
        try:
            answer = await asyncio.wait_for(waited.done, PATIENCE)
        except asyncio.TimeoutError:
            raise Lost(f"no answer within {PATIENCE} s") from None
        finally:
            self._events.pop(number, None)
        self.rank = waited.rank
        if not answer.get("success"):
            raise _said(str((answer.get("output") or {}).get("error") or "an error without a sentence"))
        return answer["output"]

    async def put_in_line(self, event: dict[str, Any], session: str, data: Any = None) -> str:
        """Put an event in the line under a session's name, and go on; its number."""
        body = {
            "data": [self.values.get(number) for number in event["inputs"]],
            "event_data": data,
            "fn_index": event["id"],
            "trigger_id": event["targets"][0][0],
            "session_hash": session,
        }
        return checked(await self.client.post(f"{API}/queue/join", json=body)).json()["event_id"]

    def capture(self) -> dict[str, Any]:
        """What the viewer shows."""
        return json.loads(self.values[self.page.ids["viewer"]])["capture"]

    async def leave(self) -> None:
        """Close the page. Raises Wrong for answers that came although nobody here had asked."""
        for task in (*self._tasks, self._stream):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task
        await self.client.aclose()
        if any(waited.done.done() for number, waited in self._events.items() if number not in self._asked):
            raise Wrong("an answer to what was not asked")

    async def _get(self, path: str, few: AbstractAsyncContextManager = nullcontext()) -> httpx.Response:  # noqa: B008
        async with few:
            return checked(await self.client.get(path))

    async def _heartbeat(self) -> None:
        async with self.client.stream("GET", f"{API}/heartbeat/{self.session}", timeout=None) as answer:
            async for _ in answer.aiter_raw():
                pass

    async def _listen(self) -> None:
        """Read the session's stream until nothing is awaited."""
        try:
            while self._awaited():
                async with self.client.stream(
                    "GET", f"{API}/queue/data", params={"session_hash": self.session}
                ) as answer:
                    if answer.status_code != 200:
                        await answer.aread()
                        checked(answer)
                    async for message in _messages(answer):
                        self._told(message)
                        if message["msg"] == "close_stream":
                            break
        except Exception as error:
            trouble = error if isinstance(error, Refused) else Lost(f"the stream broke: {error!r}")
            for waited in self._awaited():
                waited.done.set_exception(trouble)

    def _awaited(self) -> list[Waited]:
        return [
            waited
            for number, waited in self._events.items()
            if number in self._asked and not waited.done.done()
        ]

    def _told(self, message: dict[str, Any]) -> None:
        number = message.get("event_id")
        if message["msg"] in ("unexpected_error", "server_stopped"):
            raise Lost(message.get("message") or message["msg"])
        if message["msg"] == "estimation" and number and self._events[number].rank is None:
            self._events[number].rank = message["rank"]
        if message["msg"] == "process_completed" and number and not self._events[number].done.done():
            self._events[number].done.set_result(message)


def fingerprint(capture: dict[str, Any]) -> str:
    """The hash of all that a capture holds but the name of the upload, which is another every time."""
    asked = {key: value for key, value in capture.get("asked", {}).items() if key != "photo"}
    return hashlib.sha256(json.dumps({**capture, "asked": asked}, sort_keys=True).encode()).hexdigest()


def check_own(capture: dict[str, Any], sent: Photo, network: str) -> None:
    """Raises Wrong for a capture of another photo, or in another network, than this."""
    if not sent.name.startswith(capture["photo"]["name"]) or not capture["asked"]["photo"].endswith(
        f"/{sent.name}"
    ):
        raise Wrong(f"{capture['photo']['name']} in place of {sent.name}")
    if capture["asked"]["network"] != network:
        raise Wrong(f"{capture['asked']['network']} in place of {network}")
    picture = Image.open(io.BytesIO(base64.b64decode(capture["photo"]["picture"].partition(",")[2])))
    picture.draft("RGB", (80, 80))  # an eighth of it, which the mean doesn't see
    mean = np.asarray(picture.convert("RGB"), float).mean((0, 1))
    if np.abs(mean - sent.colour).max() > 6:
        raise Wrong(f"the picture of {sent.name} has not its colour")


def _said(sentence: str) -> Exception:
    return Refused(sentence) if REFUSING.search(sentence) else Declined(sentence)


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer, if it is one. Raises Refused, Declined or Lost."""
    if answer.status_code == 200:
        return answer
    try:
        sentence = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        raise Lost(f"HTTP {answer.status_code} from {answer.url.path[:40]}") from None
    if answer.status_code in (429, 503, 507):
        raise Refused(sentence)
    raise Declined(f"HTTP {answer.status_code} from {answer.url.path[:40]}: {sentence}")


async def _messages(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if not content.endswith(b"\n\n"):  # a capture comes in many chunks
            continue
        for line in bytes(content).split(b"\n\n"):
            if line.startswith(b"data: "):
                yield json.loads(line[6:])
        content.clear()
