"""What options of several commands have in common."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable

from .option_values import positive
from .parser import one_of

KEPT = "usual.npz"  # of interventions/known_reference.py, which is slow to start
NETWORK = "a name from “attnviz networks” or a file of weights"
VIEWS = ("whole", "crop")  # of photos/geometry.py, which is slow to start


def choice(
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


def count(parser: ArgumentParser, option: str, default: int, says: str) -> None:
    """An option whose value is a whole number, at least 1."""
    parser.add_argument(option, type=positive, default=default, help=f"{says} (default: %(default)s)")
