"""Does an opened checkpoint compute what the original computes? ``python benchmarks/fidelity.py`` opens the
state dict of each public implementation (the libraries' own code, and tests/helpers/reference_networks.py),
all weights and statistics random, and prints how far apart logits and gates are."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent))

from helpers.reference_networks import ORIGINALS, with_random_statistics

import attnviz
from attnviz.checkpoints.opening import open_state_dict


def main() -> None:
    print(
        "| original | logits, relative | gates, absolute | gates' deviation over a layer, median "
        "|\n|---|---|---|---|"
    )
    for name, make in ORIGINALS.items():
        torch.manual_seed(3)
        original, x = with_random_statistics(make(), 224), torch.randn(3, 224, 224)
        opened = open_state_dict(
            {key: value.clone() for key, value in original.state_dict().items()}, f"{name}.pth"
        )
        ours, theirs = attnviz.trace(opened, x), attnviz.trace(original, x)
        logits = np.abs(ours.logits - theirs.logits).max() / np.abs(theirs.logits).max()
        pairs = [
            (one.factor(), other.factor())
            for one, other in zip(ours.layers.values(), theirs.layers.values(), strict=True)
        ]
        gates = max(np.nanmax(np.abs(one - other)) for one, other in pairs)
        print(f"| {name} | {logits:.1e} | {gates:.1e} | {np.median([one.std() for one, _ in pairs]):.2f} |")


if __name__ == "__main__":
    main()
