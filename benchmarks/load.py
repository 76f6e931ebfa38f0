"""What happens when a whole class comes at once? ``python benchmarks/load.py`` starts the server as a process
of its own on the loopback interface and lets forty people use it for ten minutes, each with photos of her
own, as their browsers would (``visitors.py``).

First everybody's photos go through another such server, one request at a time: the hashes of these answers
are what each must get later, and their times are those of an idle server. Before and after the load the bare
forward passes run alone, in as many processes and threads as go fastest. Every request ends as answered,
refused with a sentence, lost, or wrong; the status is 1 if one was lost or wrong. Prints Markdown. The cases:

* ``lesson``: the page opened, a photo, five layers, another network, five layers, over and over, with time to
think
* ``rush``: no time to think, everybody uploads and changes the network in a loop; two more explore what was
captured before
* ``overload``: three times as many people, who upload at one moment
* ``spammer``: first without, then with somebody who keeps eight requests in the line
* ``sessions``: two thousand visitors open the page and leave
* ``uploads``: one person uploads a thousand photos, and looks at each twentieth
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
from classroom import (
    AGAIN,
    NEW,
    PASSES,
    Class,
    Notes,
    alone,
    lesson,
    overload,
    rush,
    sessions,
    spammer,
    uploads,
)
from visitors import photo

ROOT = Path(__file__).parent.parent
CORES = len(os.sched_getaffinity(0))
APP = """import runpy, sys
from pathlib import Path
import os
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")   # as app.py does, before torch is loaded
from attnviz.zoo import registry
registry.MODELS = Path(sys.argv[1])
runpy.run_path("app.py", run_name="__main__")"""
OUTCOMES = ("answered", "refused", "lost", "wrong")


@dataclass(eq=False)
class Server:
    """A running ``app.py``, and what the system tells of it."""

    process: subprocess.Popen
    url: str
    folder: Path
    samples: list[int] = field(default_factory=list)  # megabytes, once a second

    def megabytes(self) -> int:
        """Memory that it takes now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) // 1000

    def cpu(self) -> float:
        """Seconds of a processor so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def files(self) -> int:
        """How many lie in its folder of uploads."""
        return sum(path.is_file() for path in self.folder.glob("attnviz-uploads-*/**/*"))

    def lines(self, what: str) -> list[dict[str, Any]]:
        """Lines of its log of this kind, or "trouble": warnings, errors and what is no line of its own."""
        found = []
        for line in (self.folder / "log").read_text(errors="replace").splitlines():
            try:
                said = json.loads(line)
            except ValueError:
                said = {"what": line, "level": "error" if line.startswith("Traceback") else ""}
            if said["what"] == what or (what == "trouble" and said["level"] in ("warning", "error")):
                found.append(said)
        return found

    async def watch(self) -> None:
        """Look at its memory each second, until cancelled."""
        while True:
            self.samples.append(self.megabytes())
            await asyncio.sleep(1)


@contextmanager
def server(keep: int, models: Path) -> Iterator[Server]:
    """Start one that keeps uploads and results so many minutes, with the networks of this folder, wait until
    it answers, and end it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with (
        tempfile.TemporaryDirectory(prefix="attnviz-load-") as folder,
        (Path(folder) / "log").open("w") as log,
    ):
        ours = {
            "TMPDIR": folder,
            "GRADIO_SERVER_NAME": "127.0.0.1",
            "GRADIO_SERVER_PORT": str(port),
            "ATTNVIZ_KEEP": str(keep),
        }
        process = subprocess.Popen(
            [sys.executable, "-c", APP, str(models)],
            cwd=ROOT,
            env={**os.environ, **ours},
            stdout=log,
            stderr=log,
        )
        running = Server(process, f"http://127.0.0.1:{port}", Path(folder))
        try:
            until = time.monotonic() + 90
            while True:
                with suppress(httpx.TransportError):
                    httpx.get(f"{running.url}/config", timeout=10, trust_env=False).raise_for_status()
                    break
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((Path(folder) / "log").read_text())
                time.sleep(0.2)
            yield running
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def measured(
    running: Server,
    all: Class,
    case: Callable[[Class], Awaitable[None]],
    after: float,
    spent: dict[str, float],
) -> None:
    """Both networks once, then a case, then so many seconds of nothing; memory is watched, and what the case
    took is written down."""
    all.begin("warm-up")
    visitor = await all.opened(0)
    await all.new_photo(visitor, 0, all.photos[0][0])
    await all.other_network(visitor, 0, all.photos[0][0], all.networks[1])
    await all.close(visitor, 0)
    await asyncio.sleep(2)
    watching = asyncio.create_task(running.watch())
    spent["passes before"] = len(running.lines("pass"))
    for sign in (-1, 1):
        now = {"server": running.cpu(), "client": time.process_time(), "passes": len(running.lines("pass"))}
        for name, value in now.items():
            spent[name] = spent.get(name, 0) + sign * value
        if sign < 0:
            await case(all)
    spent["files"] = running.files()
    await asyncio.sleep(after)
    watching.cancel()


