"""What does tracing cost beside the bare forward pass? ``python benchmarks/tracing.py`` prints a Markdown
table.

Both run on the same network, the same normalised input and the same threads, in turn, so that a machine whose
speed drifts slows both; the ratio is taken pair by pair and its median printed."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent))

import attnviz
from attnviz.networks import ResNet


def seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def compare(network: nn.Module, x: torch.Tensor, pairs: int) -> tuple[float, float, float]:
    """Median seconds of the bare pass and of tracing, and the median of their ratios pair by pair."""

    def bare() -> None:
        with torch.inference_mode():
            network(x)

    def traced() -> None:
        list(attnviz.traces(network, x, batch_size=len(x)))

    for run in (bare, traced, bare, traced):
        run()
    measured = [(seconds(bare), seconds(traced)) for _ in range(pairs)]
    bares, tracings = zip(*measured, strict=True)
    return (
        statistics.median(bares),
        statistics.median(tracings),
        statistics.median(b / a for a, b in measured),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=40)
    options = parser.parse_args()
    torch.manual_seed(0)
    networks = {name: attnviz.load(name) for name in attnviz.list_networks()}
    networks |= {
        f"{attention}_resnet50 (random weights)": ResNet(50, attention).eval()
        for attention in ("se", "cbam", "bam")
    }
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, inputs of 224 px, {options.pairs} "
        "pairs\n"
    )
    print("| network | batch | bare pass, ms | traced, ms | ratio |\n|---|---|---|---|---|")
    for name, network in networks.items():
        for batch in (1, 16):
            pairs = options.pairs if batch == 1 else max(5, options.pairs // 3)
            bare, traced, ratio = compare(network, torch.randn(batch, 3, 224, 224), pairs)
            print(f"| {name} | {batch} | {bare * 1e3:.1f} | {traced * 1e3:.1f} | {ratio:.3f} |", flush=True)


if __name__ == "__main__":
    main()
