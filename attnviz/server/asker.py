"""Who asks: known from the moment at which a request is answered to the end of all that is done for it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope

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


def address_of(scope: Scope, proxies: int) -> str:
    """Where a request comes from: with proxies in front, what the farthest of them that is ours saw. Of IPv6
    the network of 64 bits: whoever has one of its addresses has all of them to choose from."""
    forwarded = Headers(scope=scope).get("x-forwarded-for", "") if proxies else ""
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    seen = hops[-proxies] if len(hops) >= proxies > 0 else (scope.get("client") or ("",))[0]
    try:
        number = ipaddress.ip_address(_without_port(seen))
    except ValueError:
        return seen
    if isinstance(number, ipaddress.IPv4Address):
        return str(number)
    return str(number.ipv4_mapped or ipaddress.ip_network((int(number), 64), strict=False))


def _without_port(address: str) -> str:
    """Some proxies write the port down too, which who asks can choose."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def asker_of(request: Any) -> Asker:
    """Who sent a request, as Gradio hands it to a handler, by what the guard wrote into it."""
    # Gradio's own request tells what the scope holds only as JSON; the one inside it has the scope.
    scope = getattr(getattr(request, "request", None) or request, "scope", {})
    session = getattr(request, "session_hash", None) or scope.get(SESSION)
    return Asker(scope.get(ADDRESS) or "", session or "")