def bare(pipe: Connection, photos: list[bytes], networks: list[Path]) -> None:
    """Bare forward passes of both networks in turn, with as many threads and for as long as the pipe says,
    again and again: their count, the seconds of all, those of a processor, and the median of one, through the
    pipe."""
    import torch

    sys.path.insert(0, str(ROOT))
    import attnviz
    from attnviz.capture.inputs import prepare
    from attnviz.networks.card import card_of

    opened = [attnviz.open_photo(content) for content in photos]
    work = [
        (network, prepare(one, card_of(network), "whole", 3).x[None])
        for network in map(attnviz.load, networks)
        for one in opened
    ]
    with suppress(EOFError), torch.inference_mode():
        while True:
            threads, seconds = pipe.recv()
            torch.set_num_threads(threads)
            for network, inputs in work[:: len(opened)]:
                network(inputs)
            took: list[float] = []
            began, spent = time.perf_counter(), time.process_time()
            last = began
            while last - began < seconds:
                network, inputs = work[len(took) % len(work)]
                network(inputs)
                last, before = time.perf_counter(), last
                took.append(last - before)
            pipe.send((len(took), last - began, time.process_time() - spent, statistics.median(took)))


class Bare:
    """Processes in which bare passes run, one for each processor, and what was measured there whenever it was
    asked for."""

    def __init__(self, photos: list[bytes], seconds: float, networks: list[Path]) -> None:
        self.rates: list[
            dict[tuple[int, int], tuple[float, float, float]]
        ] = []  # a second, CPU seconds of one, seconds of one
        self._seconds = seconds
        self._pipes = []
        for _ in range(CORES):
            pipe, theirs = get_context("spawn").Pipe()
            get_context("spawn").Process(target=bare, args=(theirs, photos, networks), daemon=True).start()
            theirs.close()  # so that one that ends early is noticed
            self._pipes.append(pipe)
        for pipe in self._pipes:  # until all are ready
            pipe.send((1, 0.1))
        for pipe in self._pipes:
            pipe.recv()

    def measure(self) -> None:
        """How fast they go: one of them with all threads, all with one thread each, and one with one."""
        found = {}
        for count, threads in dict.fromkeys([(1, CORES), (CORES, 1), (1, 1)]):
            for pipe in self._pipes[:count]:
                pipe.send((threads, self._seconds))
            ran = [pipe.recv() for pipe in self._pipes[:count]]
            found[count, threads] = (
                sum(passes / took for passes, took, _, _ in ran),
                sum(cpu for _, _, cpu, _ in ran) / sum(passes for passes, *_ in ran),
                statistics.median(one for *_, one in ran),
            )
        self.rates.append(found)

    def fastest(self) -> list[float]:
        """Passes a second, the best way, at each measurement."""
        return [max(rate for rate, *_ in found.values()) for found in self.rates]


def deep(folder: Path) -> Path:
    """CBAM- and BAM-ResNet-50 of random weights, in a process of its own, since torch stays in memory; where
    they lie now."""
    code = (
        f"""from pathlib import Path
import torch
from attnviz.networks import ResNet
from attnviz.networks.card import Card
from attnviz.zoo.registry import save_folder
torch.manual_seed(0)
for kind in ("cbam", "bam"):
    made = {{"depth": 50, "attention": kind, "width": 64, "reduction": 16, "classes": 1000}}
    name = f"{{kind}}_resnet50_random"
    save_folder(ResNet(**made), Card(name, made), Path({str(folder)!r}) / name)"""
        ""
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    return folder


def niced(work: Coroutine[Any, Any, None], limit: float) -> None:
    """Run this in a thread that steps back behind the server's. Raises what it raises, and TimeoutError after
    so many seconds."""
    trouble: list[BaseException] = []

    def run() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)
        try:
            asyncio.run(asyncio.wait_for(work, limit))
        except BaseException as error:
            trouble.append(error)

    thread = threading.Thread(target=run, daemon=True)  # so that a signal ends the program
    thread.start()
    thread.join()
    if trouble:
        raise trouble[0]


