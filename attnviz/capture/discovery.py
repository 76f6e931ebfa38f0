"""Finds the attention of a network that nobody described: runs it once on two different inputs, and asks of
every module whether its output is its input times a factor, and of every multiplication whether it is one by
a gate."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from ..naming import free_name
from .factor_fit import Fit, each_alone, fit, is_one
from .hooks import calls, features_of
from .multiplications import Product, Products, Site
from .taps import Tap

# Normalisations scale their input by something of its own size too; that is no attention.
NOT_ATTENTION = ("norm", "drop", "scale")


@dataclass(eq=False)
class _Call:
    """A module that is running: its input, what else it was called with, and how many products had been seen
    when it began."""

    module: nn.Module
    x: Tensor
    inputs: tuple
    named: dict
    products: int

    def again(self, x: Tensor) -> Tensor:
        """What it gives back for another first tensor."""
        first = features_of(self.inputs, self.named)
        inputs = tuple(x if value is first else value for value in self.inputs)
        return self.module.forward(
            *inputs, **{name: x if value is first else value for name, value in self.named.items()}
        )


@dataclass(frozen=True, eq=False)
class _Gate:
    """A product without its features, which would fill the memory."""

    site: Site
    kind: str
    gate: Tensor
    result: weakref.ref[Tensor]
    follows: _Gate | None  # the product whose result this one multiplies

    def values(self) -> Tensor:
        """As it is on its features: (N, C) or (N, h, w) float32."""
        return (self.gate[:, :, 0, 0] if self.kind == "channel" else self.gate[:, 0]).float()


@dataclass(eq=False)
class _Seen:
    """What one pass showed."""

    fits: dict[nn.Module, Fit] = field(default_factory=dict)
    products: list[_Gate] = field(default_factory=list)
    outputs: list[tuple[Tensor, nn.Module]] = field(
        default_factory=list
    )  # small ones, kept so that no other takes their place


def recognise(network: nn.Module, modules: dict[str, nn.Module], known: list[Tap], x: Tensor) -> list[Tap]:
    """The taps of attention modules that are in neither the table nor declared, in running order. ``x`` is
    (N, ...) with N of 2 or more different inputs, in the network's own device and type; nothing of the
    network is changed."""
    paths = {module: path for path, module in modules.items()}
    taken = tuple(f"{paths[tap.module]}." for tap in known)
    holders = {
        prefix[:end] for prefix in taken for end in range(len(prefix)) if prefix[end] == "."
    }  # of what is known already
    candidates = [
        module
        for path, module in modules.items()
        if not f"{path}.".startswith(taken) and path not in holders and not _is_plain(module)
    ]
    seen = _watched(network, list(modules.values()), set(candidates), x)
    taps = _by_modules(seen, paths)
    inside = (*taken, *(f"{paths[tap.module]}." for tap in taps))
    return taps + _by_products(seen, paths, inside)


def _is_plain(module: nn.Module) -> bool:
    kind = type(module)
    return kind.__module__.startswith("torch.") or any(
        word in kind.__name__.lower() for word in NOT_ATTENTION
    )


def _watched(network: nn.Module, modules: list[nn.Module], candidates: set[nn.Module], x: Tensor) -> _Seen:
    seen = _Seen()
    running: list[_Call] = []
    quiet = False

    def enter(module: nn.Module, inputs: tuple, named: dict) -> None:
        if not quiet:
            features = features_of(inputs, named)
            kept = features.clone() if module in candidates and features.ndim == 4 else features
            running.append(_Call(module, kept, inputs, named, len(seen.products)))

    def leave(module: nn.Module, output: object) -> None:
        nonlocal quiet
        if quiet:
            return
        quiet = True  # what is computed here is no part of the network
        try:
            _left(seen, running.pop(), module, output, candidates)
        finally:
            quiet = False

    def multiplied(product: Product) -> None:
        if not quiet:
            before = next(
                (gate for gate in reversed(seen.products) if gate.result() is product.features), None
            )
            seen.products.append(
                _Gate(product.site, product.kind, product.gate, weakref.ref(product.result), before)
            )

    with torch.inference_mode(), calls(modules, enter, leave), Products(multiplied):
        network(x)
    return seen


def _left(seen: _Seen, call: _Call, module: nn.Module, output: object, candidates: set[nn.Module]) -> None:
    """Keep what a module that has just run was found to do."""
    if not isinstance(output, Tensor):
        return
    if output.ndim == 4 and 1 in (output.shape[1], output.shape[2] * output.shape[3]):
        seen.outputs.append((output, module))
    if module not in candidates or module in seen.fits:
        return
    found = fit(call.x, output)
    if found is None:
        return
    if len(seen.products) == call.products and (
        is_one(found.factor) or each_alone(call.again, call.x, output)
    ):
        return
    seen.fits[module] = found


def _by_modules(seen: _Seen, paths: dict[nn.Module, str]) -> list[Tap]:
    taps = []
    found = [(paths[module], module) for module in seen.fits]
    for path, module in found:
        above = [other for other, _ in found if other != path and (not other or path.startswith(f"{other}."))]
        if above:
            continue
        within = [
            (other, inner)
            for other, inner in found
            if other != path and (not path or other.startswith(f"{path}."))
        ]
        parts = [
            (inner, seen.fits[inner])
            for other, inner in within
            if not any(other != more and other.startswith(f"{more}.") for more, _ in within)
        ]
        name, what = path or type(module).__name__, seen.fits[module]
        chain = _chain(seen.products, paths, path) if what.kind == "joint" else []
        if chain and _is_product({gate.kind: gate.values() for gate in chain}, what):
            taps.append(
                Tap(name, "both", module, "recognised", sites=tuple((gate.site, gate.kind) for gate in chain))
            )
        elif what.kind == "joint" and _is_product({fitted.kind: fitted.factor for _, fitted in parts}, what):
            taps.append(
                Tap(
                    name,
                    "both",
                    module,
                    "recognised",
                    ratios=tuple((inner, fitted.kind) for inner, fitted in parts),
                )
            )
        else:
            formula = "joint" if what.kind == "joint" else "product"
            taps.append(Tap(name, what.kind, module, "recognised", formula, ratios=((module, what.kind),)))
    return taps


def _chain(products: list[_Gate], paths: dict[nn.Module, str], path: str) -> list[_Gate]:
    """The two gates that a module multiplies one after the other in its own code; empty if it does not do
    just that."""
    inside = [gate for gate in products if gate.site.owner is not None and paths.get(gate.site.owner) == path]
    pairs = [(gate.follows, gate) for gate in inside if gate.follows in inside and _pair(gate.follows, gate)]
    return [gate for gate in pairs[0] if gate is not None] if len(pairs) == 1 and len(inside) == 2 else []


def _is_product(factors: dict[str, Tensor], whole: Fit) -> bool:
    """Whether a module's factor is a channel part times a spatial part."""
    if factors.keys() != {"channel", "spatial"}:
        return False
    channel, spatial = factors["channel"], factors["spatial"]
    if channel.shape != whole.factor.shape[:2] or spatial.shape != (len(channel), *whole.factor.shape[2:]):
        return False
    off = (channel[:, :, None, None] * spatial[:, None] - whole.factor).abs()
    return bool((off[~off.isnan()] < 1e-3).all())


