"""Listens to a network's attention while it runs. The only file that registers hooks.

Hooks are on the modules of a network that others may be using: they are there only while a ``with`` lasts,
keep only what the calling thread computes, and go on every exit. What leaves is a copy: networks change
tensors in place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import TraceError
from .factor_fit import ratio
from .layer_attention import LayerAttention, Step
from .multiplications import Product, Products, Site, as_numpy
from .taps import Read, StepRead, Tap

Parts = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Heard:
    """One call of one attention module: its parts for each of N inputs, and the shape (C, h, w) of its
    features."""

    tap: Tap
    shape: tuple[int, int, int]
    parts: Parts
    steps: Parts = field(default_factory=dict)

    def layer(self, name: str, row: int) -> LayerAttention:
        """What it computed for one of the inputs."""
        parts = {part: values[row].copy() for part, values in self.parts.items()}
        formula = "joint" if "joint" in parts else self.tap.formula
        if formula == "product" and not {"channel", "spatial"} & parts.keys():
            formula = "none"
        steps = tuple(Step(step, values[row].copy()) for step, values in self.steps.items())
        return LayerAttention(name, self.tap.kind, self.shape, formula=formula, steps=steps, **parts)


@dataclass(eq=False)
class Listener:
    """Collects what the taps' modules compute; ``heard`` grows in running order. With ``steps``, what they
    compute on the way too."""

    taps: list[Tap]
    steps: bool = False
    heard: list[Heard] = field(default_factory=list)
    _gathered: dict[Tap, list[tuple[Read, Parts]]] = field(default_factory=dict)
    _inputs: dict[nn.Module, list[Tensor]] = field(default_factory=dict)
    _on_the_way: dict[Tap, list[tuple[str, Parts]]] = field(
        default_factory=dict
    )  # of each call of a child: its path, its steps
    _caller: int = field(default_factory=threading.get_ident)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hooks on, for this thread's passes only, and off again."""
        children = [child for tap in self.taps for child in tap.children.values()]
        shared = (
            {child for child in children if children.count(child) > 1}
            if len(set(children)) < len(children)
            else set()
        )
        with ExitStack() as undo:
            for tap in self.taps:
                sharing = bool(shared) and not shared.isdisjoint(tap.children.values())
                alone = not sharing and _tells_its_shape(tap)
                if self.steps and not sharing:
                    self._watch(tap, undo)  # before the gates' own hooks, the last of which ends the call
                for read in tap.reads:
                    if read.child in tap.children:
                        undo.callback(
                            tap.children[read.child]
                            .register_forward_hook(self._keep(tap, read, alone))
                            .remove
                        )
                if tap.reads and not alone:
                    undo.callback(tap.module.register_forward_hook(self._finish(tap)).remove)
                if sharing:  # what a child said inside another module does not count
                    undo.callback(tap.module.register_forward_pre_hook(self._begin(tap)).remove)
                for module, kind in tap.ratios:
                    undo.callback(module.register_forward_pre_hook(self._enter, with_kwargs=True).remove)
                    undo.callback(module.register_forward_hook(self._divide(tap, kind)).remove)
            sites = {
                (id(site.owner), site.code, site.at): tap
                for tap in self.taps
                for site, _ in tap.sites
                if isinstance(site, Site)
            }
            if sites:
                undo.enter_context(Products(lambda product: self._multiplied(sites, product)))
            yield

    def take(self) -> list[Heard]:
        """What was heard since the last time. Raises TraceError if a module that declares a gate did not run
        it."""
        heard, self.heard = self.heard, []
        for tap in {one.tap for one in heard} ^ set(self.taps):
            if tap.how == "declared":
                roles = " and ".join(read.role for read in tap.reads)
                raise TraceError(f"The {roles} gate of {tap.layer} did not run in the forward pass.")
        self._gathered.clear()
        self._on_the_way.clear()
        return heard

    def _watch(self, tap: Tap, undo: ExitStack) -> None:
        for path in dict.fromkeys(step.child for step in tap.steps):
            steps = [step for step in tap.steps if step.child == path]
            with suppress(AttributeError):  # some forms of a module lack some children
                undo.callback(
                    tap.module.get_submodule(path).register_forward_hook(self._note(tap, path, steps)).remove
                )

    def _note(self, tap: Tap, path: str, steps: list[StepRead]) -> Callable[..., None]:
        def hook(_module: nn.Module, inputs: tuple, output: Tensor) -> None:
            if threading.get_ident() != self._caller:
                return
            noted = self._on_the_way.setdefault(tap, [])
            call = 1 + sum(child == path for child, _ in noted)
            values = {
                step.name: _step(step, inputs[0] if step.side == "input" else output)
                for step in steps
                if step.call == call
            }
            noted.append((path, values))

        return hook

    def _hear(self, tap: Tap, shape: tuple[int, int, int], parts: Parts) -> None:
        noted = {name: values for _, steps in self._on_the_way.pop(tap, ()) for name, values in steps.items()}
        self.heard.append(
            Heard(
                tap, shape, parts, {step.name: noted[step.name] for step in tap.steps if step.name in noted}
            )
        )

    def _begin(self, tap: Tap) -> Callable[..., None]:
        def hook(*_: Any) -> None:
            self._gathered.pop(tap, None)

        return hook

    def _keep(self, tap: Tap, read: Read, alone: bool) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
            if threading.get_ident() != self._caller:
                return
            gathered = self._gathered.setdefault(tap, [])
            if not alone:
                gathered.append((read, _copied(read, tap, output)))
                return
            if any(kept is read for kept, _ in gathered):
                raise TraceError(f"The {read.role} gate of {tap.layer} ran twice in one call.")
            gathered.append((read, _copied(read, tap, output)))
            if len(gathered) == len(tap.reads):  # no need to wait for the module's end
                parts = _joined(tap, [parts for _, parts in self._gathered.pop(tap)])
                self._hear(tap, (parts["channel"].shape[1], *parts["spatial"].shape[1:]), parts)

        return hook

    def _finish(self, tap: Tap) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
            if threading.get_ident() != self._caller:
                return
            gathered = self._gathered.pop(tap, [])
            for read in tap.reads:
                calls = sum(kept is read for kept, _ in gathered)
                if calls > read.calls:
                    raise TraceError(
                        f"The {read.role} gate of {tap.layer} ran "
                        f"{'twice' if calls == 2 else f'{calls} times'} in one call."
                    )
                if calls < read.calls and not read.optional:
                    raise TraceError(f"The {read.role} gate of {tap.layer} did not run in the forward pass.")
            channels, height, width = output.shape[1:]
            self._hear(tap, (channels, height, width), _joined(tap, [parts for _, parts in gathered]))

        return hook

    def _enter(self, module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        if threading.get_ident() == self._caller:
            self._inputs.setdefault(module, []).append(features_of(inputs, named).detach().clone())

    def _divide(self, tap: Tap, kind: str) -> Callable[..., None]:
        def hook(module: nn.Module, _inputs: tuple, output: Tensor) -> None:
            if threading.get_ident() != self._caller:
                return
            x, output = self._inputs[module].pop(), output.detach()
            factor = ratio(x, output, kind)
            if factor is None:  # as it runs now it is not what it was taken for
                kind_now, factor = "joint", ratio(x, output, "joint")
            else:
                kind_now = kind
            self._part(tap, len(tap.ratios), {kind_now: as_numpy(factor)}, output.shape)  # type: ignore[arg-type]

        return hook

    def _multiplied(self, sites: dict[tuple, Tap], product: Product) -> None:
        tap = sites.get((id(product.site.owner), product.site.code, product.site.at))
        if tap is not None:
            self._part(tap, len(tap.sites), {product.kind: product.values()}, product.features.shape)

    def _part(self, tap: Tap, wanted: int, parts: Parts, shape: torch.Size) -> None:
        gathered = self._gathered.setdefault(tap, [])
        gathered.append((Read("factor", ""), parts))
        if len(gathered) == wanted:
            del self._gathered[tap]
            self._hear(tap, (shape[1], shape[2], shape[3]), _joined(tap, [parts for _, parts in gathered]))


@contextmanager
def features(tap: Tap) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Keep what goes into one attention module and what comes out, (N, C, h, w) each, a pair a call by this
    thread."""
    caller, kept, inputs = threading.get_ident(), [], []  # type: ignore[var-annotated]

    def enter(_module: nn.Module, given: tuple, named: dict[str, Any]) -> None:
        if threading.get_ident() == caller:
            inputs.append(features_of(given, named).detach().clone())

    def leave(_module: nn.Module, _given: tuple, output: Tensor) -> None:
        if threading.get_ident() == caller:
            kept.append((inputs.pop(), output.detach().clone()))

    pending: list[
        Tensor
    ] = []  # features that a gate is about to be multiplied to, of a module that has no call of its own
    parts = {(id(site.owner), site.code, site.at) for site, _ in tap.sites if isinstance(site, Site)}

    def multiplied(product: Product) -> None:
        if (id(product.site.owner), product.site.code, product.site.at) not in parts:
            return
        pending.append(product.features.detach().clone())
        if len(pending) == len(parts):
            kept.append((pending[0], product.result.detach().clone()))
            pending.clear()

    with ExitStack() as undo:
        if parts:
            undo.enter_context(Products(multiplied))
        else:
            whole = [module for module, _ in tap.ratios][:1] or [tap.module]
            ends = [module for module, _ in tap.ratios][-1:] or [tap.module]
            undo.callback(whole[0].register_forward_pre_hook(enter, with_kwargs=True).remove)
            undo.callback(ends[0].register_forward_hook(leave).remove)
        yield kept


@contextmanager
def calls(
    modules: Iterable[nn.Module],
    enter: Callable[[nn.Module, tuple, dict[str, Any]], None],
    leave: Callable[[nn.Module, Any], None],
) -> Iterator[None]:
    """Be told whenever one of the modules is called by this thread, and what it gave back; None if it
    failed."""
    caller = threading.get_ident()

    def before(module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        if threading.get_ident() == caller:
            enter(module, inputs, named)

    def after(module: nn.Module, _inputs: tuple, output: Any) -> None:
        if threading.get_ident() == caller:
            leave(module, output)

    with ExitStack() as undo:
        for module in modules:
            undo.callback(module.register_forward_pre_hook(before, with_kwargs=True).remove)
            undo.callback(module.register_forward_hook(after, always_call=True).remove)
        yield


@contextmanager
def before(modules: Iterable[nn.Module], enter: Callable[[], None]) -> Iterator[None]:
    """Be told whenever one of the modules is about to run in this thread; what that raises ends the pass."""
    caller = threading.get_ident()

    def hook(_module: nn.Module, _inputs: tuple) -> None:
        if threading.get_ident() == caller:
            enter()

    with ExitStack() as undo:
        for module in modules:
            undo.callback(module.register_forward_pre_hook(hook).remove)
        yield


def _tells_its_shape(tap: Tap) -> bool:
    """Whether the parts that are read give the shape of the features, so that the module itself needs no
    hook, which takes time."""
    roles = {read.role for read in tap.reads}
    return tap.how == "declared" and ({"channel", "spatial"} <= roles or {"channel_logits", "joint"} <= roles)


def features_of(inputs: tuple, named: dict[str, Any]) -> Tensor:
    """The first tensor that a module is called with; an empty one if there is none."""
    return next((value for value in (*inputs, *named.values()) if isinstance(value, Tensor)), torch.empty(0))


def _copied(read: Read, tap: Tap, output: Tensor) -> Parts:
    """What is kept of a child's output: its own small copy, or for a joint gate the means of the factor."""
    output = output.detach()
    if read.then == "sigmoid":
        output = torch.sigmoid(output)
    if read.role == "joint":  # (N, C, h, w); the branches' logits make it again, see LayerAttention.factor
        gate = output.float()
        if not any(other.role == "channel_logits" for other in tap.reads):
            return {"piece": as_numpy(1 + gate)}
        return {
            "joint": np.empty(0),
            "channel": as_numpy(1 + gate.mean((2, 3))),
            "spatial": as_numpy(1 + gate.mean(1)),
        }
    if read.role in ("channel", "channel_logits"):
        return {read.role: as_numpy(output.flatten(1))}
    if read.role in ("spatial", "spatial_logits"):
        return {read.role: as_numpy(output.squeeze(1))}
    if read.role == "pooling":
        return {
            "pooling": as_numpy(output.float().flatten(1).softmax(1).view(output.shape[0], *output.shape[2:]))
        }
    if read.role == "paths":
        paths = output.shape[1] if output.ndim > 2 and output.shape[1] <= 8 else int(tap.module.radix)  # type: ignore[arg-type]
        return {"paths": as_numpy(output.reshape(len(output), paths, -1))}
    if output.ndim < 4 or output.shape[2:] == (1, 1):
        return {"channel": as_numpy(output.flatten(1))}
    return {"spatial": as_numpy(output.squeeze(1))} if output.shape[1] == 1 else {"piece": as_numpy(output)}


def _step(step: StepRead, values: Tensor) -> np.ndarray:
    """A step as (N, C), (N, K) or (N, h, w), a copy."""
    if step.map is not None:
        return as_numpy(values[:, step.map])
    return as_numpy(
        values.squeeze(1)
        if values.ndim == 4 and values.shape[1] == 1 and values.shape[2:] != (1, 1)
        else values.flatten(1)
    )


def _joined(tap: Tap, gathered: list[Parts]) -> Parts:
    """The parts of one call: pieces that can be broadcast are multiplied into the joint factor, whose means
    stand beside it."""
    parts: Parts = {}
    joint: np.ndarray | None = None
    for one in gathered:
        for name, values in one.items():
            if name in ("piece", "joint") and values.size:
                joint = values if joint is None else joint * values
            elif name != "joint":
                parts[name] = values
    if joint is not None or tap.plus:
        if joint is None:
            return {name: values + np.float32(tap.plus) for name, values in parts.items()}
        whole = torch.from_numpy(joint + np.float32(tap.plus))
        parts = {
            "joint": whole.numpy(),
            "channel": whole.nanmean((2, 3)).numpy(),
            "spatial": whole.nanmean(1).numpy(),
        }
    return parts
