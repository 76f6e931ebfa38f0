"""How soon has somebody who was never there the gates of a photo? ``python benchmarks/cold_start.py ORT``
opens two bare pages in turn, each in a profile of its own: one computes by the engine of the page without a
server, the other by ONNX Runtime Web, of which ORT is the folder ``dist`` of its package (npm pack
onnxruntime-web). Both fetch the same network, decode the same photo and give all its gates and the answer.
Prints the processor's seconds of each page's process until they are there, and the seconds that went by.
Needs onnx and onnxscript."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent))

from helpers.file_server import handing_out
from playwright.sync_api import Browser, sync_playwright

import attnviz
from attnviz._paths import EXAMPLES_FOLDER
from attnviz.networks.card import card_of
from attnviz.photos.geometry import network_input, whole
from attnviz.site.content import SitePlan, site_content
from attnviz.viewer.javascript import bundled

NETWORK, PHOTO = "cbam_resnet18", "temple"
ROUNDS = 9
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
RUNTIME = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
PAGE = '<!doctype html><meta charset="utf-8"><title>{name}</title>{scripts}'

OURS = """{modules}
window.answer = (async () => {{
  const site = {site};
  const {{ ask }} = await modules['host/worker'].startWorker(site);
  const networks = new modules['host/networks'].SiteNetworks(site.networks, ask);
  const photos = new modules['host/photos'].SitePhotos(site.examples, ask);
  const request = {{ network: '{network}', photo: 'example:{photo}', view: 'whole' }};
  await Promise.all([networks.open(request.network), photos.open(request.photo)]);
  const {{ logits }} = await ask('capture', request);
  return {{ took: performance.now(), logits: [...logits] }};
}})();
"""
THEIRS = """
const [height, width] = {size};
const [mean, std] = {norm};
async function input() {{
  const picture = await createImageBitmap(await (await fetch('photo.jpg')).blob());
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.drawImage(picture, 0, 0, width, height);
  const {{ data }} = context.getImageData(0, 0, width, height);
  const values = new Float32Array(3 * height * width);
  for (let channel = 0, to = 0; channel < 3; channel++)
    for (let from = channel; from < data.length; from += 4, to++)
      values[to] = (data[from] / 255 - mean[channel]) / std[channel];
  return new ort.Tensor('float32', values, [1, 3, height, width]);
}}
window.answer = (async () => {{
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = new URL('.', location.href).href;
  const session = await ort.InferenceSession.create('network.onnx');
  const results = await session.run({{ x: await input() }});
  const logits = [...results.logits.data];
  const gates = Object.values(results).map(({{ data }}) => data);
  return {{ took: performance.now(), logits, gates: gates.length }};
}})();
"""


class Told(nn.Module):
    """A network that gives its logits and all its gates."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.gates: list[Tensor] = []
        for module in network.modules():
            if isinstance(module, nn.Sigmoid):
                module.register_forward_hook(lambda _module, _given, gate: self.gates.append(gate))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        self.gates = []
        logits = self.network(x)
        return logits, *self.gates


def write_ours(folder: Path) -> None:
    """The page that computes by the engine."""
    content = site_content(SitePlan((NETWORK,)))
    for path, file in content.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(file)
    modules = bundled(("host/worker", "host/networks", "host/photos"))
    script = OURS.format(modules=modules, site=json.dumps(content.about), network=NETWORK, photo=PHOTO)
    (folder / "page.js").write_text(script, encoding="utf-8")
    scripts = '<script defer src="page.js"></script>'
    (folder / "ours.html").write_text(PAGE.format(name="ours", scripts=scripts), encoding="utf-8")


def write_theirs(folder: Path, runtime: Path) -> None:
    """The page that computes by ONNX Runtime Web."""
    network = attnviz.load(NETWORK)
    photo = attnviz.open_photo(EXAMPLES_FOLDER / f"{PHOTO}.jpg")
    recipe = card_of(network).recipe
    x = network_input(photo, whole(photo, recipe), recipe)[None]
    told = Told(network)
    count = len(told(x))
    names = ["logits", *(f"gate{index}" for index in range(count - 1))]
    torch.onnx.export(
        told, (x,), folder / "network.onnx", input_names=["x"], output_names=names, external_data=False
    )
    for name in RUNTIME:
        shutil.copy(runtime / name, folder / name)
    shutil.copy(EXAMPLES_FOLDER / f"{PHOTO}.jpg", folder / "photo.jpg")
    script = THEIRS.format(size=list(x.shape[2:]), norm=json.dumps([recipe.mean, recipe.std]))
    (folder / "theirs.js").write_text(script, encoding="utf-8")
    scripts = f'<script defer src="{RUNTIME[0]}"></script><script defer src="theirs.js"></script>'
    (folder / "theirs.html").write_text(PAGE.format(name="theirs", scripts=scripts), encoding="utf-8")


def cold(browser: Browser, address: str) -> tuple[float, float, np.ndarray]:
    """The processor's seconds of a page's process until its answer is there, those that went by, and the
    logits."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    answer = page.evaluate("answer")  # a promise of it
    protocol = context.new_cdp_session(page)
    protocol.send("Performance.enable")
    metrics = protocol.send("Performance.getMetrics")["metrics"]
    (used,) = (metric["value"] for metric in metrics if metric["name"] == "ProcessTime")
    context.close()
    return used, answer["took"] / 1000, np.array(answer["logits"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runtime", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_ours(folder)
        write_theirs(folder, asked.runtime)
        spent: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
        with handing_out(folder) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for _ in range(ROUNDS):
                for name, times in spent.items():
                    used, took, logits = cold(browser, f"{address}{name}.html")
                    times.append((used, took))
                    print(name, f"{used:.2f} s of processor, {took:.2f} s", logits[:3].round(3), flush=True)
            browser.close()
    print("\n| page | processor: median | least | by the clock: median |\n|---|---|---|---|")
    for name, times in spent.items():
        processor = [used for used, _ in times]
        clock = statistics.median(took for _, took in times)
        cells = f"{statistics.median(processor):.2f} | {min(processor):.2f} | {clock:.2f}"
        print(f"| {name} | {cells} |")
    ratios = [one[0] / other[0] for one, other in zip(spent["ours"], spent["theirs"])]
    print(f"\nours / theirs, round by round: median {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
