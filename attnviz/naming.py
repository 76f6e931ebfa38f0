"""Names that are not taken yet, names that were meant, and names as they can be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from itertools import count


def free_name(
    name: str,
    taken: Iterable[str],
    numbered: str = "{name}-{number}",
    key: Callable[[str], str] = str,
) -> str:
    """The name itself if it is not taken, else the first free one of those that ``numbered`` makes of it and
    2, 3, and so on.

    Two names are alike if ``key`` makes the same of them."""
    keys = set(map(key, taken))
    if key(name) not in keys:
        return name
    candidates = (numbered.format(name=name, number=number) for number in count(2))
    return next(candidate for candidate in candidates if key(candidate) not in keys)


def close_name(name: str, names: Iterable[str]) -> str | None:
    """The one of some names that somebody may have meant who wrote ``name``; None if none is like it."""
    by_small_letters = {other.casefold(): other for other in names}
    matches = get_close_matches(name.casefold(), by_small_letters, n=1, cutoff=0.7)
    return by_small_letters[matches[0]] if matches else None


def visible(text: str) -> str:
    """A text in which what a terminal would obey or hide (control characters, escape codes, changes of
    direction, halves of characters) is written out, as in Python: "\\x1b"."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
