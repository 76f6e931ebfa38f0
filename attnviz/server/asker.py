"""Who asks: known from the moment at which a request is answered to the end of all that is done for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from .routes import ADDRESS, SESSION


@dataclass(frozen=True)
class Asker:
    """An address, which nobody can choose, and of the visitors from there one, by the session's name, which
    browsers choose. Both are empty where nobody asks, as in a program of one's own."""

    address: str = ""
    session: str = ""


NOBODY = Asker()
_ASKER: ContextVar[Asker] = ContextVar("attnviz.asker", default=NOBODY)


def who_asks() -> Asker:
    """Who asks for what is being done."""
    return _ASKER.get()


@contextmanager
def asked_by(asker: Asker) -> Iterator[None]:
    """All that is done meanwhile, and all tasks and work that begin meanwhile, are this asker's."""
    before = _ASKER.set(asker)
    try:
        yield
    finally:
        _ASKER.reset(before)


def asker_of(request: Any) -> Asker:
    """Who sent a request, as Gradio hands it to a handler, by what the guard wrote into it."""
    scope = getattr(request, "scope", {})
    session = getattr(request, "session_hash", None) or scope.get(SESSION)
    return Asker(scope.get(ADDRESS) or "", session or "")
