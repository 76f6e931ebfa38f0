"""How heavy and how quick is the page, beside a bare page of Gradio's?

``python benchmarks/page.py`` serves the page and, beside it, a page of Gradio's with one ``gr.HTML``, and one
with a button a network, whose queued event runs the bare forward pass on an input that is there already. A
headless Chromium opens and clicks, on ours and on theirs in turn, in one run:

- **First load**, in a browser that was never here: requests, and bytes on the wire. To keep: 60 and 700 kB.
- **First picture**: from the start of the navigation to the frame in which all is drawn, and to the one in
  which the HTML's text stands. To keep: 1.5 × the other.
- **From "photo chosen" to "everything drawn"**: strip, map, bars and steps are on the screen, after the frame
  in which the app says so; beside the queued event with the bare pass. To keep: 1.5 × the other. The server
  keeps only the latest trace, and the app forgets its captures before each, so that every photo is as new.
- **From a gate set to the new answer drawn**: a channel of the first layer is set to 0, another each time, so
  that everything behind it changes; the trace as it was is kept. To keep: 1.5 × the queued event.
- **Requests of each thing that people do** once a capture is there.

Prints Markdown tables, and how large captures of a ResNet-50 are."""

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
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

import attnviz
from attnviz.capture.input_form import ANY
from attnviz.capture.inputs import prepare
from attnviz.networks import ResNet
from attnviz.networks.card import card_of
from attnviz.photos.example_photos import IMAGENETTE, PHOTOS, examples_for
from attnviz.server.launch import serve
from attnviz.server.settings import Settings
from attnviz.viewer.encoding import pack

SIZE: ViewportSize = {"width": 1440, "height": 1000}
SHOWN = [example.photo for example in examples_for(IMAGENETTE)]  # with the networks that are measured
WARMING = 2  # rounds that do not count
KEEP = "keep traces"  # what the servers are told
DRAWN, WRITTEN = ".attnviz[data-drawn]", "#bare p"
# Runs before all else in a page, and notes when an element is there: the frame's time since the navigation.
FIRST_FRAME = """window.firstFrame = new Promise((resolve) => {
  const look = () => {
    if (!document.querySelector(%s)) return requestAnimationFrame(look);
    requestAnimationFrame(() => resolve(performance.now()));
  };
  requestAnimationFrame(look);
})"""
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
CHOICE = "(() => {{ const timed = {timed}; attnviz.viewer.captures.forget(); return timed(["
CHOICE += "() => document.querySelectorAll('.av-photo-item > button:first-child')[{index}].click(), "
CHOICE += "() => document.querySelector('.attnviz').dataset.drawn]); }})()"
SET = "(() => {{ const timed = {timed}; return timed(["
SET += "() => attnviz.viewer.change({edits}), () => document.querySelector('.attnviz').dataset.drawn]); }})()"
EVENT = "(() => {{ const timed = {timed}; return timed(["
EVENT += "() => document.querySelector('#go-{name}').click(), "
EVENT += "() => document.querySelector('#said .md').textContent]); }})()"
ACTS = {  # what people do, as scripts
    "another layer": "document.querySelector('.av-item').click()",
    "the same layer again": "document.querySelectorAll('.av-item')[6].click()",
    "opacity, colours, order": "attnviz.viewer.set({ opacity: 0.3, colours: 'magma', order: 'index' })",
    "another channel": "attnviz.viewer.set({ channel: 7 })",
    "the same channel again": "attnviz.viewer.set({ channel: 3 }); attnviz.viewer.set({ channel: 7 })",
    "another photo": "attnviz.viewer.open({ photo: 'example:springer' })",
    "the photo from before": "attnviz.viewer.open({ photo: 'example:temple' })",
    "another network": "attnviz.viewer.open({ network: 'se_resnet18' })",
    "the network from before": "attnviz.viewer.open({ network: 'cbam_resnet18' })",
}
QUIET = 1500  # ms after which nothing more is asked for


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


def one_html() -> gr.Blocks:
    """A page of Gradio's with one gr.HTML and nothing else."""
    with gr.Blocks() as page:
        gr.HTML("<p>a bare page</p>", elem_id="bare")
    return page


def servers(pipe: Connection) -> None:
    """The page, the one with buttons and the bare one, until the pipe is closed; their addresses are sent
    through it."""
    served, beside = serve(Settings(host="127.0.0.1"), block=False), (event_page(), one_html())
    traces = served.service.inference.traces
    kept, traces.max_bytes = traces.max_bytes, 0  # only the latest trace is kept
    for page in beside:
        page.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, ssr_mode=False)
    pipe.send((served.url, *(page.local_url for page in beside)))
    with suppress(EOFError):
        while pipe.recv() == KEEP:
            traces.max_bytes = kept
    served.close()
    for page in beside:
        page.close()


def first_load(chromium: Browser, url: str, sign: str) -> tuple[int, float]:
    """Requests, and kilobytes on the wire, of a browser that was never here."""
    page = chromium.new_context(viewport=SIZE).new_page()
    wire = page.context.new_cdp_session(page)
    asked: set[str] = set()
    sizes: list[float] = []
    wire.on("Network.requestWillBeSent", lambda event: asked.add(event["requestId"]))
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    wire.send("Network.enable")
    page.goto(url)
    page.wait_for_selector(sign)
    page.wait_for_timeout(QUIET)
    page.context.close()
    return len(asked), sum(sizes) / 1000


def first_picture(chromium: Browser, url: str, sign: str) -> float:
    """Milliseconds from the start of the navigation to the frame in which an element is there."""
    page = chromium.new_context(viewport=SIZE).new_page()
    page.add_init_script(FIRST_FRAME % json.dumps(sign))
    page.goto(url)
    took = page.evaluate("window.firstFrame")  # the page's policy forbids what would wait for it otherwise
    page.context.close()
    return took


