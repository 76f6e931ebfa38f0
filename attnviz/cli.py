"""The ``attnviz`` command: show, networks, layers, app, deploy."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from .errors import AttnvizError, NetworkError
from .naming import free_name

if TYPE_CHECKING:  # torch is slow to start too
    from torch import nn

    from .capture.trace import Trace

    Seen: TypeAlias = tuple[Path, Path, Trace]  # a photo, the folder for its files, its trace

# Those of attnviz.render, which is imported only when something is drawn: torch is slow to start.
COLORMAPS = ("viridis", "magma", "inferno", "cividis", "turbo", "jet", "coolwarm")
SCALES = ("fixed", "map", "stage", "network", "shown")
ORDERS = ("index", "size", "surprise")

DESCRIPTION = "Shows what channel and spatial attention (SE, CBAM, BAM) does inside a convolutional network."


def main(arguments: list[str] | None = None) -> int:
    """Run the command; gives back the exit status: 0, or 1 if a photo or the network could not be opened."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except AttnvizError as error:
        print(f"attnviz: {error}", file=sys.stderr)
        return 1


def show(options: argparse.Namespace) -> int:
    """Write the pictures and numbers of each photo into a folder of its own."""
    from .drawing.overlay import Look
    from .export.bundle import bundle
    from .export.selection import Selection
    from .networks.card import card_of
    from .processors import cores
    from .zoo.registry import load

    _take_threads()
    network = load(options.network, labels=options.labels)
    look = Look(options.opacity, options.colormap, options.scale, options.smooth)
    seen: Iterable[Seen] = _seen(network, options)
    beside: list[Trace] = []
    if (
        options.scale == "shown"
    ):  # the range of all is known when all are traced; otherwise one is in memory at a time
        seen = list(seen)
        beside = [trace for _, _, trace in seen]
    count = 0
    for path, folder, trace in seen:
        layers = (options.layer,) if options.layer else tuple(trace.layers)
        each = Selection(trace, card_of(network), layers)
        for name, content in bundle(
            [each], look, options.order, not options.layer, beside, threads=min(4, cores())
        ):
            _write(folder / name, content)
        if options.html:
            from .viewer.standalone import html

            _write(folder / "attnviz.html", html([trace], card_of(network)).encode())
        said = "".join(f" {best} {probability:.1%}" for best, probability in trace.top(1))
        print(f"{path}:{said} -> {folder}")
        count += 1
    return int(count < len(options.photos))


def _seen(network: nn.Module, options: argparse.Namespace) -> Iterator[Seen]:
    """Each photo that can be opened, its folder and its trace; says what is wrong with the others. Raises
    NetworkError if there is no such layer."""
    from .capture.run import trace

    for path, folder in zip(options.photos, _folders(options.photos, options.out)):
        try:
            seen = trace(network, path, options.view)
        except AttnvizError as error:
            print(f"attnviz: {error}", file=sys.stderr)
            continue
        if options.layer and options.layer not in seen.layers:
            raise _layer_missing(options, seen)
        yield path, folder, seen


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def networks(_options: argparse.Namespace) -> int:
    """Print what can be opened by name; a file of weights can be opened too."""
    from .zoo import imagenet
    from .zoo.registry import card, list_networks

    print("Come with attnviz:")
    for name in list_networks():
        about = card(name)
        accuracy = (
            f"{about.accuracy:.1%} top-1 on {about.photos:,} photos" if about.accuracy else "not measured"
        )
        print(f"  {name:32} {len(about.labels)} classes of {about.data}, {accuracy}")
    print("\nImageNet-1k, downloaded when first used (timm/NAME takes any of timm's):")
    for name in list_networks("imagenet"):
        row = imagenet.row(name)
        accuracy = f"{row.accuracy:.1%} top-1" if row.accuracy else "accuracy not published"
        print(f"  {name:32} {row.title}, {row.megabytes:.0f} MB, {accuracy}, {row.licence}")
    return 0


def layers(options: argparse.Namespace) -> int:
    """Print which layers of attention a network has, what kind each is, and the shape of its features."""
    from .capture.run import find
    from .zoo.registry import load

    _take_threads()
    found = find(load(options.network))
    for layer in found:
        channels, height, width = layer.shape
        print(f"{layer.layer:32} {layer.kind:8} {layer.module:20} {channels} channels, {height} × {width}")
    if not found:
        print(f"{options.network} has no attention that attnviz can find.")
    return 0


