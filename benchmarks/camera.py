"""How many frames a second does the live camera of the page without a server show? ``python
benchmarks/camera.py`` opens it in Chromium, whose camera is a moving picture of 640 × 480, and counts frames
for some seconds: of two networks, by what they see, with one and with two workers; then with an input of a
smaller side, whose gates are not those that the page shows of a photo."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent))

from helpers.browser_actions import wait_until_drawn
from helpers.file_server import handing_out
from playwright.sync_api import Browser, Page, sync_playwright

from attnviz.site.content import SitePlan
from attnviz.site.writing import write_site

NETWORKS = ("cbam_resnet18", "se_resnet18")
VIEWS = ("whole", "crop")
SECONDS = 10
SMALLER = {'"resize":256': '"resize":183', '"crop":224': '"crop":160'}
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]

COUNT = """(workers) => {
  const { host } = attnviz.viewer;
  const { frame } = host;
  host.framesAtOnce = workers;
  window.frames = 0;
  host.frame = async (...asked) => {
    const capture = await frame(...asked);
    window.frames += 1;
    return capture;
  };
}"""


def frames_a_second(browser: Browser, address: str, view: str, network: str, workers: int) -> float:
    """What is shown once the camera has begun."""
    context = browser.new_context(permissions=["camera"], viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(f"{address}?network={network}&view={view}")
    wait_until_drawn(page)
    page.evaluate(COUNT, workers)
    page.locator(".av-take").click()
    page.locator(".av-live .av-top5").wait_for(timeout=60_000)
    rate = counted(page)
    context.close()
    return rate


def counted(page: Page) -> float:
    """Frames a second over some seconds."""
    before, begin = page.evaluate("[frames, performance.now()]")
    page.wait_for_timeout(1000 * SECONDS)
    after, end = page.evaluate("[frames, performance.now()]")
    return 1000 * (after - before) / (end - begin)


def make_smaller(folder: Path) -> None:
    """Let the networks of a page see an input of a smaller side."""
    (start,) = folder.glob("assets/start-*.js")
    text = start.read_text(encoding="utf-8")
    for side, smaller in SMALLER.items():
        assert side in text
        text = text.replace(side, smaller)
    start.write_text(text, encoding="utf-8")


def measure(folder: Path, sides: str) -> None:
    """Print the lines of a page."""
    with handing_out(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for network, view in product(NETWORKS, VIEWS):
            one, two = (frames_a_second(browser, address, view, network, count) for count in (1, 2))
            print(f"| {network} | {view} | {sides} | {one:.1f} | {two:.1f} |", flush=True)
        browser.close()


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    print("| network | view | sides | one worker | two workers |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "page"
        write_site(SitePlan(NETWORKS), folder)
        measure(folder, "256 / 224")
        make_smaller(folder)
        measure(folder, "183 / 160")


if __name__ == "__main__":
    main()