def _by_products(seen: _Seen, paths: dict[nn.Module, str], inside: tuple[str, ...]) -> list[Tap]:
    """Taps for gates that are multiplied in the open code of a block, as in ``x = self.ca(x) * x``."""
    free = [gate for gate in seen.products if _is_gate(gate, paths, inside)]
    taps: list[Tap] = []
    for gate in free:
        then = next((other for other in free if other.follows is gate and _pair(gate, other)), None)
        if gate.follows in free and _pair(gate.follows, gate):
            continue
        owner = gate.site.owner
        assert owner is not None
        # the outermost module that gave the gate back, which is the last to do so
        source = next(
            (
                paths[module]
                for output, module in reversed(seen.outputs)
                if output.data_ptr() == gate.gate.data_ptr()
            ),
            "",
        )
        name = (paths[owner] if then is not None or not source else source) or type(owner).__name__
        chain = [gate] if then is None else [gate, then]
        tap = Tap(
            name,
            gate.kind if then is None else "both",
            owner,
            "recognised",
            sites=tuple((one.site, one.kind) for one in chain),
        )
        if not any(_places(tap) == _places(other) for other in taps):  # a block that is called twice
            taken = [other.layer for other in taps]
            taps.append(replace(tap, layer=free_name(name, taken, "{name}.{number}")))
    return taps


def _pair(first: _Gate | None, second: _Gate) -> bool:
    return first is not None and first.site.owner is second.site.owner and first.kind != second.kind


def _is_gate(gate: _Gate, paths: dict[nn.Module, str], inside: tuple[str, ...]) -> bool:
    owner = gate.site.owner
    if owner is None or owner not in paths or f"{paths[owner]}.".startswith(inside) or _is_plain(owner):
        return False
    least, greatest = gate.gate.aminmax()
    return bool(least >= 0) and bool(greatest <= 2)


def _places(tap: Tap) -> list[tuple]:
    return [(id(site.owner), site.code, site.at) for site, _ in tap.sites if isinstance(site, Site)]
