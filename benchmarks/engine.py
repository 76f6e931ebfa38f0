"""How near to double precision, how fast and how large in memory is the engine of the page without a server?
``python benchmarks/engine.py`` runs the example photos through each embedded network in Chromium and in
PyTorch, both in single precision and on one thread, and prints the greatest differences from PyTorch's double
precision; then passes of both in turn, the least time of each, and the memory of the engine's network."""

from __future__ import annotations

import copy
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent))

from helpers.engine_page import engine_page, in_base64, numbers
from playwright.sync_api import Page, sync_playwright

import attnviz
from attnviz._paths import EXAMPLES_FOLDER, MODELS
from attnviz.networks.card import card_of
from attnviz.photos.geometry import network_input, whole
from attnviz.site.networks import site_networks
from attnviz.zoo.registry import list_networks

ROUNDS = 15
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

OPEN = """async ([weights, architecture]) => {
  window.room = await memory();
  const { Network } = modules['engine/network'];
  window.network = new Network(room, architecture, weightsOf(weights));
}"""
RUN = """([x, height, width]) => {
  const input = { values: floatsOf(x), height, width };
  const begin = performance.now();
  const { logits, layers } = network.run(input);
  const took = performance.now() - begin;
  const gates = layers.flatMap(({ channel, spatial }) => [channel, spatial].filter(Boolean));
  return [textOf(logits), gates.map(textOf), took, room.bytes];
}"""


def inputs_of(network: nn.Module) -> list[torch.Tensor]:
    """The example photos as a network takes them."""
    recipe = card_of(network).recipe
    photos = [attnviz.open_photo(path) for path in sorted(EXAMPLES_FOLDER.glob("*.jpg"))]
    return [network_input(photo, whole(photo, recipe), recipe).contiguous() for photo in photos]


def gates_of(trace: attnviz.Trace) -> np.ndarray:
    """All gates of a trace, one behind the other."""
    parts = [part for layer in trace.layers.values() for part in (layer.channel, layer.spatial)]
    return np.concatenate([part.ravel().astype(np.float64) for part in parts if part is not None])


def in_engine(page: Page, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray, float, int]:
    """Logits, gates, milliseconds and bytes of memory."""
    logits, gates, took, size = page.evaluate(RUN, [in_base64(x.numpy()), *x.shape[1:]])
    together = np.concatenate([numbers(gate) for gate in gates]) if gates else np.zeros(0)
    return numbers(logits), together, took, size


def greatest(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max()) if one.size else 0.0


def row(page: Page, name: str) -> str:
    """One network's line of the table."""
    network = attnviz.load(name)
    exact = copy.deepcopy(network).double()
    (about,) = (each.described() for each in site_networks([name]))
    page.evaluate(
        OPEN, [in_base64((MODELS / name / "model.safetensors").read_bytes()), about["architecture"]]
    )
    errors: dict[str, list[float]] = {key: [] for key in ("engine", "torch", "logits", "torch logits")}
    inputs = inputs_of(network)
    for x in inputs:
        logits, gates, _, size = in_engine(page, x)
        single, double = (attnviz.trace(net, each) for net, each in ((network, x), (exact, x.double())))
        if single.layers:
            errors["engine"].append(greatest(gates, gates_of(double)))
            errors["torch"].append(greatest(gates_of(single), gates_of(double)))
        errors["logits"].append(greatest(logits, double.logits))
        errors["torch logits"].append(greatest(single.logits, double.logits))
    ours, theirs = in_turn(page, network, inputs[0])
    shown = [f"{max(values):.1e}" if values else "–" for values in errors.values()]
    cells = [name, *shown, f"{ours:.0f} / {theirs:.0f} = {ours / theirs:.1f}", f"{size / 1e6:.0f}"]
    return f"| {' | '.join(cells)} |"


def in_turn(page: Page, network: nn.Module, x: torch.Tensor) -> tuple[float, float]:
    """The least milliseconds of a pass in the engine and in PyTorch, in turn."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(in_engine(page, x)[2])
        with torch.inference_mode():
            begin = time.perf_counter()
            network(x[None])
            theirs.append(1000 * (time.perf_counter() - begin))
    return min(ours), min(theirs)


def main() -> None:
    torch.set_num_threads(1)
    print("| network | gates: engine | PyTorch | logits: engine | PyTorch | ms a pass | MB |")
    print("|---|---|---|---|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = engine_page(browser)
        for name in list_networks():
            print(row(page, name), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
