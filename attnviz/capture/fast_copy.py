"""A copy of a network that computes the same in less time on a processor: batch norms are folded into the
convolutions before them, activations write over what they are given, and weights lie in memory with their
channels last, and so does all that runs through it. The modules of its attention stay as they are, so that it
is traced like the network itself."""

from __future__ import annotations

import copy
import logging
from collections import Counter
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.overrides import TorchFunctionMode

from ..networks.card import Card, card_of, with_card
from .exclusive import exclusive_eval
from .hooks import first_tensor, on_calls
from .inputs import noise_input
from .module_tree import ModuleTree
from .plan import taps_of, unwrapped
from .taps import Tap

log = logging.getLogger(__name__)

SAME = 1e-5  # of the greatest class score, the most that a copy's scores may differ by
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.Hardswish)  # with a switch to write over their input


def fast(network: nn.Module) -> nn.Module:
    """A copy in eval mode whose scores and gates are the same within float32's rounding, for inference on the
    processor: what is trained or changed later is the network, not the copy.

    The network runs once on noise of its card's size, and the copy too, to compare them. A network that is
    not in float32 on the processor, or whose copy would give something else, comes back itself. Raises
    TraceError for one without attention, as ``trace``."""
    network = unwrapped(network)
    if not _is_float32_on_processor(network):
        return network
    modules = dict(network.named_modules())
    x = noise_input(card_of(network), modules)
    with exclusive_eval(network, list(modules.values())):
        watch = _Watch(network, x)
        with torch.inference_mode():
            outside = _outside_attention(modules, taps_of(network, modules, x))
            with on_calls(outside, watch.enter, watch.leave), watch.uses:
                expected = _scores(network(x))
        copied = _rewritten(network, modules, watch.foldable(), watch.overwritable())
    with torch.inference_mode():
        scores = _scores(copied(x))
    if not _are_same(expected, scores):
        log.warning("this %s has no faster copy that computes the same", type(network).__name__)
        return network
    return copied


def _is_float32_on_processor(network: nn.Module) -> bool:
    tensors = [*network.parameters(), *network.buffers()]
    return all(
        tensor.device.type == "cpu" and (tensor.dtype == torch.float32 or not tensor.is_floating_point())
        for tensor in tensors
    )


def _rewritten(
    network: nn.Module,
    modules: dict[str, nn.Module],
    foldable: dict[nn.Conv2d, nn.BatchNorm2d],
    overwritable: set[nn.Module],
) -> nn.Module:
    """A copy with those batch norms folded away, and those activations writing over their input."""
    copied = copy.deepcopy(network)
    for path, module in modules.items():
        if module in overwritable:
            copied.get_submodule(path).inplace = True  # type: ignore[assignment]
        elif isinstance(module, nn.Conv2d) and module in foldable:
            copied.set_submodule(path, fuse_conv_bn_eval(module, foldable[module]))
        elif module in foldable.values():
            copied.set_submodule(path, nn.Identity().eval())
    copied.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if isinstance(getattr(copied, "card", None), Card):
        with_card(copied, replace(card_of(copied), folded=True))
    return copied


def _are_same(expected: Tensor, scores: Tensor) -> bool:
    if expected.shape != scores.shape or not expected.numel():
        return False
    return bool((expected - scores).abs().max() <= SAME * expected.abs().max())


def _outside_attention(modules: dict[str, nn.Module], taps: list[Tap]) -> list[nn.Module]:
    """The convolutions, batch norms and activations that no attention module holds: those inside are read
    while they run."""
    tree = ModuleTree(modules)
    attention = {tap.module for tap in taps if not tap.sites}
    kinds = (nn.Conv2d, nn.BatchNorm2d, *ACTIVATIONS)
    return [
        module
        for module in modules.values()
        if type(module) in kinds and not tree.is_within(module, attention)
    ]


class _UseCounter(TorchFunctionMode):
    """Counts, for each of some tensors, the functions that take it and make tensors of it."""

    def __init__(self) -> None:
        super().__init__()
        self.tensors: dict[int, Tensor] = {}  # by their ids; alive, so that no other takes one's place
        self.counts: Counter[int] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor | list | tuple) and not isinstance(result, torch.Size):
            self.counts.update(self._used((*args, *(kwargs or {}).values())))
        return result

    def _used(self, arguments: tuple) -> set[int]:
        """The ids of the tensors among the arguments, and in lists of them."""
        used = set()
        for argument in arguments:
            for value in argument if isinstance(argument, list | tuple) else (argument,):
                if id(value) in self.tensors:
                    used.add(id(value))
        return used


class _Watch:
    """Watches a pass for what can be done in less time."""

    def __init__(self, network: nn.Module, x: Tensor) -> None:
        self.uses = _UseCounter()
        self._makers: dict[int, nn.Conv2d] = {}  # by the ids of the convolutions' results
        self._norms: dict[nn.Conv2d, tuple[int, nn.BatchNorm2d]] = {}  # the result's id, and where it goes
        self._given: dict[nn.Module, list[int]] = {}  # the ids of what each activation was given
        self._runs: Counter[nn.Module] = Counter()
        lasting = (x, *network.parameters(), *network.buffers())
        self._lasting = {tensor.untyped_storage().data_ptr() for tensor in lasting}

    def enter(self, module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        self._runs[module] += 1
        given = first_tensor(inputs, named)
        if isinstance(module, ACTIVATIONS):
            self.uses.tensors[id(given)] = given
            self._given.setdefault(module, []).append(id(given))
        elif isinstance(module, nn.BatchNorm2d) and id(given) in self._makers:
            self._norms[self._makers[id(given)]] = id(given), module

    def leave(self, module: nn.Module, output: Any) -> None:
        if isinstance(module, nn.Conv2d):
            self.uses.tensors[id(output)] = output
            self._makers[id(output)] = module

    def foldable(self) -> dict[nn.Conv2d, nn.BatchNorm2d]:
        """The convolutions whose result goes into one batch norm and nowhere else, each with that one."""
        return {
            convolution: norm
            for convolution, (result, norm) in self._norms.items()
            if self.uses.counts[result] == 1
            and self._runs[convolution] == 1
            and self._runs[norm] == 1
            and norm.track_running_stats
        }

    def overwritable(self) -> set[nn.Module]:
        """The activations after which nobody needs what they were given."""
        return {module for module, tensors in self._given.items() if all(map(self._is_done_with, tensors))}

    def _is_done_with(self, tensor: int) -> bool:
        storage = self.uses.tensors[tensor].untyped_storage()
        return self.uses.counts[tensor] == 1 and storage.data_ptr() not in self._lasting


def _scores(output: Any) -> Tensor:
    """The first tensor that a network gave back; an empty one if there is none."""
    if isinstance(output, dict):
        output = list(output.values())
    while isinstance(output, list | tuple) and output:
        output = output[0]
    return output if isinstance(output, Tensor) else torch.empty(0)
