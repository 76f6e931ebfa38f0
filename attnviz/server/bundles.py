"""What a viewer saves: a zip of what is on its screen or of everything, one figure, a figure for a paper, or
a page to explore without a server."""

from __future__ import annotations

import re
import secrets
import shutil
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..drawing.paper import PAPER_DPI, paper_drawing
from ..errors import AttnvizError
from ..export.bundle import bundle, file_count
from ..export.figure import Figure, figure_file
from ..export.pictures import PictureSettings
from ..photos.example_photos import credit_of
from ..viewer.standalone import Document
from .catalog import Catalog
from .inference import Inference
from .photo_store import PhotoStore
from .saving import Saving
from .shown import ShownTraces
from .sweeping import make_again
from .view_state import format_of, look_of, order_of, page_of, paper_of
from .visitors import Belongings
from .work_queue import NICENESS, WorkQueue

AT_ONCE, MOST_WAITING = 2, 10  # files that are drawn, and that wait
DRAWING_HANGS = 120.0  # seconds, for one file of a bundle
LONGEST_NAME = 120  # characters of a file's name
PLAIN_NAME = "attnviz"  # of a file whose request names none

Write = Callable[[Path], None]


class BundleWriter:
    """Writes what a viewer wants to save into a file."""

    def __init__(
        self,
        folder: Path,
        photos: PhotoStore,
        catalog: Catalog,
        inference: Inference,
        free_bytes: int = 0,  # that stay free on the disk
    ) -> None:
        self._free_bytes = free_bytes
        self.queue = WorkQueue(AT_ONCE, MOST_WAITING, NICENESS, DRAWING_HANGS)
        self._folder = folder
        self._shown = ShownTraces(photos, catalog, inference)

    async def write(
        self, request: dict[str, Any], belongings: Belongings, saving: Saving | None = None
    ) -> Path:
        """The file of what a request names, which belongs to who asked. ``saving`` is told how far it is, and
        says when it is given up. Raises AttnvizError."""
        saving = saving or Saving()
        makers = {"figure": self._figure, "paper": self._paper, "page": self._page}
        suffix, write = await makers.get(str(request.get("what")), self._zip)(request, saving)
        name = f"{safe_name(request.get('name'))}.{suffix}"

        def written() -> Path:
            with _place(self._folder) as place:
                write(place / name)
                return place / name

        saving.check()
        path = await self.queue.run(written)
        belongings.keep(path)
        return path

    async def _zip(self, request: dict[str, Any], saving: Saving) -> tuple[str, Write]:
        captures = await self._shown.captures(request)
        tab, everything = request.get("tab"), request.get("what") == "all"
        selections = [await self._shown.selection(capture, request, everything) for capture in captures]
        beside, pairs = await self._shown.beside(request), self._shown.pairs(captures, request)
        saving.total = file_count(selections, everything, pairs)
        look, order = look_of(request.get("look"), tab), order_of(request.get("look"))
        files = bundle(selections, look, order, everything, beside, pairs, tab in ("networks", "photos"))
        return "zip", lambda path: self._write_zip(path, files, saving)

    async def _figure(self, request: dict[str, Any], _saving: Saving) -> tuple[str, Write]:
        captures = await self._shown.captures(request)
        tab, channel = request.get("tab"), None
        if tab == "explore":
            channel = await self._shown.channel(captures[0], request)
        traces = [(trace, self._figure_layers((key, trace), request)) for key, trace in captures]
        look, pairs = look_of(request.get("look"), tab), self._shown.pairs(captures, request)
        compared = (*(trace for trace, _ in traces), *await self._shown.beside(request))
        settings = PictureSettings(look, order_of(request.get("look")), look.scale, compared)
        figure = Figure(traces, settings, channel, pairs[0] if pairs else None)
        name, suffix = str(request.get("figure")), format_of(request, ("png", "svg", "pdf", "csv"))

        def write(path: Path) -> None:
            try:
                content = figure_file(name, suffix, figure)
            except LookupError:
                raise AttnvizError("nothing_to_save") from None
            self._write(path, content)

        return suffix, write

    def _figure_layers(self, capture: Any, request: dict[str, Any]) -> tuple[str, ...]:
        """All layers of a photo in a table of photos, else the chosen one."""
        if request.get("figure") == "photos":
            return tuple(capture[1].layers)
        return self._shown.layers(capture, request)

    async def _paper(self, request: dict[str, Any], _saving: Saving) -> tuple[str, Write]:
        (capture, *_) = await self._shown.captures(request)
        trace, channel = capture[1], await self._shown.channel(capture, request)
        paper, suffix = paper_of(request, trace, channel), format_of(request, ("pdf", "svg", "png"))
        look, order = look_of(request.get("look"), "explore"), order_of(request.get("look"))
        compared = await self._shown.beside(request)

        def write(path: Path) -> None:
            try:
                drawing = paper_drawing(trace, paper, look, order, compared)
            except ValueError:
                raise AttnvizError("nothing_to_save") from None
            self._write(path, drawing.file(suffix, PAPER_DPI))

        return suffix, write

    async def _page(self, request: dict[str, Any], _saving: Saving) -> tuple[str, Write]:
        captures = await self._shown.captures(request)
        cards = [await self._shown.card(key) for key, _ in captures]
        document = Document(page_of(request))

        def write(path: Path) -> None:
            for (key, trace), card in zip(captures, cards):
                document.add(trace, card, credit_of(key.photo))
                self.queue.tell_alive()
            self._write(path, document.html().encode())

        return "html", write

    def _write(self, path: Path, content: bytes) -> None:
        self._check_room(path, len(content))
        path.write_bytes(content)

    def _write_zip(self, path: Path, files: Iterator[tuple[str, bytes]], saving: Saving) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                self.queue.tell_alive()  # each file is a sign of life
                self._check_room(path, len(content))
                archive.writestr(name, content)
                saving.one_is_done()

    def _check_room(self, path: Path, size: int) -> None:
        """Raises AttnvizError where less would stay free than must."""
        if shutil.disk_usage(path.parent).free - size < self._free_bytes:
            raise AttnvizError("no_room_to_save")


@contextmanager
def _place(folder: Path) -> Iterator[Path]:
    """A folder that nobody can guess, for one file; of what can't be finished nothing stays. Raises
    AttnvizError where there is no room."""
    place = folder / "saved" / secrets.token_urlsafe(16)
    is_whole = False
    try:
        make_again(folder)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        place.mkdir(mode=0o700)
        yield place
        is_whole = True
    except OSError:
        raise AttnvizError("no_room_to_save") from None
    finally:
        if not is_whole:
            shutil.rmtree(place, ignore_errors=True)


def safe_name(wanted: Any) -> str:
    """A name for a file on any system, as near to the wanted one as can be, without an ending."""
    text = unicodedata.normalize("NFC", wanted) if isinstance(wanted, str) else ""
    kept = re.sub(r"[^\w .()·+-]+", "-", "".join(c for c in text if c.isprintable()))
    return kept[:LONGEST_NAME].strip(" .-") or PLAIN_NAME
