"""What do many people at once cost the page without a server? ``python benchmarks/crowd.py`` lets a browser
open it, choose another network and another photo, and notes what it fetches; then forty people fetch the same
from a file server, a process of its own, all at once. Prints bytes and the file server's processor, and what
a thousand people come to."""

from __future__ import annotations

import gzip
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent))

from helpers.browser_actions import after, choose_example, choose_network, wait_until_drawn
from helpers.file_server import handing_out
from playwright.sync_api import sync_playwright

from attnviz.site.content import SitePlan
from attnviz.site.writing import write_site
from attnviz.zoo.registry import list_networks

PEOPLE, MANY = 40, 1000
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")


def fetched(folder: Path) -> list[str]:
    """The paths of the files that one visit fetches."""
    with handing_out(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        wait_until_drawn(page)
        after(page, lambda: choose_network(page, "se_resnet18"))
        after(page, lambda: choose_example(page, "cat"))
        browser.close()
    inside = (url.removeprefix(address) for url in asked if url.startswith(address))
    return list(dict.fromkeys(path.split("?")[0] for path in inside))


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


def visit(address: str, paths: list[str]) -> None:
    """Fetch everything, as one browser does."""
    with httpx.Client(base_url=address, timeout=120) as client:
        for path in paths:
            client.get(path).raise_for_status()


def visited(folder: Path, paths: list[str]) -> tuple[float, float]:
    """The processor's seconds of a file server that forty people come to, and the seconds until all had
    everything."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    server = subprocess.Popen([*command, "--directory", str(folder)], stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}/"
    wait_until_open(address)
    begin = time.perf_counter()
    with ThreadPoolExecutor(PEOPLE) as people:
        for visit_of in [people.submit(visit, address, paths) for _ in range(PEOPLE)]:
            visit_of.result()
    took = time.perf_counter() - begin
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    server.terminate()
    server.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime, took


def wait_until_open(address: str) -> None:
    for _ in range(100):
        try:
            httpx.get(address)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError(address)


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "page"
        write_site(SitePlan(tuple(list_networks())), folder)
        paths = fetched(folder)
        files = [(folder / (path or "index.html")).read_bytes() for path in paths]
        plain = sum(map(len, files)) / 1e6
        packed = sum(len(gzip.compress(file)) for file in files) / 1e6
        used, took = visited(folder, paths)
    print(f"One visit: {len(paths)} requests, {plain:.1f} MB, {packed:.1f} MB gzipped.")
    print(
        f"{PEOPLE} people at once: {used:.2f} s of the file server's processor, all there after {took:.1f} s."
    )
    print(f"{MANY} people: {MANY * packed / 1000:.1f} GB, {MANY * used / PEOPLE:.0f} s of its processor.")


if __name__ == "__main__":
    main()
