"""What the viewer asks of the server: a capture, one channel's features, a bundle. It gets plain values back, or {"error": a sentence}.

Whatever comes from a browser is checked here: photos are named as examples or uploads, never by a path of this machine.
"""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .analysis import ORDERS, SCALES, stage_of
from .capture import Trace, features, trace
from .errors import AttnvizError
from .export import Shown, bundle
from .messages import translated
from .networks.card import card_of
from .picker import network_of
from .render import COLORMAPS, Look
from .uploads import Asked, Traces
from .viewer.packing import pack, pack_features

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
# In an installed wheel the examples lie inside the package, in a checkout beside it.
EXAMPLES_FOLDER = (HERE if (HERE / "assets").is_dir() else HERE.parent) / "assets" / "examples"
EXAMPLES = ("temple", "flower", "astronaut", "cat", "coffee", "rocket", "cameraman", "galaxies")
EXAMPLE, UPLOAD = "example:", "upload:"   # how the browser names a photo: never by a path of this machine
MOST_SHOWN = 8   # captures in one bundle
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
    return _answered(question, lambda: packed(_asked(question)))


def save(question: Any) -> dict[str, Any]:
    """A zip of what is on the screen, or of everything: the address from which it can be downloaded."""
    return _answered(question, lambda: {"url": f"gradio_api/file={_bundled(question)}"})


def _answered(question: Any, answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
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
        return str(example_file(photo.removeprefix(EXAMPLE)))
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


def packed(asked: Asked) -> dict[str, Any]:
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


def example_file(name: str) -> Path:
    return EXAMPLES_FOLDER / f"{name}.jpg"


def _uploads() -> str:
    return os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()
