"""Visitors of a served page who speak as a browser does: the page with its files, uploads, and the app's
questions. What they find is read from the page.

What a visitor gets instead of an answer is an exception: Refused, with the server's sentence, Lost, or Wrong.
"""

from __future__ import annotations

import asyncio
import base64
import colorsys
import hashlib
import io
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from PIL import Image

API = "/gradio_api"
PATIENCE = 90  # seconds after which an answer is lost
REFUSING = re.compile(r"busy|number \d|waiting|requests a minute|short of memory|no room|restarting")
NAMED = re.compile(r'(?:src|href)="(assets/[\w.-]+)"')
COMPONENT = re.compile(r'data-component="(\d+)"')  # whom the app asks
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


class Visitor:
    """One open page. ``address`` is the visitor's own on the loopback interface, such as 127.0.1.7."""

    def __init__(self, url: str, address: str | None = None) -> None:
        transport = httpx.AsyncHTTPTransport(
            local_address=address, verify=False, limits=httpx.Limits(max_connections=16)
        )
        self.client = httpx.AsyncClient(base_url=url, transport=transport, timeout=PATIENCE, trust_env=False)
        self.session = secrets.token_hex(6)
        self.rank: int | None = None  # in the line, which nobody tells who asks by the app
        self.shown: dict[str, Any] = {}  # the capture that this visitor sees
        self._wanted: dict[str, str] = {}  # the photo, network and view that were chosen last
        self.component: int | None = None  # that answers, by its number

    async def fetch(self, files: bool) -> None:
        """Get the page; with ``files`` also its script and style, as one does who was never here."""
        page = (await self._get("/")).text
        if files:
            await asyncio.gather(*(self._get(f"/{name}") for name in NAMED.findall(page)))
        found = COMPONENT.search(page)
        if found is None:
            raise Lost("a page that names nobody to ask")
        self.component = int(found[1])

    async def open(self, files: bool = False) -> None:
        """Open the page, until it shows its first capture."""
        await self.fetch(files)
        self.shown = (await self.ask("start", {}))["capture"]
        self._wanted = {key: self.shown["asked"][key] for key in ("photo", "network", "view")}

    async def upload(self, sent: Photo) -> None:
        """Choose a photo, until its capture is shown. Raises Wrong for another's name."""
        added = await self.ask("add_photo", {"upload": await self.send(sent)})
        if added["name"] != sent.name:
            raise Wrong(f"an upload with another's name: {added['name']}")
        await self._show(photo=added["photo"])

    async def send(self, sent: Photo) -> str:
        """Send a file, whatever its name becomes; its path there."""
        form = {"files": (sent.name, sent.content, f"image/{sent.kind}")}
        return checked(await self.client.post(f"{API}/upload", files=form)).json()[0]

    async def choose(self, network: str) -> None:
        """Choose a network, until the photo's capture in it is shown."""
        await self._show(network=network)

    async def _show(self, **changed: str) -> None:
        self._wanted |= changed
        self.shown = await self.ask("capture", self._wanted)

    async def ask(self, function: str, question: dict[str, Any]) -> dict[str, Any]:
        """A question of the viewer. Raises Refused or Lost for an {"error"}."""
        body = {
            "data": {**question, "language": "en"},
            "component_id": self.component,
            "session_hash": self.session,
            "fn_name": function,
        }
        answer = checked(await self.client.post(f"{API}/component_server", json=body)).json()
        if "error" in answer:
            raise _said(answer["error"]["en"])
        return answer

    def capture(self) -> dict[str, Any]:
        """What the viewer shows."""
        return self.shown

    async def leave(self) -> None:
        """Close the page."""
        await self.client.aclose()

    async def _get(self, path: str) -> httpx.Response:
        return checked(await self.client.get(path))


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
