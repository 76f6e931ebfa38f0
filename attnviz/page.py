"""The Gradio page: handlers first, then the viewer's questions, then ``build``, then ``serve``."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")   # read by gradio when it is imported
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr

from . import picker
from .analysis import ORDERS, SCALES, stage_of
from .capture import Trace, features, trace
from .checkpoints import SUFFIXES
from .errors import AttnvizError
from .export import Shown, bundle
from .messages import translated
from .networks.card import card_of
from .picker import network_of
from .render import COLORMAPS, Look
from .uploads import Asked, Traces, keep_swept, new_folder
from .viewer.assets import in_markup, script, style
from .viewer.attention import AttentionViewer
from .viewer.inputs import OpenDropdown, PhotoInput
from .viewer.packing import pack, pack_features
from .words import LANGUAGES, say

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
# In an installed wheel the examples lie inside the package, in a checkout beside it.
EXAMPLES_FOLDER = (HERE if (HERE / "assets").is_dir() else HERE.parent) / "assets" / "examples"
EXAMPLES = ("temple", "flower", "astronaut", "cat", "coffee", "rocket", "cameraman", "galaxies")
EXAMPLE, UPLOAD = "example:", "upload:"   # how the browser names a photo: never by a path of this machine

OWN_CHECKPOINT, SHARED_CHECKPOINT = 1_000_000_000, 300_000_000   # bytes
MOST_SHOWN = 8   # captures in one bundle
SWITCH_LANGUAGE = """(now, ...rest) => {
  const to = now === "zh" ? "en" : "zh";
  window.attnviz.viewer?.speak(to);
  return [to, ...rest];
}"""

THEME = gr.themes.Default(
    primary_hue="indigo", neutral_hue="slate", font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace"),
)
GONE = "This photo is no longer here: uploads are deleted after an hour. Please upload it again."
UNFORESEEN = "Something went wrong while the network ran on this photo: try another photo or network."

passes = threading.Semaphore(2)   # forward passes at a time, whoever asks for them


def compute(asked: Asked) -> Trace:
    """The forward pass behind everything that the page shows."""
    path = Path(asked.photo)
    if not path.exists():
        raise AttnvizError(GONE)
    try:
        network = network_of(asked.network)
        with passes:
            return trace(network, path, asked.view)
    except AttnvizError:
        raise
    except Exception:   # unforeseen: the visitor gets a sentence in place of Gradio's blank badge, the log gets the rest
        log.exception("tracing failed")
        raise AttnvizError(UNFORESEEN) from None


traces = Traces(compute)


def start(mine: list, request: gr.Request) -> tuple:
    """The page was opened, perhaps by a link: what its address asks for, of what is ours to show."""
    wanted = dict(request.query_params)
    header = request.headers.get("accept-language", "") if request.headers else ""
    language = wanted.get("lang") or ("zh" if header.lower().startswith("zh") else "en")
    language = language if language in LANGUAGES else "en"
    offered = [name for _, name in picker.ready(mine)]
    network = wanted.get("network", "") if wanted.get("network") in offered else picker.choices([])[0][1]
    example = wanted.get("photo", "") if wanted.get("photo") in EXAMPLES else EXAMPLES[0]
    view = "crop" if wanted.get("view") == "crop" else "whole"
    state: dict[str, Any] = {"tab": wanted["tab"]} if wanted.get("tab") in ("explore", "networks", "photos") else {}
    if "layer" in wanted:
        state["layer"] = wanted["layer"]
    if wanted.get("channel", "").isdecimal() and len(wanted["channel"]) < 6:
        state["channel"] = int(wanted["channel"])
    networks = [name for name in wanted.get("networks", "").split(",") if name in offered]
    photos = [EXAMPLE + name for name in wanted.get("photos", "").split(",") if name in EXAMPLES]
    state.update({key: value for key, value in (("networks", networks), ("photos", photos)) if value})
    current = str(_example(example))
    photo, trouble, current, viewer = analyse(current, network, view, mine, language)
    if "capture" in viewer:
        viewer |= {"state": state}   # a Chinese reader's viewer asks for the rest of the page in Chinese, see js/gradio.js
    return photo, trouble, current, viewer, gr.Dropdown(value=network), network, view


def speak(language: str, limit: int, mine: list) -> tuple:
    """The language, and the words of all that Gradio draws in it, in the order of ``spoken`` in ``build``."""
    return (
        language,
        gr.Markdown(f"# attnviz\n{say(language, 'heading')}"),
        gr.Button("English" if language == "zh" else "中文"),
        gr.update(label=say(language, "your_photo"), placeholder=say(language, "drop_here")),
        gr.Markdown(say(language, "or_examples")),
        gr.Gallery(label=say(language, "examples")),
        gr.update(label=say(language, "network"), choices=picker.choices(mine, language)),
        gr.Accordion(label=say(language, "your_checkpoint")),
        gr.File(label=say(language, "weights_file", megabytes=f"{limit // 1_000_000:,}")),
        gr.File(label=say(language, "labels_file")),
        gr.Markdown(say(language, "checkpoint_help")),
        gr.Radio(label=say(language, "sees"), choices=_views(language)),
        gr.Markdown(say(language, "promise")),
    )


def fetch(network: str, opened: str, mine: list, language: str, progress: gr.Progress = gr.Progress()) -> tuple:   # noqa: B008
    """A network was chosen: open it, with its download's progress. What can't be opened leaves the one before, and says why."""
    def report(done: int, total: int) -> None:
        progress(min(done / max(total, 1), 0.99), desc=f"{done / 1e6:.0f} / {total / 1e6:.0f} MB")

    try:
        network_of(network, report)
    except AttnvizError as error:
        return gr.Dropdown(choices=picker.choices(mine, language), value=opened), opened, _trouble(error, language)
    return gr.Dropdown(choices=picker.choices(mine, language), value=network), network, gr.Markdown(visible=False)


def open_yours(checkpoint: str | None, labels: str | None, opened: str, mine: list, language: str, limit: int) -> tuple:
    """A checkpoint was uploaded, or the names of its classes: open it, and offer it beside the others."""
    if checkpoint is None:
        return gr.skip(), opened, mine, gr.skip()
    try:
        choice = picker.add(Path(checkpoint), Path(labels) if labels else None, limit)
    except AttnvizError as error:
        return gr.skip(), opened, mine, _trouble(error, language)
    except Exception:
        log.exception("opening a checkpoint failed")
        unforeseen = AttnvizError("Something went wrong while this checkpoint was opened: is it a state dict of a ResNet with attention?")
        return gr.skip(), opened, mine, _trouble(unforeseen, language)
    mine = [*(each for each in mine if each[0] != choice[0]), choice]   # with other labels it takes its own place
    return gr.Dropdown(choices=picker.choices(mine, language), value=choice[1]), choice[1], mine, gr.Markdown(visible=False)


def analyse(photo: str, network: str, view: str, mine: list, language: str) -> tuple:
    """A photo, a network or a view was chosen: the forward pass, and all that it showed, for the viewer.

    If it can't be done, the sentence that says why stands below the upload, which is emptied, and all else stays as it is.
    """
    try:
        asked = Asked(photo, network, view)
        capture = _packed(asked)
    except AttnvizError as error:
        return None, _trouble(error, language), gr.skip(), gr.skip()
    value = {
        "capture": capture, "language": language, "networks": [[name, title] for title, name in picker.ready(mine)],
        "examples": [{"photo": EXAMPLE + name, "name": f"{name}.jpg"} for name in EXAMPLES],
    }
    return gr.skip(), gr.Markdown(visible=False), photo, value


def analyse_example(network: str, view: str, mine: list, language: str, event: gr.SelectData) -> tuple:
    """One of the examples was chosen."""
    index = event.index if isinstance(event.index, int) else 0
    return analyse(str(_example(EXAMPLES[index % len(EXAMPLES)])), network, view, mine, language)


# What the viewer asks while it explores. It gets plain values back, or {"error": a sentence}; whatever comes from a browser is checked.


def channel(question: Any) -> dict[str, Any]:
    """One channel's features before and after a layer's gate."""
    def answer() -> dict[str, Any]:
        asked = _asked(question)
        seen = traces.get(asked)
        layer, index = str(question.get("layer")), question.get("channel")
        if layer not in seen.layers or not isinstance(index, int) or not 0 <= index < seen.layers[layer].shape[0]:
            raise AttnvizError("There is no such channel: choose one of the bars.")
        network = network_of(asked.network)
        with passes:
            found = features(network, seen.source, layer, asked.view)
        return pack_features(found.before[index], found.after[index])

    return _answered(question, answer)


def capture(question: Any) -> dict[str, Any]:
    """Another photo or network, to be compared."""
    return _answered(question, lambda: _packed(_asked(question)))


def save(question: Any) -> dict[str, Any]:
    """A zip of what is on the screen, or of everything: the address from which it can be downloaded."""
    return _answered(question, lambda: {"url": f"gradio_api/file={_bundled(question)}"})


def _answered(question: Any, answer: Any) -> dict[str, Any]:
    language = str(question.get("language")) if isinstance(question, dict) else "en"
    try:
        if not isinstance(question, dict):
            raise AttnvizError(UNFORESEEN)
        return answer()
    except AttnvizError as error:
        return {"error": translated(str(error), language)}
    except Exception:
        log.exception("a question of the viewer failed")
        return {"error": translated(UNFORESEEN, language)}


def _asked(question: dict[str, Any]) -> Asked:
    """What a question is about. Raises AttnvizError for a photo that is not an example or an upload."""
    return Asked(_path_of(str(question.get("photo"))), str(question.get("network")), "crop" if question.get("view") == "crop" else "whole")


def _path_of(photo: str) -> str:
    if photo.startswith(EXAMPLE) and photo.removeprefix(EXAMPLE) in EXAMPLES:
        return str(_example(photo.removeprefix(EXAMPLE)))
    folder = Path(_uploads()).resolve()
    path = (folder / photo.removeprefix(UPLOAD)).resolve()
    if not photo.startswith(UPLOAD) or folder not in path.parents or "\0" in photo:
        raise AttnvizError(GONE)
    return str(path)


def _name_of(photo: str) -> str:
    """A photo's name for the browser, the opposite of ``_path_of``."""
    path = Path(photo)
    if path.parent == EXAMPLES_FOLDER:
        return EXAMPLE + path.stem
    folder = Path(_uploads()).resolve()
    return UPLOAD + (path.resolve().relative_to(folder).as_posix() if folder in path.resolve().parents else path.name)


