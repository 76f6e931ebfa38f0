"""What the page is made of: Gradio's components, where they stand, and their words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ..choices import CHOICES
from ..languages.catalogue import ENGLISH, catalogue, say
from ..zoo.registry import list_networks
from .catalog import Catalog, title_of
from .components import AttentionViewer, ExampleGallery, OpenDropdown, PhotoInput, Sentence
from .example_photos import Example, credits_of
from .first_networks import FirstNetworks
from .service import Service
from .settings import Settings

# component, property, and the key of its words in languages/*.json
WORDS = (
    ("photo", "label", "your_photo"),
    ("photo", "placeholder", "drop_here"),
    ("examples_heading", "value", "or_examples"),
    ("examples", "label", "examples"),
    ("network", "label", "network"),
    ("checkpoint_box", "label", "your_checkpoint"),
    ("checkpoint", "label", "weights_file"),
    ("labels", "label", "labels_file"),
    ("told", "label", "told"),
    ("told", "info", "told_info"),
    ("checkpoint_help", "value", "checkpoint_help"),
    ("view", "label", "sees"),
    ("promise", "value", "promise"),
    ("delete", "value", "delete"),
)


@dataclass(frozen=True, eq=False)
class Components:
    """The page's components. The browser holds the photo's name in ``current``, so that a page outlives its
    server; what it sends back is checked."""

    heading: gr.Markdown
    switch: gr.Button  # to the next language
    language: gr.Textbox
    current: gr.Textbox
    opened: gr.State  # the network's name
    error: gr.State  # what ``trouble`` says, to be said in another language
    network_error: gr.State  # the same of ``network_trouble``
    photo: PhotoInput
    trouble: Sentence
    examples_heading: gr.Markdown
    examples: ExampleGallery
    credits: gr.Markdown  # of the examples
    network: OpenDropdown
    network_trouble: Sentence
    network_note: gr.Markdown  # what it knows, on a page that was told what to open first
    other: gr.Button  # opens what is offered instead
    checkpoint_box: gr.Accordion
    checkpoint: gr.File
    labels: gr.File
    told: gr.Dropdown  # what a checkpoint does not tell
    checkpoint_help: gr.Markdown
    view: gr.Radio
    promise: gr.Markdown
    delete: gr.Button
    viewer: AttentionViewer

    def spoken(self) -> list[Any]:
        """Those that ``words_in`` gives words to."""
        named = dict.fromkeys(name for name, _, _ in WORDS)
        return [self.language, self.heading, self.switch, *(getattr(self, name) for name in named)]


def words_in(language: str, components: Components, settings: Settings) -> dict[Any, dict[str, Any]]:
    """What the components say in a language, as updates."""
    updates: dict[Any, dict[str, Any]] = {
        components.language: {"value": language},
        components.heading: {"value": _heading(language)},
        components.switch: {"value": _next_language(language)},
    }
    for name, property_name, key in WORDS:
        words = updates.setdefault(getattr(components, name), {})
        words[property_name] = _words(language, key, settings)
    updates[components.view]["choices"] = _views(language)
    updates[components.told]["choices"] = _told(language)
    return {component: gr.update(**words) for component, words in updates.items()}


def examples_in(
    language: str, components: Components, examples: Sequence[Example]
) -> dict[Any, dict[str, Any]]:
    """The examples that are shown, and whose they are, in a language, as updates."""
    rows = [example.row(language) for example in examples]
    return {
        components.examples: gr.update(value=rows),
        components.credits: gr.update(value=_credits(language, examples)),
    }


def note_in(
    language: str, components: Components, network: str, catalog: Catalog
) -> dict[Any, dict[str, Any]]:
    """What a page that was told what to open first says of a network, and what it offers instead, in a
    language, as updates."""
    said, other = _note(language, network, catalog.first_networks), catalog.other(network)
    key = "open_embedded" if other in list_networks() else "open_other"
    button = say(language, key, title=title_of(other)) if other else ""
    return {
        components.network_note: gr.update(value=said, visible=bool(said)),
        components.other: gr.update(value=button, visible=bool(other)),
    }


def _note(language: str, network: str, first: FirstNetworks) -> str:
    if network in list_networks("imagenet"):
        return say(language, "note_thousand") if first.names else ""
    awaited = first.awaited()
    if network not in list_networks() or not first.names:
        return ""
    if awaited is None:
        return say(language, "note_ten")
    key = "note_failed" if first.has_failed(awaited) else "note_awaited"
    return say(language, key, title=title_of(awaited))


def draw(service: Service) -> Components:
    """Put the components into the Blocks that are being built."""
    settings = service.settings
    with gr.Row(elem_id="top"):
        heading = gr.Markdown(_heading(ENGLISH), elem_id="heading")
        switch = gr.Button(_next_language(ENGLISH), size="sm", elem_id="language", scale=0, min_width=90)
    choices = service.catalog.choices([])
    examples = service.catalog.examples(choices[0][1])
    state = _draw_state(choices[0][1], examples[0].row(ENGLISH)["photo"])
    with gr.Row(elem_id="main"):
        with gr.Column(scale=1, min_width=280):
            photo = _draw_photo(settings, examples)
            network = _draw_network(choices)
            checkpoint = _draw_checkpoint(settings)
            rest = _draw_rest(settings)
        with gr.Column(scale=4, min_width=320):
            requests = service.viewer
            viewer = AttentionViewer([requests.channel, requests.capture, requests.save], elem_id="viewer")
    return Components(heading, switch, **state, **photo, **network, **checkpoint, **rest, viewer=viewer)


def _draw_state(network: str, photo: str) -> dict[str, Any]:
    return {
        "language": gr.Textbox(ENGLISH, visible=False),
        "current": gr.Textbox(photo, visible=False),
        "opened": gr.State(network),
        "error": gr.State(),
        "network_error": gr.State(),
    }


def _draw_photo(settings: Settings, shown: Sequence[Example]) -> dict[str, Any]:
    photo = PhotoInput(
        label=_words(ENGLISH, "your_photo", settings),
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard", "webcam"],
        buttons=["fullscreen"],
        height=180,
        elem_id="photo",
        placeholder=_words(ENGLISH, "drop_here", settings),
    )
    trouble = Sentence(visible=False, elem_id="trouble", elem_classes="trouble")
    heading = gr.Markdown(_words(ENGLISH, "or_examples", settings), elem_id="examples-heading")
    rows: Any = [example.row(ENGLISH) for example in shown]
    examples = ExampleGallery(
        rows,
        label=_words(ENGLISH, "examples", settings),
        show_label=False,
        columns=4,
        height="auto",
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="examples",
    )
    return {
        "photo": photo,
        "trouble": trouble,
        "examples_heading": heading,
        "examples": examples,
        "credits": gr.Markdown(_credits(ENGLISH, shown), elem_id="examples-credits"),
    }


def _draw_network(choices: list[tuple[str, str]]) -> dict[str, Any]:
    network = OpenDropdown(
        choices, value=choices[0][1], label=say(ENGLISH, "network"), elem_id="network", filterable=False
    )
    trouble = Sentence(visible=False, elem_id="network-trouble", elem_classes="trouble")
    return {
        "network": network,
        "network_trouble": trouble,
        "network_note": gr.Markdown(visible=False, elem_id="network-note"),
        "other": gr.Button(visible=False, size="sm", elem_id="other"),
    }


def _draw_checkpoint(settings: Settings) -> dict[str, Any]:
    box: dict[str, Any] = {"open": False, "visible": settings.checkpoints, "elem_id": "yours"}
    file: dict[str, Any] = {"type": "filepath", "height": 150}
    with gr.Accordion(_words(ENGLISH, "your_checkpoint", settings), **box) as checkpoint_box:
        checkpoint = gr.File(
            label=_words(ENGLISH, "weights_file", settings),
            elem_id="checkpoint",
            **file,
        )
        labels = gr.File(
            label=_words(ENGLISH, "labels_file", settings), file_types=[".txt"], elem_id="labels", **file
        )
        told = gr.Dropdown(
            _told(ENGLISH),
            value=[],
            multiselect=True,
            label=_words(ENGLISH, "told", settings),
            info=_words(ENGLISH, "told_info", settings),
            elem_id="told",
        )
        text = gr.Markdown(_words(ENGLISH, "checkpoint_help", settings), elem_id="checkpoint-help")
    return {
        "checkpoint_box": checkpoint_box,
        "checkpoint": checkpoint,
        "labels": labels,
        "told": told,
        "checkpoint_help": text,
    }


def _draw_rest(settings: Settings) -> dict[str, Any]:
    view = gr.Radio(_views(ENGLISH), value="whole", label=_words(ENGLISH, "sees", settings), elem_id="view")
    promise = gr.Markdown(_words(ENGLISH, "promise", settings), elem_id="promise")
    delete = gr.Button(_words(ENGLISH, "delete", settings), size="sm", elem_id="delete")
    return {"view": view, "promise": promise, "delete": delete}


def _next_language(language: str) -> str:
    """The name of the language that the switch leads to."""
    texts = catalogue()
    return texts.name(texts.following(language))


def _heading(language: str) -> str:
    return f"# attnviz\n{say(language, 'heading')}"


def _words(language: str, key: str, settings: Settings) -> str:
    return say(language, key, megabytes=f"{settings.checkpoint_mb:,}", minutes=settings.keep)


def _credits(language: str, examples: Sequence[Example]) -> str:
    return say(language, "examples_by", credits=credits_of(examples))


def _told(language: str) -> list[tuple[str, str]]:
    keys = [re.sub(r"[ .]", "_", choice) for choice in CHOICES]
    return [(say(language, f"told_{key}"), choice) for key, choice in zip(keys, CHOICES)]


def _views(language: str) -> list[tuple[str, str]]:
    return [(say(language, f"view_{view}"), view) for view in ("whole", "crop")]
