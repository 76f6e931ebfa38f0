"""The options of the ``attnviz`` command and what ``--help`` says of them."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..choices import BUILT, ORDERS, SCALES, WAYS
from ..drawing.style import COLORMAPS
from ..languages.catalogue import LANGUAGES
from .common_options import NETWORK, VIEWS, choice
from .option_values import port, share
from .parser import Parser, add_version, first_parser, one_of
from .training_options import TRAINING
from .what_if_options import WHAT_IF


@dataclass(frozen=True)
class _Command:
    summary: str  # in the list of all commands
    description: str
    add_options: Callable[[ArgumentParser], None]


def parse(words: Sequence[str] | None = None) -> Namespace:
    """The options that words say, ``command`` among them. Ends the program, with a sentence, if they say
    none."""
    words = sys.argv[1:] if words is None else list(words)
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    first = next((place for place, word in enumerate(words) if not word.startswith("-")), len(words))
    summaries = {name: command.summary for name, command in COMMANDS.items()}
    parser = first_parser(summaries)
    name = parser.parse_args(words[: first + 1]).command
    if name is None:
        parser.error(f"name a command: {', '.join(summaries)}; “attnviz --help” says what each does")
    command = COMMANDS[name]
    parser = Parser(prog=f"attnviz {name}", description=command.description)
    add_version(parser)
    command.add_options(parser)
    options = parser.parse_args(words[first + 1 :])
    options.command = name
    return options


def _show(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "photos",
        nargs="+",
        metavar="PHOTO",
        help="a picture, a folder of pictures, or a pattern: “*.png”",
    )
    add(
        "-n",
        "--network",
        default="cbam_resnet18",
        help=f"{NETWORK} (default: %(default)s)",
    )
    add(
        "--labels",
        type=Path,
        metavar="FILE",
        help="class names for a file of weights, one a line",
    )
    _built(parser)
    add(
        "-l",
        "--layer",
        action="append",
        default=[],
        help="a layer to draw, for example layer3.1, as often as you like (default: the layer whose map "
        "varies "
        "most, and the one whose channels do)",
    )
    add("-a", "--all", action="store_true", help="draw every layer")
    add(
        "-o",
        "--out",
        type=Path,
        default=Path("attnviz-out"),
        metavar="FOLDER",
        help="folder to write to (default: %(default)s)",
    )
    choice(parser, "--view", VIEWS, "whole", "what the network sees")
    _look(parser)
    add(
        "--html",
        action="store_true",
        help="also write one self-contained page with all photos to explore, attnviz.html",
    )


def _look(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--opacity",
        type=share,
        default=0.6,
        metavar="SHARE",
        help="of the map over the photo, 0 to 1 (default: %(default)s)",
    )
    add(
        "--way",
        type=one_of(tuple(WAYS), "way"),
        metavar=f"{{{','.join(WAYS)}}}",
        help="how a map is drawn: the photo dimmed by the gate, or its colours on the photo in grey "
        "(default: colours in pictures, dim on the page)",
    )
    choice(parser, "--colormap", COLORMAPS, "viridis", "colours of maps", short="-c")
    choice(
        parser,
        "--scale",
        SCALES,
        "fixed",
        "what the colours span: fixed, all that a factor can be; else the range in the map, its stage, the "
        "network, "
        "or all photos shown",
        short="-s",
    )
    add("--smooth", action="store_true", help="blend between the cells of a map")
    choice(parser, "--order", ORDERS, "index", "of the bars; surprise: the farthest from their mean first")


def _networks(_parser: ArgumentParser) -> None:
    """Takes no options."""


def _layers(parser: ArgumentParser) -> None:
    parser.add_argument("network", metavar="NETWORK", help=NETWORK)
    _built(parser)


def _built(parser: ArgumentParser) -> None:
    """What a person can say of a file of weights."""
    parser.add_argument(
        "--built",
        type=_said,
        action="append",
        default=[],
        metavar="WHAT=HOW",
        help="how the network of a file of weights is built where the file does not tell, as often as you "
        f"like: {', '.join(BUILT)} or slope, for example place=output",
    )


def _with_built(add_options: Callable[[ArgumentParser], None]) -> Callable[[ArgumentParser], None]:
    """The same options, and what a person can say of a file of weights."""

    def add_both(parser: ArgumentParser) -> None:
        add_options(parser)
        _built(parser)

    return add_both


def _said(text: str) -> tuple[str, Any]:
    """What is said of a network, and its value, in ``place=output``."""
    about, _, value = text.partition("=")
    one_of((*BUILT, "slope"), "word")(about)
    if about == "slope":
        slope = share(value)
        if slope == 1:
            raise ArgumentTypeError("slope is 1; it can be from 0 to below 1")
        return about, slope
    values = {str(known): known for known in BUILT[about]}
    return about, values[one_of(values, about)(value)]


def _app(parser: ArgumentParser) -> None:
    parser.add_argument("--host", help="address to listen on (default: this machine only)")
    parser.add_argument("-p", "--port", type=port, help="default: the first free one from 7860 on")
    parser.add_argument(
        "-n",
        "--network",
        action="append",
        help="a name from “attnviz networks” that the page opens first, as often as you like "
        "(default: those of ATTNVIZ_NETWORKS)",
    )


def _site(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("out", type=Path, metavar="OUT", help="folder to write to, or one file that ends in .html")
    add(
        "-n",
        "--network",
        action="append",
        help="a name from “attnviz networks”, a folder of “attnviz train” or a file of weights, as often as "
        "you like; the first opens first (default: those that come with attnviz)",
    )
    add(
        "--examples",
        type=Path,
        metavar="FOLDER",
        help="photos to choose from (default: those that come with attnviz)",
    )
    choice(parser, "--language", LANGUAGES, None, "which it speaks first, else the visitor's")
    add("--base", default="", metavar="ADDRESS", help="where it will stand, for cards of links to it")


def _fetch(parser: ArgumentParser) -> None:
    parser.add_argument(
        "networks",
        nargs="*",
        metavar="NETWORK",
        help="a name from “attnviz networks” (default: those of ATTNVIZ_NETWORKS)",
    )


def _deploy(parser: ArgumentParser) -> None:
    parser.add_argument(
        "place",
        type=one_of(("space", "site"), "place"),
        metavar="{space,site}",
        help="space: the page on a server; site: the page without one, in a static Space",
    )
    parser.add_argument("space", metavar="USER/NAME", help="of the Space")
    parser.add_argument(
        "--dry-run", action="store_true", help="list what would be uploaded, and ask nothing of the hub"
    )


COMMANDS = {
    "show": _Command(
        "write photos' maps, bars and numbers as files",
        "Writes the pictures and numbers of each photo into a folder of its own: all layers on one page, "
        "the layers "
        "that tell most or that are chosen, and the numbers of every layer as CSV and NPZ.",
        _show,
    ),
    "networks": _Command(
        "list what can be opened",
        "Lists what can be opened by name; a file of weights can be opened too.",
        _networks,
    ),
    "fetch": _Command(
        "download weights ahead",
        "Downloads the weights of ImageNet networks that are not here, and checks those that are.",
        _fetch,
    ),
    "layers": _Command(
        "list a network's layers of attention",
        "Lists which layers of attention a network has, what kind each is, and the shape of its features.",
        _layers,
    ),
    "app": _Command("serve the page", "Serves the page until interrupted.", _app),
    "site": _Command(
        "write the page without a server",
        "Writes the page as files that any web server hands out, or as one file that opens by itself: the "
        "visitor's browser computes, and no photo leaves it. Runs no network.",
        _site,
    ),
    "deploy": _Command(
        "put the page on a Hugging Face Space",
        "Brings a Hugging Face Space up to date with this checkout, or with the page without a server, and "
        "makes it if there is none.",
        _deploy,
    ),
    **{name: _Command(*about) for name, about in TRAINING.items()},
    **{name: _Command(summary, about, _with_built(add)) for name, (summary, about, add) in WHAT_IF.items()},
}
