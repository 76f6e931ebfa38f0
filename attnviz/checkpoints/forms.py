"""Forms in which weights are saved that are not those of a network as it runs: cut into parts, computed anew
in each pass, or without what batch norms keep."""

from __future__ import annotations

import re

from .fault import CheckpointFault, printable
from .parts import Part, Shapes

# How PyTorch names what a weight is computed from: pruning, weight and spectral norm, any parametrization.
RECOMPUTED = r"\bweight_(orig|mask|g|v|u)$|\bparametrizations\."


def check_form(shapes: Shapes) -> None:
    """Raise CheckpointFault unless these are the weights of a whole network as it runs."""
    weights = [key for key in shapes if re.search(r"\bweight$|flat_param", key)]
    if weights and all(0 in shapes[key] for key in weights):
        raise CheckpointFault("layout_partitioned", tensor=printable(weights[0]))
    for key in shapes:
        if re.search(RECOMPUTED, key):
            raise CheckpointFault("layout_recomputed", tensor=printable(key))


def check_statistics(parts: list[Part]) -> None:
    """Raise CheckpointFault where no batch norm has the mean and variance that it divides by."""
    if not any(part.kind == "norm" for part in parts):
        raise CheckpointFault("layout_without_statistics")
