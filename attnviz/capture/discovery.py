"""Finds the attention of a network that nobody described: runs it once on two different inputs, and asks of
every module whether its output is its input times a factor, and of every multiplication whether it is one by
a gate."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from torch import Tensor, nn

from ..naming import free_name
from .factor_fit import Fit
from .module_tree import ModuleTree
from .observation import GateProduct, Observation, observe
from .taps import Tap

# Normalisations scale their input by something of its own size too; that is no attention.
NOT_ATTENTION = ("norm", "drop", "scale")
GREATEST_GATE = 2  # 1 + sigmoid, as in BAM
SAME_FACTOR = 1e-3  # the most by which a product of two parts may differ from a factor that it makes


def recognise(network: nn.Module, modules: dict[str, nn.Module], known: list[Tap], x: Tensor) -> list[Tap]:
    """The taps of attention modules that are in neither the table nor declared, in running order; ``known``
    are the taps of those that are.

    ``x`` is (N, ...) with N of 2 or more different inputs, in the network's own device and type; nothing of
    the network is changed."""
    tree = ModuleTree(modules)
    attention = {tap.module for tap in known}
    holders = {ancestor for module in attention for ancestor in tree.ancestors(module)}
    candidates = {
        module
        for module in modules.values()
        if module not in holders and not tree.is_within(module, attention) and not _is_plain(module)
    }
    observation = observe(network, list(modules.values()), candidates, x)
    taps = [_tap_of_module(module, observation, tree) for module in tree.outermost(observation.fits)]
    return taps + _taps_of_blocks(observation, tree, attention | {tap.module for tap in taps})


def _is_plain(module: nn.Module) -> bool:
    """Whether a module is one of torch's own, or a normalisation or the like."""
    kind = type(module)
    name = kind.__name__.lower()
    return kind.__module__.startswith("torch.") or any(word in name for word in NOT_ATTENTION)


def _tap_of_module(module: nn.Module, observation: Observation, tree: ModuleTree) -> Tap:
    """The tap of a module that scales its input. A factor of both channels and positions is read in its two
    parts where there are such: gates in the module's own code, or modules inside it."""
    name, whole = tree.name(module), observation.fits[module]
    if whole.kind != "joint":
        return Tap(name, whole.kind, module, "recognised", ratios=((module, whole.kind),))
    gates = _two_gates(observation.products, module)
    if _make({gate.kind: gate.values() for gate in gates}, whole):
        sites = tuple((gate.site, gate.kind) for gate in gates)
        return Tap(name, "both", module, "recognised", sites=sites)
    fits = {part: observation.fits[part] for part in tree.inside(module, observation.fits)}
    parts = {part: fits[part] for part in tree.outermost(fits)}
    if _make({part.kind: part.factor for part in parts.values()}, whole):
        ratios = tuple((inner, part.kind) for inner, part in parts.items())
        return Tap(name, "both", module, "recognised", ratios=ratios)
    return Tap(name, "joint", module, "recognised", "joint", ratios=((module, "joint"),))


def _two_gates(products: list[GateProduct], module: nn.Module) -> list[GateProduct]:
    """The two gates that a module multiplies one after the other in its own code; empty if it does not do
    just that."""
    own = [gate for gate in products if gate.owner is module]
    if len(own) != 2 or own[1].follows is not own[0] or not _are_pair(*own):
        return []
    return own


def _make(factors: dict[str, Tensor], whole: Fit) -> bool:
    """Whether a channel part times a spatial part is the whole factor."""
    if factors.keys() != {"channel", "spatial"}:
        return False
    channel, spatial = factors["channel"], factors["spatial"]
    if channel.shape != whole.factor.shape[:2] or spatial.shape != (len(channel), *whole.factor.shape[2:]):
        return False
    off = (channel[:, :, None, None] * spatial[:, None] - whole.factor).abs()  # (N, C, h, w)
    return bool((off[~off.isnan()] < SAME_FACTOR).all())


def _taps_of_blocks(
    observation: Observation, tree: ModuleTree, attention: Collection[nn.Module]
) -> list[Tap]:
    """Taps for gates that a block multiplies in its own code, as in ``x = self.ca(x) * x``."""
    gates = [gate for gate in observation.products if _is_gate(gate, tree, attention)]
    taps: list[Tap] = []
    for gate in gates:
        if gate.follows in gates and _are_pair(gate.follows, gate):
            continue  # read with the gate before it
        second = next((other for other in gates if other.follows is gate and _are_pair(gate, other)), None)
        tap = _tap_of_block(gate, second, observation, tree)
        if any(_sites(tap) == _sites(other) for other in taps):
            continue  # a block that runs twice
        taken = [other.layer for other in taps]
        taps.append(replace(tap, layer=free_name(tap.layer, taken, "{name}.{number}")))
    return taps


def _tap_of_block(
    first: GateProduct, second: GateProduct | None, observation: Observation, tree: ModuleTree
) -> Tap:
    """A single gate is named after the module that made it, if there is one; two after their block."""
    if second is not None:
        sites = ((first.site, first.kind), (second.site, second.kind))
        return Tap(tree.name(first.owner), "both", first.owner, "recognised", sites=sites)
    source = observation.source(first.gate)
    path = tree.path(source) if source is not None else ""
    name = path or tree.name(first.owner)
    return Tap(name, first.kind, first.owner, "recognised", sites=((first.site, first.kind),))


def _is_gate(gate: GateProduct, tree: ModuleTree, attention: Collection[nn.Module]) -> bool:
    """Whether a product is by a gate, and not a part of attention that is read already."""
    if tree.is_within(gate.owner, attention) or _is_plain(gate.owner):
        return False
    least, greatest = gate.gate.aminmax()
    return bool(least >= 0) and bool(greatest <= GREATEST_GATE)


def _are_pair(first: GateProduct | None, second: GateProduct) -> bool:
    """Whether two gates of one block are on channels and on positions."""
    return first is not None and first.owner is second.owner and first.kind != second.kind


def _sites(tap: Tap) -> list:
    return [site for site, _ in tap.sites]
