"""Visitors, and all that each of them sent or caused: it is kept together, and goes together."""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..errors import AttnvizError
from .catalog import Catalog, Choice
from .inference import Inference
from .uploads import UploadFolder, remove

Forget = Callable[[str], None]  # what lets go of a session's things elsewhere


class Belongings:
    """All that one visitor sent or caused: uploads, checkpoints that were opened, bundles that were saved,
    and what was computed of them. Once they were deleted, what arrives for them late is deleted too."""

    def __init__(
        self, uploads: UploadFolder, catalog: Catalog, inference: Inference, most_bytes: float = math.inf
    ) -> None:
        self._uploads, self._catalog, self._inference = uploads, catalog, inference
        self._most_bytes = most_bytes  # of files
        self._files: set[Path] = set()  # photos, checkpoints and labels, whether or not they could be opened
        self._bundles: set[Path] = set()
        self._photos: list[Path] = []  # of the files those that are photos
        self._checkpoints: list[Choice] = []
        self._ended = False
        self._lock = threading.Lock()

    @property
    def checkpoints(self) -> list[Choice]:
        """The checkpoints that were opened."""
        return list(self._checkpoints)

    @property
    def photos(self) -> list[Path]:
        """The photos that are still here, the newest first."""
        return [path for path in reversed(self._photos) if path.exists()]

    def show(self, photo: Path) -> None:
        """One of the files is a photo."""
        self._photos.append(photo)

    def remove(self, photo: Path) -> None:
        """Delete one of the photos, and what was computed of it; another's stays."""
        if photo in self._photos:
            self._photos.remove(photo)
            self._files.discard(photo)
            remove(photo)
            self._inference.forget({photo})

    def take(self, upload: str) -> Path:
        """Give an upload its own path; that path. Raises AttnvizError for what is no upload, where there is
        no room or no more of the visitor's, or where these things were deleted meanwhile."""
        path = self._uploads.take(upload)
        self._check_room(path, lambda: remove(path))
        self._add(self._files, path, lambda: remove(path))
        return path

    def keep(self, bundle: Path) -> None:
        """A bundle was saved. Raises AttnvizError where the visitor has no room for it, or where these things
        were deleted meanwhile."""
        self._check_room(bundle, lambda: _remove_bundle(bundle))
        self._add(self._bundles, bundle, lambda: _remove_bundle(bundle))

    def offer(self, choice: Choice) -> None:
        """A checkpoint was opened; it takes the place of one of the same title, the same file with other
        labels. Raises AttnvizError where these things were deleted meanwhile."""
        title, name = choice
        for other in self.checkpoints:
            if other[0] == title:
                self._catalog.delete(other[1], everywhere=False)  # its file is the new one's too
                self._checkpoints.remove(other)
        self._add(self._checkpoints, choice, lambda: self._catalog.delete(name))

    def end(self) -> None:
        """Delete all."""
        with self._lock:
            self._ended = True
        for _, name in self._checkpoints:
            self._catalog.delete(name)
        for path in self._files:
            remove(path)
        for bundle in self._bundles:
            _remove_bundle(bundle)
        self._inference.forget(self._files, {name for _, name in self._checkpoints})

    def expire(self) -> None:
        """Let go of those whose files are gone, and of what was computed of them."""
        gone = {path for path in list(self._files) if not path.exists()}
        closed = [choice for choice in self.checkpoints if not self._catalog.has(choice[1])]
        self._files -= gone
        self._photos = [path for path in self._photos if path not in gone]
        self._bundles -= {path for path in list(self._bundles) if not path.exists()}
        for choice in closed:
            self._checkpoints.remove(choice)
        self._inference.forget(gone, {name for _, name in closed})

    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not (self._files or self._bundles or self._checkpoints)

    def _check_room(self, path: Path, undo: Callable[[], None]) -> None:
        files = {path, *list(self._files), *list(self._bundles)}
        if sum(_size(file) for file in files) > self._most_bytes:
            undo()
            raise AttnvizError("visitor_has_no_room", limit=round(self._most_bytes / 1_000_000))

    def _add(self, things: set | list, thing: Path | Choice, undo: Callable[[], None]) -> None:
        with self._lock:
            if not self._ended:
                things.add(thing) if isinstance(things, set) else things.append(thing)
                return
        undo()
        raise self._uploads.gone()


class Visitors:
    """The belongings of each visitor of a server, who is known by the session's name, a secret that the
    browser chose. Who comes without a session, as programs do, is a new visitor each time."""

    def __init__(
        self,
        uploads: UploadFolder,
        catalog: Catalog,
        inference: Inference,
        kept_seconds: float = 3600,
        most_bytes: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._uploads, self._catalog, self._inference = uploads, catalog, inference
        self._kept_seconds, self._most_bytes, self._clock = kept_seconds, most_bytes, clock
        self._by_session: dict[str, Belongings] = {}
        self._last_used: dict[str, float] = {}
        self._forget: list[Forget] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many visitors have anything here."""
        return len(self._by_session)

    def of(self, session: str | None) -> Belongings:
        """The belongings of a session, to which something will be added."""
        session = session or secrets.token_urlsafe(16)
        with self._lock:
            self._last_used[session] = self._clock()
            if session not in self._by_session:
                self._by_session[session] = Belongings(
                    self._uploads, self._catalog, self._inference, self._most_bytes
                )
            return self._by_session[session]

    def checkpoints_of(self, session: str | None) -> list[Choice]:
        """The checkpoints that the visitor of a session opened."""
        belongings = self._by_session.get(session or "")
        return belongings.checkpoints if belongings else []

    def photos_of(self, session: str | None) -> list[Path]:
        """The photos that the visitor of a session brought, the newest first."""
        belongings = self._by_session.get(session or "")
        return belongings.photos if belongings else []

    def delete(self, session: str | None) -> None:
        """Delete all that the visitor of a session sent or caused, and whatever is on its way."""
        with self._lock:
            belongings = self._by_session.pop(session or "", None)
            self._last_used.pop(session or "", None)
        if belongings:
            belongings.end()
        if session:
            for forget in self._forget:
                forget(session)

    def expire(self) -> None:
        """Let go of what is gone, and of visitors who have nothing here any more."""
        for session, belongings in list(self._by_session.items()):
            belongings.expire()
            with self._lock:
                idle = self._clock() - self._last_used.get(session, 0)
                if belongings.is_empty() and idle > self._kept_seconds:
                    self._by_session.pop(session, None)
                    self._last_used.pop(session, None)

    def also(self, forget: Forget) -> None:
        """Call this with each session whose things are deleted."""
        self._forget.append(forget)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone meanwhile
        return 0


def _remove_bundle(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
        path.parent.rmdir()
