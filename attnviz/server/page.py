"""The Gradio page: handlers first, then ``build``."""

from __future__ import annotations

import json
import logging
import os
from copy import copy
from functools import partial
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read by gradio when it is imported
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr

from ..checkpoints.state_dict import SUFFIXES
from ..errors import AttnvizError
from ..languages.catalogue import LANGUAGES, catalogue, say
from . import catalog
from .api import add_endpoints
from .catalog import network_of
from .components import AttentionViewer, OpenDropdown, PhotoInput, Sentence
from .settings import Settings
from .uploads import Asked
from .viewer_requests import (
    EXAMPLE,
    EXAMPLES,
    EXAMPLES_FOLDER,
    capture,
    channel,
    delete,
    example_file,
    packed,
    path_of,
    save,
    take,
    take_file,
)

log = logging.getLogger(__name__)

SWITCH_LANGUAGE = """(now, ...rest) => {
  const languages = LANGUAGES, to = languages[(languages.indexOf(now) + 1) % languages.length];
  window.attnviz.viewer?.speak(to);
  return [to, ...rest];
}""".replace("LANGUAGES", json.dumps(LANGUAGES))

THEME = gr.themes.Default(
    primary_hue="indigo",
    neutral_hue="slate",
    font=("system-ui", "sans-serif"),
    font_mono=("ui-monospace", "monospace"),
)


def start(mine: list, request: gr.Request) -> tuple:
    """The page was opened, perhaps by a link: what its address asks for, of what is ours to show."""
    wanted = dict(request.query_params)
    header = request.headers.get("accept-language", "") if request.headers else ""
    language = wanted.get("lang") or ("zh" if header.lower().startswith("zh") else "en")
    language = language if language in LANGUAGES else "en"
    offered = [name for _, name in catalog.ready(mine)]
    network = wanted.get("network", "") if wanted.get("network") in offered else _first()
    example = wanted.get("photo", "") if wanted.get("photo") in EXAMPLES else EXAMPLES[0]
    view = "crop" if wanted.get("view") == "crop" else "whole"
    state: dict[str, Any] = (
        {"tab": wanted["tab"]} if wanted.get("tab") in ("explore", "networks", "photos") else {}
    )
    if "layer" in wanted:
        state["layer"] = wanted["layer"]
    if wanted.get("channel", "").isdecimal() and len(wanted["channel"]) < 6:
        state["channel"] = int(wanted["channel"])
    networks = [name for name in wanted.get("networks", "").split(",") if name in offered]
    photos = [EXAMPLE + name for name in wanted.get("photos", "").split(",") if name in EXAMPLES]
    state.update({key: value for key, value in (("networks", networks), ("photos", photos)) if value})
    state.update({side: EXAMPLE + wanted[side] for side in ("a", "b") if wanted.get(side) in EXAMPLES})
    if wanted.get("block") == "first":
        state["block"] = "first"
    photo, trouble, error, current, viewer = analyse(EXAMPLE + example, network, view, mine, language)
    if "capture" in viewer:
        viewer |= {
            "state": state
        }  # a Chinese reader's viewer asks for the rest of the page in Chinese, see js/gradio.js
    return photo, trouble, error, current, viewer, gr.Dropdown(value=network), network, view


def speak(
    language: str,
    settings: Settings,
    mine: list,
    error: AttnvizError | None = None,
    network_error: AttnvizError | None = None,
) -> tuple:
    """The language, and the words of all that Gradio draws in it, in the order of ``spoken`` in ``build``."""
    return (
        language,
        gr.Markdown(f"# attnviz\n{say(language, 'heading')}"),
        gr.Button(_other_language(language)),
        gr.update(label=say(language, "your_photo"), placeholder=say(language, "drop_here")),
        gr.Markdown(say(language, "or_examples")),
        gr.Gallery(label=say(language, "examples")),
        gr.update(label=say(language, "network"), choices=catalog.choices(mine, language)),
        gr.Accordion(label=say(language, "your_checkpoint")),
        gr.File(label=say(language, "weights_file", megabytes=f"{settings.checkpoint_mb:,}")),
        gr.File(label=say(language, "labels_file")),
        gr.Markdown(say(language, "checkpoint_help")),
        gr.Radio(label=say(language, "sees"), choices=_views(language)),
        gr.Markdown(say(language, "promise", minutes=settings.keep)),
        gr.Button(say(language, "delete")),
        _retold(error, language),
        _retold(network_error, language),
    )