def table(notes: Notes, idle: Notes) -> str:
    """All kinds of request of a part, and how each ended; milliseconds."""
    rows = [
        f"\n{notes.title}:\n",
        f"| request | {' | '.join(OUTCOMES)} | p50, ms | p95 | p99 | alone, p50 |",
        "|---|" + "---|" * 8,
    ]
    for kind in dict.fromkeys(entry.kind for entry in notes.entries):
        took = sorted(1000 * entry.seconds for entry in notes.of(kind))
        shares = [
            f"{took[min(len(took) - 1, int(share * len(took)))]:.0f}" if took else ""
            for share in (0.5, 0.95, 0.99)
        ]
        counts = [str(len(notes.of(kind, outcome))) for outcome in OUTCOMES]
        alone = f"{1000 * idle.median(kind):.0f}".replace("nan", "")
        rows.append(f"| {kind} | {' | '.join(counts)} | {' | '.join(shares)} | {alone} |")
        refused = [entry.seconds for entry in notes.of(kind, "refused")]
        if refused:
            rows.append(
                f"| … until refused | | | | | {1000 * statistics.median(refused):.0f} | | "
                f"{1000 * max(refused):.0f} (most) | |"
            )
    rows.extend(
        f"\n{count} {outcome}: “{sentence}”" for (outcome, sentence), count in notes.said.most_common()
    )
    return "\n".join(rows)


def report(
    running: Server, all: Class, notes: Notes, idle: Notes, passes: Bare, spent: dict[str, float]
) -> str:
    """What was asked for, what was reached, and what it took."""
    samples, fastest = running.samples, passes.fastest()
    entries, answered, new = [entry for notes in all.parts for entry in notes.entries], 0, notes.of(NEW)
    shares, wall = [], 0.0
    for turn, (began, until) in enumerate(notes.rounds):
        until = min(until, max(entry.ended for entry in notes.entries))
        count = sum(began <= entry.ended <= until for kind in PASSES for entry in notes.of(kind))
        beside = fastest[turn : turn + 2] if len(notes.rounds) > 1 else fastest
        shares.append(count / (until - began) / statistics.mean(beside))
        answered, wall = answered + count, wall + until - began
    one = min(each for found in passes.rates for _, _, each in found.values())
    least = min(cpu for found in passes.rates for _, cpu, _ in found.values())
    waits = [
        statistics.median(values or [float("nan")])
        for values in (
            [entry.seconds / one / entry.waiting for entry in new],
            [entry.seconds / one / ((entry.rank or 0) + 1) for entry in new],
            [entry.waiting for entry in new],
        )
    ]
    logged = running.lines("pass")[
        int(spent["passes before"]) : int(spent["passes before"] + spent["passes"])
    ]
    ran, line = (statistics.median([said[name] for said in logged] or [0]) for name in ("ms", "waited_ms"))
    rows = [
        (
            "requests lost or wrong",
            "0",
            f"{sum(entry.outcome in ('lost', 'wrong') for entry in entries)} of {len(entries):,}",
        ),
        (
            "passes answered, of the bare passes possible in that time",
            "≥ 80 %",
            f"{statistics.median(shares):.0%} ({', '.join(f'{share:.0%}' for share in shares)}); "
            f"{answered} passes",
        ),
        (
            "a new photo's wait ÷ (people waiting × one bare pass), median",
            "≤ 1.5",
            f"{waits[0]:.2f}; by the rank told {waits[1]:.2f}; people waiting {waits[2]:.0f}",
        ),
        (
            "a channel of a known layer, median ÷ alone",
            "1",
            f"{notes.median(AGAIN) / idle.median(AGAIN):.2f}",
        ),
        ("Jain's index of fairness", "≥ 0.95", f"{notes.fairness():.3f}"),
        (
            "memory, MB: at the start, most, after everyone left",
            "< 4,000; ± 20 %",
            f"{samples[0]:,}, {max(samples):,}, {samples[-1]:,} ({samples[-1] / samples[0] - 1:+.0%})",
        ),
        (
            "files in the folder of uploads, at the end and after",
            "",
            f"{spent['files']:.0f}, {running.files()}",
        ),
        (
            f"processors used, of {CORES}: server; visitors",
            "",
            f"{spent['server'] / wall:.2f}; {spent['client'] / wall:.2f}",
        ),
        (
            "passes in the server's log, ms each, ms in line (medians)",
            "",
            f"{len(logged)}, {ran:.1f}, {line:.1f}",
        ),
        (
            "CPU ms of the server for each pass in its log; of one bare pass, at least",
            "",
            f"{1000 * spent['server'] / max(1, len(logged)):.0f}; {1000 * least:.0f}",
        ),
        ("warnings and errors in its log", "0", str(len(running.lines("trouble")))),
        ("load average", "", " ".join(f"{load:.1f}" for load in os.getloadavg())),
    ]
    found = ["\n| | to reach | reached |\n|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    found.append(
        "\n| bare passes | a second, at each measurement | CPU ms each | ms each |\n|---|---|---|---|"
    )
    for how in passes.rates[0]:
        rate, cpu, each = zip(*(found[how] for found in passes.rates))
        columns = [
            " ".join(f"{scale * value:.{digits}f}" for value in values)
            for values, scale, digits in ((rate, 1, 1), (cpu, 1000, 0), (each, 1000, 0))
        ]
        found.append(f"| {how[0]} × {how[1]} threads | {' | '.join(columns)} |")
    return "\n".join(found)


