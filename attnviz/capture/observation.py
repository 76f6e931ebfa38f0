"""What one pass of a network that nobody described shows: modules that scale their input, multiplications by
something that could be a gate, and what could not be told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from .factor_fit import Fit, Sample, fit, is_elementwise, is_nearly_one, is_normalisation
from .hooks import first_tensor, on_calls
from .known_tensors import KnownTensors
from .layouts import canonical
from .marks import Squash
from .memory import Memory, version_of
from .multiplications import GateSite, Product, Site
from .product_listener import ProductListener, ProductMemory

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class GateProduct:
    """A multiplication by what could be a gate, without its features, which would fill the memory."""

    where: GateSite
    least: float
    greatest: float
    gate: Tensor | None  # (N, C) or (N, h, w) float32; None of the other kinds, whose gates are large
    is_bounded: bool  # its numbers lie in a closed range by the function that made them
    memory: ProductMemory
    source: nn.Module | None  # the outermost module that gave the gate back, which is the last to do so
    follows: GateProduct | None  # the product whose result this one multiplies

    @property
    def owner(self) -> nn.Module:
        """The module whose code it stands in."""
        return self.where.site.owner

    @property
    def kind(self) -> str:
        """As in ``GateSite``."""
        return self.where.kind


@dataclass(eq=False)
class Observation:
    """What one pass showed, in running order."""

    fits: dict[nn.Module, Fit] = field(default_factory=dict)  # of modules whose output is their input scaled
    products: list[GateProduct] = field(default_factory=list)
    untold: dict[nn.Module, str] = field(default_factory=dict)  # modules that could scale, and why not known
    small_products: set[nn.Module] = field(default_factory=set)  # owners of products over too few positions
    gating: set[nn.Module] = field(default_factory=set)  # modules that multiply what they are given by a gate
    # Of what a module is given, if not the usual one.
    layouts: dict[nn.Module, str] = field(default_factory=dict)
    # What could be gates, and whose code uses them with features by something else than a product.
    otherwise: dict[Squash, nn.Module] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _RunningCall:
    """A call of a module under way: its features and some of their numbers, all that it was called with, and
    how many products there had been when it began."""

    features: Tensor
    memory: Memory | None  # where they lie
    layout: str  # see ``layouts``
    version: int  # of the features: another one afterwards says that they were changed in place
    sample: Sample | None
    inputs: tuple
    named: dict[str, Any]
    product_count: int
    gate_count: int  # of what could be gates, by the functions that made them

    def is_gating(self, module: nn.Module, products: list[GateProduct]) -> bool:
        """Whether the module multiplied what it was given by what could be a gate, in its own code."""
        if self.memory is None:
            return False
        own = [product for product in products[self.product_count :] if product.owner is module]
        multiplied = [product.memory.features for product in own]
        return any(each is not None and each.begins_like(self.memory) for each in multiplied)

    def repeat(self, module: nn.Module, features: Tensor) -> Tensor:
        """What the module gives back for other features."""
        first = first_tensor(self.inputs, self.named)
        inputs = (features if value is first else value for value in self.inputs)
        named = {name: features if value is first else value for name, value in self.named.items()}
        return module.forward(*inputs, **named)


def observe(
    network: nn.Module,
    run: Callable[[], Any],
    modules: Collection[nn.Module],
    candidates: Collection[nn.Module],
    dimensions: Collection[int] = (4, 5),
) -> Observation:
    """Run the network by ``run``, which gives it N different inputs, and watch its modules; ``candidates``
    are those that could be attention, ``dimensions`` those that features can have, batch and channels
    included.

    A second pass looks at the candidates that changed their input in place."""
    watch = _Watch(candidates, dimensions)
    _watched(run, modules, watch, dimensions)
    if watch.overwritten:
        again = _Watch(watch.overwritten, dimensions, keep_features=True)
        _watched(run, modules, again, dimensions)
        watch.observation.fits |= again.observation.fits
        watch.observation.layouts |= again.observation.layouts
    if watch.ownerless:
        log.warning(
            "This %s multiplies features by what could be a gate outside of its modules' code (%d times), "
            "which is not read: is its __call__ its own?",
            type(network).__name__,
            watch.ownerless,
        )
    return watch.observation


def _watched(
    run: Callable[[], Any], modules: Collection[nn.Module], watch: _Watch, dimensions: Collection[int]
) -> None:
    listener = ProductListener(watch, set(modules), watch.known, dimensions)
    # No inference mode: what a network keeps for later, such as a grid, must be good for training too.
    with torch.no_grad(), on_calls(modules, watch.enter, watch.leave), listener:
        run()


class _Watch:
    """Collects an observation while a network runs."""

    def __init__(
        self, candidates: Collection[nn.Module], dimensions: Collection[int], keep_features: bool = False
    ) -> None:
        self.observation = Observation()
        self.is_looking = False
        self.ownerless = 0  # products
        self.known = KnownTensors()
        # Candidates that may scale, and changed their input in place.
        self.overwritten: set[nn.Module] = set()
        self._candidates, self._dimensions = candidates, dimensions
        self._keep_features = keep_features
        self._running: list[_RunningCall] = []
        self._outputs: list[tuple[Memory, nn.Module]] = []  # of the size of a gate, and whose

    def enter(self, module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        if not self.is_looking:
            with self._looking():
                self._begin(module, inputs, named)

    def _begin(self, module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        features, sample = first_tensor(inputs, named), None
        layout, memory = self.known.layouts.of(features), self.known.memories.of(features)
        is_told = features.ndim in self._dimensions or bool(layout)
        has_numbers = memory is not None and features.numel() > 0
        if module in self._candidates and is_told and has_numbers:
            sample = Sample(canonical(features, layout))
            if self._keep_features or features.is_inference():
                features = features.clone()
        counts = len(self.observation.products), self.known.marks.small_count
        self._running.append(
            _RunningCall(features, memory, layout, version_of(features), sample, inputs, named, *counts)
        )

    def leave(self, module: nn.Module, output: object) -> None:
        if not self.is_looking and self._running:
            with self._looking():
                self._look_at(self._running.pop(), module, output)

    @contextmanager
    def _looking(self) -> Iterator[None]:
        self.is_looking = True
        try:
            yield
        finally:
            self.is_looking = False

    def _look_at(self, call: _RunningCall, module: nn.Module, output: object) -> None:
        if not isinstance(output, Tensor):
            return
        if output.ndim >= 3 and 1 in (output.shape[1], output[0, 0].numel()):
            memory = self.known.memories.of(output)
            if memory is not None:
                self._outputs.append((memory, module))
        if call.sample is None or module in self.observation.fits or output.shape != call.features.shape:
            return
        if call.is_gating(module, self.observation.products):
            self.observation.gating.add(module)
        usual = canonical(output, call.layout)
        reason = call.sample.untold(usual)
        if reason:
            if not call.layout or call.features.ndim in self._dimensions:
                self.observation.untold.setdefault(module, reason)
        elif call.sample.could_scale_to(usual):
            self._fit(call, module, output)

    def _fit(self, call: _RunningCall, module: nn.Module, output: Tensor) -> None:
        if version_of(call.features) != call.version:
            self.overwritten.add(module)
            return
        scaling = fit(canonical(call.features, call.layout), canonical(output, call.layout))
        if scaling is not None and not self._is_other(call, module, output, scaling):
            self.observation.fits[module] = scaling
            self.observation.untold.pop(module, None)
            if call.layout:
                self.observation.layouts[module] = call.layout

    def _is_other(self, call: _RunningCall, module: nn.Module, output: Tensor, scaling: Fit) -> bool:
        """Whether a module looks like attention only because it is a function of each element, a
        normalisation, or a residual block whose branch is next to nothing."""
        has_gates = len(self.observation.products) > call.product_count
        has_gates |= self.known.marks.small_count > call.gate_count
        if is_nearly_one(scaling.factor) and module not in self.observation.gating:
            return True

        def run(features: Tensor) -> Tensor:
            return call.repeat(module, features)

        if is_normalisation(run, call.features, output):
            return True
        return not has_gates and is_elementwise(run, call.features, output)

    def multiplied_by_nobody(self) -> None:
        self.ownerless += 1

    def multiplied_too_little(self, site: Site | None) -> None:
        if site is not None:
            self.observation.small_products.add(site.owner)

    def used_otherwise(self, squash: Squash, site: Site | None) -> None:
        if site is not None:
            self.observation.otherwise.setdefault(squash, site.owner)

    def multiplied(self, product: Product, memory: ProductMemory, is_bounded: bool) -> None:
        kind, least_greatest = product.where.kind, product.gate.detach().aminmax()
        small = torch.from_numpy(product.values()) if kind in ("channel", "spatial") else None
        self.observation.products.append(
            GateProduct(
                product.where,
                float(least_greatest.min),
                float(least_greatest.max),
                small,
                is_bounded,
                memory,
                self._source(memory.gate),
                self._followed(memory.features),
            )
        )

    def _followed(self, features: Memory | None) -> GateProduct | None:
        """The product whose result these features are, unchanged since."""
        if features is None:
            return None
        earlier = reversed(self.observation.products)
        return next((other for other in earlier if other.memory.result == features), None)

    def _source(self, gate: Memory | None) -> nn.Module | None:
        if gate is None:
            return None
        return next((module for output, module in reversed(self._outputs) if output.begins_like(gate)), None)
