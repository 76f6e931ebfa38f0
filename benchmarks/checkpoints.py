"""What does a stranger's checkpoint cost? ``python benchmarks/checkpoints.py`` writes honest files and the
worst that could be thought of, opens each in a process of its own, and prints a Markdown table: seconds of
the processor, megabytes above the idle process at the peak, and what was said. A file must answer within its
own size plus 50 MB. Linux only."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent))

from helpers.forked_costs import CHECKPOINTS, costs
from helpers.hostile_checkpoints import WORST, honest, network


def main() -> None:
    torch.manual_seed(0)
    cases = {**honest(network([3, 256, 512, 1024, 2048])), **WORST}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"case{number}.pth" for number in range(len(cases))]
        for path, write in zip(paths, cases.values()):
            write(path)
        sizes = [path.stat().st_size / 1e6 for path in paths]
        rows = costs(paths, CHECKPOINTS)
    print(
        f"torch {torch.__version__}\n\n| case | file, MB | seconds | extra MB | said |\n|---|---|---|---|---|"
    )
    for case, size, cost in zip(cases, sizes, rows):
        verdict = "" if cost.megabytes <= size + 50 else " (TOO MUCH)"
        print(
            f"| {case} | {size:.1f} | {cost.seconds:.2f} | {cost.megabytes:.0f}{verdict} | {cost.outcome} |"
        )


if __name__ == "__main__":
    main()
