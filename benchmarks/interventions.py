"""What does it cost to change a gate? ``python benchmarks/interventions.py`` times, in turns within one run:
a bare pass, a traced one, one edit of the middle layer (its pass before is known), every layer changed by as
many interventions, and by a sweep. Prints Markdown tables of medians, of ratios taken round by round, and of
the middle half of these. Weights of SE-ResNet-50 are random: that changes no time."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from rounds import rounds
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent))

import attnviz
from attnviz.networks import ResNet
from attnviz.networks.card import Card, with_card

# What is timed -> by what it is divided.
RATIOS = {"traced pass": "bare pass", "one edit": "traced pass", "sweep": "as many interventions"}


def opened(name: str) -> nn.Module:
    """A network by name, or "se_resnet50" with random weights."""
    return with_card(ResNet(50, "se").eval(), Card(name)) if name == "se_resnet50" else attnviz.load(name)


def measure(network: nn.Module, x: torch.Tensor, count: int) -> dict[str, list[float]]:
    """The seconds of each way, round by round."""
    before = attnviz.trace(network, x)
    layers = list(before.layers)
    middle = layers[len(layers) // 2]

    def bare() -> None:
        with torch.inference_mode():
            network(x[None])

    def one_by_one() -> None:
        for layer in layers:
            attnviz.intervene(network, x, {layer: "flat"}, before=before, steps=False)

    ways: dict[str, Callable[[], object]] = {
        "bare pass": bare,
        "traced pass": lambda: attnviz.trace(network, x),
        "one edit": lambda: attnviz.intervene(network, x, {middle: "flat"}, before=before),
        "as many interventions": one_by_one,
        "sweep": lambda: attnviz.sweep(network, x, "flat", before=before),
    }
    return rounds(ways, count)


def table(spent: dict[str, list[float]]) -> Iterator[str]:
    """The rows of a Markdown table."""
    yield "| what | ms | ratio | of | middle half |\n|---|---|---|---|---|"
    for name, seconds in spent.items():
        base = RATIOS.get(name)
        said = f"| {name} | {1000 * statistics.median(seconds):.0f} |"
        if base is None:
            yield f"{said} – | – | – |"
            continue
        low, middle, high = statistics.quantiles([a / b for a, b in zip(seconds, spent[base])], n=4)
        yield f"{said} {middle:.2f} | {base} | {low:.2f} to {high:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    names = ["se_resnet50", "se_resnet18", "cbam_resnet18", "bam_resnet18"]
    parser.add_argument("--networks", nargs="*", default=names)
    options = parser.parse_args()
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {options.rounds} rounds, 224 pixels"
    )
    for name in options.networks:
        torch.manual_seed(0)
        print(f"\n### {name}\n")
        print("\n".join(table(measure(opened(name), torch.randn(3, 224, 224), options.rounds))), flush=True)


if __name__ == "__main__":
    main()
