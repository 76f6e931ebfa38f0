"""The address that a server listens on."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import SettingsError

ANY_PORT = 0  # a free one
PROXIES = ("http_proxy", "https_proxy", "all_proxy")  # in small letters and in capitals


def check_address(host: str, port: int) -> None:
    """Raise SettingsError if a server can't listen there: another program does, only root may, or no such
    address is this machine's."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise SettingsError("host_not_here", host=host) from None
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        if os.name == "posix":  # connections that have just ended don't count
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise _refusal(error, host, port) from None


def _refusal(error: OSError, host: str, port: int) -> SettingsError:
    if error.errno == errno.EADDRINUSE:
        return SettingsError("port_taken", port=port)
    if error.errno == errno.EACCES:
        return SettingsError("port_forbidden", port=port)
    return SettingsError("host_not_here", host=host)


@contextmanager
def without_proxies() -> Iterator[None]:
    """No proxy for what is asked meanwhile: a server asks itself whether it answers, and a proxy knows
    nothing of this machine."""
    names = [name for name in os.environ if name.lower() in PROXIES]
    kept = {name: os.environ.pop(name) for name in names}
    try:
        yield
    finally:
        os.environ.update(kept)
