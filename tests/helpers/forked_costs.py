"""What opening each of many files costs, measured in a child for each file of one process that has imported
all. Linux only."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from helpers.checkout import ROOT

MOST_SECONDS = 30  # of the processor: what takes longer counts as taking for ever, and is ended

PROGRAM = """
import json, os, resource, sys, time
{prepare}
def memory(field):
    return int(next(line for line in open("/proc/self/status") if line.startswith(field)).split()[1]) / 1000
def opened(path):
    {attempt}
for path in sys.argv[1:]:
    sys.stdout.flush()
    child = os.fork()
    if child:
        if os.waitpid(child, 0)[1]:
            print(json.dumps(["crash", 0, 0]), flush=True)
        continue
    resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
    {warm_up}
    open("/proc/self/clear_refs", "w").write("5")  # the peak begins anew
    before, began = memory("VmRSS"), time.process_time()
    outcome = opened(path)
    seconds, megabytes = time.process_time() - began, memory("VmHWM") - before
    {end}
    helpers = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds += helpers.ru_utime + helpers.ru_stime
    print(json.dumps([outcome, seconds, megabytes + helpers.ru_maxrss / 1000]), flush=True)
    os._exit(0)
"""


@dataclass(frozen=True)
class Kind:
    """What is done with each file, as lines of Python."""

    prepare: str  # run once
    attempt: str  # gives back what came of ``path``
    warm_up: str = "pass"  # run in each child before its cost is measured: pages of libraries are no cost
    end: str = "pass"  # run before the processes that a child has started are counted


CHECKPOINTS = Kind(
    """
import torch
from attnviz.checkpoints.state_dict import read_checkpoint
from attnviz.errors import NetworkError
""",
    """
    try:
        return f"{len(read_checkpoint(path))} tensors"
    except NetworkError as error:
        return str(error)
""",
)
OPENINGS = Kind(
    """
import os, pathlib, tempfile
os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] = "0"  # else it keeps machine code of all shapes of the passes
import torch
torch.set_num_threads(1)  # or its threads would be missing in the children
from attnviz.capture.fast_copy import speed_up
from attnviz.errors import NetworkError
from attnviz.networks import ResNet
from attnviz.server.catalog import TEST_SIDE
from attnviz.zoo.registry import open_checkpoint
first = pathlib.Path(tempfile.mkdtemp()) / "first.pth"
names = {"attention.channel.fc": "ca.fc", "attention.spatial.conv": "sa.conv"}  # leave an order open
state = ResNet(18, "cbam", width=8).state_dict()
for ours, theirs in names.items():
    state = {key.replace(ours, theirs): value for key, value in state.items()}
torch.save(state, first)
def whole(path):
    network = open_checkpoint(pathlib.Path(path))
    return network if speed_up(network, TEST_SIDE) else open_checkpoint(pathlib.Path(path))
""",
    """
    try:
        return type(whole(path)).__name__
    except NetworkError as error:
        return str(error)
""",
    "whole(first)",
)
PHOTOS = Kind(
    """
from attnviz import PhotoError, open_photo
from attnviz.photos.opening import shared_decoders
open_photo("assets/examples/cat.jpg")
""",
    """
    try:
        return "x".join(map(str, open_photo(path).pixels.shape))
    except PhotoError as error:
        return str(error)
""",
    end="shared_decoders().close()",
)


@dataclass(frozen=True)
class Cost:
    """What opening one file took."""

    outcome: str  # what came of it, or the error's sentence; "crash" if the process ended with a failure
    seconds: float  # of the processor, with that of a process that was started for it
    megabytes: float  # at the peak, above the idle process; all of a process that was started for it


def costs(paths: list[Path], kind: Kind, seconds: int = MOST_SECONDS) -> list[Cost]:
    """The cost of each file; one that takes more ``seconds`` of the processor is a crash."""
    program = PROGRAM.format(
        prepare=kind.prepare,
        attempt=kind.attempt.strip(),
        warm_up=kind.warm_up,
        end=kind.end,
        seconds=seconds,
    )
    command = [sys.executable, "-c", program, *map(str, paths)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [Cost(*json.loads(line)) for line in run.stdout.splitlines()]