def _packed(asked: Asked) -> dict[str, Any]:
    seen = traces.get(asked)
    name = _name_of(asked.photo)
    about = {"photo": name, "network": asked.network, "view": asked.view, "example": name.startswith(EXAMPLE)}
    return pack(seen, card_of(network_of(asked.network)), about)


def _bundled(question: dict[str, Any]) -> Path:
    everything, tab, layer = question.get("what") == "all", question.get("tab"), str(question.get("layer"))
    shown = []
    for each in list(question.get("shown") or [])[:MOST_SHOWN]:
        asked = _asked(each)
        seen = traces.get(asked)
        layers = tuple(seen.layers) if everything else _on_screen(seen, tab, layer, question.get("block"))
        shown.append(Shown(seen, card_of(network_of(asked.network)), layers))
    if not shown:
        raise AttnvizError("There is nothing to save: choose a photo or a network first.")
    look = question.get("look") or {}
    opacity = look.get("opacity")
    settings = Look(
        min(1.0, max(0.0, float(opacity))) if isinstance(opacity, int | float) else 0.6,
        _one_of(COLORMAPS, look.get("colormap")),
        _one_of(tuple(SCALES), look.get("scale")) if tab == "explore" else "shown",   # what is compared is on one scale
        bool(look.get("smooth")),
    )
    order = _one_of(tuple(ORDERS), look.get("order"))
    try:
        path = Path(tempfile.mkdtemp(dir=_uploads())) / "attnviz.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in bundle(shown, settings, order, overview=everything):
                archive.writestr(name, content)
    except OSError:
        raise AttnvizError("There is no room on the server to save this: try again later.") from None
    return path


