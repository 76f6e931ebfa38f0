"""The options of ``attnviz train``, ``evaluate`` and ``usual``, and what ``--help`` says of them."""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Callable
from pathlib import Path

from ..choices import PADDINGS
from ..training.plan import ATTENTION_NAMES, DEPTH_NUMBERS, TrainingPlan
from .common_options import KEPT, VIEWS, choice, count
from .option_values import schedule, share, weight


def _train(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("data", type=Path, metavar="DATA", help="folder with train/ and val/, each a folder of class folders")
    add("out", type=Path, metavar="OUT", help="model folder to write; its name becomes the network's")
    default = TrainingPlan()
    choice(parser, "--attention", ATTENTION_NAMES, default.attention, "the mechanism")
    add(
        "--depth",
        type=int,
        choices=DEPTH_NUMBERS,
        default=default.depth,
        help="layers of the ResNet (default: %(default)s)",
    )
    count(parser, "--width", default.width, "channels of stage 1")
    count(
        parser,
        "--reduction",
        default.reduction,
        "how many times fewer units than channels a gate's hidden layer has",
    )
    count(parser, "--least-hidden", default.least_hidden, "units that a gate's hidden layer has at least")
    add(
        "--bias",
        action=BooleanOptionalAction,
        default=default.bias,
        help="of the layers of SE and of CBAM's channel gate (default: %(default)s)",
    )
    choice(parser, "--padding", PADDINGS, default.padding, "what stands around the features of spatial gates")
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
    count(parser, "--batch", default.batch, "photos a step")
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
    choice(
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


# Name -> summary, description, and what adds the options.
TRAINING: dict[str, tuple[str, str, Callable[[ArgumentParser], None]]] = {
    "train": (
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
    "evaluate": (
        "measure networks on a folder of class folders",
        "Measures trained networks and prints Markdown tables. The networks run exactly as the page runs "
        "them: "
        "top-1 accuracy over all photos, and over 200 of them, spread evenly over the classes, how graded "
        "the gates of every layer are, whether they differ from photo to photo, and whether maps follow the "
        "photo.",
        _evaluate,
    ),
    "usual": (
        "measure what is usual for networks' gates",
        "Takes the mean gates of trained networks over a folder of photos, a thousand at most, as many of "
        f"each folder in it, and writes them into the networks' folders as {KEPT}: what is usual is then "
        "known wherever gates are changed to it.",
        _usual,
    ),
}
