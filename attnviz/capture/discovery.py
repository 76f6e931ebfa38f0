"""Finds the attention of a network that nobody described: runs it once on two different inputs, and asks of
every module whether its output is its input times a factor, and of every multiplication whether it is one by
a gate."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from ..naming import free_name
from .factor_fit import GREATEST, TOO_SMALL, Fit
from .module_tree import ModuleTree
from .multiplications import Site
from .observation import GateProduct, Observation, observe
from .taps import Ratio, Tap

# Normalisations scale their input by something of its own size too; that is no attention.
NOT_ATTENTION = ("norm", "drop", "scale")
SAME_FACTOR = 1e-3  # the most by which a product of two parts may differ from a factor that it makes


@dataclass(frozen=True, eq=False)
class Discovery:
    """The attention that was recognised, and what could not be told."""

    taps: list[Tap] = field(default_factory=list)
    untold: dict[nn.Module, str] = field(default_factory=dict)  # modules, and why: see ``factor_fit``
    sites: frozenset[Site] = frozenset()  # where something was multiplied, by a gate or not
    was_small: bool = False  # a larger input might tell more
    otherwise: tuple[nn.Module, ...] = ()  # modules that use what could be gates in a way that is not read


def recognise(
    network: nn.Module,
    modules: dict[str, nn.Module],
    known: list[Tap],
    run: Callable[[], Any],
    dimensions: Collection[int] = (4, 5),
) -> Discovery:
    """The attention modules that are in neither the table nor declared, in running order; ``known`` are the
    taps of those that are.

    ``run`` runs the network on N of 2 or more different inputs; ``dimensions`` are those that features can
    have. Nothing of the network is changed."""
    tree = ModuleTree(modules)
    attention = {tap.module for tap in known}
    holders = {ancestor for module in attention for ancestor in tree.ancestors(module)}
    listened = [module for module in modules.values() if not isinstance(module, torch.jit.ScriptModule)]
    candidates = {
        module
        for module in listened
        if module not in holders and not tree.is_within(module, attention) and not _is_plain(module)
    }
    observation = observe(network, run, listened, candidates, dimensions)
    taps = [_tap_of_module(module, observation, tree) for module in tree.outermost(observation.fits)]
    attention |= {tap.module for tap in taps}
    taps += _taps_of_blocks(observation, tree, attention)
    return _discovery(taps, observation, tree, attention)


def _discovery(
    taps: list[Tap], observation: Observation, tree: ModuleTree, attention: Collection[nn.Module]
) -> Discovery:
    small = {module: TOO_SMALL for module in observation.small_products if not _is_plain(module)}
    blocks = {tap.module for tap in taps}  # what could not be told of these is read all the same
    untold = {
        module: reason
        for module, reason in (small | observation.untold).items()
        if not tree.is_within(module, attention) and module not in blocks
    }
    sites = frozenset(product.where.site for product in observation.products)
    otherwise = [
        owner
        for squash, owner in observation.otherwise.items()
        if not squash.is_read and not tree.is_within(owner, attention)
    ]
    return Discovery(taps, untold, sites, TOO_SMALL in untold.values(), tuple(dict.fromkeys(otherwise)))


def _is_plain(module: nn.Module) -> bool:
    """Whether a module is one of torch's own, or called a normalisation or the like."""
    name = type(module).__name__.lower()
    return _is_torchs(module) or any(word in name for word in NOT_ATTENTION)


def _is_torchs(module: nn.Module) -> bool:
    """Whether a module is one of torch's own; a graph that ``torch.fx`` made of somebody's code is not, nor
    is one whose ``forward`` was replaced."""
    name = type(module).__module__
    return name.startswith("torch.") and not name.startswith("torch.fx.") and "forward" not in vars(module)


def _tap_of_module(module: nn.Module, observation: Observation, tree: ModuleTree) -> Tap:
    """The tap of a module that scales its input. A factor that two gates make is read in these two parts:
    gates in the module's own code, or modules inside it; even where one of them is dead, so that their
    product alone would not tell."""
    name, whole = tree.name(module), observation.fits[module]
    gates = _two_gates(observation.products, module)
    if _make({gate.kind: gate.gate for gate in gates if gate.gate is not None}, whole):
        return Tap(name, "both", module, "recognised", sites=tuple(gate.where for gate in gates))
    fits = {part: observation.fits[part] for part in tree.inside(module, observation.fits)}
    parts = {part: fits[part] for part in tree.outermost(fits)}
    kinds = {part: _kind(part, fits[part], observation, tree) for part in parts}
    if _make({kinds[part]: _as_kind(found, kinds[part]) for part, found in parts.items()}, whole):
        ratios = tuple(Ratio(inner, kinds[inner], observation.layouts.get(inner, "")) for inner in parts)
        return Tap(name, "both", module, "recognised", ratios=ratios)
    kind = _kind(module, whole, observation, tree)
    formula = "joint" if kind == "joint" else "product"
    ratio = Ratio(module, kind, observation.layouts.get(module, ""))
    return Tap(name, kind, module, "recognised", formula, ratios=(ratio,))