def _one_of(known: tuple[str, ...], wanted: Any) -> str:
    return wanted if wanted in known else known[0]


def _on_screen(seen: Trace, tab: Any, layer: str, block: Any) -> tuple[str, ...]:
    """The layers of one capture that the viewer draws: the chosen one, or one of each stage where networks are compared."""
    if tab != "networks":
        return (layer,) if layer in seen.layers else ()
    stages: dict[str, list[str]] = {}
    for name in seen.layers:
        stages.setdefault(stage_of(name).rpartition(" ")[2], []).append(name)
    return tuple(names[0 if block == "first" else -1] for stage, names in stages.items() if stage)


def build(shared: bool = False) -> gr.Blocks:
    """The page, not yet served; on a shared one checkpoints are smaller."""
    limit = SHARED_CHECKPOINT if shared else OWN_CHECKPOINT
    offered = picker.choices([])
    first = offered[0][1]
    gr.set_static_paths([EXAMPLES_FOLDER])   # served from there: a copy among the uploads would be swept away
    with gr.Blocks(title="attnviz", fill_width=True, analytics_enabled=False) as page:
        with gr.Row(elem_id="top"):
            heading = gr.Markdown(f"# attnviz\n{say('en', 'heading')}", elem_id="heading")
            other = gr.Button("中文", size="sm", elem_id="language", scale=0, min_width=90)
        language = gr.Textbox("en", visible=False)
        most = gr.State(limit)
        current, opened, mine = gr.State(str(_example(EXAMPLES[0]))), gr.State(first), gr.State([])
        with gr.Row(elem_id="main"):
            with gr.Column(scale=1, min_width=280):
                photo = PhotoInput(
                    label=say("en", "your_photo"), type="filepath", image_mode=None, sources=["upload", "clipboard", "webcam"],
                    buttons=["fullscreen"], height=180, elem_id="photo", placeholder=say("en", "drop_here"),
                )
                trouble = gr.Markdown(visible=False, elem_id="trouble", elem_classes="trouble")
                examples_heading = gr.Markdown(say("en", "or_examples"), elem_id="examples-heading")
                examples = gr.Gallery(
                    [(str(_example(name)), name) for name in EXAMPLES], label=say("en", "examples"), show_label=False, columns=4,
                    height="auto", object_fit="cover", allow_preview=False, interactive=False, buttons=[], elem_id="examples",
                )
                network = OpenDropdown(offered, value=first, label=say("en", "network"), elem_id="network", filterable=False)
                network_trouble = gr.Markdown(visible=False, elem_id="network-trouble", elem_classes="trouble")
                with gr.Accordion(say("en", "your_checkpoint"), open=False, elem_id="yours") as yours:
                    checkpoint = gr.File(
                        label=say("en", "weights_file", megabytes=f"{limit // 1_000_000:,}"), file_types=list(SUFFIXES),
                        type="filepath", height=150, elem_id="checkpoint",
                    )
                    labels = gr.File(
                        label=say("en", "labels_file"), file_types=[".txt"], type="filepath", height=150, elem_id="labels",
                    )
                    checkpoint_help = gr.Markdown(say("en", "checkpoint_help"), elem_id="checkpoint-help")
                view = gr.Radio(_views("en"), value="whole", label=say("en", "sees"), elem_id="view")
                promise = gr.Markdown(say("en", "promise"), elem_id="promise")
            with gr.Column(scale=4, min_width=320):
                viewer = AttentionViewer([channel, capture, save], elem_id="viewer")

        spoken = [
            language, heading, other, photo, examples_heading, examples, network, yours, checkpoint, labels, checkpoint_help, view, promise,
        ]
        chosen, shown = [network, view, mine, language], [photo, trouble, current, viewer]
        waits: dict[str, Any] = {"show_progress": "minimal", "show_progress_on": [photo]}
        private: dict[str, Any] = {"trigger_mode": "always_last", "api_visibility": "private"}
        runs: dict[str, Any] = {**private, "concurrency_id": "pass", "concurrency_limit": 2}
        page.load(start, mine, [*shown, network, opened, view], show_progress="hidden", **runs)
        viewer.chinese(partial(speak, "zh"), [most, mine], spoken, show_progress="hidden", **private)
        other.click(speak, [language, most, mine], spoken, js=SWITCH_LANGUAGE, show_progress="hidden", **private)
        photo.upload(analyse, [photo, *chosen], shown, **waits, **runs)
        examples.select(analyse_example, chosen, shown, **waits, **runs)
        view.input(analyse, [current, *chosen], shown, **waits, **runs)
        fetches: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "fetch", "concurrency_limit": 2}
        network.select(
            fetch, [network, opened, mine, language], [network, opened, network_trouble], trigger_mode="always_last",
            show_progress_on=[viewer], **fetches,
        ).then(analyse, [current, *chosen], shown, **waits, **runs)
        gr.on(
            [checkpoint.upload, labels.upload], partial(open_yours, limit=limit), [checkpoint, labels, opened, mine, language],
            [network, opened, mine, network_trouble], show_progress_on=[viewer], **fetches,
        ).then(analyse, [current, *chosen], shown, **waits, **runs)
        viewer.cbam(lambda: ("cbam_resnet18",) * 2, None, [network, opened], api_visibility="private", show_progress="hidden").then(
            analyse, [current, *chosen], shown, **waits, **runs)
    return page


