"""What the viewer asks of the server: a capture, one channel's features, a bundle. It gets plain values back,
or {"error": a sentence}.

Whatever comes from a browser is checked here: photos are named as examples or uploads, never by a path of
this machine."""

from __future__ import annotations

import copy
import logging
import math
import os
import tempfile
import threading
import time
import weakref
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from .._paths import EXAMPLES_FOLDER
from ..capture.hooks import before_calls
from ..capture.plan import unwrapped
from ..capture.run import features_of_layers, trace
from ..capture.trace import Features, Trace
from ..drawing.channel import Channel
from ..errors import AttnvizError, PhotoError, TraceError
from ..export.bundle import bundle
from ..export.selection import Selection
from ..networks.card import card_of
from ..viewer.encoding import pack, pack_features
from .catalog import network_of
from .settings import Settings
from .uploads import Asked, Results, features_bytes, own, remove, trace_bytes, used
from .view_state import channels_of, layers_of, look_of, order_of, pairs_of, scale_of
from .work_queue import Turns

log = logging.getLogger(__name__)
passes_log = logging.getLogger("attnviz.passes")

EXAMPLES = ("temple", "flower", "astronaut", "cat", "coffee", "rocket", "cameraman", "galaxies")
EXAMPLE, UPLOAD = "example:", "upload:"  # how the browser names a photo: never by a path of this machine
MOST_SHOWN = 8  # captures in one bundle
MOST_BESIDE = 10  # those that its scale spans too: three networks beside one, and seven photos

Result = TypeVar("Result")

FEATURES_BYTES = 400_000_000
# features of one photo that are kept at once: 6 MB for a ResNet-18 of ours, 90 MB for a ResNet-50
TOGETHER_BYTES = 20_000_000
EXPLORERS = (
    20  # questions of the viewer that may wait for a forward pass; the queue's own waiting ones come on top
)

settings = Settings()
turns = Turns(settings.at_once, EXPLORERS + settings.at_once)
drawings = Turns(2, 10)  # bundles at a time, and those that may wait


_threads = threading.local()


def configure(new: Settings) -> None:
    """Answer by these settings from now on."""
    global settings, turns
    settings, turns = new, Turns(new.at_once, EXPLORERS + new.at_once)
    for results in (traces, layers_features):
        results.kept_seconds = 60 * new.keep


def forward_pass(network: str, run: Callable[[nn.Module], Result]) -> Result:
    """What this gives of a network, opened, when it is one's turn to run it; a pass that takes too long is
    ended. Its time is logged, not what it saw. Raises BusyError where too many wait, and TraceError for a
    pass that takes too long."""
    opened, asked = network_of(network), time.monotonic()

    def timed() -> Result:
        began, own = time.monotonic(), _own(opened)
        # Each stage and each block, but not what is in them: hooks take time.
        places = [module for path, module in own.named_modules() if path.count(".") < 2]
        try:
            with before_calls(places, lambda: _check(began)):
                return run(own)
        finally:
            took = {
                "waited_ms": round(1000 * (began - asked), 1),
                "ms": round(1000 * (time.monotonic() - began), 1),
            }
            passes_log.info("pass", extra={"fields": {"network": network.partition(":")[0], **took}})

    return turns.run(timed)


def _own(network: nn.Module) -> nn.Module:
    """This thread's own modules of a network, of the same weights: two threads that listen to the same
    modules wait for each other."""
    kept: weakref.WeakKeyDictionary[nn.Module, nn.Module] = vars(_threads).setdefault(
        "networks", weakref.WeakKeyDictionary()
    )
    if network not in kept:
        inside = unwrapped(network)
        shared = [*inside.parameters(), *inside.buffers(), card_of(inside)]
        kept[network] = copy.deepcopy(inside, {id(each): each for each in shared})
    return kept[network]


def _check(began: float) -> None:
    if time.monotonic() - began > settings.seconds:
        raise TraceError("pass_too_long", seconds=settings.seconds)


def compute(asked: Asked) -> Trace:
    """The forward pass behind everything that the page shows."""
    return _run(asked, lambda network, path: trace(network, path, asked.view))


