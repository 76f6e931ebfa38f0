"""The Gradio page: the layout, wired to the handlers."""

from __future__ import annotations

import json
import os
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read by gradio when it is imported
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr

from .._paths import EXAMPLES_FOLDER
from ..languages.catalogue import LANGUAGES
from .api import add_endpoints
from .handlers import Handlers
from .layout import Components, draw
from .service import Service, make_service

SWITCH_LANGUAGE = """(now, ...rest) => {
  const languages = LANGUAGES, to = languages[(languages.indexOf(now) + 1) % languages.length];
  window.attnviz.viewer?.speak(to);
  return [to, ...rest];
}""".replace("LANGUAGES", json.dumps(LANGUAGES))

VIEWERS_LANGUAGE = "(now, ...rest) => [window.attnviz.viewer.language, ...rest]"

THEME = gr.themes.Default(
    primary_hue="indigo",
    neutral_hue="slate",
    font=("system-ui", "sans-serif"),
    font_mono=("ui-monospace", "monospace"),
)

HIDDEN: dict[str, Any] = {"show_progress": "hidden"}
PRIVATE: dict[str, Any] = {"trigger_mode": "always_last", "api_visibility": "private"}
FETCHES: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "fetch", "concurrency_limit": 4}


def build(service: Service | None = None) -> gr.Blocks:
    """The page of a server, not yet served."""
    service = service or make_service()
    gr.set_static_paths([EXAMPLES_FOLDER])  # served from there: a copy among the uploads would be swept away
    with gr.Blocks(title="attnviz", fill_width=True, analytics_enabled=False) as page:
        components = draw(service)
        Wiring(page, components, Handlers(service, components), service).connect()
    return page


class Wiring:
    """Connects the page's events with their handlers."""

    def __init__(self, page: gr.Blocks, components: Components, handlers: Handlers, service: Service) -> None:
        self._page, self._on, self._handlers, self._service = page, components, handlers, service
        on = components
        self._chosen = [on.network, on.view, on.language]
        self._analysis = [on.photo, on.trouble, on.error, on.current, on.viewer]
        self._opening = [on.network, on.opened, on.examples, on.credits, on.network_note, on.other]
        # For each address one more than passes at a time: while one runs, another's photo is opened and a
        # third's capture encoded; and as many again for the others, whom long ones would keep waiting.
        self._pass: dict[str, Any] = {
            "concurrency_id": "pass",
            "concurrency_limit": 2 * (service.settings.at_once + 1),
        }
        self._waits: dict[str, Any] = {
            "show_progress": "minimal",
            "show_progress_on": [on.photo],
            **PRIVATE,
            **self._pass,
        }

    def connect(self) -> None:
        """Connect all; the order is that of the events' numbers."""
        self._connect_opening()
        self._connect_photos()
        self._connect_networks()
        add_endpoints(self._service, self._pass)
        if self._service.settings.checkpoints:
            self._connect_checkpoints()
        self._connect_viewer()

    def _connect_opening(self) -> None:
        on, handlers = self._on, self._handlers
        opening = [*self._analysis, *self._opening, on.view]
        self._page.load(handlers.start, None, opening, **HIDDEN, **PRIVATE, **self._pass)
        said = [on.error, on.network_error]
        spoken = [*on.spoken(), on.credits, on.network_note, on.other, on.trouble, on.network_trouble]
        for event, script in ((on.viewer.speak, VIEWERS_LANGUAGE), (on.switch.click, SWITCH_LANGUAGE)):
            event(handlers.speak, [on.language, on.opened, *said], spoken, js=script, **HIDDEN, **PRIVATE)

    def _connect_photos(self) -> None:
        on, handlers = self._on, self._handlers
        uploaded = [on.photo, *self._chosen]
        on.photo.upload(handlers.analyse_upload, uploaded, self._analysis, **self._waits)
        on.delete.click(
            handlers.delete_mine,
            [on.view, on.language],
            [*self._analysis, *self._opening, on.checkpoint, on.labels, on.told, on.network_trouble],
            **HIDDEN,
            **PRIVATE,
            **self._pass,
        )
        on.examples.select(handlers.analyse_example, self._chosen, self._analysis, **self._waits)
        on.view.input(handlers.analyse, [on.current, *self._chosen], self._analysis, **self._waits)

    def _connect_networks(self) -> None:
        on = self._on
        chosen = on.network.select(
            self._handlers.fetch,
            [on.network, on.opened, on.language],
            [*self._opening, on.network_trouble, on.network_error],
            trigger_mode="always_last",
            show_progress_on=[on.viewer],
            **FETCHES,
        )
        self._then_analyse(chosen)
        pressed = on.other.click(
            self._handlers.open_other,
            [on.opened, on.current, on.language],
            [*self._opening, on.current],
            api_visibility="private",
            **HIDDEN,
        )
        self._then_analyse(pressed)

    def _connect_checkpoints(self) -> None:
        on = self._on
        uploaded = gr.on(
            [on.checkpoint.upload, on.labels.upload, on.told.input],
            self._handlers.open_yours,
            [on.checkpoint, on.labels, on.told, on.language],
            [*self._opening, on.network_trouble, on.network_error],
            show_progress_on=[on.viewer],
            **FETCHES,
        )
        self._then_analyse(uploaded)

    def _connect_viewer(self) -> None:
        on = self._on
        pressed = on.viewer.cbam(
            self._handlers.open_fallback,
            [on.language],
            self._opening,
            api_visibility="private",
            **HIDDEN,
        )
        self._then_analyse(pressed)

    def _then_analyse(self, event: Any) -> None:
        event.then(self._handlers.analyse, [self._on.current, *self._chosen], self._analysis, **self._waits)
