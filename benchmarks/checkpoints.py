"""What does a stranger's checkpoint cost? ``python benchmarks/checkpoints.py`` writes honest files and the
worst that could be thought of, opens each in a process of its own, and prints two Markdown tables: seconds of
the processor, megabytes above the idle process at the peak, and what was said. What is read alone must answer
within the file's own size plus 50 MB; the whole opening of an honest network, to where photos can be traced,
may take 2.2 times the file's size in half precision. Linux only."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent))

from helpers.forked_costs import CHECKPOINTS, OPENINGS, Kind, costs
from helpers.hostile_checkpoints import WORST, honest, network

from attnviz.networks import ResNet

Case = Callable[[Path], object]  # writes a file
FORMATS: dict[str, Callable[[dict[str, torch.Tensor], Path], None]] = {
    "zip": torch.save,
    "legacy": lambda tensors, path: torch.save(tensors, path, _use_new_zipfile_serialization=False),
    "safetensors": save_file,
}


def main() -> None:
    torch.manual_seed(0)
    print(f"torch {torch.__version__}\n\nReading: the file's size and 50 MB more\n")
    print_table({**honest(network([3, 256, 512, 1024, 2048])), **WORST}, CHECKPOINTS, lambda size: size + 50)
    print("\nOpening a CBAM ResNet: 2.2 times the file's size in half precision\n")
    cases = {
        f"ResNet-{depth}, {str(dtype)[6:]}, {form}": _saved(depth, dtype, form)
        for depth in (18, 50)
        for dtype in (torch.float16, torch.float32)
        for form in FORMATS
    }
    print_table(cases, OPENINGS, lambda size: 2.2 * size)


def _saved(depth: int, dtype: torch.dtype, form: str) -> Case:
    def write(path: Path) -> None:
        state = ResNet(depth, "cbam").state_dict().items()
        tensors = {key: value.to(dtype) if value.is_floating_point() else value for key, value in state}
        FORMATS[form](tensors, path)

    return write


def print_table(cases: dict[str, Case], kind: Kind, limit: Callable[[float], float]) -> None:
    """Write the files of all cases, and print what each costs; ``limit`` is the most memory for a size, in
    MB."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"case{number}.pth" for number in range(len(cases))]
        for path, write in zip(paths, cases.values()):
            write(path)
        sizes = [path.stat().st_size / 1e6 for path in paths]
        rows = costs(paths, kind)
    print("| case | file, MB | seconds | extra MB | times the file | said |\n|---|---|---|---|---|---|")
    for case, size, cost in zip(cases, sizes, rows):
        verdict = "" if cost.megabytes <= limit(size) else " (TOO MUCH)"
        times = f"{cost.megabytes / size:.2f}" if size >= 1 else ""
        memory = f"{cost.megabytes:.0f}{verdict}"
        print(f"| {case} | {size:.1f} | {cost.seconds:.2f} | {memory} | {times} | {cost.outcome} |")


if __name__ == "__main__":
    main()