def app(options: argparse.Namespace) -> int:
    """Serve the page until interrupted."""
    from .server.settings import from_environment

    settings = from_environment(host=options.host, port=options.port)  # before what is slow to start
    from .server.launch import serve

    serve(settings)
    return 0


def deploy(options: argparse.Namespace) -> int:
    """Bring a Hugging Face Space up to date with this checkout, making it if there is none."""
    from .deploy import check, files, size, upload

    check(options.space)
    names = files()
    for name in names if options.dry_run else ():
        print(f"{size(name):>10,}  {name}")
    address = options.space if options.dry_run else upload(options.space)
    print(f"{len(names)} files, {sum(map(size, names)) / 1e6:.1f} MB -> {address}")
    return 0


def _take_threads() -> None:
    """As many for torch as there are processors for this process: by itself it counts those of a container's
    host."""
    import torch

    from .processors import cores

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(min(torch.get_num_threads(), cores()))


def _layer_missing(options: argparse.Namespace, seen: Trace) -> NetworkError:
    if not seen.layers:
        return NetworkError("network_without_attention", network=options.network, layer=options.layer)
    layers = ", ".join(seen.layers)
    return NetworkError("layer_not_in_network", network=options.network, layer=options.layer, layers=layers)


def _folders(photos: list[Path], out: Path) -> list[Path]:
    """One folder a photo, named after it; a name that is taken gets a number."""
    taken: list[str] = []
    for photo in photos:
        taken.append(free_name(photo.stem.lstrip(".") or "photo", taken))
    return [out / name for name in taken]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="attnviz", description=DESCRIPTION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser(
        "show", help="write a photo's maps, bars and numbers as files", description=show.__doc__
    )
    command.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    command.add_argument(
        "--network",
        default="cbam_resnet18",
        help="a name from “attnviz networks” or a file of weights (default: %(default)s)",
    )
    command.add_argument(
        "--labels", type=Path, help="class names for a file of weights, one a line in a text file"
    )
    command.add_argument(
        "--layer", help="one layer, for example layer3.1 (default: every layer and an overview)"
    )
    command.add_argument(
        "--out", type=Path, default=Path("attnviz-out"), help="folder to write to (default: %(default)s)"
    )
    command.add_argument(
        "--view",
        choices=("whole", "crop"),
        default="whole",
        help="what the network sees (default: %(default)s)",
    )
    command.add_argument(
        "--opacity", type=_share, default=0.6, help="of the map over the photo, 0 to 1 (default: %(default)s)"
    )
    command.add_argument("--colormap", default="viridis", choices=COLORMAPS)
    command.add_argument(
        "--scale",
        choices=SCALES,
        default="fixed",
        help="what the colours span: fixed, all that a factor can "
        "be; else the range in the map, its stage, the network, or all photos shown (default: %(default)s)",
    )
    command.add_argument("--smooth", action="store_true", help="blend between the cells of a map")
    command.add_argument(
        "--order",
        choices=ORDERS,
        default="index",
        help="of the bars; surprise: the farthest from their mean first",
    )
    command.add_argument(
        "--html", action="store_true", help="also write one self-contained page to explore, attnviz.html"
    )
    command.set_defaults(run=show)
    command = commands.add_parser("networks", help="list what can be opened", description=networks.__doc__)
    command.set_defaults(run=networks)
    command = commands.add_parser(
        "layers", help="list a network's layers of attention", description=layers.__doc__
    )
    command.add_argument(
        "network", metavar="NETWORK", help="a name from “attnviz networks” or a file of weights"
    )
    command.set_defaults(run=layers)
    command = commands.add_parser("app", help="serve the page", description=app.__doc__)
    command.add_argument("--host", help="address to listen on (default: this machine only)")
    command.add_argument("--port", type=int, help="default: the first free one from 7860 on")
    command.set_defaults(run=app)
    command = commands.add_parser(
        "deploy", help="put the page on a Hugging Face Space", description=deploy.__doc__
    )
    command.add_argument("place", choices=("space",))
    command.add_argument("space", metavar="USER/NAME", help="of the Space")
    command.add_argument(
        "--dry-run", action="store_true", help="list what would be uploaded, and ask nothing of the hub"
    )
    command.set_defaults(run=deploy)
    return parser


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value
