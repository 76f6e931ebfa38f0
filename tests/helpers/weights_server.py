"""A server that gives out files as those do that libraries download weights from, and as badly."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Shop(ThreadingHTTPServer):
    """Gives out files; ``manner`` is how: whole, cut, wrong, halting half way until ``go``, or one of eight
    pieces for each ``go``; or a status to answer with."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Clerk)
        self.files: dict[str, bytes] = {}
        self.manner: str | int = "whole"
        self.asked: list[str] = []
        self.go = threading.Event()

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
        """Who was left half way is no news."""


class Clerk(BaseHTTPRequestHandler):
    server: Shop

    def do_HEAD(self) -> None:
        content = self.server.files.get(self.path)
        status = (
            self.server.manner if isinstance(self.server.manner, int) else 404 if content is None else 200
        )
        self.send_response(status)
        self.send_header("Content-Length", str(len(content or b"")) if status == 200 else "0")
        if content is not None:
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
        else:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        content, manner = self.server.files.get(self.path), self.server.manner
        if content is None:
            return
        self.server.asked.append(self.path)
        if isinstance(manner, int):
            return
        if manner == "piecemeal":
            self.give_pieces(content)
            return
        half = len(content) // 2
        self.wfile.write(content[:half])
        if manner == "halting":
            self.wfile.flush()
            self.server.go.wait(30)
        if manner != "cut":
            self.wfile.write(bytes(len(content) - half) if manner == "wrong" else content[half:])

    def give_pieces(self, content: bytes) -> None:
        for piece in range(8):
            self.wfile.write(content[len(content) * piece // 8 : len(content) * (piece + 1) // 8])
            self.wfile.flush()
            self.server.go.wait(30)
            self.server.go.clear()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def trouble(manner: str | int, shop: Shop) -> Iterator[None]:
    """A server that behaves in this manner, or is not there; or a disk on which no file gets larger than a
    megabyte."""
    if manner == "full":
        with small_files():
            yield
    elif manner == "refused":
        shop.close()
        yield
        shop.open_again()
    else:
        shop.manner = manner
        yield
        shop.manner = "whole"
        shop.go.set()


@contextmanager
def small_files() -> Iterator[None]:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
