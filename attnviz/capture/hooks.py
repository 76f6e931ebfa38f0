"""Listens to a network's modules while they run. The only file that registers hooks.

Hooks are on the modules of a network that others may be using: they are there only while a ``with`` lasts,
tell only of what the calling thread computes, and go on every exit. What leaves is a copy: networks change
tensors in place."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import TraceError
from .call import Call, CallResult
from .exclusive import pass_depth
from .factor_fit import Sample
from .layouts import canonical
from .multiplications import Product, Site, SiteListener
from .reads import role_phrase
from .taps import Tap

# Is given the module and what it is called with.
BeforeCall = Callable[[nn.Module, tuple, dict[str, Any]], None]
# Is given the module, its inputs and its output.
AfterCall = Callable[[nn.Module, tuple, Any], None]
# Is given a module's output, and says what takes its place; None: it stays.
ChangeOutput = Callable[[Any], Any]
COMPUTE = object()  # what is said in place of an output where a module is to compute it


class Hooks(ExitStack):
    """Hooks on modules, which run in the thread that made this object only, and go when it is closed. They
    run in the pass, the caller's or one of attnviz's own, that it was made for, and in no other beside or
    inside it; with ``in_all_passes`` in every one.

    What they raise ends the pass that they listen to, unless there is ``failed``, which is told instead."""

    def __init__(
        self, failed: Callable[[Exception], None] | None = None, in_all_passes: bool = False
    ) -> None:
        super().__init__()
        self._thread, self._pass = threading.get_ident(), None if in_all_passes else pass_depth()
        self._failed = failed

    def before(self, module: nn.Module, run: BeforeCall) -> None:
        """Run something before every call of a module."""

        run = self.guarded(run)

        # Torch gives no named inputs to a hook that is taken away, or not wholly there, as a call begins: in
        # another thread, or by another hook.
        def hook(module: nn.Module, inputs: tuple, named: dict[str, Any] | None = None) -> None:
            if named is not None and self._may_run():
                run(module, inputs, named)

        self.callback(module.register_forward_pre_hook(hook, with_kwargs=True).remove)

    def after(self, module: nn.Module, run: AfterCall, failed: bool = False) -> None:
        """Run something after every call of a module; with ``failed`` also after one that failed, whose
        output is None."""

        run = self.guarded(run)

        def hook(module: nn.Module, inputs: tuple, output: Any) -> None:
            if self._may_run():
                run(module, inputs, output)

        self.callback(module.register_forward_hook(hook, always_call=failed).remove)

    def change(self, module: nn.Module, run: ChangeOutput) -> None:
        """Put something in place of a module's output. Hooks that were registered later hear that."""

        def hook(module: nn.Module, inputs: tuple, output: Any) -> Any:
            return run(output) if self._may_run() else None

        self.callback(module.register_forward_hook(hook).remove)

    def instead(self, module: nn.Module, run: Callable[[], Any]) -> None:
        """Ask before every call of a module what it is to give back; it computes that itself where the answer
        is COMPUTE, and in every other thread and pass. Its hooks run either way."""
        had_own, forward = "forward" in vars(module), module.forward

        def answered(*inputs: Any, **named: Any) -> Any:
            answer = run() if self._may_run() else COMPUTE
            return forward(*inputs, **named) if answer is COMPUTE else answer

        module.forward = answered
        self.callback(_restore_forward, module, forward if had_own else None)

    def _may_run(self) -> bool:
        """Whether this is the thread, and the pass, that the hooks were made for."""
        return threading.get_ident() == self._thread and self._pass in (None, pass_depth())

    def guarded(self, run: Callable[..., None]) -> Callable[..., None]:
        """The same, but what it raises is told where that is wanted."""
        if self._failed is None:
            return run
        return partial(self._run, run)

    def _run(self, run: Callable[..., None], *arguments: Any) -> None:
        try:
            run(*arguments)
        except Exception as error:
            assert self._failed is not None
            self._failed(error)


