"""Reads the values of options, and says in a sentence what is wrong with one."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any


def share(text: str) -> float:
    """A number from 0 to 1. Raises ArgumentTypeError for another text."""
    value = number(text, float)
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def weight(text: str) -> float:
    """A number from 0 on. Raises ArgumentTypeError for another text."""
    value = number(text, float)
    if not 0 <= value < math.inf:
        raise ArgumentTypeError(f"{text} is not a number from 0 on")
    return value


def positive(text: str) -> int:
    """A whole number, at least 1. Raises ArgumentTypeError for another text."""
    value = number(text, int)
    if value < 1:
        raise ArgumentTypeError(f"{text} is not at least 1")
    return value


def port(text: str) -> int:
    """A port that can be listened on. Raises ArgumentTypeError for another text."""
    value = number(text, int)
    if not 0 < value < 65536:
        raise ArgumentTypeError(f"{text} is not a port: 1 to 65535")
    return value


def number(text: str, kind: Callable[[str], Any]) -> Any:
    """A number of a kind. Raises ArgumentTypeError for another text."""
    try:
        return kind(text)
    except ValueError:
        whole = "whole number" if kind is int else "number"
        raise ArgumentTypeError(f"“{text}” is not a {whole}") from None


def schedule(text: str) -> tuple[tuple[int, int], ...]:
    """Sides of crops in pixels, each with its epochs: "96:18,128:20". Raises as ``share``."""
    steps = []
    for step in text.split(","):
        side, _, epochs = step.partition(":")
        if not (side.isdecimal() and epochs.isdecimal() and int(side) and int(epochs)):
            raise ArgumentTypeError(
                f"{text} is not SIDE:EPOCHS,SIDE:EPOCHS and so on, for example 96:18,128:20"
            )
        steps.append((int(side), int(epochs)))
    return tuple(steps)
