"""Where attention lives in a network: modules say so themselves, or stand in the table of known modules.

A module says so with the class attributes ``attention_kind``, ``attention_taps`` (the path of a child -> the
role of its output, see ``reads``) and, where its parts make no plain product, ``attention_formula``. It can
also name what it computes on the way in ``attention_steps``: a name -> the arguments of ``StepRead`` but the
name; and in ``attention_form`` in what it differs from its paper, see ``LayerAttention.form``."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from torch import nn

from .known_modules import TABLE
from .multiplications import GateSite
from .reads import Read, StepRead


@dataclass(frozen=True)
class Ratio:
    """A module whose output ÷ input is a gate of a kind, and the layout of its features, see ``layouts``."""

    module: nn.Module
    kind: str
    layout: str = ""  # the usual one


@dataclass(frozen=True, eq=False)
class Tap:
    """One attention module of a network, and what is read of it."""

    layer: str  # its name
    kind: str  # as in LayerAttention
    module: nn.Module
    how: str  # "declared", "table" or "recognised"
    formula: str = "product"  # one of layer_attention.FORMULAS
    reads: tuple[Read, ...] = ()  # of children's outputs
    children: dict[str, nn.Module] = field(default_factory=dict)  # by their path in the module
    plus: float = 0.0  # what a skip adds to the factor
    ratios: tuple[Ratio, ...] = ()  # recognised: output ÷ input of a module
    sites: tuple[GateSite, ...] = ()  # recognised: places in code where a gate is multiplied
    steps: tuple[StepRead, ...] = ()  # what is computed on the way, in that order
    form: tuple[str, ...] = ()  # as in LayerAttention


def find_taps(modules: dict[str, nn.Module]) -> list[Tap]:
    """The taps of attention modules that declare themselves or stand in the table, in the order of
    ``modules``, which are ``dict(network.named_modules())``. A module inside another one's attention is part
    of that.

    A layer is named after the block that the module stands in: ``layer3.1.attention`` is layer ``layer3.1``.
    """
    taps: list[Tap] = []
    inside = ""
    for path, module in modules.items():
        kind: type = type(module)
        if _is_known(kind) and not (inside and path.startswith(inside)):
            declares = hasattr(kind, "attention_taps")
            taps.append(_declared_tap(path, module) if declares else _known_tap(path, module))
            inside = f"{path}." if path else ""
            if not path:  # the network itself is an attention module, and everything is inside it
                break
    return taps


@lru_cache(maxsize=4096)
def _is_known(kind: type) -> bool:
    """Whether a class declares its attention or stands in the table."""
    return hasattr(kind, "attention_taps") or _path_of(kind) in TABLE


def _path_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _declared_tap(path: str, module: nn.Module) -> Tap:
    kind: type = type(module)  # the class declares: to look on a module is slow
    reads = tuple(Read(role, child) for child, role in kind.attention_taps.items())  # type: ignore[attr-defined]
    steps = getattr(module, "attention_steps", {})
    return Tap(
        path.removesuffix(".attention") or kind.__name__,
        str(kind.attention_kind),  # type: ignore[attr-defined]
        module,
        "declared",
        getattr(module, "attention_formula", "") or _formula(reads),
        reads,
        _children(module, reads),
        steps=tuple(StepRead(name, *where) for name, where in steps.items()),
        form=tuple(getattr(module, "attention_form", ())),
    )


def _known_tap(path: str, module: nn.Module) -> Tap:
    known = TABLE[_path_of(type(module))]
    adds = known.adds and getattr(module, known.adds) is not None
    return Tap(
        path or type(module).__name__,
        known.kind,
        module,
        "table",
        "none" if adds else known.formula or _formula(known.reads),
        known.reads,
        _children(module, known.reads),
        plus=1.0 if known.skip and getattr(module, known.skip) else 0.0,
        steps=known.steps,
        form=known.form,
    )


def _children(module: nn.Module, reads: tuple[Read, ...]) -> dict[str, nn.Module]:
    """The children that are read, by path; optional ones only where this form of the module has them."""
    return {
        read.child: module.get_submodule(read.child)
        for read in reads
        if not read.optional or getattr(module, read.child, None) is not None
    }


def _formula(reads: tuple[Read, ...]) -> str:
    """How parts of these roles make the factor, unless a module or its row says otherwise."""
    roles = {read.role for read in reads}
    if "joint" in roles:
        return "bam sum"
    return "none" if "paths" in roles else "product"
