"""Bare forward passes, beside which a server's are measured."""

from __future__ import annotations

import statistics
import sys
import time
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from .server import CORES, ROOT


def _run_bare(pipe: Connection, photos: list[bytes], networks: list[Path]) -> None:
    """Bare forward passes of both networks in turn, with as many threads and for as long as the pipe says,
    again and again: their count, the seconds of all, those of a processor, and the median of one, through the
    pipe."""
    import torch

    sys.path.insert(0, str(ROOT))
    import attnviz
    from attnviz.capture.input_form import ANY
    from attnviz.capture.inputs import prepare
    from attnviz.networks.card import card_of

    opened = [attnviz.open_photo(content) for content in photos]
    work = [
        (network, prepare(one, card_of(network), "whole", ANY).x[None])
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


class BarePasses:
    """Processes in which bare passes run, one for each processor, and what was measured there whenever it was
    asked for."""

    def __init__(self, photos: list[bytes], seconds: float, networks: list[Path]) -> None:
        self.rates: list[
            dict[tuple[int, int], tuple[float, float, float]]
        ] = []  # a second, CPU seconds of one, seconds of one
        self._seconds = seconds
        self._pipes = []
        spawn = get_context("spawn")
        for _ in range(CORES):
            pipe, theirs = spawn.Pipe()
            spawn.Process(target=_run_bare, args=(theirs, photos, networks), daemon=True).start()
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
