"""The options of the ``attnviz`` command and what ``--help`` says of them."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from .analysis import ORDERS, SCALES
from .drawing.style import COLORMAPS
from .naming import visible
from .networks.attention import ATTENTION
from .networks.resnet import DEPTHS
from .training.plan import TrainingPlan

DESCRIPTION = "Shows what channel and spatial attention (SE, CBAM, BAM) does inside a convolutional network."

Run = Callable[[Namespace], int]


class _Parser(ArgumentParser):
    """A parser whose errors can't give the terminal orders by the names in them."""

    def error(self, message: str) -> NoReturn:
        super().error(visible(message))


def parser(commands: dict[str, Run]) -> ArgumentParser:
    """The parser of the command; ``run`` of the options is the function of the subcommand that was given,
    and that function's docstring is the subcommand's description."""
    whole = _Parser(prog="attnviz", description=DESCRIPTION)
    subcommands = whole.add_subparsers(required=True, metavar="COMMAND")
    for name, run in commands.items():
        summary, add_options = SUBCOMMANDS[name]
        subcommand = subcommands.add_parser(name, help=summary, description=run.__doc__)
        add_options(subcommand)
        subcommand.set_defaults(run=run)
    return whole


def _show(command: ArgumentParser) -> None:
    add = command.add_argument
    add("photos", nargs="+", type=Path, metavar="PHOTO")
    add(
        "--network",
        default="cbam_resnet18",
        help="a name from “attnviz networks” or a file of weights (default: %(default)s)",
    )
    add("--labels", type=Path, help="class names for a file of weights, one a line in a text file")
    add("--layer", help="one layer, for example layer3.1 (default: every layer and an overview)")
    add("--out", type=Path, default=Path("attnviz-out"), help="folder to write to (default: %(default)s)")
    add(
        "--view",
        choices=("whole", "crop"),
        default="whole",
        help="what the network sees (default: %(default)s)",
    )
    _look(command)
    add("--html", action="store_true", help="also write one self-contained page to explore, attnviz.html")


def _look(command: ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--opacity", type=_share, default=0.6, help="of the map over the photo, 0 to 1 (default: %(default)s)"
    )
    add("--colormap", default="viridis", choices=COLORMAPS)
    add(
        "--scale",
        choices=tuple(SCALES),
        default="fixed",
        help="what the colours span: fixed, all that a factor can be; else the range in the map, its stage, "
        "the network, or all photos shown (default: %(default)s)",
    )
    add("--smooth", action="store_true", help="blend between the cells of a map")
    add(
        "--order",
        choices=tuple(ORDERS),
        default="index",
        help="of the bars; surprise: the farthest from their mean first",
    )


def _layers(command: ArgumentParser) -> None:
    command.add_argument(
        "network", metavar="NETWORK", help="a name from “attnviz networks” or a file of weights"
    )


def _app(command: ArgumentParser) -> None:
    command.add_argument("--host", help="address to listen on (default: this machine only)")
    command.add_argument("--port", type=int, help="default: the first free one from 7860 on")


def _deploy(command: ArgumentParser) -> None:
    command.add_argument("place", choices=("space",))
    command.add_argument("space", metavar="USER/NAME", help="of the Space")
    command.add_argument(
        "--dry-run", action="store_true", help="list what would be uploaded, and ask nothing of the hub"
    )


def _train(command: ArgumentParser) -> None:
    add = command.add_argument
    add("data", type=Path, metavar="DATA", help="folder with train/ and val/, each a folder of class folders")
    add("out", type=Path, metavar="OUT", help="model folder to write; its name becomes the network's")
    add("--attention", choices=tuple(ATTENTION), help="default: none")
    default = TrainingPlan()
    add("--depth", type=int, choices=tuple(DEPTHS), default=default.depth, help="default: %(default)s")
    add("--width", type=_positive, default=default.width, help="channels of stage 1 (default: %(default)s)")
    add(
        "--reduction",
        type=_positive,
        default=default.reduction,
        help="how many times fewer units than channels a gate's hidden layer has (default: %(default)s)",
    )
    add(
        "--schedule",
        type=_schedule,
        default=",".join(f"{side}:{epochs}" for side, epochs in default.schedule),
        metavar="SIDE:EPOCHS,…",
        help="side of the crops in pixels, and for how many epochs (default: %(default)s)",
    )
    add("--batch", type=_positive, default=default.batch, help="photos a step (default: %(default)s)")
    add("--seed", type=int, default=default.seed, help="default: %(default)s")
    add("--labels", type=Path, help="text file with a line “FOLDER label” for each class")
    add("--about", default="", help="the data for the model card: “Name: a sentence.”")
    add("--runs", type=Path, default=Path("runs"), help="where checkpoints go (default: %(default)s)")
    add("--resume", action="store_true", help="go on from the last epoch's checkpoint")


def _evaluate(command: ArgumentParser) -> None:
    add = command.add_argument
    add("networks", nargs="+", metavar="NETWORK", help="names from “attnviz networks”, or model folders")
    add("--data", type=Path, required=True, help="a folder of class folders")
    add(
        "--view",
        choices=("crop", "whole"),
        default="crop",
        help="what the network sees (default: %(default)s, which the cards state)",
    )


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ArgumentTypeError(f"{text} is not at least 1")
    return value


def _schedule(text: str) -> tuple[tuple[int, int], ...]:
    steps = []
    for step in text.split(","):
        side, _, epochs = step.partition(":")
        if not (side.isdecimal() and epochs.isdecimal() and int(side) and int(epochs)):
            raise ArgumentTypeError(
                f"{text} is not SIDE:EPOCHS,SIDE:EPOCHS and so on, for example 96:18,128:20"
            )
        steps.append((int(side), int(epochs)))
    return tuple(steps)


SUBCOMMANDS: dict[str, tuple[str, Callable[[ArgumentParser], None]]] = {
    "show": ("write a photo's maps, bars and numbers as files", _show),
    "networks": ("list what can be opened", lambda _command: None),
    "layers": ("list a network's layers of attention", _layers),
    "app": ("serve the page", _app),
    "deploy": ("put the page on a Hugging Face Space", _deploy),
    "train": ("train a network on a folder of class folders", _train),
    "evaluate": ("measure networks on a folder of class folders", _evaluate),
}
