"""The ``attnviz`` command: show, networks, layers, app, deploy, train, evaluate."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import torch

from .capture.run import find, trace
from .capture.trace import Trace
from .cli_options import parser
from .errors import AttnvizError, NetworkError
from .naming import free_name, visible
from .networks.card import card_of
from .processors import cores
from .training.plan import TrainingPlan
from .zoo import imagenet
from .zoo.registry import card, list_networks, load

# What a command needs besides ``import attnviz`` is imported in it: Matplotlib and Gradio are slow to start.


def main(arguments: list[str] | None = None) -> int:
    """Run the command; gives back the exit status: 0, or 1 if a photo, a network or other input is not
    usable."""
    options = parser(COMMANDS).parse_args(arguments)
    try:
        return options.run(options)
    except AttnvizError as error:
        _complain(error)
        return 1


@dataclass(frozen=True, eq=False)
class _TracedPhoto:
    path: Path
    folder: Path  # for its files
    trace: Trace


def show(options: Namespace) -> int:
    """Write the pictures and numbers of each photo into a folder of its own."""
    _take_threads()
    network = load(options.network, labels=options.labels)
    photos: Iterable[_TracedPhoto] = _traced_photos(network, options)
    compared: list[Trace] = []
    if options.scale == "shown":  # a range over all needs all traces; otherwise one is in memory at a time
        photos = list(photos)
        compared = [photo.trace for photo in photos]
    written = 0
    for photo in photos:
        _write_files(photo, network, compared, options)
        best = "".join(f" {label} {probability:.1%}" for label, probability in photo.trace.top(1))
        _say(visible(f"{photo.path}:{best} -> {photo.folder}"))
        written += 1
    return int(written < len(options.photos))


def networks(_options: Namespace) -> int:
    """Print what can be opened by name; a file of weights can be opened too."""
    _say("Come with attnviz:")
    for name in list_networks():
        about = card(name)
        accuracy = "not measured"
        if about.accuracy:
            accuracy = f"{about.accuracy:.1%} top-1 on {about.photos:,} photos"
        _say(f"  {name:32} {len(about.labels)} classes of {about.data}, {accuracy}")
    _say("\nImageNet-1k, downloaded when first used (timm/NAME takes any of timm's):")
    for name in list_networks("imagenet"):
        row = imagenet.row(name)
        accuracy = f"{row.accuracy:.1%} top-1" if row.accuracy else "accuracy not published"
        _say(f"  {name:32} {row.title}, {row.megabytes:.0f} MB, {accuracy}, {row.licence}")
    return 0


def layers(options: Namespace) -> int:
    """Print which layers of attention a network has, what kind each is, and the shape of its features."""
    _take_threads()
    found = find(load(options.network))
    for layer in found:
        channels, height, width = layer.shape
        _say(f"{layer.layer:32} {layer.kind:8} {layer.module:20} {channels} channels, {height} × {width}")
    if not found:
        _say(f"{options.network} has no attention that attnviz can find.")
    return 0


def app(options: Namespace) -> int:
    """Serve the page until interrupted."""
    from .server.settings import from_environment

    settings = from_environment(host=options.host, port=options.port)  # before what is slow to start
    from .server.launch import serve

    serve(settings)
    return 0


def deploy(options: Namespace) -> int:
    """Bring a Hugging Face Space up to date with this checkout, making it if there is none."""
    from .deploy import check, files, size, upload

    check(options.space)
    names = files()
    for name in names if options.dry_run else ():
        _say(f"{size(name):>10,}  {name}")
    address = options.space if options.dry_run else upload(options.space)
    _say(f"{len(names)} files, {sum(map(size, names)) / 1e6:.1f} MB -> {address}")
    return 0


def train(options: Namespace) -> int:
    """Train one network on a folder of class folders, and write it as a folder that can be opened, with a
    model card of what was measured. The recipe is that of the four networks that come with attnviz: SGD with
    Nesterov momentum, one cycle of the learning rate, label smoothing, random crops at growing sizes, CutMix
    on half of the batches, and an exponential average of the weights, which is what is kept."""
    from .training.dataset import list_photos, read_class_names
    from .training.model_card import publish
    from .training.train import train as train_network

    _take_threads()
    data, out = options.data, options.out
    plan = TrainingPlan(
        depth=options.depth,
        attention=options.attention,
        width=options.width,
        reduction=options.reduction,
        schedule=options.schedule,
        batch=options.batch,
        seed=options.seed,
    )
    labels = read_class_names(options.labels, list_photos(data / "train").classes)
    run = train_network(plan, data, options.runs / out.name, options.resume)
    publish(run.average.module, plan, run.seconds, labels, data, out, options.about)
    return 0


def evaluate(options: Namespace) -> int:
    """Measure trained networks and print Markdown tables. The networks run exactly as the page runs them:
    top-1 accuracy over all photos, and over 200 of them, spread evenly over the classes, how much the gates
    of every layer vary."""
    from .training.evaluate import accuracy_table, liveliness_table, measure

    _take_threads()
    measured = {Path(name).name: measure(load(name), options.data, options.view) for name in options.networks}
    _say(accuracy_table(measured))
    for name, measurement in measured.items():
        if measurement.layers:
            _say(f"\n{name}:\n\n{liveliness_table(measurement.layers)}")
    return 0


def _traced_photos(network: torch.nn.Module, options: Namespace) -> Iterator[_TracedPhoto]:
    """The photos that can be opened; says what is wrong with the others. Raises NetworkError if there is no
    such layer."""
    for path, folder in zip(options.photos, _folders(options.photos, options.out)):
        try:
            traced = trace(network, path, options.view)
        except AttnvizError as error:
            _complain(error)
            continue
        if options.layer and options.layer not in traced.layers:
            raise _layer_missing(options, traced)
        yield _TracedPhoto(path, folder, traced)


def _write_files(
    photo: _TracedPhoto, network: torch.nn.Module, compared: list[Trace], options: Namespace
) -> None:
    from .drawing.overlay import Look
    from .export.bundle import bundle
    from .export.selection import Selection

    look = Look(options.opacity, options.colormap, options.scale, options.smooth)
    names = (options.layer,) if options.layer else tuple(photo.trace.layers)
    selection = Selection(photo.trace, card_of(network), names)
    threads = min(4, cores())
    for name, content in bundle(
        [selection], look, options.order, not options.layer, compared, threads=threads
    ):
        _write(photo.folder / name, content)
    if options.html:
        from .viewer.standalone import html

        _write(photo.folder / "attnviz.html", html([photo.trace], card_of(network)).encode())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _take_threads() -> None:
    """As many for torch as there are processors for this process: by itself it counts those of a container's
    host."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(min(torch.get_num_threads(), cores()))


def _complain(error: AttnvizError) -> None:
    _say(visible(f"attnviz: {error}"), sys.stderr)


def _say(text: str, stream: TextIO | None = None) -> None:
    """Print lines, in which a name can't give the terminal orders."""
    print("\n".join(map(visible, text.split("\n"))), file=stream)


def _layer_missing(options: Namespace, traced: Trace) -> NetworkError:
    if not traced.layers:
        return NetworkError("network_without_attention", network=options.network, layer=options.layer)
    layers = ", ".join(traced.layers)
    return NetworkError("layer_not_in_network", network=options.network, layer=options.layer, layers=layers)


def _folders(photos: list[Path], out: Path) -> list[Path]:
    """One folder a photo, named after it; a name that is taken gets a number."""
    taken: list[str] = []
    for photo in photos:
        taken.append(free_name(photo.stem.lstrip(".") or "photo", taken))
    return [out / name for name in taken]


COMMANDS = {
    "show": show,
    "networks": networks,
    "layers": layers,
    "app": app,
    "deploy": deploy,
    "train": train,
    "evaluate": evaluate,
}