def fetch(
    network: str, opened: str, mine: list, language: str, progress: gr.Progress = gr.Progress()
) -> tuple:
    """A network was chosen: open it, with its download's progress. What can't be opened leaves the one
    before, and says why."""

    def report(done: int, total: int) -> None:
        progress(min(done / max(total, 1), 0.99), desc=f"{done / 1e6:.0f} / {total / 1e6:.0f} MB")

    try:
        network_of(network, report)
    except AttnvizError as error:
        return (
            gr.Dropdown(choices=catalog.choices(mine, language), value=opened),
            opened,
            *_trouble(error, language),
        )
    return (
        gr.Dropdown(choices=catalog.choices(mine, language), value=network),
        network,
        *_no_trouble(),
    )


def open_yours(
    checkpoint: str | None, labels: str | None, opened: str, mine: list, language: str, limit: int
) -> tuple:
    """A checkpoint was uploaded, or the names of its classes: open it, and offer it beside the others."""
    if checkpoint is None:
        return gr.skip(), opened, mine, gr.skip(), gr.skip()
    try:
        choice = catalog.add(take_file(checkpoint), take_file(labels) if labels else None, limit)
    except AttnvizError as error:
        return gr.skip(), opened, mine, *_trouble(error, language)
    except Exception:
        log.exception("opening a checkpoint failed")
        unforeseen = AttnvizError("checkpoint_failed")
        return gr.skip(), opened, mine, *_trouble(unforeseen, language)
    for _, name in (
        each for each in mine if each[0] == choice[0]
    ):  # with other labels it takes its own place
        catalog.forget(name, everywhere=False)  # the files are those of the new one too
    mine = [*(each for each in mine if each[0] != choice[0]), choice]
    return (
        gr.Dropdown(choices=catalog.choices(mine, language), value=choice[1]),
        choice[1],
        mine,
        *_no_trouble(),
    )


def analyse(photo: str, network: str, view: str, mine: list, language: str) -> tuple:
    """A photo, a network or a view was chosen: the forward pass, and all that it showed, for the viewer.

    If it can't be done, the sentence that says why stands below the upload, which is emptied, and all else
    stays as it is."""
    try:
        capture = packed(Asked(path_of(str(photo)), str(network), view))
    except AttnvizError as error:
        return None, *_trouble(error, language), gr.skip(), gr.skip()
    except Exception:  # a direct call with something that the page never sends
        log.exception("a photo could not be analysed")
        return None, *_trouble(AttnvizError("pass_failed"), language), gr.skip(), gr.skip()
    value = {
        "capture": capture,
        "language": language,
        "networks": [[name, title] for title, name in catalog.ready(mine)],
        "examples": [{"photo": EXAMPLE + name, "name": f"{name}.jpg"} for name in EXAMPLES],
    }
    return gr.skip(), *_no_trouble(), photo, value


def analyse_upload(upload: str, network: str, view: str, mine: list, language: str, sent: list) -> tuple:
    """A photo was uploaded: it gets a name of its own, and is analysed."""
    try:
        photo = take(upload)
    except AttnvizError as error:
        return None, *_trouble(error, language), gr.skip(), gr.skip(), sent
    return *analyse(photo, network, view, mine, language), [*sent, photo]


def delete_mine(view: str, mine: list, language: str, sent: list) -> tuple:
    """Delete all that this visitor sent, and what was computed of it, now; the page is as when it was
    opened."""
    delete(sent)
    for _, name in mine:
        catalog.forget(name)
    first = _first()
    _, trouble, error, current, viewer = analyse(EXAMPLE + EXAMPLES[0], first, view, [], language)
    if "capture" in viewer:  # else nothing can be shown in place of what is there, which says why
        viewer |= {"forget": True}
    gr.Info(say(language, "deleted"), title=say(language, "delete"), duration=8)
    return (
        None,
        trouble,
        error,
        current,
        viewer,
        gr.Dropdown(choices=catalog.choices([], language), value=first),
        first,
        [],
        [],
    )


