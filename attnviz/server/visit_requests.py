"""What the app in the browser asks of the server about a visit: what to open with, which networks and
examples there are, and what the visitor brings. Whatever comes from a browser is checked here."""

from __future__ import annotations

import logging
from asyncio import to_thread
from collections.abc import Awaitable, Callable
from typing import Any

from ..checkpoints.told import Told
from ..choices import CHOICES
from ..errors import AttnvizError, NetworkError
from ..languages.catalogue import Phrase, catalogue, say
from ..photos.example_photos import EXAMPLE, Example
from ..photos.thumbnails import thumbnail
from ..zoo.registry import list_networks
from .catalog import Catalog, title_of
from .inference import TraceKey
from .offers import offers, own_offer
from .photo_store import PhotoStore
from .settings import Settings
from .uploaded_checkpoints import PREFIX
from .viewer_requests import Answer, ViewerRequests, answered, said
from .visitors import Visitors

log = logging.getLogger(__name__)

LONGEST_NAME = 80  # characters of a wanted network's name that are said again


class VisitRequests:
    """Answers what visitors ask about their visit, each known by a session."""

    def __init__(
        self,
        settings: Settings,
        photos: PhotoStore,
        catalog: Catalog,
        viewer: ViewerRequests,
        visitors: Visitors,
    ) -> None:
        self._settings, self._photos, self._catalog = settings, photos, catalog
        self._viewer, self._visitors = viewer, visitors

    @property
    def functions(self) -> list[Callable[[Any, str], Awaitable[Answer]]]:
        """Those that a browser may call."""
        own = [self.add_network] if self._settings.checkpoints else []
        return [
            *(self.start, self.networks, self.examples),
            *(self.add_photo, self.remove_photo, self.forget),
            *own,
        ]

    async def start(self, request: Any, session: str = "") -> Answer:
        """What a page opens with: the capture of the photo and network that are wanted, of those that are
        offered and of the visitor's own, or else of the first; and all that can be chosen."""

        async def answer(request: dict[str, Any]) -> Answer:
            key, trouble = self._wanted(request, session)
            capture = await self._viewer.encoded(key)
            return {
                "capture": capture,
                "networks": self._offers(session),
                "examples": await self._examples(key.network, request),
                "mine": self._mine(session),
                "minutes": self._settings.keep,
                "megabytes": self._settings.checkpoint_mb,
                "told": list(CHOICES),
                "trouble": trouble,
                "note": self._note(request.get("network"), key.network, session),
                "frames": self._settings.frames is not None,
            }

        return await answered(request, answer)

    async def networks(self, request: Any, session: str = "") -> Answer:
        """All networks that this visitor can choose from."""

        async def answer(_request: dict[str, Any]) -> Answer:
            return {"networks": self._offers(session)}

        return await answered(request, answer)

    async def examples(self, request: Any, _session: str = "") -> Answer:
        """The example photos that a network is shown with."""

        async def answer(request: dict[str, Any]) -> Answer:
            return {"examples": await self._examples(str(request.get("network")), request)}

        return await answered(request, answer)

    async def add_photo(self, request: Any, session: str = "") -> Answer:
        """A photo was uploaded: it gets a name of its own, which only this visitor is told."""

        async def answer(request: dict[str, Any]) -> Answer:
            belongings = self._visitors.of(session)
            photo = await to_thread(self._photos.take, str(request.get("upload")), belongings)
            return {"photo": photo, "name": self._photos.path_of(photo).name}

        return await answered(request, answer)

    async def remove_photo(self, request: Any, session: str = "") -> Answer:
        """One of the visitor's photos is deleted."""

        async def answer(request: dict[str, Any]) -> Answer:
            path = self._photos.path_of(str(request.get("photo")))
            self._visitors.of(session).remove(path)
            return {"removed": True}

        return await answered(request, answer)

    async def add_network(self, request: Any, session: str = "") -> Answer:
        """Weights were uploaded, perhaps with the names of their classes, and something may be said of them
        that they do not tell: open them, and offer them beside the others."""

        async def answer(request: dict[str, Any]) -> Answer:
            belongings, labels = self._visitors.of(session), request.get("labels")
            path = await to_thread(belongings.take, str(request.get("upload")))
            names = await to_thread(belongings.take, str(labels)) if labels else None
            choice = await self._opened(path, names, request.get("told"))
            belongings.offer(choice)
            assumed = await self._catalog.assumptions(choice[1])
            return {"network": own_offer(choice), "assumed": _assumed(path.name, assumed)}

        return await answered(request, answer)

    async def forget(self, request: Any, session: str = "") -> Answer:
        """All that this visitor sent or caused is deleted."""

        async def answer(_request: dict[str, Any]) -> Answer:
            self._visitors.delete(session)
            return {"forgotten": True}

        return await answered(request, answer)

    async def _opened(self, path: Any, names: Any, told: Any) -> tuple[str, str]:
        choices = [choice for choice in told if choice in CHOICES] if isinstance(told, list) else []
        try:
            return await self._catalog.add(path, names, Told.from_choices(choices))
        except AttnvizError:
            raise
        except Exception:
            log.exception("opening a checkpoint failed")
            raise AttnvizError("checkpoint_failed") from None

    def _wanted(self, request: dict[str, Any], session: str) -> tuple[TraceKey, dict[str, str] | None]:
        """The pass that a page opens with, and why it is not of the photo that was wanted, if it is not."""
        ready = [name for _, name in self._catalog.ready(self._visitors.checkpoints_of(session))]
        network, photo = request.get("network"), request.get("photo")
        if network not in ready:
            network = self._catalog.first()
        view = "crop" if request.get("view") == "crop" else "whole"
        mine = [row["photo"] for row in self._mine(session)]
        if photo in mine or (isinstance(photo, str) and photo.startswith(EXAMPLE)):
            try:
                return TraceKey(self._photos.path_of(photo), network, view), None
            except AttnvizError:
                pass
        is_gone = isinstance(photo, str) and not photo.startswith(EXAMPLE)
        first = TraceKey(self._catalog.examples(network)[0].photo.path, network, view)
        return first, said(self._photos.gone()) if is_gone else None

    def _offers(self, session: str) -> list[dict[str, Any]]:
        first = self._catalog.first_networks.there()
        return offers(self._visitors.checkpoints_of(session), first)

    async def _examples(self, network: str, request: dict[str, Any]) -> list[dict[str, str]]:
        """The examples that a network is shown with, in a request's language, with small copies of them."""
        language = str(request.get("language"))
        shown = self._catalog.examples(network)
        return await to_thread(lambda: [_with_thumbnail(example, language) for example in shown])

    def _note(self, wanted: Any, network: str, session: str) -> dict[str, str] | None:
        """Why another network is shown than was wanted, by language; or that another one is awaited before
        it, or could not be had. None if nothing is so."""
        if isinstance(wanted, str) and wanted and wanted != network:
            return self._not_shown(wanted, self._title(network, session))
        first = self._catalog.first_networks
        awaited = first.awaited()
        if awaited is None or network not in list_networks():
            return None
        key = "note_failed" if first.has_failed(awaited) else "note_awaited"
        return _in_all_languages(key, title=title_of(awaited))

    def _not_shown(self, wanted: str, shown: str) -> dict[str, str]:
        """Why a wanted network is not the one that is shown."""
        if wanted in list_networks():
            return _in_all_languages("note_damaged", title=title_of(wanted), shown=shown)
        if wanted in list_networks("imagenet"):
            return _in_all_languages("note_download", title=title_of(wanted), shown=shown)
        if wanted.startswith(PREFIX):
            return _in_all_languages("note_gone", minutes=self._settings.keep, shown=shown)
        return _in_all_languages("note_unknown", name=wanted[:LONGEST_NAME], shown=shown)

    def _title(self, network: str, session: str) -> str:
        own = {name: title for title, name in self._visitors.checkpoints_of(session)}
        return own.get(network) or title_of(network)

    def _mine(self, session: str) -> list[dict[str, str]]:
        paths = self._visitors.photos_of(session)
        return [{"photo": self._photos.name_of(path), "name": path.name} for path in paths]


def _in_all_languages(key: str, **holes: Any) -> dict[str, str]:
    """A text of the page by language: the browser can change its own."""
    return {language: say(language, key, **holes) for language in catalogue().languages}


def _with_thumbnail(example: Example, language: str) -> dict[str, str]:
    return {**example.row(language), "thumbnail": thumbnail(example.photo.path)}


def _assumed(name: str, assumed: tuple[Phrase, ...]) -> dict[str, str] | None:
    """What was assumed of uploaded weights, by language; None if nothing was."""
    if not assumed:
        return None
    whole = assumed[-1]
    for phrase in reversed(assumed[:-1]):
        whole = Phrase("joined", first=phrase, rest=whole)
    note = NetworkError("checkpoint_assumes", name=name, assumed=whole)
    return {language: note.sentence(language) for language in catalogue().languages}