def _restore_forward(module: nn.Module, own: Callable[..., Any] | None) -> None:
    """Give a module the forward back that it had on itself, or else that of its class."""
    if own is None:
        del module.forward
    else:
        module.forward = own


class Listener:
    """Hears what the taps' modules compute, call by call in the order they end; with ``steps``, what they
    compute on the way too.

    ``differing`` collects what was otherwise than when the network was looked at: taps that were recognised
    by something else, sites beyond those that were ``seen``, and modules that could not be told (``untold``)
    and now can. With ``is_guest`` nothing that goes wrong here ends the pass; ``failures`` has it."""

    def __init__(
        self,
        taps: list[Tap],
        steps: bool = False,
        untold: Iterable[nn.Module] = (),
        seen: Container[Site] = (),
        is_guest: bool = False,
    ) -> None:
        children = Counter(child for tap in taps for child in tap.children.values())
        self._shared = {child for child, count in children.items() if count > 1}
        self.results: list[CallResult] = []
        self.differing: set[Tap | Site | nn.Module] = set()
        self.failures: list[Exception] = []
        self._calls = [
            Call(
                tap, not self._shares(tap) and _tells_its_shape(tap), self.results.append, self.differing.add
            )
            for tap in taps
        ]
        self._steps, self._untold, self._seen, self._is_guest = steps, tuple(untold), seen, is_guest

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear this thread's passes while it lasts."""
        with Hooks(self.failures.append if self._is_guest else None) as hooks:
            for call in self._calls:
                if self._steps and not self._shares(call.tap):
                    _hear_features(call, hooks)
                    _hear_steps(call, hooks)  # before the gates' own hooks, the last of which ends the call
                _hear_reads(call, hooks)
                if self._shares(call.tap):  # what a child said inside another module does not count
                    hooks.before(call.tap.module, _without_arguments(call.begin))
                _hear_ratios(call, hooks)
            for module in self._untold:
                self._hear_untold(module, hooks)
            self._hear_products(hooks)
            yield

    def take(self) -> list[CallResult]:
        """What was heard since the last time. Raises TraceError if a module that declares a gate did not run
        it."""
        results = list(self.results)
        self.results.clear()
        ran = {result.tap for result in results}
        for call in self._calls:
            if call.tap.how == "declared" and call.tap not in ran:
                roles = role_phrase(*call.tap.reads)
                raise TraceError("gate_silent", role=roles, layer=call.tap.layer)
        return results

    def _shares(self, tap: Tap) -> bool:
        """Whether a child of the tap is one of another tap too."""
        return bool(self._shared) and not self._shared.isdisjoint(tap.children.values())

    def _hear_untold(self, module: nn.Module, hooks: Hooks) -> None:
        samples: list[Sample] = []

        def entered(_module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
            samples.append(Sample(first_tensor(inputs, named)))

        def left(_module: nn.Module, _inputs: tuple, output: Any) -> None:
            if samples and samples.pop().tells(output):
                self.differing.add(module)

        hooks.before(module, entered)
        hooks.after(module, left)

    def _hear_products(self, hooks: Hooks) -> None:
        calls = {where.site: call for call in self._calls for where in call.tap.sites}
        if not calls:
            return
        for call in self._calls:
            if call.tap.sites:
                hooks.after(call.tap.module, _with_output(call.end_of_owner))

        def multiplied(product: Product) -> None:
            calls[product.where.site].take_product(product)

        def elsewhere(site: Site) -> None:
            if site not in self._seen:
                self.differing.add(site)

        sites = [where for call in self._calls for where in call.tap.sites]
        hooks.enter_context(SiteListener(sites, hooks.guarded(multiplied), hooks.guarded(elsewhere)))


def _hear_features(call: Call, hooks: Hooks) -> None:
    def entered(_module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        call.take_features(first_tensor(inputs, named))

    if call.tap.reads and call.tap.formula != "none":
        hooks.before(call.tap.module, entered)


def _hear_steps(call: Call, hooks: Hooks) -> None:
    for path in dict.fromkeys(step.child for step in call.tap.steps):
        steps = [step for step in call.tap.steps if step.child == path]

        take = partial(call.take_step, path, steps)
        with suppress(AttributeError):  # some forms of a module lack some children
            hooks.after(call.tap.module.get_submodule(path), _with_both(take))


def _hear_reads(call: Call, hooks: Hooks) -> None:
    for read in call.tap.reads:
        if read.child in call.tap.children:
            hooks.after(call.tap.children[read.child], _with_output(partial(call.take_part, read)))
    if call.tap.reads and not call.ends_with_parts:
        hooks.after(call.tap.module, _with_output(call.end))


def _with_both(run: Callable[[Any, Any], None]) -> AfterCall:
    return lambda _module, inputs, output: run(inputs[0], output)


def _with_output(run: Callable[[Any], None]) -> AfterCall:
    return lambda _module, _inputs, output: run(output)


def _hear_ratios(call: Call, hooks: Hooks) -> None:
    def entered(module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        call.take_input(module, first_tensor(inputs, named))

    for ratio in call.tap.ratios:
        hooks.before(ratio.module, entered)
        hooks.after(ratio.module, _with_output(partial(call.divide, ratio)))


def _without_arguments(run: Callable[[], None]) -> BeforeCall:
    return lambda _module, _inputs, _named: run()


def _tells_its_shape(tap: Tap) -> bool:
    """Whether the parts that are read give the shape of the features, so that the module itself needs no
    hook, which takes time."""
    roles = {read.role for read in tap.reads}
    return tap.how == "declared" and ({"channel", "spatial"} <= roles or {"channel_logits", "joint"} <= roles)


@contextmanager
def features_around(tap: Tap) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Keep what goes into one attention module and what comes out: a pair of copies, (N, C, h, w) each, for
    every call by this thread. Of gates that a block multiplies in its own code, what goes into the first
    multiplication and comes out of the last."""
    pairs: list[tuple[Tensor, Tensor]] = []
    before: list[Tensor] = []  # of the calls, or the multiplications, under way

    def multiplied(product: Product) -> None:
        before.append(product.features)
        if len(before) == len(tap.sites):
            pairs.append((before[0], product.result.detach().clone()))
            before.clear()

    layout = tap.ratios[0].layout if tap.ratios else ""

    def usual(features: Tensor) -> Tensor:
        return canonical(features.detach(), layout).clone()

    def entered(_module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        before.append(usual(first_tensor(inputs, named)))

    def left(output: Tensor) -> None:
        pairs.append((before.pop(), usual(output)))

    with Hooks() as hooks:
        if tap.sites:
            hooks.enter_context(SiteListener(list(tap.sites), multiplied, keep_features=True))
        else:
            modules = [ratio.module for ratio in tap.ratios] or [tap.module]
            hooks.before(modules[0], entered)
            hooks.after(modules[-1], _with_output(left))
        yield pairs


@contextmanager
def on_calls(
    modules: Iterable[nn.Module], enter: BeforeCall, leave: Callable[[nn.Module, Any], None]
) -> Iterator[None]:
    """Report every call of the modules by this thread: what each is called with, and what it gave back; None
    if it failed."""
    with Hooks() as hooks:
        for module in modules:
            hooks.before(module, enter)
            hooks.after(module, _with_output(partial(leave, module)), failed=True)
        yield


@contextmanager
def before_calls(modules: Iterable[nn.Module], run: Callable[[], None]) -> Iterator[None]:
    """Run something whenever one of the modules is about to run in this thread, in whatever pass; what it
    raises ends the pass."""
    with Hooks(in_all_passes=True) as hooks:
        for module in modules:
            hooks.before(module, _without_arguments(run))
        yield


def first_tensor(inputs: tuple, named: dict[str, Any]) -> Tensor:
    """The first tensor that a module is called with; an empty one if there is none."""
    return next((value for value in (*inputs, *named.values()) if isinstance(value, Tensor)), torch.empty(0))