def analyse_example(network: str, view: str, mine: list, language: str, event: gr.SelectData) -> tuple:
    """One of the examples was chosen."""
    index = event.index if isinstance(event.index, int) else 0
    return analyse(EXAMPLE + EXAMPLES[index % len(EXAMPLES)], network, view, mine, language)


def build(settings: Settings | None = None) -> gr.Blocks:
    """The page, not yet served."""
    settings = settings or Settings()
    offered = catalog.choices([])
    first = offered[0][1]
    gr.set_static_paths([EXAMPLES_FOLDER])  # served from there: a copy among the uploads would be swept away
    with gr.Blocks(title="attnviz", fill_width=True, analytics_enabled=False) as page:
        with gr.Row(elem_id="top"):
            heading = gr.Markdown(f"# attnviz\n{say('en', 'heading')}", elem_id="heading")
            other = gr.Button(_other_language("en"), size="sm", elem_id="language", scale=0, min_width=90)
        language = gr.Textbox("en", visible=False)
        # The browser holds the photo's name, so that a page outlives its server; what it sends back is
        # checked.
        current, most = gr.Textbox(EXAMPLE + EXAMPLES[0], visible=False), gr.State(settings)
        opened, mine, sent = gr.State(first), gr.State([]), gr.State([])
        error, network_error = gr.State(), gr.State()  # what the two messages tell of, to be told again
        with gr.Row(elem_id="main"):
            with gr.Column(scale=1, min_width=280):
                photo = PhotoInput(
                    label=say("en", "your_photo"),
                    type="filepath",
                    image_mode=None,
                    sources=["upload", "clipboard", "webcam"],
                    buttons=["fullscreen"],
                    height=180,
                    elem_id="photo",
                    placeholder=say("en", "drop_here"),
                )
                trouble = Sentence(visible=False, elem_id="trouble", elem_classes="trouble")
                examples_heading = gr.Markdown(say("en", "or_examples"), elem_id="examples-heading")
                examples = gr.Gallery(
                    [(str(example_file(name)), name) for name in EXAMPLES],
                    label=say("en", "examples"),
                    show_label=False,
                    columns=4,
                    height="auto",
                    object_fit="cover",
                    allow_preview=False,
                    interactive=False,
                    buttons=[],
                    elem_id="examples",
                )
                network = OpenDropdown(
                    offered, value=first, label=say("en", "network"), elem_id="network", filterable=False
                )
                network_trouble = Sentence(visible=False, elem_id="network-trouble", elem_classes="trouble")
                yours_open: dict[str, Any] = {
                    "open": False,
                    "visible": settings.checkpoints,
                    "elem_id": "yours",
                }
                with gr.Accordion(say("en", "your_checkpoint"), **yours_open) as yours:
                    checkpoint = gr.File(
                        label=say("en", "weights_file", megabytes=f"{settings.checkpoint_mb:,}"),
                        file_types=list(SUFFIXES),
                        type="filepath",
                        height=150,
                        elem_id="checkpoint",
                    )
                    labels = gr.File(
                        label=say("en", "labels_file"),
                        file_types=[".txt"],
                        type="filepath",
                        height=150,
                        elem_id="labels",
                    )
                    checkpoint_help = gr.Markdown(say("en", "checkpoint_help"), elem_id="checkpoint-help")
                view = gr.Radio(_views("en"), value="whole", label=say("en", "sees"), elem_id="view")
                promise = gr.Markdown(say("en", "promise", minutes=settings.keep), elem_id="promise")
                forget = gr.Button(say("en", "delete"), size="sm", elem_id="delete")
            with gr.Column(scale=4, min_width=320):
                viewer = AttentionViewer([channel, capture, save], elem_id="viewer")

        spoken = [
            language,
            heading,
            other,
            photo,
            examples_heading,
            examples,
            network,
            yours,
            checkpoint,
            labels,
            checkpoint_help,
            view,
            promise,
            forget,
            trouble,
            network_trouble,
        ]
        chosen, shown = [network, view, mine, language], [photo, trouble, error, current, viewer]
        waits: dict[str, Any] = {"show_progress": "minimal", "show_progress_on": [photo]}
        private: dict[str, Any] = {"trigger_mode": "always_last", "api_visibility": "private"}
        # One more than passes at a time: while one runs, another's photo is opened and a third's capture
        # packed.
        runs: dict[str, Any] = {
            **private,
            "concurrency_id": "pass",
            "concurrency_limit": settings.at_once + 1,
        }
        page.load(start, mine, [*shown, network, opened, view], show_progress="hidden", **runs)
        words = [most, mine, error, network_error]
        viewer.chinese(partial(speak, "zh"), words, spoken, show_progress="hidden", **private)
        other.click(speak, [language, *words], spoken, js=SWITCH_LANGUAGE, show_progress="hidden", **private)
        photo.upload(analyse_upload, [photo, *chosen, sent], [*shown, sent], **waits, **runs)
        forget.click(
            delete_mine,
            [view, mine, language, sent],
            [*shown, network, opened, mine, sent],
            show_progress="hidden",
            **runs,
        )
        examples.select(analyse_example, chosen, shown, **waits, **runs)
        view.input(analyse, [current, *chosen], shown, **waits, **runs)
        fetches: dict[str, Any] = {
            "api_visibility": "private",
            "concurrency_id": "fetch",
            "concurrency_limit": 2,
        }
        network.select(
            fetch,
            [network, opened, mine, language],
            [network, opened, network_trouble, network_error],
            trigger_mode="always_last",
            show_progress_on=[viewer],
            **fetches,
        ).then(analyse, [current, *chosen], shown, **waits, **runs)
        add_endpoints({"concurrency_id": "pass", "concurrency_limit": settings.at_once + 1})
        if settings.checkpoints:
            gr.on(
                [checkpoint.upload, labels.upload],
                partial(open_yours, limit=settings.checkpoint_bytes),
                [checkpoint, labels, opened, mine, language],
                [network, opened, mine, network_trouble, network_error],
                show_progress_on=[viewer],
                **fetches,
            ).then(analyse, [current, *chosen], shown, **waits, **runs)
        viewer.cbam(
            lambda: ("cbam_resnet18",) * 2,
            None,
            [network, opened],
            api_visibility="private",
            show_progress="hidden",
        ).then(analyse, [current, *chosen], shown, **waits, **runs)
    return page


