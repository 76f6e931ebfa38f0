"""How long until something happens? ``python benchmarks/start.py PHOTO`` times fresh processes, in turn:
``import attnviz`` beside ``import torch``; ``attnviz show`` of one photo beside a script that imports torch,
loads the same weights and runs the forward pass; and the page's first answer beside importing torch and
gradio. Prints a Markdown table of medians and ratios, taken round by round."""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
NETWORK = "cbam_resnet18"

# The network's own two files, without the package around them: the least that a script of one's own needs.
BARE = f"""import sys, types
import numpy, torch
from safetensors.torch import load_file
from PIL import Image
package = types.ModuleType("networks"); package.__path__ = [{str(ROOT / "attnviz" / "networks")!r}]
sys.modules["networks"] = package
from networks.resnet import ResNet
import json
about = json.load(open({str(ROOT / "models" / NETWORK / "config.json")!r}))["architecture"]
network = ResNet(**about).eval()
network.load_state_dict(load_file({str(ROOT / "models" / NETWORK / "model.safetensors")!r}))
pixels = numpy.asarray(Image.open(sys.argv[1]).convert("RGB").resize((320, 256)), numpy.float32) / 255
pixels = (pixels - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
with torch.inference_mode():
    print(int(network(torch.tensor(pixels, dtype=torch.float32).permute(2, 0, 1)[None]).argmax()))"""


def python(*arguments: str) -> Callable[[], float]:
    """Seconds of a Python process from its start to its end."""

    def run() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

    return run


def first_answer() -> float:
    """Seconds from the start of ``app.py`` until the page itself has been answered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    ours = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, **ours},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while process.poll() is None:
            with suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/", timeout=60, trust_env=False).raise_for_status()
                return time.perf_counter() - began
            time.sleep(0.02)
        raise RuntimeError("app.py has ended")
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photo", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        photo = str(options.photo.resolve())
        pairs: dict[str, tuple[Callable[[], float], Callable[[], float]]] = {
            "import attnviz ÷ import torch": (python("-c", "import attnviz"), python("-c", "import torch")),
            "attnviz show, one layer ÷ own script": (
                python("-m", "attnviz", "show", photo, "--out", out, "--layer", "layer3.1"),
                python("-c", BARE, photo),
            ),
            "attnviz show, every layer ÷ own script": (
                python("-m", "attnviz", "show", photo, "--out", out),
                python("-c", BARE, photo),
            ),
            "page's first answer ÷ import torch, gradio": (
                first_answer,
                python("-c", "import torch, gradio"),
            ),
        }
        print("| what | s | ÷ | ratio | least to most |\n|---|---|---|---|---|")
        for name, (ours, theirs) in pairs.items():
            ours(), theirs()  # so that files are in memory
            spent = [(ours(), theirs()) for _ in range(options.rounds)]
            ratios = sorted(one / other for one, other in spent)
            mine, other = (statistics.median(seconds) for seconds in zip(*spent))
            spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
            print(
                f"| {name} | {mine:.2f} | {other:.2f} | {statistics.median(ratios):.2f} | {spread} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