def compute_features(asked: Asked) -> dict[str, Features]:
    """The forward pass that keeps the features of the layers that ``_kept_with`` names."""
    seen = traces.get(replace(asked, layer=""))
    return _run(
        asked,
        lambda network, _: features_of_layers(
            network, seen.source, _kept_with(seen, asked.layer), asked.view
        ),
    )


def features(asked: Asked) -> Features:
    """The features before and after one layer's gate. Raises AttnvizError."""
    together = _kept_with(traces.get(replace(asked, layer="")), asked.layer)
    return layers_features.get(replace(asked, layer=together[0]))[asked.layer]


def _kept_with(seen: Trace, layer: str) -> tuple[str, ...]:
    """The layers whose features are kept in one pass with this one's: all that have some, where they are
    small together."""
    gated = tuple(name for name, each in seen.layers.items() if each.formula != "none")
    together = sum(8 * math.prod(seen.layers[name].shape) for name in gated)  # bytes before and after
    return gated if layer in gated and together <= TOGETHER_BYTES else (layer,)


def _run(asked: Asked, run: Callable[[nn.Module, Path], Any]) -> Any:
    path = Path(asked.photo)
    if not path.exists():
        raise AttnvizError("photo_gone", minutes=settings.keep)
    try:
        return forward_pass(asked.network, lambda network: run(network, path))
    except AttnvizError:
        raise
    except (
        Exception
    ):  # unforeseen: the visitor gets a sentence in place of Gradio's blank badge, the log gets the rest
        log.exception("tracing failed")
        raise AttnvizError("pass_failed") from None


traces = Results(compute, trace_bytes)
layers_features = Results(
    compute_features, lambda found: sum(map(features_bytes, found.values())), FEATURES_BYTES
)


def channel(question: Any) -> dict[str, Any]:
    """One channel's features before and after a layer's gate."""

    def answer() -> dict[str, Any]:
        asked = _asked(question)
        seen = traces.get(asked)
        layer, index = str(question.get("layer")), question.get("channel")
        if (
            layer not in seen.layers
            or not isinstance(index, int)
            or not 0 <= index < seen.layers[layer].shape[0]
        ):
            raise AttnvizError("channel_unknown")
        found = features(replace(asked, layer=layer))
        return pack_features(found.before[index], found.after[index])

    return _answered(question, answer)


def capture(question: Any) -> dict[str, Any]:
    """Another photo or network, to be compared."""
    return _answered(question, lambda: packed(_asked(question)))


def save(question: Any) -> dict[str, Any]:
    """A zip of what is on the screen, or of everything: the address from which it can be downloaded."""
    return _answered(question, lambda: {"url": f"gradio_api/file={bundled(question)}"})