def _first() -> str:
    """The network that is shown where none is asked for: one that is ready, or one whose opening says what is
    wrong."""
    return [*catalog.ready([]), *catalog.choices([])][0][1]


def _views(language: str) -> list[tuple[str, str]]:
    return [(say(language, f"view_{view}"), view) for view in ("whole", "crop")]


def _other_language(language: str) -> str:
    """The name of the language that the switch leads to."""
    place = LANGUAGES.index(language) + 1 if language in LANGUAGES else 1
    return catalogue().name(LANGUAGES[place % len(LANGUAGES)])


def _trouble(error: AttnvizError, language: str) -> tuple[gr.Markdown, AttnvizError]:
    """Show an error as a passing message, which unlike gr.Error covers nothing, and where it arose; what is
    to be kept of it."""
    gr.Warning(_shown(error.sentence(language)), title=say(language, "failed"), duration=10)
    return _retold(error, language), copy(
        error
    )  # without its traceback, which would keep the photo in memory


def _no_trouble() -> tuple[gr.Markdown, None]:
    return gr.Markdown(visible=False), None


def _retold(error: AttnvizError | None, language: str) -> gr.Markdown:
    """The message of an error in this language."""
    return (
        gr.Markdown(f"**{_shown(error.sentence(language))}**", visible=True)
        if error is not None
        else gr.skip()
    )


def _shown(text: str) -> str:
    """Text from outside for places that read Markdown or HTML: every mark that they could take as their own
    is escaped."""
    return "".join(f"&#{ord(c)};" if not (c.isalnum() or c in " .,:;-_()'’“”%–…") else c for c in text)
