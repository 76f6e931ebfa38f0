"""The options of ``attnviz intervene``, ``sweep`` and ``ablate``, and what ``--help`` says of them."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from .common_options import KEPT

EDIT = (
    "off, usual, flat, shuffle, scale:0.5, patch:OTHER.jpg, set:17=0 (a channel and its factor), or an "
    'object of JSON such as {"edit": "usual", "part": "spatial"}'
)
READING = (
    " Reading is not causing: that a gate looks at something says nothing of what the answer owes to it; "
    "this command asks that."
)


def _photo(parser: ArgumentParser) -> None:
    parser.add_argument("photo", type=Path, metavar="PHOTO", help="a picture")


def _network(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-n",
        "--network",
        default="cbam_resnet18",
        help="a name from “attnviz networks” or a file of weights (default: %(default)s)",
    )
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="class names for a file of weights, one a line"
    )


def _ways(parser: ArgumentParser, view: str) -> None:
    add = parser.add_argument
    usual = "the example photos that come with attnviz" if view == "whole" else "up to 200 of these photos"
    add(
        "--hold",
        action="store_true",
        help="hold all other gates at their values before: the direct effect (default: they are "
        "computed anew, as the network would)",
    )
    add(
        "--reference",
        type=Path,
        metavar="PATH",
        help="a folder of photos, or a file that Reference.save wrote, whose mean gates are the usual ones "
        f"(default: {KEPT} in the network's folder, or else {usual})",
    )
    add(
        "--view",
        choices=("whole", "crop"),
        default=view,
        help="what the network sees (default: %(default)s)",
    )


def _files(parser: ArgumentParser, csv: bool = True) -> None:
    if csv:
        parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table as CSV")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it as JSON")


def _how(parser: ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--how",
        default=default,
        metavar="EDIT,…",
        help=f"what is done to each layer, several with commas between: {EDIT} (default: %(default)s)",
    )


def _intervene(parser: ArgumentParser) -> None:
    _photo(parser)
    _network(parser)
    parser.add_argument(
        "-e",
        "--edit",
        action="append",
        default=[],
        metavar="LAYER=EDIT",
        help=f"what is done to a layer, or to all of them (all=off), as often as you like: {EDIT}",
    )
    parser.add_argument("--edits", type=Path, metavar="FILE", help="JSON file of edits by layer")
    _ways(parser, "whole")
    _files(parser, csv=False)


def _sweep(parser: ArgumentParser) -> None:
    _photo(parser)
    _network(parser)
    _how(parser, "usual")
    parser.add_argument(
        "-l",
        "--layer",
        help="change the channels of this layer in turn instead, each to the least and the greatest factor",
    )
    parser.add_argument(
        "--all", action="store_true", help="print all channels, not only the 20 that move most"
    )
    _ways(parser, "whole")
    _files(parser)


def _ablate(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="a folder of class folders, as the network's classes, or of pictures",
    )
    _network(parser)
    _how(parser, "usual,off,flat")
    parser.add_argument(
        "-l",
        "--layer",
        action="append",
        help="a layer to change, or all, as often as you like (default: every one)",
    )
    parser.add_argument(
        "--reestimate",
        type=Path,
        metavar="FOLDER",
        help="photos over which the batch norms' statistics are taken anew with all layers changed: what is "
        "then lost is no mismatch of scale",
    )
    parser.add_argument(
        "--state", type=Path, metavar="FILE", help="write how far it is here, and go on from there"
    )
    _ways(parser, "crop")
    _files(parser)


# Name -> summary, description, and what adds the options.
WHAT_IF: dict[str, tuple[str, str, Callable[[ArgumentParser], None]]] = {
    "intervene": (
        "change gates for one photo, and see what the answer becomes",
        "Changes gates of a network for one photo, and prints what it says before and after." + READING,
        _intervene,
    ),
    "sweep": (
        "change every layer, or channel, in turn for one photo",
        "Changes every layer of a network in turn for one photo, or every channel of one layer, and prints "
        "by how much the answer moves." + READING,
        _sweep,
    ),
    "ablate": (
        "change every layer in turn over a folder of photos",
        "Changes every layer of a network in turn over a folder of photos, and all at once, and prints the "
        "accuracy, the share of the answers that change, their divergence and the change of their scores."
        + READING,
        _ablate,
    ),
}
