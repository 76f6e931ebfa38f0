"""How long from "photo chosen" to "everything drawn", beside one queued Gradio event in which the bare
forward pass runs?

``python benchmarks/page.py`` serves the page and, beside it, a page with one button a network, whose queued
event runs the bare forward pass on an input that is there already, and writes a line of text. A headless
Chromium clicks an example on the one and the button on the other, in turn. Everything is drawn when the
strip, the map, the bars and the steps are on the screen: after the frame in which the viewer says so. What is
asked for: at most 1.5 × the other. The servers run in a process of their own, and keep only the latest
trace, so that every photo is as new. Prints a Markdown table, and how large captures of a ResNet-50 are."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import time
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
import gradio as gr
import torch
from playwright.sync_api import Page, sync_playwright

import attnviz
from attnviz.capture.input_form import ANY
from attnviz.capture.inputs import prepare
from attnviz.networks import ResNet
from attnviz.networks.card import card_of
from attnviz.server.example_photos import IMAGENETTE, PHOTOS, examples_for
from attnviz.server.launch import serve
from attnviz.server.settings import Settings
from attnviz.viewer.encoding import pack

# Waits for a change of the page, not frame by frame: frames that are drawn only to look would take time from
# what is measured.
TIMED = """([trigger, done]) => new Promise((resolve) => {
  const before = done(), observer = new MutationObserver(() => {
    if (done() === before) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - began)));
  });
  observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  const began = performance.now();
  trigger();
})"""
EXAMPLE = "(async () => {{ const timed = {timed}; return timed(["
EXAMPLE += "() => document.querySelectorAll('.av-photo-item > button:first-child')[{index}].click(), "
EXAMPLE += "() => document.querySelector('.attnviz').dataset.drawn]); }})()"
SHOWN = [example.photo for example in examples_for(IMAGENETTE)]  # with the networks that are measured
EVENT = "(async () => {{ const timed = {timed}; return timed(["
EVENT += "() => document.querySelector('#go-{name}').click(), "
EVENT += "() => document.querySelector('#said .md').textContent]); }})()"


def event_page() -> gr.Blocks:
    """One button a network: one queued event, the bare forward pass in it, one line of text."""
    photos = [attnviz.open_photo(photo.path) for photo in SHOWN]
    with gr.Blocks() as page:
        count, said = gr.State(0), gr.Markdown("none yet", elem_id="said")
        for name in attnviz.list_networks():
            network = attnviz.load(name)
            inputs = [prepare(photo, card_of(network), "whole", ANY).x[None] for photo in photos]

            def run(
                count: int, network: torch.nn.Module = network, inputs: list[torch.Tensor] = inputs
            ) -> tuple[int, str]:
                began = time.perf_counter()
                with torch.inference_mode():
                    network(inputs[count % len(inputs)])
                return count + 1, f"{count} {1000 * (time.perf_counter() - began)}"

            gr.Button(name, elem_id=f"go-{name}").click(run, count, [count, said], api_visibility="private")
    return page


def servers(pipe: Connection) -> None:
    """Both pages, until the pipe is closed; their addresses are sent through it."""
    served, beside = serve(Settings(host="127.0.0.1"), block=False), event_page()
    served.service.inference.traces.max_bytes = 0  # only the latest trace is kept
    beside.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, ssr_mode=False)
    pipe.send((served.url, beside.local_url))
    with suppress(EOFError):
        pipe.recv()
    served.close()
    beside.close()


def ready(page: Page, url: str) -> Page:
    page.add_init_script("localStorage.setItem('attnviz-guide-seen', '1')")
    page.goto(url)
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    spawn = get_context("spawn")
    pipe, theirs = spawn.Pipe()
    process = spawn.Process(target=servers, args=(theirs,))
    process.start()
    url, beside = pipe.recv()
    print(
        "| network | bare pass, ms | queued event with it, ms | photo chosen → drawn, ms | ratio "
        "|\n|---|---|---|---|---|"
    )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=["--no-sandbox"]
        )
        events = ready(chromium.new_page(), beside)
        events.wait_for_selector("#said")
        for name in attnviz.list_networks():
            page = ready(chromium.new_page(viewport={"width": 1440, "height": 1000}), f"{url}?network={name}")
            page.wait_for_selector(".attnviz[data-drawn]")
            rows = []
            for turn in range(options.rounds + 2):
                chosen = page.evaluate(EXAMPLE.format(timed=TIMED, index=turn % len(SHOWN)))
                event = events.evaluate(EVENT.format(timed=TIMED, name=name))
                rows.append((float(events.locator("#said .md").inner_text().split()[1]), event, chosen))
            rows = rows[2:]
            ratio = statistics.median(chosen / event for _, event, chosen in rows)
            print(
                f"| {name} | "
                + " | ".join(f"{statistics.median(column):.1f}" for column in zip(*rows))
                + f" | {ratio:.2f} |"
            )
            page.close()
        chromium.close()
    print("\n| capture, 3:2 photo seen whole | bytes as JSON |\n|---|---|")
    for attention in ("se", "cbam", "bam"):
        network = ResNet(50, attention).eval()
        capture = pack(attnviz.trace(network, PHOTOS["temple"].path), card_of(network))
        size = len(json.dumps(capture, ensure_ascii=False).encode())
        print(f"| {attention.upper()} ResNet-50 (random weights, which compress worst) | {size:,} |")
    pipe.send(None)
    process.join()


if __name__ == "__main__":
    main()
