"""What does a stranger's checkpoint cost? ``python benchmarks/checkpoints.py`` writes honest files and the
worst that could be thought of, opens each in a process of its own, and prints a Markdown table: seconds,
megabytes above the idle process at the peak, and what was said. A file must answer within its own size plus
50 MB. Linux only."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torch

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from helpers.hostile_checkpoints import WORST, costs, honest, network


def main() -> None:
    torch.manual_seed(0)
    cases = {**honest(network([3, 256, 512, 1024, 2048])), **WORST}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"case{number}.pth" for number in range(len(cases))]
        for path, write in zip(paths, cases.values()):
            write(path)
        sizes = [path.stat().st_size / 1e6 for path in paths]
        rows = costs(paths)
    print(
        f"torch {torch.__version__}\n\n| case | file, MB | seconds | extra MB | said |\n|---|---|---|---|---|"
    )
    for case, size, (said, seconds, extra) in zip(cases, sizes, rows):
        print(
            f"| {case} | {size:.1f} | {seconds:.2f} | "
            f"{extra:.0f}{'' if extra <= size + 50 else ' (TOO MUCH)'} | {said} |"
        )


if __name__ == "__main__":
    main()