def _answered(question: Any, answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    language = str(question.get("language")) if isinstance(question, dict) else "en"
    try:
        if not isinstance(question, dict):
            raise AttnvizError("pass_failed")
        return answer()
    except AttnvizError as error:
        return {"error": error.sentence(language)}
    except Exception:
        log.exception("a question of the viewer failed")
        return {"error": AttnvizError("pass_failed").sentence(language)}


def _asked(question: dict[str, Any]) -> Asked:
    """What a question is about. Raises AttnvizError for a photo that is not an example or an upload."""
    return Asked(
        path_of(str(question.get("photo"))),
        str(question.get("network")),
        "crop" if question.get("view") == "crop" else "whole",
    )


def path_of(photo: str) -> str:
    """The file of a photo that the browser named; an upload's hour begins anew. Raises AttnvizError for one
    that is none of ours."""
    if photo.startswith(EXAMPLE) and photo.removeprefix(EXAMPLE) in EXAMPLES:
        return str(example_file(photo.removeprefix(EXAMPLE)))
    folder = uploads_folder().resolve() / "own"
    named = folder / photo.removeprefix(UPLOAD)
    try:
        ours = photo.startswith(UPLOAD) and named.resolve().parent.parent == folder and named.is_file()
    except (OSError, ValueError):  # a name that no file can have
        ours = False
    if not ours:
        raise AttnvizError("photo_gone", minutes=settings.keep)
    used(named)
    return str(named)


def take(upload: str) -> str:
    """A photo arrived: its name for the browser, from now on. Raises AttnvizError for what is no upload, or
    where there is no room."""
    path = take_file(upload)
    if path.stat().st_size > settings.photo_mb * 1_000_000:
        remove(path)
        raise PhotoError("photo_too_large", name=path.name, limit=settings.photo_mb)
    return name_of(str(path))


def take_file(upload: str) -> Path:
    """A file arrived in the uploads: it under a name of its own. Raises as ``take`` does."""
    path, folder = Path(upload), uploads_folder()
    try:
        if folder.resolve() not in path.resolve().parents or not path.is_file():
            raise AttnvizError("photo_gone", minutes=settings.keep)
        return own(path, folder)
    except (OSError, ValueError):
        raise AttnvizError("no_room_for_upload") from None


def delete(photos: list[str]) -> int:
    """Delete these uploads now, with all that was computed of them; how many there were."""
    gone = set()
    for photo in photos:
        if photo.startswith(UPLOAD):
            with suppress(AttnvizError):
                path = path_of(photo)
                remove(Path(path))
                gone.add(path)
    for results in (traces, layers_features):
        results.forget(gone)
    return len(gone)


def expire() -> None:
    """Let go of results that nobody used for an hour."""
    traces.expire()
    layers_features.expire()


def name_of(photo: str) -> str:
    """A photo's name for the browser, the opposite of ``path_of``."""
    path = Path(photo)
    return EXAMPLE + path.stem if path.parent == EXAMPLES_FOLDER else UPLOAD + "/".join(path.parts[-2:])


def packed(asked: Asked) -> dict[str, Any]:
    seen = traces.get(asked)
    name = name_of(asked.photo)
    about = {"photo": name, "network": asked.network, "view": asked.view, "example": name.startswith(EXAMPLE)}
    return pack(seen, card_of(network_of(asked.network)), about)


def bundled(question: dict[str, Any]) -> Path:
    """The zip of what a question of the viewer names. Raises AttnvizError."""
    everything, tab, layer, look = (
        question.get("what") == "all",
        question.get("tab"),
        question.get("layer"),
        question.get("look"),
    )
    captures = _captures(question.get("shown"), MOST_SHOWN)
    if not captures:
        raise AttnvizError("nothing_to_save")
    shown = []
    for asked, seen in captures:
        layers = tuple(seen.layers) if everything else layers_of(seen, tab, layer, question.get("block"))
        chosen = channels_of(seen, layer, question.get("channel")) if tab == "explore" else []
        shown.append(
            Selection(
                seen,
                card_of(network_of(asked.network)),
                layers,
                tuple(_features_of(asked, *each) for each in chosen),
            )
        )
    drawn = look_of(look, tab)
    compared = tab == "explore" and drawn.scale == "shown"
    beside = [seen for _, seen in _captures(question.get("beside"), MOST_BESIDE)] if compared else []
    named = [(name_of(asked.photo), seen) for asked, seen in captures]
    pairs = (
        pairs_of(named, layer, question.get("a"), question.get("b"), scale_of(look))
        if tab == "photos"
        else []
    )
    files = bundle(shown, drawn, order_of(look), everything, beside, pairs, tab in ("networks", "photos"))
    return _zipped(files)


def _captures(asked: Any, most: int) -> list[tuple[Asked, Trace]]:
    """The captures in a list of the viewer's, at most so many. Raises AttnvizError if one of them can't be
    had."""
    named = [
        _asked(each) for each in (asked if isinstance(asked, list) else [])[:most] if isinstance(each, dict)
    ]
    return [(each, traces.get(each)) for each in named]


def _features_of(asked: Asked, layer: str, index: int) -> Channel:
    found = features(replace(asked, layer=layer))
    return Channel(layer, index, found.before[index], found.after[index])


def _zipped(files: Iterator[tuple[str, bytes]]) -> Path:
    try:
        folder = uploads_folder() / "saved"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = Path(tempfile.mkdtemp(dir=folder)) / "attnviz.zip"
        with drawings.turn(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                archive.writestr(name, content)
    except OSError:
        raise AttnvizError("no_room_to_save") from None
    return path


def example_file(name: str) -> Path:
    return EXAMPLES_FOLDER / f"{name}.jpg"


def uploads_folder() -> Path:
    return Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir())
