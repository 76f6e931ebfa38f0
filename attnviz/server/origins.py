"""By which names the server is called, and which websites may send to it or show it in a frame."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from .settings import Settings

# Names that no stranger's website can have; one's that leads to this machine is how such a website gets in.
LOCAL_NAME = re.compile(r"[\w-]+|[\w.-]+\.(local|localhost|lan|internal|home\.arpa)")


class OriginRules:
    """The rules of one server's settings."""

    def __init__(self, settings: Settings) -> None:
        self._hosts, self._origins = _listed(settings.hosts), _listed(settings.origins)
        self._is_behind_proxy = settings.proxies > 0
        self._own = {socket.gethostname().lower(), socket.getfqdn().lower()}
        self.frame_policy = " ".join(["frame-ancestors 'self'", *_listed(settings.frames)])

    def is_called(self, headers: Headers) -> bool:
        """Whether a request calls the server by one of its names: those of the settings, or else a number, a
        name that only local networks know, and behind a proxy, which knows its names, any. A website whose
        name somebody made lead here (DNS rebinding) is refused so."""
        name = _name(headers.get("host", ""))
        if _is_number(name) or name in ("", "localhost"):
            return True
        if self._hosts:
            return name in self._hosts
        return self._is_behind_proxy or name in self._own or bool(LOCAL_NAME.fullmatch(name))

    def may_send(self, headers: Headers) -> bool:
        """Whether a request that changes something comes from the server's own page, from a program, or from
        a website of the settings."""
        origin = headers.get("origin")
        if origin is None or headers.get("sec-fetch-site") == "same-origin" or origin in self._origins:
            return True
        hosts = [headers.get("host", "")]
        if self._is_behind_proxy:
            hosts.append(headers.get("x-forwarded-host", ""))
        return urlsplit(origin).netloc.lower() in [host.lower() for host in hosts if host]


def _listed(text: str | None) -> list[str]:
    return re.split(r"[\s,]+", text.strip().lower()) if text else []


def _name(host: str) -> str:
    """The name or number of a Host header, without the port."""
    return (host.partition("]")[0].strip("[") if host.startswith("[") else host.partition(":")[0]).lower()


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
