"""What one pass of a network that nobody described shows: modules that scale their input, and multiplications
by something that could be a gate."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from .factor_fit import Fit, fit, is_elementwise, is_nearly_one
from .hooks import first_tensor, on_calls
from .multiplications import Product, ProductListener, Site

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class GateProduct:
    """A multiplication by what could be a gate, without its features, which would fill the memory."""

    site: Site
    kind: str  # "channel" or "spatial"
    gate: Tensor
    result: weakref.ref[Tensor]
    follows: GateProduct | None  # the product whose result this one multiplies

    @property
    def owner(self) -> nn.Module:
        """The module whose code it stands in."""
        return self.site.owner

    def values(self) -> Tensor:
        """The gate as it is on its features: (N, C) or (N, h, w) float32."""
        return (self.gate[:, :, 0, 0] if self.kind == "channel" else self.gate[:, 0]).float()


@dataclass(eq=False)
class Observation:
    """What one pass showed, in running order."""

    fits: dict[nn.Module, Fit] = field(default_factory=dict)  # of modules whose output is their input scaled
    products: list[GateProduct] = field(default_factory=list)
    # Outputs of the size of a gate, and whose; kept so that no other tensor takes their place in memory.
    outputs: list[tuple[Tensor, nn.Module]] = field(default_factory=list)

    def source(self, gate: Tensor) -> nn.Module | None:
        """The outermost module that gave a gate back, which is the last to do so."""
        for output, module in reversed(self.outputs):
            if output.data_ptr() == gate.data_ptr():
                return module
        return None


@dataclass(frozen=True, eq=False)
class _RunningCall:
    """A call of a module under way: its features, all that it was called with, and how many products there
    had been when it began."""

    features: Tensor
    inputs: tuple
    named: dict[str, Any]
    product_count: int

    def repeat(self, module: nn.Module, features: Tensor) -> Tensor:
        """What the module gives back for other features."""
        first = first_tensor(self.inputs, self.named)
        inputs = (features if value is first else value for value in self.inputs)
        named = {name: features if value is first else value for name, value in self.named.items()}
        return module.forward(*inputs, **named)


def observe(
    network: nn.Module, modules: Collection[nn.Module], candidates: Collection[nn.Module], x: Tensor
) -> Observation:
    """Run the network once, on ``x`` (N, ...), and watch all of its modules; ``candidates`` are those that
    could be attention."""
    watch = _Watch(candidates)
    listener = ProductListener(watch.multiplied, set(modules))
    with torch.inference_mode(), on_calls(modules, watch.enter, watch.leave), listener:
        network(x)
    if watch.ownerless:
        log.warning(
            "This %s multiplies features by what could be a gate outside of its modules' code (%d times), "
            "which is not read: is its __call__ its own?",
            type(network).__name__,
            watch.ownerless,
        )
    return watch.observation


class _Watch:
    """Collects an observation while a network runs."""

    def __init__(self, candidates: Collection[nn.Module]) -> None:
        self.observation = Observation()
        self.ownerless = 0  # products
        self._candidates = candidates
        self._running: list[_RunningCall] = []
        self._paused = False  # what is computed here is no part of the network

    def enter(self, module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        if self._paused:
            return
        features = first_tensor(inputs, named)
        if module in self._candidates and features.ndim == 4:
            features = features.clone()
        self._running.append(_RunningCall(features, inputs, named, len(self.observation.products)))

    def leave(self, module: nn.Module, output: object) -> None:
        if self._paused:
            return
        self._paused = True
        try:
            self._look_at(self._running.pop(), module, output)
        finally:
            self._paused = False

    def _look_at(self, call: _RunningCall, module: nn.Module, output: object) -> None:
        if not isinstance(output, Tensor):
            return
        if output.ndim == 4 and 1 in (output.shape[1], output.shape[2] * output.shape[3]):
            self.observation.outputs.append((output, module))
        if module in self._candidates and module not in self.observation.fits:
            scaling = fit(call.features, output)
            if scaling is not None and not self._is_activation(call, module, output, scaling):
                self.observation.fits[module] = scaling

    def _is_activation(self, call: _RunningCall, module: nn.Module, output: Tensor, scaling: Fit) -> bool:
        """Whether a module that multiplied by no gate looks like attention only because it is a function of
        each element, or a residual block whose branch is next to nothing."""
        if len(self.observation.products) > call.product_count:
            return False
        return is_nearly_one(scaling.factor) or is_elementwise(
            lambda features: call.repeat(module, features), call.features, output
        )

    def multiplied(self, product: Product) -> None:
        if self._paused:
            return
        if product.site is None:
            self.ownerless += 1
            return
        earlier = reversed(self.observation.products)
        follows = next((other for other in earlier if other.result() is product.features), None)
        self.observation.products.append(
            GateProduct(product.site, product.kind, product.gate, weakref.ref(product.result), follows)
        )
