"""Where attention lives in a network: modules say so themselves with ``attention_kind`` and ``attention_taps``."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True, eq=False)
class Tap:
    """One attention module of a network: its layer name, its kind, and which child's output plays which role."""

    layer: str
    kind: str
    module: nn.Module
    children: dict[str, nn.Module]   # role -> the child whose output it is


def find_taps(modules: dict[str, nn.Module]) -> list[Tap]:
    """Every attention module that declares itself, in the order of ``dict(network.named_modules())``, which is what it takes.

    A layer is named after the block that the module stands in: ``layer3.1.attention`` is layer ``layer3.1``.
    """
    taps = []
    for path, module in modules.items():
        declared = getattr(type(module), "attention_taps", None)   # the class declares, so no slow nn.Module look-up
        if declared is not None:
            children = {role: module.get_submodule(child) for child, role in declared.items()}
            taps.append(Tap(path.removesuffix(".attention"), str(module.attention_kind), module, children))
    return taps
