"""Which gates of a network are read. It is looked up once, kept as long as it holds, and looked up again when
the network has other modules or other weights, or when a pass shows something else."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import TraceError, TraceRemark
from ..languages.catalogue import Phrase
from ..networks.card import Card
from .arguments import Arguments
from .discovery import Discovery, recognise
from .exclusive import without_drawing
from .factor_fit import ALL_ZERO, NOT_FINITE, TOO_SMALL
from .known_modules import TABLE
from .measured_call import MeasuredCall
from .module_tree import ModuleTree
from .multiplications import Site
from .taps import Tap, find_taps

SIDE = 128  # pixels; what larger inputs are made for recognition
LARGER_SIDE = 256  # the same where some maps turn out to be too small
NAMED = 5  # layers that a remark names


def unwrapped(network: nn.Module) -> nn.Module:
    """The network inside what compiles it or spreads it over devices. Raises TraceError for what has no
    modules to listen to."""
    while isinstance(network, nn.Module):
        if isinstance(network, torch.jit.ScriptModule):
            raise TraceError("network_is_torchscript")
        if isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
            network = network.module
        elif type(network).__name__ == "OptimizedModule":  # of torch.compile
            network = network.get_submodule("_orig_mod")
        else:
            return network
    raise TraceError("network_is_no_module", type=type(network).__name__)


@dataclass(eq=False)
class ReadingPlan:
    """What is read of a network, and what could not be told when that was looked up."""

    taps: list[Tap]
    untold: dict[str, tuple[weakref.ref[nn.Module], str]] = field(default_factory=dict)  # name -> it, and why
    sites: frozenset[Site] = frozenset()  # where something was multiplied, by a gate or not
    scripted: tuple[str, ...] = ()  # modules that can't be listened to
    otherwise: tuple[str, ...] = ()  # modules that use what could be gates in a way that is not read
    # What was measured in ``rows``: by the count of inputs, and by the taps whose modules were called.
    orders: dict[int, dict[tuple[Tap, ...], list[MeasuredCall]]] = field(default_factory=dict)
    ends_with_sigmoid: bool | None = None  # None: not looked at
    # What differs in a pass, and has no better reading.
    accepted: set[Tap | Site | nn.Module] = field(default_factory=set)

    def untold_modules(self) -> list[nn.Module]:
        """The modules that could not be told."""
        modules = (reference() for reference, _ in self.untold.values())
        return [module for module in modules if module is not None]


@dataclass(eq=False)
class _Plans:
    """The plans of one network: what it was when they were made, and one for each form of input that needed
    one of its own."""

    modules: list[weakref.ref[nn.Module]]
    weights: tuple
    by_form: dict[tuple, ReadingPlan]
    latest: ReadingPlan

    def are_for(self, modules: dict[str, nn.Module]) -> bool:
        """Whether these are still the modules."""
        if len(self.modules) != len(modules):
            return False
        return all(reference() is module for reference, module in zip(self.modules, modules.values()))


_plans: weakref.WeakKeyDictionary[nn.Module, _Plans] = weakref.WeakKeyDictionary()
MOST_FORMS = 16


def plan_for(
    network: nn.Module, modules: dict[str, nn.Module], given: Arguments, may_have_learned: bool = True
) -> ReadingPlan:
    """The plan for a network in eval mode that is called with these arguments: taps of the modules that
    declare their attention or stand in the table, and, in a network that has no card, of those that are
    recognised when it runs on inputs made of the given ones.

    With ``may_have_learned`` it is made anew if the weights are others than when it was made."""
    plans = _plans.get(network)
    if plans is None or not plans.are_for(modules):
        return renewed_plan(network, modules, given)
    if may_have_learned and not has_card(network) and plans.weights != _stamp(network):
        return renewed_plan(network, modules, given)
    return plans.by_form.get(_form(given), plans.latest)


def renewed_plan(
    network: nn.Module,
    modules: dict[str, nn.Module],
    given: Arguments,
    differing: Iterable[Tap | Site | nn.Module] = (),
) -> ReadingPlan:
    """A plan made now, which takes the place of the one for inputs of this form. ``differing`` is what was
    otherwise than the former plan said in a pass with these arguments: what stays so is accepted."""
    former = _plans.get(network)
    plan = _made(network, modules, given)
    _accept(plan, differing)
    if any(module is network for module in (*(tap.module for tap in plan.taps), *plan.untold_modules())):
        return plan  # or it would keep itself alive
    is_kept = former is not None and former.are_for(modules) and former.weights == _stamp(network)
    by_form = dict(former.by_form) if is_kept and former is not None else {}
    if len(by_form) >= MOST_FORMS:
        by_form.clear()
    by_form[_form(given)] = plan
    _plans[network] = _Plans(
        [weakref.ref(module) for module in modules.values()], _stamp(network), by_form, plan
    )
    return plan


def _accept(plan: ReadingPlan, differing: Iterable[Tap | Site | nn.Module]) -> None:
    """What differed and is read no other way now than before is not looked at again."""
    for differs in differing:
        if isinstance(differs, Tap):
            plan.accepted |= {tap for tap in plan.taps if _are_alike(tap, differs)}
        else:
            plan.accepted.add(differs)


def _are_alike(one: Tap, other: Tap) -> bool:
    return (one.module, one.kind, one.ratios, one.sites) == (
        other.module,
        other.kind,
        other.ratios,
        other.sites,
    )


def _made(network: nn.Module, modules: dict[str, nn.Module], given: Arguments) -> ReadingPlan:
    taps = find_taps(modules)
    if has_card(network):
        return ReadingPlan(taps)
    with without_drawing():
        found = _recognised(network, modules, taps, given)
    names = {module: path or type(module).__name__ for path, module in modules.items()}
    untold = {names[module]: (weakref.ref(module), why) for module, why in found.untold.items()}
    scripted = {module for module in modules.values() if isinstance(module, torch.jit.ScriptModule)}
    outermost = tuple(names[module] for module in ModuleTree(modules).outermost(scripted))
    sites = frozenset(site for site in found.sites if site.owner is not network)
    otherwise = tuple(names[module] for module in found.otherwise)
    return ReadingPlan(_in_order(taps + found.taps, modules), untold, sites, outermost, otherwise)


def _recognised(
    network: nn.Module, modules: dict[str, nn.Module], known: list[Tap], given: Arguments
) -> Discovery:
    """What is recognised on two inputs made of the first of the given ones; on small ones, for that takes
    less time and memory. Where the network takes none but inputs like the given, on those. Raises what the
    network raises on these."""
    dimensions = _dimensions(given)

    def attempt(arguments: Arguments) -> Discovery:
        return recognise(network, modules, known, lambda: arguments.call(network), dimensions)

    scale = SIDE / given.side() if given.side() else 1.0
    first = (
        [given.pair, given.copied] if scale >= 1 else [lambda: given.pair(scale), given.pair, given.copied]
    )
    found = _first_that_runs(attempt, first)
    if found.was_small and given.side():
        with suppress(Exception):  # of the network, which takes no inputs of another size
            found = attempt(given.pair(LARGER_SIDE / given.side()))
            return replace(found, untold=_without_small(found.untold))
    return found


def _first_that_runs(
    attempt: Callable[[Arguments], Discovery], ways: list[Callable[[], Arguments]]
) -> Discovery:
    """What is found with the first arguments with which the network runs."""
    for way in ways[:-1]:
        try:
            return attempt(way())
        except Exception:  # of the network, which takes no inputs like these
            continue
    return attempt(ways[-1]())


def _without_small(untold: dict[nn.Module, str]) -> dict[nn.Module, str]:
    """What is small whatever the size of the input is no attention: it stands behind a global pooling."""
    return {module: why for module, why in untold.items() if why != TOO_SMALL}


def _dimensions(given: Arguments) -> tuple[int, ...]:
    """The dimensions that features can have, for inputs like these."""
    is_signal = isinstance(given.photos, Tensor) and given.photos.ndim == 3
    return (3, 4, 5) if is_signal else (4, 5)


def attention_missing(network: nn.Module, plan: ReadingPlan) -> TraceError | None:
    """What is to be said of a network without a layer to read, which has no card that says so."""
    if plan.taps or has_card(network):
        return None
    name = type(network).__name__
    if plan.untold:
        return TraceError("attention_not_told", type=name, layers=some(plan.untold), why=_why(plan))
    if plan.otherwise:
        return TraceError("attention_used_otherwise", type=name, layers=some(plan.otherwise))
    if plan.scripted:
        return TraceError("attention_may_be_scripted", type=name, layers=some(plan.scripted))
    kinds = ", ".join(sorted({known.kind.upper() for known in TABLE.values()}))
    return TraceError("attention_not_found", type=name, kinds=kinds)


def check_there_is_attention(network: nn.Module, plan: ReadingPlan) -> None:
    """Raises TraceError if a network has nothing to read, and no card that says so."""
    missing = attention_missing(network, plan)
    if missing is not None:
        raise missing


def remarks_on(plan: ReadingPlan) -> list[TraceRemark]:
    """What could not be read of a network."""
    remarks = []
    if plan.untold:
        remarks.append(TraceRemark("layers_not_told", layers=some(plan.untold), why=_why(plan)))
    if plan.scripted:
        remarks.append(TraceRemark("layers_scripted", layers=some(plan.scripted)))
    if plan.otherwise:
        remarks.append(TraceRemark("layers_used_otherwise", layers=some(plan.otherwise)))
    return remarks


def _why(plan: ReadingPlan) -> Phrase:
    whys = {why for _, why in plan.untold.values()}
    if NOT_FINITE in whys:
        return Phrase("not_finite")
    return Phrase("all_zero") if ALL_ZERO in whys else Phrase("map_too_small")


def some(names: Iterable[str]) -> str:
    """The first of some names, for a sentence."""
    every = list(names)
    return ", ".join(every[:NAMED]) + (" …" if len(every) > NAMED else "")


def has_card(network: nn.Module) -> bool:
    """Whether a network's card says what it is, so that nothing has to be recognised."""
    return isinstance(getattr(network, "card", None), Card)


def _form(given: Arguments) -> tuple:
    photos = given.photos
    shape = photos.shape[1:] if isinstance(photos, Tensor) else ()
    return tuple(shape), given.in_training


def _stamp(network: nn.Module) -> tuple:
    """Something that is another when weights were changed or replaced, a switch was turned, or a module was
    given other code."""
    if has_card(network):
        return ()
    tensors: list[Any] = [*network.parameters(), *network.buffers()]
    weights = [(tensor.data_ptr(), _version(tensor)) for tensor in tensors]
    return (*weights, *(_switches(module) for module in network.modules()))


def _switches(module: nn.Module) -> tuple:
    """A module's own settings that are a bool or a text, and the code that was put in place of its own."""
    return tuple(
        id(value) if name == "forward" else value
        for name, value in vars(module).items()
        if name == "forward" or (isinstance(value, bool | str) and name != "training")
    )


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _in_order(taps: list[Tap], modules: dict[str, nn.Module]) -> list[Tap]:
    places = {module: place for place, module in enumerate(modules.values())}
    return sorted(taps, key=lambda tap: places[tap.module])
