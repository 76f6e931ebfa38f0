"""A server of its own process, and a client that speaks to it as programs do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from helpers.checkout import ROOT


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass(eq=False)
class Server:
    """A running ``app.py``."""

    process: subprocess.Popen
    url: str
    temp: Path  # where it puts its folder of uploads
    said: list[str]  # what it wrote to standard error

    def upload(self, name: str, content: bytes) -> httpx.Response:
        return httpx.post(f"{self.url}/gradio_api/upload", files={"files": (name, content)}, timeout=30)

    def photo(self, name: str, content: bytes) -> dict:
        """An upload as an argument of the API."""
        return {
            "path": self.upload(name, content).raise_for_status().json()[0],
            "meta": {"_type": "gradio.FileData"},
        }

    def join(self, endpoint: str, *arguments: object) -> httpx.Response:
        return httpx.post(f"{self.url}/gradio_api/call/{endpoint}", json={"data": arguments}, timeout=30)

    def answer(self, endpoint: str, event: str) -> tuple[str, object]:
        """How an event ended, "complete" or "error", and what it gave."""
        with httpx.stream("GET", f"{self.url}/gradio_api/call/{endpoint}/{event}", timeout=60) as lines:
            kind = ""
            for line in lines.iter_lines():
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: ") and kind in ("complete", "error"):
                    return kind, json.loads(line.removeprefix("data: "))
        return "lost", None

    def call(self, endpoint: str, *arguments: object) -> tuple[str, object]:
        return self.answer(endpoint, self.join(endpoint, *arguments).raise_for_status().json()["event_id"])

    def files(self) -> list[Path]:
        return [path for path in self.temp.rglob("*") if path.is_file()]


@contextmanager
def server(temp: Path, port: int | None = None, **environment: str) -> Iterator[Server]:
    """Start one, wait until it answers, and end it; its files lie under ``temp``."""
    port = port or free_port()
    ours = {
        "TMPDIR": str(temp),
        "ATTNVIZ_HOST": "127.0.0.1",
        "ATTNVIZ_PORT": str(port),
        "ATTNVIZ_FREE_MB": "0",
    }
    variables = {**os.environ, **ours, **environment}
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True
    )
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stderr), daemon=True)
    reader.start()
    running = Server(process, f"http://127.0.0.1:{port}", temp, said)
    try:
        until = time.monotonic() + 150  # where other work runs beside
        while process.poll() is None:
            try:
                if httpx.get(f"{running.url}/healthz", timeout=5).status_code == 200:
                    break
            except httpx.TransportError:
                assert time.monotonic() < until, "".join(said)
                time.sleep(0.1)
        assert process.poll() is None, "".join(said)
        yield running
    finally:
        process.kill()
        process.wait(10)
        reader.join(10)
