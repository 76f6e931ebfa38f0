"""By which names the server is called, and which websites may send to it or show it in a frame."""

from __future__ import annotations

import ipaddress
import re
import socket

from starlette.datastructures import Headers

from .request_body import Refusal
from .settings import Settings

# Names that no stranger's website can have; one's that leads to this machine is how such a website gets in.
LOCAL_NAME = re.compile(r"[\w-]+|[\w.-]+\.(local|localhost|lan|internal|home\.arpa)")
# What a setting can be told to hold: a refusal repeats nothing else.
HOST_NAME = re.compile(r"[a-z0-9_.-]{1,253}")
WEBSITE = re.compile(r"https?://([a-z0-9_.-]{1,253}|\[[0-9a-f:.]+\])(:\d{1,5})?")


class OriginRules:
    """The rules of one server's settings."""

    def __init__(self, settings: Settings) -> None:
        self._hosts = [_name(host.rpartition("//")[2].rstrip("/")) for host in _listed(settings.hosts)]
        self._origins = [origin.rstrip("/") for origin in _listed(settings.origins)]
        self._is_behind_proxy = settings.proxies > 0
        self._own = {socket.gethostname().lower(), socket.getfqdn().lower()}
        self.frame_policy = " ".join(["frame-ancestors 'self'", *_listed(settings.frames)])

    def check_name(self, headers: Headers) -> None:
        """Raises Refusal, which says what to set, for a request that calls the server by none of its names.
        These are numbers and those of the settings, or else those that only local networks know, and behind
        a proxy, which knows its names, any. A website whose name somebody made lead here (DNS rebinding) is
        refused so."""
        name = _name(headers.get("host", ""))
        if self._is_own(name):
            return
        if not HOST_NAME.fullmatch(name):
            raise Refusal(421, "host_unreadable")
        raise Refusal(421, "host_unknown", name=name)

    def check_origin(self, headers: Headers) -> None:
        """Raises Refusal, which says what to set, for a request that changes something and comes neither from
        the server's own page, nor from a program, nor from a website of the settings."""
        if self._may_send(headers):
            return
        origin = headers["origin"].lower()
        if not WEBSITE.fullmatch(origin):
            raise Refusal(403, "origin_unreadable")
        raise Refusal(403, "origin_unknown", origin=origin)

    def _is_own(self, name: str) -> bool:
        if _is_number(name) or name in ("", "localhost"):
            return True
        if self._hosts:
            return name in self._hosts
        return self._is_behind_proxy or name in self._own or bool(LOCAL_NAME.fullmatch(name))

    def _may_send(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None or headers.get("sec-fetch-site") == "same-origin" or origin in self._origins:
            return True
        hosts = [headers.get("host", "")]
        if self._is_behind_proxy:
            hosts.append(headers.get("x-forwarded-host", ""))
        return origin.lower().partition("://")[2] in [host.lower() for host in hosts if host]


def _listed(text: str | None) -> list[str]:
    return [part for part in re.split(r"[\s,]+", text.lower()) if part] if text else []


def _name(host: str) -> str:
    """The name or number of a Host header, without the port and the point that may end a name."""
    if host.startswith("["):
        return host.partition("]")[0].strip("[").lower()
    return host.partition(":")[0].lower().removesuffix(".")


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
