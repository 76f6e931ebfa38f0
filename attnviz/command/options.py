"""The options of the ``attnviz`` command and what ``--help`` says of them."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction, Namespace
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..choices import BUILT, ORDERS, PADDINGS, SCALES, WAYS
from ..drawing.style import COLORMAPS
from ..languages.catalogue import LANGUAGES
from ..training.plan import ATTENTION_NAMES, DEPTH_NUMBERS, TrainingPlan
from .option_values import port, positive, schedule, share, weight
from .parser import Parser, add_version, first_parser, one_of
from .what_if_options import KEPT, WHAT_IF

NETWORK = "a name from “attnviz networks” or a file of weights"
VIEWS = ("whole", "crop")  # of photos/geometry.py, which is slow to start


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
    _choice(parser, "--view", VIEWS, "whole", "what the network sees")
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
    _choice(parser, "--colormap", COLORMAPS, "viridis", "colours of maps", short="-c")
    _choice(
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
    _choice(parser, "--order", ORDERS, "index", "of the bars; surprise: the farthest from their mean first")


def _choice(
    parser: ArgumentParser, option: str, names: Iterable[str], default: str | None, says: str, short: str = ""
) -> None:
    """An option whose value is one of some names."""
    names = tuple(names)
    flags = (short, option) if short else (option,)
    parser.add_argument(
        *flags,
        type=one_of(names, option.strip("-")),
        default=default,
        metavar=f"{{{','.join(names)}}}",
        help=f"{says} (default: {default or 'none'})",
    )


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
    _choice(parser, "--language", LANGUAGES, None, "which it speaks first, else the visitor's")
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


def _train(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("data", type=Path, metavar="DATA", help="folder with train/ and val/, each a folder of class folders")
    add("out", type=Path, metavar="OUT", help="model folder to write; its name becomes the network's")
    default = TrainingPlan()
    _choice(parser, "--attention", ATTENTION_NAMES, default.attention, "the mechanism")
    add(
        "--depth",
        type=int,
        choices=DEPTH_NUMBERS,
        default=default.depth,
        help="layers of the ResNet (default: %(default)s)",
    )
    _count(parser, "--width", default.width, "channels of stage 1")
    _count(
        parser,
        "--reduction",
        default.reduction,
        "how many times fewer units than channels a gate's hidden layer has",
    )
    _count(parser, "--least-hidden", default.least_hidden, "units that a gate's hidden layer has at least")
    add(
        "--bias",
        action=BooleanOptionalAction,
        default=default.bias,
        help="of the layers of SE and of CBAM's channel gate (default: %(default)s)",
    )
    _choice(
        parser, "--padding", PADDINGS, default.padding, "what stands around the features of spatial gates"
    )
    add(
        "--penalty",
        type=weight,
        default=default.penalty,
        help="on the mean square of each gate's logits, so that gates stay graded (default: %(default)s)",
    )
    add(
        "--schedule",
        type=schedule,
        default=",".join(f"{side}:{epochs}" for side, epochs in default.schedule),
        metavar="SIDE:EPOCHS,…",
        help="side of the crops in pixels, and for how many epochs (default: %(default)s)",
    )
    _count(parser, "--batch", default.batch, "photos a step")
    add("--seed", type=int, default=default.seed, help="of all that is random (default: %(default)s)")
    add("--labels", type=Path, metavar="FILE", help="text file with a line “FOLDER label” for each class")
    add("--about", default="", metavar="TEXT", help="the data for the model card: “Name: a sentence.”")
    add("--least-top1", type=share, metavar="SHARE", help="top-1 that it is to reach, for the model card")
    add(
        "--runs",
        type=Path,
        default=Path("runs"),
        metavar="FOLDER",
        help="where checkpoints go (default: %(default)s)",
    )
    add("--resume", action="store_true", help="go on from the last epoch's checkpoint")


def _evaluate(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("networks", nargs="+", metavar="NETWORK", help="names from “attnviz networks”, or model folders")
    add("-d", "--data", type=Path, required=True, metavar="FOLDER", help="a folder of class folders")
    _choice(
        parser, "--view", reversed(VIEWS), "crop", "what the network sees; accuracy on cards is of the crop"
    )
    add(
        "--strangers",
        type=Path,
        metavar="FOLDER",
        help="photos of things that are none of the classes: also measure how well they are told",
    )
    add(
        "--kin",
        type=Path,
        metavar="FILE",
        help="text file with the beginning of a name a line: strangers that are left out, since they show a "
        "class under another name",
    )
    add("--write", action="store_true", help="write what was measured of strangers into the networks' cards")


def _usual(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("networks", nargs="+", metavar="NETWORK", help="names from “attnviz networks”, or model folders")
    add("-d", "--data", type=Path, required=True, metavar="FOLDER", help="photos, best in class folders")


def _count(parser: ArgumentParser, option: str, default: int, says: str) -> None:
    """An option whose value is a whole number, at least 1."""
    parser.add_argument(option, type=positive, default=default, help=f"{says} (default: %(default)s)")


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
    "train": _Command(
        "train a network on a folder of class folders",
        "Trains one network on a folder of class folders, and writes it as a folder that can be opened, "
        "with a model "
        "card of what was measured. The recipe is that of the four networks that come with attnviz: SGD with "
        "Nesterov momentum, one cycle of the learning rate, label smoothing, random crops at growing "
        "sizes, CutMix "
        "on half of the batches, a penalty on large logits of gates, and an exponential average of the "
        "weights, which is what is kept.",
        _train,
    ),
    "evaluate": _Command(
        "measure networks on a folder of class folders",
        "Measures trained networks and prints Markdown tables. The networks run exactly as the page runs "
        "them: "
        "top-1 accuracy over all photos, and over 200 of them, spread evenly over the classes, how graded "
        "the gates of every layer are, whether they differ from photo to photo, and whether maps follow the "
        "photo.",
        _evaluate,
    ),
    "usual": _Command(
        "measure what is usual for networks' gates",
        "Takes the mean gates of trained networks over a folder of photos, a thousand at most, as many of "
        f"each folder in it, and writes them into the networks' folders as {KEPT}: what is usual is then "
        "known wherever gates are changed to it.",
        _usual,
    ),
    **{name: _Command(summary, about, _with_built(add)) for name, (summary, about, add) in WHAT_IF.items()},
}
