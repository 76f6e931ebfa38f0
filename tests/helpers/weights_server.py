"""A server that answers as those do from which weights are downloaded, and fails as they do."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class WeightsServer(ThreadingHTTPServer):
    """Serves ``files``, a path each.

    ``behaviour`` is "whole"; "cut", half of each file; "cut once", half of the first file; "wrong", zeros
    instead of the second half; "halting", a pause after the first half; "piecemeal", a pause after each of
    eight pieces; or a status to answer with. A pause ends when ``proceed`` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.behaviour: str | int = "whole"
        self.requests: list[str] = []  # paths of GET requests for files
        self.proceed = threading.Event()

    def open(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def open_again(self) -> None:
        """At the same address."""
        self.socket = socket.socket(self.address_family, self.socket_type)
        self.server_bind()
        self.server_activate()
        self.open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Nothing: clients that break off are expected."""


class _Handler(BaseHTTPRequestHandler):
    server: WeightsServer

    def do_HEAD(self) -> None:
        content = self.server.files.get(self.path)
        status = 404 if content is None else 200
        if isinstance(self.server.behaviour, int):
            status = self.server.behaviour
        self.send_response(status)
        self.send_header("Content-Length", str(len(content or b"")) if status == 200 else "0")
        if content is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        else:
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        content, behaviour = self.server.files.get(self.path), self.server.behaviour
        if content is None:
            return
        self.server.requests.append(self.path)
        if isinstance(behaviour, int):
            return
        if behaviour == "cut once":
            behaviour = "cut" if len(self.server.requests) == 1 else "whole"
        if behaviour == "piecemeal":
            self._send_pieces(content)
        else:
            self._send_halves(content, behaviour)

    def _send_halves(self, content: bytes, behaviour: str) -> None:
        half = len(content) // 2
        self.wfile.write(content[:half])
        if behaviour == "halting":
            self.wfile.flush()
            self.server.proceed.wait(30)
        if behaviour != "cut":
            self.wfile.write(bytes(len(content) - half) if behaviour == "wrong" else content[half:])

    def _send_pieces(self, content: bytes) -> None:
        for piece in range(8):
            self.wfile.write(content[len(content) * piece // 8 : len(content) * (piece + 1) // 8])
            self.wfile.flush()
            self.server.proceed.wait(30)
            self.server.proceed.clear()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def trouble(kind: str | int, server: WeightsServer) -> Iterator[None]:
    """A server that behaves in this way, or is "refused", not there; or a disk that is "full", on which no
    file gets larger than a megabyte."""
    if kind == "full":
        with small_files():
            yield
    elif kind == "refused":
        server.close()
        yield
        server.open_again()
    else:
        server.behaviour = kind
        yield
        server.behaviour = "whole"
        server.proceed.set()


@contextmanager
def small_files() -> Iterator[None]:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
