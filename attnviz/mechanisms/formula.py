"""Formulas: written in a few signs of TeX, read into trees that MathML and drawings are made of.

A formula is a row of tokens: ``M_c(F) = σ(W_1 δ(W_0 F^c_avg))``. ``_`` and ``^`` lower and raise the next
token or {group}; ``frac{a}{b}`` is a fraction; letters that stand together are a word (``AvgPool``), one
alone is a variable; ``@name`` is a place for a number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

TOKEN = re.compile(r"@\w+|[A-Za-z]{2,}|[^\W\d_][\u0300-\u036f]?[′″]?|\d+(?:\.\d+)?|\S")

# A tree: a token (a name, a number, a sign, or "@name", the place of a number); or (kind, part, …) of a row,
# or of parts above and below: "sub", "sup", "subsup" (base, sub, sup), "frac" (top, bottom).
Tree: TypeAlias = "str | tuple"


def parsed(text: str) -> Tree:
    """The tree of a formula. Raises ValueError if a brace is not closed, or there is nothing to lower or
    raise."""
    tokens = _Tokens(TOKEN.findall(text))
    row = _row(tokens)
    if tokens.ahead is not None:
        raise ValueError(f"{text!r} closes a brace that it did not open")
    return row


class _Tokens:
    """Tokens that are read one by one."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens: Iterator[str] = iter(tokens)
        self.ahead = next(self._tokens, None)

    def next(self) -> str:
        """The next token, which is then read."""
        if self.ahead is None:
            raise ValueError("a formula ends too early")
        token, self.ahead = self.ahead, next(self._tokens, None)
        return token


def _row(tokens: _Tokens) -> Tree:
    parts = []
    while tokens.ahead not in (None, "}"):
        parts.append(_with_scripts(_atom(tokens), tokens))
    return parts[0] if len(parts) == 1 else ("row", *parts)


def _with_scripts(base: Tree, tokens: _Tokens) -> Tree:
    scripts = {}
    while tokens.ahead in ("_", "^"):
        place = "sub" if tokens.next() == "_" else "sup"
        scripts[place] = _atom(tokens)
    if len(scripts) == 2:
        return ("subsup", base, scripts["sub"], scripts["sup"])
    for place, script in scripts.items():
        return (place, base, script)
    return base


def _atom(tokens: _Tokens) -> Tree:
    token = tokens.next()
    if token == "{":
        return _closed_group(tokens)
    if token == "frac":
        return ("frac", _atom(tokens), _atom(tokens))
    if token in ("_", "^", "}"):
        raise ValueError(f"a formula has {token!r} where a sign should be")
    return token


def _closed_group(tokens: _Tokens) -> Tree:
    group = _row(tokens)
    if tokens.next() != "}":
        raise ValueError("a formula does not close a brace")
    return group
