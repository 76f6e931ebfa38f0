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
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rounds import rounds

sys.path.insert(0, str(Path(__file__).parent.parent))

from attnviz.drawing.style import ACCENT, ORANGE

HERE = Path(__file__).parent

COLOURS = {  # of what was measured; the rest is in the tables only
    "bare": "#888888",
    "traced": ORANGE,
    "fast": ACCENT,
    "median": ACCENT,
    "95 of 100": ORANGE,
}
SECONDS = 30  # that people use a server
ROUNDS = 7  # of one input


@dataclass(frozen=True)
class Growth:
    """Something that the cost grows with."""

    values: tuple[int, ...]
    quantity: str  # what is measured
    case: str  # in which case
    counted: str  # what the values count


KINDS = {
    "photos": Growth(
        (200, 500, 1000, 2000), "ms a photo", "cbam_resnet18, from files, batches of 16", "photos"
    ),
    "side": Growth(
        (224, 320, 448, 640, 832, 1024),
        "ms a pass",
        "CBAM ResNet-50, random weights, one input",
        "side of the input, pixels",
    ),
    "depth": Growth(
        (18, 34, 50, 101, 152), "ms a pass", "CBAM ResNets, random weights, one input of 224 px", "layers"
    ),
    "people": Growth(
        (1, 5, 10, 20, 40),
        "ms until a new photo is answered",
        "the embedded networks, nobody pauses",
        "people at once",
    ),
}


def peak() -> int:
    """The greatest memory of this process, in megabytes."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1000


def photos(count: int, folder: Path) -> dict[str, float]:
    """Milliseconds a photo of many photos of a folder on the fast copy; a small folder is gone through
    again."""
    import attnviz

    files = sorted(folder.rglob("*.JPEG"))
    files = [files[number % len(files)] for number in range(count)]
    network, began = attnviz.fast(attnviz.load("cbam_resnet18")), time.perf_counter()
    for _ in attnviz.traces(network, files, view="crop"):
        pass
    return {"fast": 1000 * (time.perf_counter() - began) / count, "MB": peak()}


def one_input(depth: int, side: int) -> dict[str, float]:
    """Milliseconds a pass on one input: bare, traced, and traced on the fast copy."""
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
    spent = rounds(ways, ROUNDS)
    return {**{name: 1000 * statistics.median(seconds) for name, seconds in spent.items()}, "MB": peak()}


def people(count: int) -> dict[str, float]:
    """Milliseconds of the answers to people who upload and change the network without a pause, while two more
    look at channels, on a server of its own."""
    from load import niced
    from people.cases import rush
    from people.classroom import Class, alone
    from people.notes import NEW, PASSES
    from people.server import server
    from people.visitors import photo

    uploads = {person: [photo(person, number) for number in range(2)] for person in range(count + 2)}
    with server(60, HERE.parent / "models") as running:
        learning = Class(
            running.url, uploads, ("cbam_resnet18", "bam_resnet18"), 0, (0, 0), one_address=False
        )
        niced(alone(learning, False), 900)
        everybody = Class(
            running.url,
            uploads,
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
        for phase in part.parts
        for entry in phase.entries
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


def machine() -> str:
    """The date, the processor and the versions, in a line."""
    import torch

    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processors = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    cores = f"{(processors or [platform.machine()])[0]}, {len(os.sched_getaffinity(0))} cores"
    return f"{date.today()}, {cores}, Python {platform.python_version()}, torch {torch.__version__}"


def measured(kind: str, folder: Path) -> list[dict[str, float]]:
    """What was measured at each value, each in a process of its own; prints a Markdown table row by row."""
    growth, rows = KINDS[kind], []
    for value in growth.values:
        command = [sys.executable, __file__, str(folder), "--point", kind, str(value)]
        ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        rows.append(json.loads(ran.stdout))
        if len(rows) == 1:
            names = list(rows[0])
            print(f"\n{growth.quantity}: {growth.case}:\n\n| {growth.counted} | {' | '.join(names)} |")
            print(f"|---|{'---|' * len(names)}")
        print(f"| {value} | {' | '.join(f'{number:.1f}' for number in rows[-1].values())} |", flush=True)
    return rows


def draw(rows: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Writes a picture with a chart for each kind."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (kind, points) in zip(figure.subplots(2, 2).flat, rows.items()):
        growth = KINDS[kind]
        for name in (name for name in COLOURS if name in points[0]):
            numbers = [point[name] for point in points]
            place.plot(growth.values, numbers, marker="o", color=COLOURS[name], label=name)
        place.set(xlabel=growth.counted, ylabel=growth.quantity, ylim=(0, None))
        place.set_title(growth.case, fontsize=9)
        place.spines[["top", "right"]].set_visible(False)
        place.legend(frameon=False)
    figure.savefig(path, dpi=110, metadata={"Software": None})


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
    print(machine())
    rows = {kind: measured(kind, options.folder) for kind in KINDS}
    draw(rows, HERE / "growth.png")


if __name__ == "__main__":
    main()
