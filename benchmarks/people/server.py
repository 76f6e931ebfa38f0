"""A server in a process of its own, and what the system tells of it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parent.parent.parent
CORES = len(os.sched_getaffinity(0))
APP = """import runpy, sys
from pathlib import Path
import os
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")   # as app.py does, before torch is loaded
from attnviz.zoo import registry
registry.MODELS = Path(sys.argv[1])
runpy.run_path("app.py", run_name="__main__")"""


@dataclass(eq=False)
class Server:
    """A running ``app.py``, and what the system tells of it."""

    process: subprocess.Popen
    url: str
    folder: Path
    samples: list[int] = field(default_factory=list)  # megabytes, once a second

    def megabytes(self) -> int:
        """Memory that it and its children take now; what they share is counted again."""
        return sum(_kilobytes(number) for number in _family(self.process.pid)) // 1000

    def cpu(self) -> float:
        """Seconds of a processor so far, its children's too."""
        spent = sum(_ticks(number) for number in _family(self.process.pid))
        return spent / os.sysconf("SC_CLK_TCK")

    def files(self) -> int:
        """How many lie in its folder of uploads."""
        return sum(path.is_file() for path in self.folder.glob("attnviz-uploads-*/**/*"))

    def lines(self, what: str) -> list[dict[str, Any]]:
        """Lines of its log of this kind, or "trouble": warnings, errors and what is no line of its own."""
        found = []
        for line in (self.folder / "log").read_text(errors="replace").splitlines():
            try:
                said = json.loads(line)
            except ValueError:
                said = {"what": line, "level": "error" if line.startswith("Traceback") else ""}
            if said["what"] == what or (what == "trouble" and said["level"] in ("warning", "error")):
                found.append(said)
        return found

    async def watch(self) -> None:
        """Look at its memory each second, until cancelled."""
        while True:
            self.samples.append(self.megabytes())
            await asyncio.sleep(1)


def _family(process: int) -> list[int]:
    """A process and all that it began, and what these began."""
    family, unseen = [], [process]
    while unseen:
        number = unseen.pop()
        family.append(number)
        for children in Path(f"/proc/{number}/task").glob("*/children"):
            with suppress(OSError):  # a thread that ended meanwhile
                unseen.extend(map(int, children.read_text().split()))
    return family


def _kilobytes(process: int) -> int:
    with suppress(OSError):
        found = Path(f"/proc/{process}/status").read_text().partition("VmRSS:")[2].split()
        return int(found[0]) if found else 0
    return 0


def _ticks(process: int) -> int:
    """Of the clock, in a process and in those of its children that ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15]))
    return 0


@contextmanager
def server(keep: int, models: Path) -> Iterator[Server]:
    """Start one that keeps uploads and results so many minutes, with the networks of this folder, wait until
    it answers, and end it."""
    with (
        tempfile.TemporaryDirectory(prefix="attnviz-load-") as folder,
        (Path(folder) / "log").open("w") as log,
    ):
        port = _free_port()
        ours = {
            "TMPDIR": folder,
            "ATTNVIZ_HOST": "127.0.0.1",
            "ATTNVIZ_PORT": str(port),
            "ATTNVIZ_KEEP": str(keep),
        }
        command, environment = [sys.executable, "-c", APP, str(models)], {**os.environ, **ours}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        running = Server(process, f"http://127.0.0.1:{port}", Path(folder))
        try:
            _wait_until_it_answers(running)
            yield running
        finally:
            _end(process)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait_until_it_answers(running: Server) -> None:
    until = time.monotonic() + 90
    while True:
        with suppress(httpx.TransportError):
            httpx.get(f"{running.url}/config", timeout=10, trust_env=False).raise_for_status()
            return
        if running.process.poll() is not None or time.monotonic() > until:
            raise RuntimeError((running.folder / "log").read_text())
        time.sleep(0.2)


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
