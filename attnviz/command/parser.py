"""Reads the words of a command line, and says what may have been meant where one is wrong."""

from __future__ import annotations

import itertools
import os
import re
import sys
from argparse import (
    ArgumentParser,
    ArgumentTypeError,
    Namespace,
    RawDescriptionHelpFormatter,
)
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from .._version import __version__
from ..naming import close_name, visible


class Parser(ArgumentParser):
    """A parser that names the option that may have been meant, and whose errors can't give the terminal
    orders by the names in them."""

    def parse_args(self, words: Sequence[str] | None = None) -> Namespace:  # type: ignore[override]
        """The options. Ends the program with a sentence if a word is none of them, which is said before what
        else is missing."""
        words = sys.argv[1:] if words is None else words
        for word in itertools.takewhile(lambda word: word != "--", words):
            if self._is_unknown(word):
                self.error(self._unknown_option(word))
        options, unknown = self.parse_known_args(words)
        if unknown:
            self.error(self._unknown_option(unknown[0]))
        return options

    def _is_unknown(self, word: str) -> bool:
        """Whether a word looks like an option, and neither is one nor begins one."""
        if not re.match(r"-[^\d.]|--", word):
            return False
        option, known = word.partition("=")[0], self._option_string_actions
        if option.startswith("--"):
            return not any(name.startswith(option) for name in known)
        return option[:2] not in known

    def error(self, message: str) -> NoReturn:
        """End the program with the usage and what is wrong."""
        super().error(visible(message))

    def _unknown_option(self, word: str) -> str:
        option = word.partition("=")[0]
        if not option.startswith("-"):
            return f"“{word}” is one word too many"
        if os.path.lexists(word):
            return f"there is no option {word}: a file of this name is given as ./{word}"
        close = close_name(option, re.findall(r"--[a-z][a-z-]*", self.format_help()))
        return f"there is no option {option}: " + (f"did you mean {close}?" if close else "see --help")


def first_parser(summaries: dict[str, str]) -> Parser:
    """The parser of the first word, the command's name; the others are left as they are in ``words``."""
    commands = "\n".join(f"  {name:10} {summary}" for name, summary in summaries.items())
    parser = Parser(
        prog="attnviz",
        usage="attnviz COMMAND [options]",
        description="Shows what channel and spatial attention (SE, CBAM, BAM) does inside a convolutional "
        "network.",
        epilog=f"commands:\n{commands}\n\n“attnviz COMMAND --help” says what a command takes.",
        formatter_class=RawDescriptionHelpFormatter,
    )
    add_version(parser)
    parser.add_argument(
        "command", metavar="COMMAND", nargs="?", type=one_of(summaries, "command"), help="see below"
    )
    return parser


def add_version(parser: Parser) -> None:
    """The option that says which attnviz this is."""
    parser.add_argument("-V", "--version", action="version", version=f"attnviz {__version__}")


def one_of(names: Iterable[str], what: str) -> Callable[[str], str]:
    """Reads one of some names; another is answered with the one that may have been meant, or with all of
    them."""
    known = tuple(names)

    def chosen(text: str) -> str:
        if text in known:
            return text
        close = close_name(text, known)
        hint = f"did you mean {close}?" if close else f"choose one of {', '.join(known)}"
        raise ArgumentTypeError(f"there is no {what} “{text}”: {hint}")

    return chosen
