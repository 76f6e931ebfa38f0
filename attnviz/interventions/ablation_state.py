"""How far an ablation is, in a file, so that one that was interrupted goes on."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import EditError
from .tally import Tally


@dataclass
class AblationState:
    """Batches that are done, and the sums over their photos: (layer, edit) -> Tally, "" and "" as it is."""

    about: dict[str, Any]  # what it is an ablation of: another one can't go on with it
    done: int = 0
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)  # photos that can't be opened, by name

    def tally(self, layer: str, how: str) -> Tally:
        """The sums of a row."""
        return self.tallies.setdefault((layer, how), Tally())

    def save(self, path: Path | None) -> None:
        """Write it, if there is a path, so that a reader never sees half of it."""
        if path is None:
            return
        rows = [[*key, asdict(tally)] for key, tally in self.tallies.items()]
        text = json.dumps(
            {"about": self.about, "done": self.done, "rows": rows, "left_out": self.left_out}, indent=1
        )
        beside = path.with_name(f"{path.name}.new")
        beside.write_text(text, encoding="utf-8", errors="backslashreplace")
        os.replace(beside, path)


def state_of(path: Path | None, about: dict[str, Any]) -> AblationState:
    """The state in a file, or a new one without it. Raises EditError for a file of another ablation, or that
    is none."""
    if path is None or not path.exists():
        return AblationState(about)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        tallies = {(layer, how): Tally(**sums) for layer, how, sums in said["rows"]}
        state = AblationState(said["about"], int(said["done"]), tallies, list(said["left_out"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise EditError("ablation_unreadable", name=path.name) from None
    if state.about != json.loads(json.dumps(about)):
        raise EditError("ablation_differs", name=path.name)
    return state


def weights_digest(network: nn.Module) -> str:
    """What a network's weights are told by, whatever device they are on."""
    digest = hashlib.sha256()
    for name, values in network.state_dict().items():
        digest.update(name.encode())
        digest.update(values.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