# What runs, of how many people for each that was asked for and how many more, photos of each, whether these
# walk through layers, whether all have one address, and whether to wait until the server has let go of
# everything.
CASES: dict[str, tuple[Callable[[Class], Coroutine[Any, Any, None]], float, int, int, bool, bool, bool]] = {
    "lesson": (lesson, 1, 0, 2, True, True, True),
    "rush": (rush, 1, 2, 2, False, False, False),
    "overload": (overload, 3, 0, 2, False, False, False),
    "spammer": (spammer, 0.5, 0, 2, False, False, False),
    "sessions": (sessions, 0, 1, 1, True, False, True),
    "uploads": (uploads, 0, 1, 20, False, True, True),
}


def main() -> int:
    """Run one case; 1 if something was lost or wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=CASES, default="lesson")
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--minutes", type=float, help="10 for the lesson, else 1")
    parser.add_argument("--think", type=float, nargs=2, default=(2.0, 6.0), metavar=("LEAST", "MOST"))
    parser.add_argument(
        "--keep",
        type=int,
        default=2,
        help="minutes that the server keeps things; more than 5 are not waited for",
    )
    parser.add_argument("--count", type=int, default=0, help="sessions or uploads, if not 2,000 or 1,000")
    parser.add_argument(
        "--bare", type=float, default=4.0, help="seconds of each measurement of the bare passes"
    )
    parser.add_argument(
        "--deep",
        action="store_true",
        help="with networks of 50 layers and random weights, not those of attnviz",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attnviz-networks-") as folder:
        return run(options, deep(Path(folder)) if options.deep else ROOT / "models")


def run(options: argparse.Namespace, models: Path) -> int:
    """Run the case with the networks of a folder; 1 if something was lost or wrong."""
    networks = (
        ("cbam_resnet50_random", "bam_resnet50_random") if options.deep else ("cbam_resnet18", "bam_resnet18")
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # so that the servers end too
    case, share, more, each, walks, one_address, waits = CASES[options.case]
    seconds = 60 * (options.minutes or (10 if options.case == "lesson" else 1))
    photos = {
        person: [photo(person, number) for number in range(each)]
        for person in range(round(share * options.people) + more)
    }
    with server(60, models) as idle:
        learning = Class(idle.url, photos, networks, seconds, (0, 0), one_address=False)
        niced(alone(learning, walks), 1800)
    some = [sent.content for own in photos.values() for sent in own][:8]
    passes, spent = Bare(some, options.bare, [models / name for name in networks]), dict[str, float]()
    passes.measure()
    with server(options.keep, models) as running:
        think = tuple(options.think)
        all = Class(
            running.url,
            photos,
            networks,
            seconds,
            think,
            one_address,
            options.count,
            learning.expected,
            passes.measure,
        )
        after = 60 * options.keep + 75 if waits and options.keep <= 5 else 5
        niced(measured(running, all, case, after, spent), 2 * seconds + 1800)
        if case is not rush:
            passes.measure()
        thinking = (
            f", {options.think[0]:g} to {options.think[1]:g} s to think" if case in (lesson, spammer) else ""
        )
        print(
            f"## {options.case}, {networks[0]} and {networks[1]}: {len(photos)} people, {seconds:.0f} "
            f"s{thinking}"
        )
        for notes in (learning.notes, *all.parts):
            if notes in all.parts[1:] or any(entry.outcome != "answered" for entry in notes.entries):
                print(table(notes, learning.notes))
        print(
            report(
                running,
                all,
                next(notes for notes in all.parts if notes.title == options.case),
                learning.notes,
                passes,
                spent,
            )
        )
    entries = [entry for notes in (learning.notes, *all.parts) for entry in notes.entries]
    return int(any(entry.outcome in ("lost", "wrong") for entry in entries))


if __name__ == "__main__":
    raise SystemExit(main())
