"""What the page does when something is chosen, uploaded or opened: each handler returns updates by
component."""

from __future__ import annotations

import logging
from asyncio import to_thread
from copy import copy
from typing import Any

import gradio as gr

from ..checkpoints.told import Told
from ..errors import AttnvizError, NetworkError
from ..languages.catalogue import Phrase, say
from .asker import asked_by, asker_of
from .catalog import Choice
from .example_photos import EXAMPLE
from .inference import TraceKey
from .layout import Components, examples_in, note_in, words_in
from .link import Link
from .service import Service

log = logging.getLogger(__name__)

Updates = dict[Any, Any]
FALLBACK = "cbam_resnet18"  # what the viewer's button opens where a network has no attention


class Handlers:
    """The handlers of one server's page."""

    def __init__(self, service: Service, components: Components) -> None:
        self._service, self._on = service, components

    async def start(self, request: gr.Request) -> Updates:
        """The page was opened, perhaps by a link."""
        mine = self._checkpoints_of(request)
        header = request.headers.get("accept-language", "") if request.headers else ""
        networks = [name for _, name in self._service.catalog.ready(mine)]
        link = Link.from_query(dict(request.query_params), header, networks)
        network = link.network or self._service.catalog.first()
        photo = link.photo or self._first_example(network)
        updates = await self.analyse(photo, network, link.view, link.language, request)
        if self._on.viewer in updates:
            updates[self._on.viewer] |= {"state": link.state}
        return updates | self._opened(network, link.language, request) | {self._on.view: link.view}

    async def speak(
        self,
        language: str,
        opened: str,
        error: AttnvizError | None,
        network_error: AttnvizError | None,
        request: gr.Request,
    ) -> Updates:
        """A language was chosen: the words of all that Gradio draws."""
        updates: Updates = words_in(language, self._on, self._service.settings)
        updates |= self._shown_with(opened, language)
        updates[self._on.network] |= {
            "choices": self._service.catalog.choices(self._checkpoints_of(request), language)
        }
        for component, shown_error in ((self._on.trouble, error), (self._on.network_trouble, network_error)):
            updates[component] = gr.skip() if shown_error is None else _message(shown_error, language)
        return updates

    async def fetch(
        self,
        network: str,
        opened: str,
        language: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 (Gradio looks for it here)
    ) -> Updates:
        """A network was chosen: open it, with its download's progress. One that can't be opened leaves the
        one before, and a message says why."""

        def report(done: int, total: int) -> None:
            progress(min(done / max(total, 1), 0.99), desc=f"{done / 1e6:.0f} / {total / 1e6:.0f} MB")

        try:
            with asked_by(asker_of(request)):
                await self._service.catalog.network(str(network), report)
        except AttnvizError as error:
            return self._opened(opened, language, request) | self._network_trouble(error, language)
        return self._opened(network, language, request) | self._no_network_trouble()

    async def open_yours(
        self,
        checkpoint: str | None,
        labels: str | None,
        told: list[str] | None,
        language: str,
        request: gr.Request,
    ) -> Updates:
        """A checkpoint was uploaded, or the names of its classes, or something was said of it that it doesn't
        tell: open it, and offer it beside the others."""
        if checkpoint is None:
            return gr.skip()
        belongings = self._service.visitors.of(request.session_hash)
        try:
            path = await to_thread(belongings.take, checkpoint)
            with asked_by(asker_of(request)):
                names = belongings.take(labels) if labels else None
                choice = await self._service.catalog.add(path, names, Told.from_choices(told or ()))
            belongings.offer(choice)
            assumed = await self._service.catalog.assumptions(choice[1])
        except AttnvizError as error:
            return self._network_trouble(error, language)
        except Exception:
            log.exception("opening a checkpoint failed")
            return self._network_trouble(AttnvizError("checkpoint_failed"), language)
        said = self._assumed(path.name, assumed, language) if assumed else self._no_network_trouble()
        return self._opened(choice[1], language, request) | said

    async def analyse(
        self, photo: str, network: str, view: str, language: str, request: gr.Request
    ) -> Updates:
        """A photo, a network or a view was chosen: run the network, and show the viewer what came of it. If
        that can't be done, a message below the upload says why, the upload is emptied, and all else stays."""
        try:
            path = self._service.photos.path_of(str(photo))
            with asked_by(asker_of(request)):
                capture = await self._service.viewer.encoded(TraceKey(path, str(network), view))
        except AttnvizError as error:
            return self._photo_trouble(error, language)
        except Exception:  # a direct call with something that the page never sends
            log.exception("a photo could not be analysed")
            return self._photo_trouble(AttnvizError("pass_failed"), language)
        mine = self._checkpoints_of(request)
        value = {
            "capture": capture,
            "language": language,
            "networks": [[name, title] for title, name in self._service.catalog.ready(mine)],
            "examples": [example.row(language) for example in self._service.catalog.examples(network)],
        }
        on = self._on
        return {
            on.trouble: gr.update(value="", visible=False),
            on.error: None,
            on.current: photo,
            on.viewer: value,
        }

    async def analyse_upload(
        self, upload: str, network: str, view: str, language: str, request: gr.Request
    ) -> Updates:
        """A photo was uploaded: it gets a name of its own, and is analysed."""
        try:
            belongings = self._service.visitors.of(request.session_hash)
            photo = await to_thread(self._service.photos.take, upload, belongings)
        except AttnvizError as error:
            return self._photo_trouble(error, language)
        return await self.analyse(photo, network, view, language, request)

    async def analyse_example(
        self, network: str, view: str, language: str, event: gr.SelectData, request: gr.Request
    ) -> Updates:
        """One of the examples was chosen."""
        return await self.analyse(_example_of(event), network, view, language, request)

    async def delete_mine(self, view: str, language: str, request: gr.Request) -> Updates:
        """Delete all that this visitor sent or caused; the page is as when it was opened."""
        self._service.visitors.delete(request.session_hash)
        first = self._service.catalog.first()
        updates = await self.analyse(self._first_example(first), first, view, language, request)
        if self._on.viewer in updates:  # else nothing can be shown in place of what is there
            updates[self._on.viewer] |= {"forget": True}
        gr.Info(say(language, "deleted"), title=say(language, "delete"), duration=8)
        on, hidden = self._on, gr.update(value="", visible=False)
        emptied = {
            on.photo: None,
            on.checkpoint: None,
            on.labels: None,
            on.told: gr.update(value=[]),
            on.network_trouble: hidden,
        }
        return updates | self._opened(first, language, request) | emptied

    async def open_other(self, opened: str, photo: str, language: str, request: gr.Request) -> Updates:
        """The button for what is offered instead of the network that is shown was pressed. A visitor's own
        photo stays; an example that the other network is not shown with gives way to its first."""
        catalog = self._service.catalog
        network = catalog.other(opened) or catalog.first()
        own = [EXAMPLE + example.photo.name for example in catalog.examples(network)]
        if photo.startswith(EXAMPLE) and photo not in own:
            photo = own[0]
        return self._opened(network, language, request) | {self._on.current: photo}

    async def open_fallback(self, language: str, request: gr.Request) -> Updates:
        """The viewer's button for a network with attention was pressed."""
        return self._opened(FALLBACK, language, request)

    def _checkpoints_of(self, request: gr.Request) -> list[Choice]:
        return self._service.visitors.checkpoints_of(request.session_hash)

    def _opened(self, network: str, language: str, request: gr.Request) -> Updates:
        choices = self._service.catalog.choices(self._checkpoints_of(request), language)
        return {
            self._on.network: gr.update(choices=choices, value=network),
            self._on.opened: network,
            **self._shown_with(network, language),
        }

    def _shown_with(self, network: str, language: str) -> Updates:
        """What the page says of a network, and its examples."""
        catalog = self._service.catalog
        note = note_in(language, self._on, network, catalog)
        return note | examples_in(language, self._on, catalog.examples(network))

    def _first_example(self, network: str) -> str:
        return EXAMPLE + self._service.catalog.examples(network)[0].photo.name

    def _photo_trouble(self, error: AttnvizError, language: str) -> Updates:
        on = self._on
        return {on.photo: None, on.trouble: _warned(error, language), on.error: _bare(error)}

    def _network_trouble(self, error: AttnvizError, language: str) -> Updates:
        return {
            self._on.network_trouble: _warned(error, language),
            self._on.network_error: _bare(error),
        }

    def _assumed(self, name: str, assumed: tuple[Phrase, ...], language: str) -> Updates:
        """Say what was assumed of an uploaded checkpoint, where its troubles are said."""
        whole = assumed[-1]
        for phrase in reversed(assumed[:-1]):
            whole = Phrase("joined", first=phrase, rest=whole)
        note = NetworkError("checkpoint_assumes", name=name, assumed=whole)
        return {self._on.network_trouble: _message(note, language), self._on.network_error: note}

    def _no_network_trouble(self) -> Updates:
        return {self._on.network_trouble: gr.update(visible=False), self._on.network_error: None}


def _example_of(event: gr.SelectData) -> str:
    """The browser's name of the example that was chosen, whatever list it stood in: another network may have
    been chosen meanwhile."""
    image = event.value.get("image") if isinstance(event.value, dict) else None
    file = image.get("orig_name") if isinstance(image, dict) else None
    return EXAMPLE + str(file).removesuffix(".jpg")


def _warned(error: AttnvizError, language: str) -> dict[str, Any]:
    """Show an error as a passing message, which unlike gr.Error covers nothing; and the message to be shown
    where it arose."""
    gr.Warning(escaped(error.sentence(language)), title=say(language, "failed"), duration=10)
    return _message(error, language)


def _message(error: AttnvizError, language: str) -> dict[str, Any]:
    return gr.update(value=f"**{escaped(error.sentence(language))}**", visible=True)


def _bare(error: AttnvizError) -> AttnvizError:
    """The error without its traceback, which would keep the photo in memory."""
    return copy(error)


def escaped(text: str) -> str:
    """Text from outside for places that read Markdown or HTML: every mark that they could take as their own
    is escaped."""
    return "".join(
        character if character.isalnum() or character in " .,:;-_()'’“”%–…" else f"&#{ord(character)};"
        for character in text
    )
