"""How does the cost grow? ``python benchmarks/growth.py FOLDER`` measures milliseconds and memory over the
number of photos, the side of the input and the depth of the network, beside the bare forward pass, and over
the people who use a server at once; draws them into ``benchmarks/growth.png`` and prints Markdown tables with
the machine, the versions and the date. Each point is a process of its own, so that memory is its own too;
bare and traced take turns."""

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

COLOURS = {
    "bare": "#888888",
    "traced": "#e69f00",
    "fast": "#4458c8",
    "median": "#4458c8",
    "95 of 100": "#e69f00",
}
SECONDS = 30  # that people use a server
# Of each kind: its values, what it is about, what the axis counts.
KINDS = {
    "photos": ((200, 500, 1000, 2000), "ms a photo: cbam_resnet18, from files, batches of 16", "photos"),
    "side": (
        (224, 320, 448, 640, 832, 1024),
        "ms a pass: CBAM ResNet-50, random weights, one input",
        "side of the input, pixels",
    ),
    "depth": (
        (18, 34, 50, 101, 152),
        "ms a pass: CBAM ResNets, random weights, one input of 224 px",
        "layers",
    ),
    "people": (
        (1, 5, 10, 20, 40),
        "ms until a new photo is answered: the embedded networks, nobody pauses",
        "people at once",
    ),
}


def peak() -> int:
    """Megabytes that this process took at most."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1000


def photos(count: int, folder: Path) -> dict[str, float]:
    """Many photos of a folder, over and over where it has fewer, on the fast copy."""
    import attnviz

    files = sorted(folder.rglob("*.JPEG"))
    files = [files[at % len(files)] for at in range(count)]
    network, began = attnviz.fast(attnviz.load("cbam_resnet18")), time.perf_counter()
    for _ in attnviz.traces(network, files, view="crop"):
        pass
    return {"fast": 1000 * (time.perf_counter() - began) / count, "MB": peak()}


def one_input(depth: int, side: int) -> dict[str, float]:
    """One input, bare, traced, and traced on the fast copy, in turn."""
    import torch

    import attnviz
    from attnviz.networks import ResNet

    torch.manual_seed(0)
    network = ResNet(depth, "cbam").eval()
    x, quick = torch.randn(3, side, side), attnviz.fast(network)

    def bare() -> None:
        with torch.inference_mode():
            network(x[None])

    ways = {
        "bare": bare,
        "traced": lambda: attnviz.trace(network, x, steps=False),
        "fast": lambda: attnviz.trace(quick, x, steps=False),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(8):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            if turn:
                spent[name].append(time.perf_counter() - began)
    return {**{name: 1000 * statistics.median(seconds) for name, seconds in spent.items()}, "MB": peak()}


def people(count: int) -> dict[str, float]:
    """So many people who upload and change the network without a pause, and two more who look at channels, on
    a server of their own."""
    from classroom import NEW, PASSES, Class, alone, rush
    from load import niced, server
    from visitors import photo

    kept = {person: [photo(person, number) for number in range(2)] for person in range(count + 2)}
    with server(60, HERE.parent / "models") as running:
        learning = Class(running.url, kept, ("cbam_resnet18", "bam_resnet18"), 0, (0, 0), one_address=False)
        niced(alone(learning, False), 900)
        everybody = Class(
            running.url,
            kept,
            learning.networks,
            SECONDS,
            (0, 0),
            one_address=False,
            expected=learning.expected,
        )
        niced(rush(everybody), 900)
        notes, memory = next(part for part in everybody.parts if part.title == "rush"), running.megabytes()
    bad = [
        entry
        for part in (learning, everybody)
        for each in part.parts
        for entry in each.entries
        if entry.outcome in ("lost", "wrong")
    ]
    if bad:
        raise SystemExit(f"{len(bad)} requests were lost or wrong")
    waits = sorted(1000 * entry.seconds for entry in notes.of(NEW))
    answered = sum(len(notes.of(kind)) for kind in PASSES)
    middle, late = statistics.median(waits), waits[int(0.95 * len(waits))]
    return {"median": middle, "95 of 100": late, "captures a second": answered / SECONDS, "MB": memory}


def point(kind: str, value: int, folder: Path) -> dict[str, float]:
    """One measurement."""
    if kind == "photos":
        return photos(value, folder)
    if kind == "people":
        return people(value)
    return one_input(value if kind == "depth" else 50, value if kind == "side" else 224)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="a folder of photos")
    parser.add_argument("--point", nargs=2, metavar=("KIND", "VALUE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.point:
        print(json.dumps(point(options.point[0], int(options.point[1]), options.folder)))
        return
    import torch
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained")
    FigureCanvasAgg(figure)
    named = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    machine = f"{(named or [platform.machine()])[0]}, {len(os.sched_getaffinity(0))} cores"
    print(f"{date.today()}, {machine}, Python {platform.python_version()}, torch {torch.__version__}")
    for place, (kind, (values, about, counted)) in zip(figure.subplots(2, 2).flat, KINDS.items()):
        rows = []
        for value in values:
            command = [sys.executable, __file__, str(options.folder), "--point", kind, str(value)]
            rows.append(
                json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
            )
        names = list(rows[0])
        print(f"\n{about}:\n\n| {counted} | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
        for value, row in zip(values, rows):
            print(f"| {value} | {' | '.join(f'{row[name]:.1f}' for name in names)} |", flush=True)
        for name in (name for name in COLOURS if name in rows[0]):
            place.plot(values, [row[name] for row in rows], marker="o", color=COLOURS[name], label=name)
        place.set(xlabel=counted, ylabel=about.partition(":")[0], ylim=(0, None))
        place.set_title(about.partition(": ")[2], fontsize=9)
        place.spines[["top", "right"]].set_visible(False)
        place.legend(frameon=False)
    figure.savefig(HERE / "growth.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
