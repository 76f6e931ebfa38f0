"""The pictures and numbers of photos as files, in a folder a photo."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from ..analysis import telling_layers
from ..capture.run import trace
from ..capture.trace import Trace
from ..drawing.look import Look
from ..errors import AttnvizError, NetworkError
from ..export.bundle import bundle
from ..export.manifest import MANIFEST
from ..export.selection import Selection
from ..languages.catalogue import ENGLISH, catalogue
from ..naming import close_name, free_name, visible
from ..networks.card import card_of
from ..processors import cores
from ..viewer.standalone import Document, ViewerState
from ..zoo.registry import load
from .terminal import complain, progress_line, say, say_assumptions
from .threads import take_threads

DRAWING_THREADS = 4  # at most
PAGE = "attnviz.html"


@dataclass(frozen=True, eq=False)
class _TracedPhoto:
    path: Path
    folder: Path  # for its files
    trace: Trace


@dataclass(eq=False)
class _Run:
    """One run of the command: what is looked at, and how."""

    options: Namespace
    network: torch.nn.Module
    look: Look
    compared: list[Trace] = field(default_factory=list)  # what the scale "shown" spans
    page: Document | None = None  # all photos, if they are wanted in one file
    remarked: set[str] = field(default_factory=set)  # sentences that were said


def write_photos(options: Namespace, photos: Sequence[Path]) -> int:
    """Trace photos and write their files; gives back how many were written."""
    take_threads()
    run = _started(options)
    written = _write_all(run, photos)
    if run.page and written:
        path = options.out / PAGE
        _write(path, run.page.html().encode())
        say(f"{written} photo{'s' if written > 1 else ''} -> {path}")
    return written


def _started(options: Namespace) -> _Run:
    look = Look(options.opacity, options.colormap, options.scale, options.smooth, options.way or Look.way)
    network = load(options.network, labels=options.labels, **dict(options.built))
    say_assumptions(network)
    run = _Run(options, network, look)
    if options.html:
        first = options.layer[0] if options.layer else None
        begun = replace(look, way=options.way or ViewerState.look.way)
        run.page = Document(ViewerState(begun, layer=first, order=options.order))
    return run


def _write_all(run: _Run, photos: Sequence[Path]) -> int:
    """Trace and write every photo; gives back how many were written."""
    traced: Iterable[_TracedPhoto] = _traced_photos(run, photos)
    if (
        run.options.scale == "shown"
    ):  # a range over all needs all traces; otherwise one is in memory at a time
        traced = list(traced)
        run.compared = [photo.trace for photo in traced]
    written = 0
    for photo in traced:
        _write_photo(run, photo)
        say(visible(f"{photo.path}:{_answer(photo.trace)} -> {photo.folder}"))
        written += 1
    return written


def _answer(traced: Trace) -> str:
    """What of its classes the network finds a photo most like, and whether that is doubtful."""
    mark = " (doubtful)" if traced.doubtful else ""
    return "".join(f" most like {label} {probability:.1%}{mark}" for label, probability in traced.top(1))


def _traced_photos(run: _Run, photos: Sequence[Path]) -> Iterator[_TracedPhoto]:
    """The photos that can be opened; says what is wrong with the others. Raises NetworkError if there is no
    such layer."""
    with progress_line(photos) as progress:
        for path, folder in zip(photos, _folders(photos, run.options.out)):
            progress.set_description_str(path.name)
            try:
                traced = trace(run.network, path, run.options.view)
            except AttnvizError as error:
                complain(error)
            else:
                _check_layers(run, traced)
                _say_remarks(run, traced)
                yield _TracedPhoto(path, folder, traced)
            progress.update()


def _say_remarks(run: _Run, traced: Trace) -> None:
    """What is to be known of a trace; each sentence once in a run."""
    for remark in traced.remarks:
        if str(remark) not in run.remarked:
            run.remarked.add(str(remark))
            complain(remark)
    if traced.doubt and traced.doubtful:
        sentence = catalogue().phrase(ENGLISH, traced.doubt.sentence)
        if sentence not in run.remarked:
            run.remarked.add(sentence)
            say(f"attnviz: “doubtful”: {sentence}", sys.stderr)


def _write_photo(run: _Run, photo: _TracedPhoto) -> None:
    selection = _selection(run, photo.trace)
    files = bundle(
        [selection],
        run.look,
        run.options.order,
        overview=True,
        beside=run.compared,
        threads=min(DRAWING_THREADS, cores()),
    )
    earlier = _files_of_earlier_run(photo.folder)
    for name, content in files:
        _write(photo.folder / name, content)
        earlier.discard(name)
    for name in earlier:
        (photo.folder / name).unlink(missing_ok=True)
    if run.page:
        run.page.add(photo.trace, selection.card)


def _selection(run: _Run, traced: Trace) -> Selection:
    """Chosen layers are drawn and written; else all are written, and all or those that tell most are
    drawn."""
    layers = tuple(run.options.layer) or tuple(traced.layers)
    drawn = layers if run.options.layer or run.options.all else telling_layers(traced)
    return Selection(traced, card_of(run.network), layers, drawn=drawn)


def _files_of_earlier_run(folder: Path) -> set[str]:
    """The files in a folder that an earlier run wrote there, by what its manifest says; what else lies there
    is somebody else's."""
    try:
        names = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {name for name in names if isinstance(name, str) and Path(name).name == name}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _write(path: Path, content: bytes) -> None:
    """Write a file whole, or none. Raises OSError, which names it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name[-100:]}.part")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from None


def _check_layers(run: _Run, traced: Trace) -> None:
    network = run.options.network
    for layer in run.options.layer:
        if layer in traced.layers:
            continue
        if not traced.layers:
            raise NetworkError("network_without_attention", network=network, layer=layer)
        close = close_name(layer, traced.layers)
        if close:
            raise NetworkError("layer_not_in_network_close", network=network, layer=layer, close=close)
        names = ", ".join(traced.layers)
        raise NetworkError("layer_not_in_network", network=network, layer=layer, layers=names)


def _folders(photos: Sequence[Path], out: Path) -> list[Path]:
    """One folder a photo, named after it; a name that is taken gets a number."""
    taken: list[str] = []
    for photo in photos:
        taken.append(free_name(photo.stem.lstrip(".") or "photo", taken))
    return [out / name for name in taken]
