"""What the first look at a network that nobody described costs, against one forward pass of the same photo:
time, and the most memory that tensors take beside the weights. Six public architectures with random weights.

    python benchmarks/recognition.py [--write]

Both are taken in turns, each several times, in one process; the median counts. ``--write`` puts the table
into RESULTS.md."""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

sys.path.insert(0, str(Path(__file__).parent.parent))

from attnviz.capture.arguments import Arguments
from attnviz.capture.exclusive import exclusive_eval
from attnviz.capture.plan import renewed_plan

SIDES = (224, 512)
REPEATS = 5
RESULTS = Path(__file__).with_name("RESULTS.md")
MARKS = "<!-- recognition -->\n", "<!-- /recognition -->\n"
ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    "torchvision mobilenet_v3_large": lambda: _made("torchvision.models", "mobilenet_v3_large", weights=None),
    "torchvision efficientnet_b0": lambda: _made("torchvision.models", "efficientnet_b0", weights=None),
    "timm seresnet50": lambda: _made("timm.models", "seresnet50"),
    "timm skresnet18": lambda: _made("timm.models", "skresnet18"),
    "timm resnet50 with CBAM": lambda: _made(
        "timm", "create_model", "resnet50", block_args={"attn_layer": "cbam"}
    ),
    "segmentation-models-pytorch Unet (scSE)": lambda: _made(
        "segmentation_models_pytorch", "Unet", "resnet34", encoder_weights=None, decoder_attention_type="scse"
    ),
}


def _made(library: str, name: str, *arguments: object, **named: object) -> nn.Module:
    return getattr(importlib.import_module(library), name)(*arguments, **named)


class _Memory(TorchDispatchMode):
    """Counts the bytes of the tensors that are alive at once, by their storages."""

    def __init__(self) -> None:
        super().__init__()
        self.most = self._now = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._add(tensor.untyped_storage())
        return result

    def _add(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._seen:
            return
        self._seen.add(key)
        size = storage.nbytes()
        self._now += size
        self.most = max(self.most, self._now)
        weakref.finalize(storage, self._remove, key, size)

    def _remove(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self._now -= size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = [_row(name, side) for name in ARCHITECTURES for side in SIDES]
    table = "\n".join(
        [
            "| network | side | forward pass | recognition | time | memory |",
            "|---|---|---|---|---|---|",
            *rows,
        ]
    )
    print(table)
    if options.write:
        before, _, rest = RESULTS.read_text(encoding="utf-8").partition(MARKS[0])
        after = rest.partition(MARKS[1])[2]
        RESULTS.write_text(f"{before}{MARKS[0]}{table}\n{MARKS[1]}{after}", encoding="utf-8")


def _row(name: str, side: int) -> str:
    """One line of the table: seconds, and how many times a pass's time and memory recognition takes."""
    torch.manual_seed(0)
    network = ARCHITECTURES[name]().eval()
    modules = dict(network.named_modules())
    given = Arguments((torch.randn(1, 3, side, side),))

    def forward() -> None:
        with torch.no_grad():
            given.call(network)

    def recognition() -> None:
        with exclusive_eval(network, list(modules.values())):
            renewed_plan(network, modules, given)

    seconds: dict[Callable[[], None], list[float]] = {forward: [], recognition: []}
    for _ in range(REPEATS):
        for work, taken in seconds.items():
            started = time.process_time()
            work()
            taken.append(time.process_time() - started)
    one, other = (statistics.median(taken) for taken in seconds.values())
    memory = _most_bytes(recognition) / _most_bytes(forward)
    return f"| {name} | {side} | {one:.2f} s | {other:.2f} s | {other / one:.1f} × | {memory:.2f} × |"


def _most_bytes(work: Callable[[], None]) -> int:
    with _Memory() as memory:
        work()
    return memory.most


if __name__ == "__main__":
    main()
