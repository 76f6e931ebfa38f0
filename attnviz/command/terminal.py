"""Lines on the terminal: what was done, what is wrong, and how far it is."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from tqdm import tqdm

from ..errors import AttnvizError
from ..naming import visible

if TYPE_CHECKING:
    from torch import nn


def open_streams() -> None:
    """Have lines go nowhere where no terminal, file or pipe is open for them, as in a job without output: a
    file that is opened later would take its number, and get what libraries write there. Programs that are
    started here have the three too."""
    number = os.open(os.devnull, os.O_RDWR)
    while number <= 2:
        os.set_inheritable(number, True)
        number = os.open(os.devnull, os.O_RDWR)
    os.close(number)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (to the end)
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def write_any_name() -> None:
    """Have what the terminal's encoding lacks written as Python does it ("\\u732b"), where it would be an
    error: a Windows console, or a file that its output goes to, may know 256 characters."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str, stream: TextIO | None = None) -> None:
    """Print lines, in which a name can't give the terminal orders."""
    lines = "\n".join(map(visible, text.split("\n")))
    tqdm.write(lines, file=stream or sys.stdout)  # over a progress line that may stand there


def complain(error: AttnvizError) -> None:
    """Print what is wrong."""
    say(visible(f"attnviz: {error}"), sys.stderr)


def say_assumptions(network: nn.Module) -> None:
    """Print what was assumed of a network whose weights don't tell all of it."""
    for sentence in getattr(network, "assumed", ()):
        say(f"attnviz: {sentence}", sys.stderr)


def progress_line(photos: Sequence[Path]) -> tqdm:
    """A line that says which of the photos is at work, where a person looks at a terminal; each photo's
    ``update`` moves it on."""
    shape = "{n_fmt}/{total_fmt} {desc} [{elapsed}, {remaining} left]"
    return tqdm(total=len(photos), bar_format=shape, leave=False, disable=None, file=sys.stderr)
