"""The Gradio page: handlers first, then ``build``, then ``serve``."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")   # read by gradio when it is imported
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr

from . import picker, words
from .analysis import summary
from .capture import Trace, trace
from .checkpoints import SUFFIXES
from .errors import AttnvizError
from .export import Shown, bundle
from .layers import LayerAttention
from .networks.card import card_of
from .paper import picture
from .picker import network_of
from .render import COLORMAPS, Look, bars_figure, map_figure, photo_figure
from .uploads import Asked, Traces, keep_swept, new_folder
from .viewer.inputs import OpenDropdown, PhotoInput

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
# In an installed wheel the examples lie inside the package, in a checkout beside it.
EXAMPLES_FOLDER = (HERE if (HERE / "assets").is_dir() else HERE.parent) / "assets" / "examples"
EXAMPLES = ("temple", "flower", "astronaut", "cat", "coffee", "rocket", "cameraman", "galaxies")

FIRST_LAYER = ("layer4.0", "bam3")   # what is open at first: of the embedded networks' maps the ones that tell most at a glance
VIEWS = [("Whole photo", "whole"), ("Centre crop", "crop")]
OWN_CHECKPOINT, SHARED_CHECKPOINT = 1_000_000_000, 300_000_000   # bytes

SCALES = [("Fixed range", "fixed"), ("This map", "map"), ("This stage", "stage"), ("This network", "network")]
ORDERS = [("By index", "index"), ("By size", "size"), ("By distance from the mean", "surprise")]

# The last input of every event is a hidden checkbox: this fills in whether the page is dark right now.
TELL_DARK = "(...a) => { a[a.length - 1] = document.body.classList.contains('dark'); return a }"
CLICK_DOWNLOAD = "() => { const e = document.querySelector('#download'); (e.querySelector('a, button') || e).click() }"


THEME = gr.themes.Default(
    primary_hue="indigo", neutral_hue="slate", font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace"),
)


def compute(asked: Asked) -> Trace:
    """The forward pass behind everything that the page shows."""
    path = Path(asked.photo)
    if not path.exists():
        raise AttnvizError("This photo is no longer here: uploads are deleted after an hour. Please upload it again.")
    try:
        return trace(network_of(asked.network), path, asked.view)
    except AttnvizError:
        raise
    except Exception:   # unforeseen: the visitor gets a sentence in place of Gradio's blank badge, the log gets the rest
        log.exception("tracing failed")
        raise AttnvizError("Something went wrong while the network ran on this photo: try another photo or network.") from None


traces = Traces(compute)


def fetch(network: str, opened: str, mine: list, progress: gr.Progress = gr.Progress()) -> tuple:   # noqa: B008
    """A network was chosen: open it, with its download's progress. What can't be opened leaves the one before, and says why."""
    def report(done: int, total: int) -> None:
        progress(min(done / max(total, 1), 0.99), desc=f"Downloading {done / 1e6:.0f} of {total / 1e6:.0f} MB")

    try:
        network_of(network, report)
    except AttnvizError as error:
        said = gr.Markdown(f"**{_warned(error)}**", visible=True)
        return gr.Dropdown(choices=picker.choices(mine), value=opened), opened, said
    return gr.Dropdown(choices=picker.choices(mine), value=network), network, gr.Markdown(visible=False)


def open_yours(checkpoint: str | None, labels: str | None, opened: str, mine: list, limit: int) -> tuple:
    """A checkpoint was uploaded, or the names of its classes: open it, and offer it beside the others."""
    if checkpoint is None:
        return gr.skip(), opened, mine, gr.skip()
    try:
        choice = picker.add(Path(checkpoint), Path(labels) if labels else None, limit)
    except AttnvizError as error:
        return gr.skip(), opened, mine, gr.Markdown(f"**{_warned(error)}**", visible=True)
    except Exception:
        log.exception("opening a checkpoint failed")
        unforeseen = AttnvizError("Something went wrong while this checkpoint was opened: is it a state dict of a ResNet with attention?")
        return gr.skip(), opened, mine, gr.Markdown(f"**{_warned(unforeseen)}**", visible=True)
    mine = [*(each for each in mine if each[0] != choice[0]), choice]   # with other labels it takes its own place
    return gr.Dropdown(choices=picker.choices(mine), value=choice[1]), choice[1], mine, gr.Markdown(visible=False)


def analyse(photo: str, network: str, view: str, layer: str | None, *look: Any) -> tuple:
    """A photo, a network or a view was chosen: the forward pass, what the network says, and the layer as before if it exists.

    If it can't be done, the sentence that says why stands below the upload, which is emptied, and all else stays as it is.
    """
    try:
        seen = traces.get(Asked(photo, network, view))
    except AttnvizError as error:
        return None, gr.Markdown(f"**{_warned(error)}**", visible=True), *[gr.skip()] * 14
    layer = _layer_of(seen, layer)
    choices = [(words.layer_title(attention), name) for name, attention in seen.layers.items()]
    about = card_of(network_of(network))
    return (
        gr.skip(),
        gr.Markdown(visible=False),
        photo,
        gr.Dropdown(choices=choices, value=layer, interactive=bool(choices), label="Layer" if choices else "No layer has attention"),
        dict(seen.top(5)),
        words.knows(about.labels, about.accuracy),
        _title(photo, seen, view),
        *_drawn(seen, layer, *look),
    )


def redraw(photo: str, network: str, view: str, layer: str | None, *look: Any) -> tuple:
    """A layer or a look was chosen: nothing runs again, unless the trace was kept for its hour and is gone."""
    try:
        return _drawn(traces.get(Asked(photo, network, view)), layer, *look)
    except AttnvizError as error:
        _warned(error)
        return (gr.skip(),) * 9


def save(photo: str, network: str, view: str, _layer: str | None, *look: Any) -> str:
    """A zip of what the command line writes: the pictures and numbers of every layer, drawn as chosen, on a light ground."""
    try:
        seen = traces.get(Asked(photo, network, view))
    except AttnvizError as error:
        raise gr.Error(_shown(str(error)), print_exception=False) from None
    opacity, colormap, scale, smooth, order, _dark = look
    settings = _look(opacity, colormap, scale, smooth, dark=False)
    shown = Shown(seen, card_of(network_of(network)), tuple(seen.layers))
    try:
        path = Path(tempfile.mkdtemp(dir=os.environ.get("GRADIO_TEMP_DIR"))) / f"attnviz-{network}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in bundle([shown], settings, order, overview=bool(seen.layers)):
                archive.writestr(name, content)
    except OSError:
        raise gr.Error("There is no room on the server to save this: try again later.", print_exception=False) from None
    return str(path)


def build(shared: bool = False) -> gr.Blocks:
    """The page, not yet served; on a shared one checkpoints are smaller."""
    limit = SHARED_CHECKPOINT if shared else OWN_CHECKPOINT
    offered = picker.choices([])
    first = offered[0][1]
    gr.set_static_paths([EXAMPLES_FOLDER])   # served from there: a copy among the uploads would be swept away
    with gr.Blocks(title="attnviz", fill_width=True, analytics_enabled=False) as page:
        gr.Markdown(
            "# attnviz\nWhat channel and spatial attention does inside a convolutional network. "
            "Drop a photo, pick a network and a layer.", elem_id="heading",
        )
        current, opened, mine = gr.State(str(_example(EXAMPLES[0]))), gr.State(first), gr.State([])
        with gr.Row():
            with gr.Column(scale=1, min_width=300):
                photo = PhotoInput(
                    label="Your photo", type="filepath", image_mode=None, sources=["upload", "clipboard", "webcam"],
                    buttons=["fullscreen"], height=200, elem_id="photo", placeholder="Drop a photo here, or click to choose one",
                )
                trouble = gr.Markdown(visible=False, elem_id="trouble", elem_classes="trouble")
                gr.Markdown("Or one of these:", elem_id="examples-heading")
                examples = gr.Gallery(
                    [(str(_example(name)), name) for name in EXAMPLES], label="Examples", show_label=False, columns=4, height="auto",
                    object_fit="cover", allow_preview=False, interactive=False, buttons=[], elem_id="examples",
                )
                network = OpenDropdown(offered, value=first, label="Network", elem_id="network", filterable=False)
                network_trouble = gr.Markdown(visible=False, elem_id="network-trouble", elem_classes="trouble")
                with gr.Accordion("Your checkpoint", open=False, elem_id="yours"):
                    checkpoint = gr.File(
                        label=f"Weights, at most {limit // 1_000_000:,} MB", file_types=list(SUFFIXES), type="filepath", height=150,
                        elem_id="checkpoint",
                    )
                    labels = gr.File(label="Class names, one a line (optional)", file_types=[".txt"], type="filepath", height=150,
                                     elem_id="labels")
                    gr.Markdown(words.CHECKPOINT, elem_id="checkpoint-help")
                view = gr.Radio(VIEWS, value="whole", label="The network sees", elem_id="view")
                says = gr.Label(num_top_classes=5, label="It says", elem_id="says", show_heading=False)
                knows = gr.Markdown(elem_id="knows")
            with gr.Column(scale=3, min_width=340):
                title = gr.Markdown("Example", elem_id="title")
                layer = OpenDropdown([], label="Layer", elem_id="layer", filterable=False)
                with gr.Row():
                    with gr.Column(min_width=320):
                        map_picture = gr.Image(
                            label="Spatial attention on the photo", format="png", interactive=False, buttons=["download", "fullscreen"],
                            elem_id="map", show_label=False,
                        )
                        no_map = gr.Markdown(visible=False, elem_id="no-map")
                        to_cbam = gr.Button("Show this photo in CBAM", visible=False, elem_id="to-cbam")
                        map_note = gr.Markdown(elem_id="map-note")
                        with gr.Row() as map_controls:
                            opacity = gr.Slider(0, 1, 0.6, step=0.05, label="Opacity", min_width=200, elem_id="opacity")
                            colormap = gr.Dropdown(list(COLORMAPS), value="viridis", label="Colours", min_width=140, elem_id="colormap",
                                                   filterable=False)
                            scale = gr.Dropdown(SCALES, value="fixed", label="Scale", min_width=200, elem_id="scale", filterable=False)
                            smooth = gr.Checkbox(False, label="Smooth", info="Blend between cells", min_width=140, elem_id="smooth")
                    with gr.Column(min_width=320):
                        bars_picture = gr.Image(
                            label="Channel weights", format="png", interactive=False, buttons=["download", "fullscreen"], elem_id="bars",
                            show_label=False,
                        )
                        channel_note = gr.Markdown(elem_id="channel-note")
                        order = gr.Radio(ORDERS, value="index", label="Order of the bars", elem_id="order")
                explained = gr.Markdown(elem_id="explained")
                save_button = gr.Button("Save all pictures and numbers (zip)", elem_id="save", size="md")
                download = gr.DownloadButton(visible="hidden", elem_id="download")
        gr.Markdown(
            "Photos and checkpoints, and pictures drawn from them, are deleted from this server an hour after they were made, and go "
            "nowhere else.",
            elem_id="promise",
        )
        dark = gr.Checkbox(visible=False)

        chosen = [network, view, layer, opacity, colormap, scale, smooth, order, dark]
        drawn = [map_picture, no_map, to_cbam, map_note, map_controls, bars_picture, channel_note, order, explained]
        shown = [photo, trouble, current, layer, says, knows, title, *drawn]
        waits: dict[str, Any] = {"show_progress_on": [layer, map_picture, says]}
        private: dict[str, Any] = {"trigger_mode": "always_last", "api_visibility": "private", "js": TELL_DARK}
        passes: dict[str, Any] = {**private, "concurrency_id": "pass", "concurrency_limit": 2}
        draws: dict[str, Any] = {**private, "concurrency_id": "draw", "concurrency_limit": 4, "show_progress": "hidden"}
        gr.on([photo.upload], analyse, [photo, *chosen], shown, **waits, **passes)
        page.load(analyse, [current, *chosen], shown, show_progress="hidden", **passes)
        view.input(analyse, [current, *chosen], shown, **waits, **passes)
        fetches: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "fetch", "concurrency_limit": 2, **waits}
        network.select(fetch, [network, opened, mine], [network, opened, network_trouble], trigger_mode="always_last", **fetches).then(
            analyse, [current, *chosen], shown, **waits, **passes)
        gr.on(
            [checkpoint.upload, labels.upload], partial(open_yours, limit=limit), [checkpoint, labels, opened, mine],
            [network, opened, mine, network_trouble], **fetches,
        ).then(analyse, [current, *chosen], shown, **waits, **passes)
        examples.select(_chosen_example, None, current, api_visibility="private", queue=True, show_progress="hidden").then(
            analyse, [current, *chosen], shown, **waits, **passes)
        to_cbam.click(lambda: ("cbam_resnet18",) * 2, None, [network, opened], api_visibility="private", show_progress="hidden").then(
            analyse, [current, *chosen], shown, **waits, **passes)
        looks = [layer.input, opacity.input, colormap.input, scale.input, smooth.input, order.input]
        gr.on(looks, redraw, [current, *chosen], drawn, **draws)
        saved = save_button.click(save, [current, *chosen], download, api_visibility="private", concurrency_id="draw")
        saved.success(None, js=CLICK_DOWNLOAD)
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
            css_paths=[HERE / "viewer" / "page.css"], theme=THEME, quiet=not block,
        )
        if block:
            page.block_thread()
    finally:
        if block:
            end()
    return page


def expire() -> None:
    """Let go of what is older than an hour."""
    traces.expire()
    picker.expire()


def _warned(error: AttnvizError) -> str:
    """Show an error as a passing message, which unlike gr.Error covers nothing, and give its text back, fit for Markdown."""
    text = _shown(str(error))
    gr.Warning(text, title="That did not work", duration=10)
    return text


def _drawn(seen: Trace, layer: str | None, *look: Any) -> tuple:
    opacity, colormap, scale, smooth, order, dark = look
    layer = _layer_of(seen, layer)
    attention = seen.layers[layer] if layer else None
    return (
        *_drawn_map(seen, attention, _look(opacity, colormap, scale, smooth, dark)),
        *_drawn_bars(attention, order, dark),
        "" if attention is None else f"{words.MECHANISMS[attention.kind]}\n\n{words.NOT_GRAD_CAM}",
    )


def _drawn_map(seen: Trace, attention: LayerAttention | None, look: Look) -> tuple:
    if attention is None or attention.map is None:
        why = words.NO_ATTENTION if attention is None else words.no_map(attention)
        photo = gr.Image(picture(photo_figure(seen, look.dark)), alt_text="The photo as the network sees it, without a map.")
        return photo, gr.Markdown(why, visible=True), gr.Button(visible=True), "", gr.Row(visible=False)
    figure = map_figure(seen, attention.name, look)
    return (
        gr.Image(picture(figure), alt_text=words.map_alt(attention)), gr.Markdown(visible=False),
        gr.Button(visible=False), words.map_note(attention.map.shape, look.smooth), gr.Row(visible=True),
    )


def _drawn_bars(attention: LayerAttention | None, order: str, dark: bool) -> tuple:
    if attention is None or (attention.channel is None and attention.paths is None):
        return gr.Image(visible=False), "", gr.Radio(visible=False)
    figure = bars_figure(attention, order, dark, f"Channel weights of {attention.name}")
    note = words.channel_note(attention, summary(words.weights_of(attention), attention.kind))
    return gr.Image(picture(figure), visible=True, alt_text=words.bars_alt(attention)), note, gr.Radio(visible=True)


def _look(opacity: float, colormap: str, scale: str, smooth: bool, dark: bool) -> Look:
    return Look(min(1.0, max(0.0, float(opacity))), colormap, scale, bool(smooth), bool(dark))


def _layer_of(seen: Trace, layer: str | None) -> str | None:
    """The layer that was asked for; where it does not exist one of the same stage, or the first one to look at; None if none has
    attention."""
    names = list(seen.layers)
    if layer in names:
        return layer
    stage = words.stage_of(layer).removeprefix("after ") if layer else ""
    for name in names:
        if stage and words.stage_of(name).removeprefix("after ") == stage:
            return name
    with_map = [name for name in names if seen.layers[name].map is not None] or names
    return next((name for name in names if name in FIRST_LAYER), with_map[-1] if with_map else None)


def _title(photo: str, seen: Trace, view: str) -> str:
    height, width = seen.region.size
    whole = seen.region.box == (0.0, 0.0, float(seen.photo.width), float(seen.photo.height))
    how = "the whole photo" if whole else "its centre crop"
    example = Path(photo).parent == EXAMPLES_FOLDER
    what = f"**Example: {_shown(Path(photo).stem)}.** Drop your own photo to begin." if example else f"**{_shown(seen.photo.name)}**"
    only = " It takes photos of that size only, so this one is cropped to fit." if view == "whole" and not whole else ""
    return f"{what} The network sees {how} at {width} × {height} pixels.{only}"


def _chosen_example(event: gr.SelectData) -> str:
    index = event.index if isinstance(event.index, int) else 0
    return str(_example(EXAMPLES[index % len(EXAMPLES)]))


def _example(name: str) -> Path:
    return EXAMPLES_FOLDER / f"{name}.jpg"


def _shown(text: str) -> str:
    """Text from outside for places that read Markdown or HTML: every mark that they could take as their own is escaped."""
    return "".join(f"&#{ord(c)};" if not (c.isalnum() or c in " .,:;-_()'’“”%–…") else c for c in text)