def _kind(module: nn.Module, found: Fit, observation: Observation, tree: ModuleTree) -> str:
    """The kind of a factor; where it is one number everywhere, that of the gates that the module multiplies,
    if they are of one."""
    if not found.is_constant:
        return found.kind
    gates = {gate.kind for gate in observation.products if tree.is_within(gate.owner, {module})}
    told = gates & {"channel", "spatial"}
    return told.pop() if len(told) == 1 else found.kind


def _as_kind(found: Fit, kind: str) -> Tensor:
    """A factor in the form of a kind; one that is the same everywhere takes either form."""
    if found.kind == kind or not found.is_constant:
        return found.factor
    return found.factor.flatten(1)[:, :1]


def _two_gates(products: list[GateProduct], module: nn.Module) -> list[GateProduct]:
    """The two gates that a module multiplies one after the other in its own code; empty if it does not do
    just that."""
    own = [gate for gate in products if gate.owner is module]
    if len(own) != 2 or own[1].follows is not own[0] or not _are_pair(*own):
        return []
    return own


def _make(factors: dict[str, Tensor], whole: Fit) -> bool:
    """Whether a channel part (N, C) times a spatial part (N, h, w) is the whole factor."""
    if factors.keys() != {"channel", "spatial"}:
        return False
    channel, spatial = factors["channel"], factors["spatial"]
    channel = channel.reshape(*channel.shape, *[1] * max(1, spatial.ndim - 1))
    made = channel * spatial.reshape(len(spatial), 1, *spatial.shape[1:] or (1,)).to(channel.device)
    wanted = whole.factor
    if whole.kind == "channel":
        wanted = wanted.reshape(*wanted.shape, *[1] * (made.ndim - 2))
    elif whole.kind == "spatial":
        wanted = wanted[:, None]
    try:
        off = (made - wanted.to(made.device)).abs()  # (N, C, h, w)
    except RuntimeError:  # parts of other sizes
        return False
    same = max(SAME_FACTOR, whole.tolerance)
    return off.numel() > 0 and bool((off[~off.isnan()] < same).all())


def _taps_of_blocks(
    observation: Observation, tree: ModuleTree, attention: Collection[nn.Module]
) -> list[Tap]:
    """Taps for gates that a block multiplies in its own code, as in ``x = self.ca(x) * x``."""
    gates = [gate for gate in observation.products if _is_gate(gate, tree, attention)]
    taps: list[Tap] = []
    seconds: set[GateProduct] = set()
    for gate in gates:
        if gate in seconds:
            continue  # read with the gate before it
        second = next((other for other in gates if other.follows is gate and _are_pair(gate, other)), None)
        if second is not None:
            seconds.add(second)
        tap = _tap_of_block(gate, second, observation, tree)
        if any(tap.sites == other.sites for other in taps):
            continue  # a block that runs twice
        taken = [other.layer for other in taps]
        taps.append(replace(tap, layer=free_name(tap.layer, taken, "{name}.{number}")))
    return taps


def _tap_of_block(
    first: GateProduct, second: GateProduct | None, observation: Observation, tree: ModuleTree
) -> Tap:
    """A single gate is named after the module that made it, if there is one; two after their block, and so is
    one that its owner multiplies what it is given by."""
    owner = first.owner
    if second is not None:
        return Tap(tree.name(owner), "both", owner, "recognised", sites=(first.where, second.where))
    named = owner if first.source is None or owner in observation.gating else first.source
    formula = {"joint": "joint", "paths": "none"}.get(first.kind, "product")
    return Tap(tree.name(named), first.kind, owner, "recognised", formula, sites=(first.where,))


def _is_gate(gate: GateProduct, tree: ModuleTree, attention: Collection[nn.Module]) -> bool:
    """Whether a product is by a gate, and not a part of attention that is read already."""
    if tree.is_within(gate.owner, attention) or _is_torchs(gate.owner):
        return False
    if gate.is_bounded:
        return gate.least >= 0 or gate.kind in ("channel", "spatial")
    return gate.least >= 0 and gate.greatest <= GREATEST


def _are_pair(first: GateProduct | None, second: GateProduct) -> bool:
    """Whether two gates of one block are on channels and on positions."""
    if first is None or first.owner is not second.owner:
        return False
    return {first.kind, second.kind} == {"channel", "spatial"}
