"""What happens when a whole class comes at once? ``python benchmarks/load.py`` starts the server as a process
of its own on the loopback interface and lets forty people use it for ten minutes, each with photos of her
own, as their browsers would (``people/``).

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
* ``hostile``: a lesson, by turns without and with somebody who sends the worst files, asks for answers that
she never fetches, sends forms with huge fields and small requests without end
* ``sessions``: two thousand visitors open the page and leave
* ``uploads``: one person uploads a thousand photos, and looks at each twentieth
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from people.bare_passes import BarePasses
from people.cases import CASES, Case, rush
from people.classroom import Class, Photos, alone
from people.notes import Notes
from people.report import Measured, table
from people.server import ROOT, Server, server
from people.visitors import photo

LONGEST = 1800  # seconds that a case may take beyond its time
DEEP = """import sys
from pathlib import Path
import torch
from attnviz.networks import ResNet
from attnviz.networks.card import Card
from attnviz.zoo.registry import save_folder
torch.manual_seed(0)
for kind in ("cbam", "bam"):
    made = {"depth": 50, "attention": kind, "width": 64, "reduction": 16, "classes": 1000}
    name = f"{kind}_resnet50_random"
    save_folder(ResNet(**made), Card(name, made), Path(sys.argv[1]) / name)"""


def deep(folder: Path) -> Path:
    """CBAM- and BAM-ResNet-50 of random weights, in a process of its own, since torch stays in memory; where
    they lie now."""
    subprocess.run([sys.executable, "-c", DEEP, str(folder)], cwd=ROOT, check=True)
    return folder


def hostile_files(folder: Path, pictures: Path | None) -> Path:
    """The worst files, written in a process of its own; where they lie now."""
    program = ROOT / "benchmarks/people/hostile_files.py"
    more = [str(pictures)] if pictures else []
    subprocess.run([sys.executable, str(program), str(folder), *more], check=True)
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


async def measured(running: Server, all: Class, case: Case, after: float, spent: dict[str, float]) -> None:
    """Both networks once, then a case, then so many seconds of nothing; memory is watched, and what the case
    took is written down."""
    await _warm_up(all)
    watching = asyncio.create_task(running.watch())
    spent["passes before"] = len(running.lines("pass"))
    before = _so_far(running)
    await case.work(all)
    spent.update({name: value - before[name] for name, value in _so_far(running).items()})
    spent["files"] = running.files()
    await asyncio.sleep(after)
    watching.cancel()


async def _warm_up(all: Class) -> None:
    all.begin("warm-up")
    visitor = await all.opened(0)
    await all.new_photo(visitor, 0, all.photos[0][0])
    await all.other_network(visitor, 0, all.photos[0][0], all.networks[1])
    await all.close(visitor, 0)
    await asyncio.sleep(2)


def _so_far(running: Server) -> dict[str, float]:
    """Seconds of processors and of the clock, and passes."""
    return {
        "server": running.cpu(),
        "client": time.process_time(),
        "wall": time.monotonic(),
        "passes": len(running.lines("pass")),
    }


def main() -> int:
    """Run one case; 1 if something was lost or wrong."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # so that the servers end too
    with tempfile.TemporaryDirectory(prefix="attnviz-benchmark-") as folder:
        files = hostile_files(Path(folder), options.pictures) if options.case == "hostile" else None
        return run(options, deep(Path(folder)) if options.deep else ROOT / "models", files)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=CASES, default="lesson")
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--minutes", type=float, help="10 for the lesson, 6 for the hostile one, else 1")
    parser.add_argument("--think", type=float, nargs=2, default=(2.0, 6.0), metavar=("LEAST", "MOST"))
    keep = "minutes that the server keeps things; more than 5 are not waited for"
    parser.add_argument("--keep", type=int, default=2, help=keep)
    parser.add_argument("--count", type=int, default=0, help="sessions or uploads, if not 2,000 or 1,000")
    bare = "seconds of each measurement of the bare passes"
    parser.add_argument("--bare", type=float, default=4.0, help=bare)
    pictures = "folder of more pictures that the hostile visitor sends"
    parser.add_argument("--pictures", type=Path, help=pictures)
    networks = "with networks of 50 layers and random weights, not those of attnviz"
    parser.add_argument("--deep", action="store_true", help=networks)
    return parser.parse_args()


def run(options: argparse.Namespace, models: Path, files: Path | None) -> int:
    """Run the case with the networks of a folder; 1 if something was lost or wrong."""
    networks = (
        ("cbam_resnet50_random", "bam_resnet50_random") if options.deep else ("cbam_resnet18", "bam_resnet18")
    )
    case = CASES[options.case]
    seconds = 60 * (options.minutes or case.minutes)
    photos = {
        person: [photo(person, number) for number in range(case.photos)]
        for person in range(round(case.share * options.people) + case.more)
    }
    learning = _learned(photos, networks, case.walks, models)
    some = [sent.content for own in photos.values() for sent in own][:8]
    bare, spent = BarePasses(some, options.bare, [models / name for name in networks]), dict[str, float]()
    bare.measure()
    with server(options.keep, models) as running:
        everybody = Class(
            running.url,
            photos,
            networks,
            seconds,
            tuple(options.think),
            case.one_address,
            options.count,
            learning.expected,
            bare.measure,
            hostile_files=files,
        )
        after = 60 * options.keep + 75 if case.waits and options.keep <= 5 else 5
        niced(measured(running, everybody, case, after, spent), 2 * seconds + LONGEST)
        if case.work is not rush:
            bare.measure()
        print(_title(options, networks, len(photos), seconds))
        main_part = next(notes for notes in everybody.parts if notes.title == options.case)
        everything = Measured(running, everybody, main_part, learning.notes, bare, spent)
        parts = [learning.notes, *everybody.parts, *everybody.others]
        print("\n".join(table(notes, learning.notes) for notes in parts if _is_shown(notes, everybody)))
        print(everything.report())
    return int(any(entry.outcome in ("lost", "wrong") for notes in parts for entry in notes.entries))


def _learned(photos: Photos, networks: tuple[str, str], walks: bool, models: Path) -> Class:
    """What each photo gives on a server that nobody else uses."""
    with server(60, models) as idle:
        learning = Class(idle.url, photos, networks, 0, (0, 0), one_address=False)
        niced(alone(learning, walks), LONGEST)
    return learning


def _title(options: argparse.Namespace, networks: tuple[str, str], people: int, seconds: float) -> str:
    think = f", {options.think[0]:g} to {options.think[1]:g} s to think"
    thinking = think if options.case in ("lesson", "spammer", "hostile") else ""
    return f"## {options.case}, {networks[0]} and {networks[1]}: {people} people, {seconds:.0f} s{thinking}"


def _is_shown(notes: Notes, everybody: Class) -> bool:
    """Whether a part has a table: all but learning and the warm-up, unless something happened there."""
    is_first = notes not in [*everybody.parts[1:], *everybody.others]
    return not is_first or any(entry.outcome != "answered" for entry in notes.entries)


if __name__ == "__main__":
    raise SystemExit(main())