def tell_first_load(chromium: Browser, url: str, bare: str, rounds: int) -> None:
    """Both pages opened, in turn."""
    ours, theirs = first_load(chromium, url, DRAWN), first_load(chromium, bare, WRITTEN)
    pairs = [
        (first_picture(chromium, url, DRAWN), first_picture(chromium, bare, WRITTEN))
        for _ in range(WARMING + rounds)
    ][WARMING:]
    ratio = statistics.median(one / other for one, other in pairs)
    took = [statistics.median(column) for column in zip(*pairs)]
    print("| | requests | kB on the wire | first picture, ms |\n|---|---|---|---|")
    print(f"| the page | {ours[0]} | {ours[1]:.0f} | {took[0]:.0f} |")
    print(f"| one gr.HTML | {theirs[0]} | {theirs[1]:.0f} | {took[1]:.0f} |")
    print(f"\nFirst picture, median of {rounds} pairs: {ratio:.2f} × the bare page's.\n")


def tell_requests(chromium: Browser, url: str) -> None:
    """What each act asks of the server, and how much comes."""
    page = chromium.new_context(viewport=SIZE).new_page()
    wire = page.context.new_cdp_session(page)
    counts: list[float] = []
    wire.on("Network.loadingFinished", lambda event: counts.append(event["encodedDataLength"]))
    page.goto(url)
    page.wait_for_selector(DRAWN)
    page.wait_for_timeout(QUIET)
    wire.send("Network.enable")
    print("| what is done | requests | kB |\n|---|---|---|")
    for name, script in ACTS.items():
        counts.clear()
        page.evaluate(f"() => {{ {script} }}")
        page.wait_for_timeout(QUIET)
        print(f"| {name} | {len(counts)} | {sum(counts) / 1000:.0f} |")
    print()
    page.context.close()


def tell_choices(chromium: Browser, url: str, beside: str, rounds: int) -> None:
    """A photo chosen, and a queued event, in turn, for each network."""
    print("| network | bare pass, ms | queued event with it, ms | photo chosen → drawn, ms | ratio |")
    print("|---|---|---|---|---|")
    events = chromium.new_page()
    events.goto(beside)
    events.wait_for_selector("#said")
    for name in attnviz.list_networks():
        page = chromium.new_page(viewport=SIZE)
        page.goto(f"{url}?network={name}")
        page.wait_for_selector(DRAWN)
        rows = [pair(page, events, name, turn) for turn in range(WARMING + rounds)][WARMING:]
        ratio = statistics.median(chosen / event for _, event, chosen in rows)
        columns = " | ".join(f"{statistics.median(column):.1f}" for column in zip(*rows))
        print(f"| {name} | {columns} | {ratio:.2f} |")
        page.close()
    print()


def tell_gates(chromium: Browser, url: str, beside: str, rounds: int) -> None:
    """A gate set, and a queued event, in turn, for each network with gates."""
    print(
        "| network | queued event with the bare pass, ms | gate set → drawn, ms | ratio |\n|---|---|---|---|"
    )
    events = chromium.new_page()
    events.goto(beside)
    events.wait_for_selector("#said")
    for name in [name for name in attnviz.list_networks() if name != "resnet18"]:
        page = chromium.new_page(viewport=SIZE)
        page.goto(f"{url}?network={name}&switches=1")
        page.wait_for_selector(DRAWN)
        layer = page.evaluate("attnviz.viewer.trace.layers[0].name")
        rows = []
        for channel in range(WARMING + rounds):
            edits = json.dumps({layer: [{"edit": "set", "channel": [[channel, 0]]}]})
            drawn = page.evaluate(SET.format(timed=TIMED, edits=edits))
            rows.append((events.evaluate(EVENT.format(timed=TIMED, name=name)), drawn))
        ratio = statistics.median(drawn / event for event, drawn in rows[WARMING:])
        columns = " | ".join(f"{statistics.median(column):.1f}" for column in zip(*rows[WARMING:]))
        print(f"| {name} | {columns} | {ratio:.2f} |")
        page.close()
    print()


def pair(page: Page, events: Page, name: str, turn: int) -> tuple[float, float, float]:
    """Milliseconds of the bare pass, of the queued event that it is in, and of a photo chosen."""
    chosen = page.evaluate(CHOICE.format(timed=TIMED, index=(turn + 1) % len(SHOWN)))
    event = events.evaluate(EVENT.format(timed=TIMED, name=name))
    return float(events.locator("#said .md").inner_text().split()[1]), event, chosen


def tell_captures() -> None:
    """How large captures are on the wire."""
    print("| capture, 3:2 photo seen whole | bytes as JSON |\n|---|---|")
    for attention in ("se", "cbam", "bam"):
        network = ResNet(50, attention).eval()
        capture = pack(attnviz.trace(network, PHOTOS["temple"].path), card_of(network))
        size = len(json.dumps(capture, ensure_ascii=False).encode())
        print(f"| {attention.upper()} ResNet-50 (random weights, which compress worst) | {size:,} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    spawn = get_context("spawn")
    pipe, theirs = spawn.Pipe()
    process = spawn.Process(target=servers, args=(theirs,))
    process.start()
    url, beside, bare = pipe.recv()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=["--no-sandbox"]
        )
        tell_first_load(chromium, url, bare, rounds)
        tell_requests(chromium, url)
        tell_choices(chromium, url, beside, rounds)
        pipe.send(KEEP)
        tell_gates(chromium, url, beside, rounds)
        chromium.close()
    tell_captures()
    pipe.send(None)
    process.join()


if __name__ == "__main__":
    main()
