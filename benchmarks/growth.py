"""How does the cost grow? ``python benchmarks/growth.py FOLDER`` measures milliseconds and memory over the number of photos, the side of
the input and the depth of the network, beside the bare forward pass, draws them into ``benchmarks/growth.png`` and prints Markdown tables
with the machine, the versions and the date. Each point is a process of its own, so that memory is its own too; bare and traced take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

PHOTOS, SIDES, DEPTHS = (50, 200, 800, 2000), (224, 320, 448, 640, 832, 1024), (18, 34, 50, 101, 152)
COLUMNS = ("bare", "traced", "fast")
COLOURS = ("#888888", "#e69f00", "#4458c8")


def peak() -> int:
    """Megabytes that this process took at most."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1000


def point(kind: str, value: int, folder: Path) -> dict[str, float]:
    """One measurement: milliseconds a photo, bare, traced and traced on the fast copy; and megabytes."""
    import torch

    import attnviz
    from attnviz.networks import ResNet

    torch.manual_seed(0)
    if kind == "photos":
        files = sorted(folder.rglob("*.JPEG"))
        files = [files[at % len(files)] for at in range(value)]
        quick, began = attnviz.fast(attnviz.load("cbam_resnet18")), time.perf_counter()
        for _ in attnviz.traces(quick, files, view="crop"):
            pass
        return {"fast": 1000 * (time.perf_counter() - began) / value, "megabytes": peak()}
    network = ResNet(value if kind == "depth" else 50, "cbam").eval()
    side = value if kind == "side" else 224
    x, quick = torch.randn(3, side, side), attnviz.fast(network)

    def bare() -> None:
        with torch.inference_mode():
            network(x[None])

    ways = {"bare": bare, "traced": lambda: attnviz.trace(network, x, steps=False), "fast": lambda: attnviz.trace(quick, x, steps=False)}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(8):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            if turn:
                spent[name].append(time.perf_counter() - began)
    return {**{name: 1000 * statistics.median(seconds) for name, seconds in spent.items()}, "megabytes": peak()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of photos")
    parser.add_argument("--point", nargs=2, metavar=("KIND", "VALUE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.point:
        print(json.dumps(point(options.point[0], int(options.point[1]), options.folder)))
        return
    import torch
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 3)
    named = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    machine = f"{(named or [platform.machine()])[0]}, {len(os.sched_getaffinity(0))} cores"
    print(f"{date.today()}, {machine}, Python {platform.python_version()}, torch {torch.__version__}")
    for place, (kind, values, about) in zip(axes, (
        ("photos", PHOTOS, "cbam_resnet18, from files, batches of 16"), ("side", SIDES, "CBAM ResNet-50, random weights, one input"),
        ("depth", DEPTHS, "CBAM ResNets, random weights, one input of 224 px"),
    )):
        rows = []
        for value in values:
            command = [sys.executable, __file__, str(options.folder), "--point", kind, str(value)]
            rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        named = [name for name in COLUMNS if name in rows[0]]
        print(f"\n{about}\n\n| {kind} | {' | '.join(f'{name}, ms' for name in named)} | MB |\n|---|{'---|' * len(named)}---|")
        for value, row in zip(values, rows):
            print(f"| {value} | {' | '.join(f'{row[name]:.1f}' for name in named)} | {row['megabytes']} |", flush=True)
        for name in named:
            place.plot(values, [row[name] for row in rows], marker="o", color=COLOURS[COLUMNS.index(name)], label=name)
        place.set(title=about, xlabel={"photos": "photos", "side": "side of the input, pixels", "depth": "layers"}[kind],
                  ylabel="ms a photo", ylim=(0, None))
        place.title.set_fontsize(9)
        place.spines[["top", "right"]].set_visible(False)
        place.legend(frameon=False)
    figure.savefig(HERE / "growth.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