def serve(host: str | None = None, port: int | None = None, block: bool = True) -> gr.Blocks:
    """Serve the page; with ``block`` until interrupted. Uploads lie in a folder of this app's own, an hour at most."""
    folder = new_folder()
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    shared = bool(os.environ.get("SPACE_ID")) or host not in (None, "127.0.0.1", "localhost", "::1")
    page = build(shared)
    page.queue(max_size=80, api_open=False)
    end = keep_swept(folder, expire)
    if block:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))   # so that a stop from outside cleans up too
    try:
        page.launch(
            server_name=host, server_port=port, prevent_thread_lock=True, show_error=False, run_history=False, enable_monitoring=False,
            max_file_size=SHARED_CHECKPOINT if shared else OWN_CHECKPOINT,
            footer_links=["settings"], ssr_mode=False, share=False, pwa=False, state_session_capacity=500,
            css_paths=[HERE / "viewer" / "page.css"], head=head(), theme=THEME, quiet=not block,
        )
        if block:
            page.block_thread()
    finally:
        if block:
            end()
    return page


def head() -> str:
    """The viewer's style and script, for the page's head."""
    return f"<style>{style()}</style>\n<script>{in_markup(script())}</script>"


def expire() -> None:
    """Let go of what is older than an hour."""
    traces.expire()
    picker.expire()


def _uploads() -> str:
    return os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()


def _views(language: str) -> list[tuple[str, str]]:
    return [(say(language, f"view_{view}"), view) for view in ("whole", "crop")]


def _trouble(error: AttnvizError, language: str) -> gr.Markdown:
    """Show an error as a passing message, which unlike gr.Error covers nothing, and where it arose."""
    text = _shown(translated(str(error), language))
    gr.Warning(text, title=say(language, "failed"), duration=10)
    return gr.Markdown(f"**{text}**", visible=True)


def _example(name: str) -> Path:
    return EXAMPLES_FOLDER / f"{name}.jpg"


def _shown(text: str) -> str:
    """Text from outside for places that read Markdown or HTML: every mark that they could take as their own is escaped."""
    return "".join(f"&#{ord(c)};" if not (c.isalnum() or c in " .,:;-_()'’“”%–…") else c for c in text)
