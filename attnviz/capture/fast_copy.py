"""A copy of a network that computes the same in less time on a processor: batch norms are folded into the
convolutions before them, activations write over what they are given, and weights lie in memory with their
channels last, and so does all that runs through it. The modules of its attention stay as they are, so that it
is traced like the network itself."""

from __future__ import annotations

import copy
import logging
import weakref
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..networks.card import Card, card_of, with_card
from .arguments import Arguments
from .exclusive import exclusive_eval
from .hooks import first_tensor, on_calls
from .inputs import as_parameters
from .module_tree import ModuleTree
from .noise import noise_for
from .plan import check_there_is_attention, plan_for, unwrapped
from .taps import Tap

log = logging.getLogger(__name__)

SAME = 1e-5  # of the greatest class score, the most that a copy's scores may differ by
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.Hardswish)  # with a switch to write over their input


def fast(network: nn.Module, x: Tensor | None = None) -> nn.Module:
    """A copy in eval mode whose scores and gates are the same within float32's rounding, for inference on the
    processor: what is trained or changed later is the network, not the copy.

    The copy runs twice, before and after it is rewritten, on ``x`` (N, C, H, W), or without one on noise of
    its card's size or of the first usual one that it takes. A network that is not
    in float32 on the processor, or whose copy would give something else, comes back itself. Raises TraceError
    for one without attention, as ``trace``."""
    network = unwrapped(network)
    if not _is_float32_on_processor(network):
        return network
    with exclusive_eval(network, list(network.modules())):
        copied = copy.deepcopy(network)
    return copied if speed_up(copied, x=x) else network


def speed_up(network: nn.Module, side: int | None = None, x: Tensor | None = None) -> bool:
    """Rewrite a network in eval mode as ``fast`` does its copy, without a second copy in memory. It runs on
    noise of this ``side``, None: of its card's size; or on ``x``.

    False if it would now give something else than before: then it is spoilt. One that is not in float32 on
    the processor stays as it is. Raises TraceError for one without attention, and leaves it as it is."""
    if not _is_float32_on_processor(network):
        return True
    modules = dict(network.named_modules())
    with exclusive_eval(network, list(modules.values())):
        x = noise_for(network, modules, side).inputs[0] if x is None else as_parameters(network, x)
        watch = _Watch(network, x)
        plan = plan_for(network, modules, Arguments((x,)))
        check_there_is_attention(network, plan)
        with torch.inference_mode():
            outside = _outside_attention(modules, plan.taps)
            with on_calls(outside, watch.enter, watch.leave), watch.uses:
                expected = _scores(network(x))
        _rewrite(network, modules, watch.foldable(), watch.overwritable())
        with torch.inference_mode():
            scores = _scores(network(x))
    if not _are_same(expected, scores):
        log.warning("this %s can't be rewritten to compute the same in less time", type(network).__name__)
        return False
    return True


def _is_float32_on_processor(network: nn.Module) -> bool:
    tensors = [*network.parameters(), *network.buffers()]
    return all(
        tensor.device.type == "cpu" and (tensor.dtype == torch.float32 or not tensor.is_floating_point())
        for tensor in tensors
    )


def _rewrite(
    network: nn.Module,
    modules: dict[str, nn.Module],
    foldable: dict[nn.Conv2d, nn.BatchNorm2d],
    overwritable: set[nn.Module],
) -> None:
    """Fold those batch norms away, and let those activations write over their input."""
    for convolution, norm in foldable.items():
        _fold(convolution, norm)
    for path, module in modules.items():
        if module in overwritable:
            module.inplace = True  # type: ignore[assignment]
        elif module in foldable.values():
            network.set_submodule(path, nn.Identity().eval())
    for parameter in network.parameters():
        if parameter.ndim == 4:
            _put_channels_last(parameter)
    if isinstance(getattr(network, "card", None), Card):
        with_card(network, replace(card_of(network), folded=True))


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """Let a convolution give what the batch norm behind it gives, as ``torch.nn.utils.fusion`` does, which
    needs memory for three of its weights."""
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None and variance is not None  # it tracks them
    with torch.no_grad():
        deviation = torch.rsqrt(variance + norm.eps)
        weight = torch.ones_like(mean) if norm.weight is None else norm.weight
        shift = torch.zeros_like(mean) if norm.bias is None else norm.bias
        bias = torch.zeros_like(mean) if convolution.bias is None else convolution.bias
        convolution.weight.mul_((weight * deviation).reshape(-1, 1, 1, 1))
        folded_bias = (bias - mean) * deviation * weight + shift
    convolution.bias = nn.Parameter(folded_bias, convolution.weight.requires_grad)


def _put_channels_last(weight: nn.Parameter) -> None:
    """Lay a convolution's weight (O, I, h, w) out with its channels last, in the memory that it has: the
    numbers of each of the O outputs stay together."""
    if weight.is_contiguous(memory_format=torch.channels_last) or not weight.is_contiguous():
        return
    outputs, inputs, height, width = weight.shape
    turned = weight.detach().view(outputs, height, width, inputs)
    for output, target in zip(weight.detach(), turned):
        target.copy_(output.permute(1, 2, 0).contiguous())
    weight.data = turned.permute(0, 3, 1, 2)


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


@dataclass(eq=False)
class _Result:
    """A tensor of a pass, as long as it is there and after."""

    lasts: bool  # it is the input, or lies in the network's own memory
    uses: int = 0  # functions that took it and made tensors of it
    maker: nn.Conv2d | None = None  # whose result it is


class _UseCounter(TorchFunctionMode):
    """Counts, for each of some tensors, the functions that take it and make tensors of it; none is kept alive
    for that."""

    def __init__(self, lasting: Iterable[Tensor]) -> None:
        super().__init__()
        self._lasting = {tensor.untyped_storage().data_ptr() for tensor in lasting}
        self._alive: dict[int, tuple[_Result, weakref.ref[Tensor]]] = {}  # by the ids of the tensors

    def result(self, tensor: Tensor) -> _Result:
        """What is known of a tensor, which is counted from now on."""
        key = id(tensor)
        if key not in self._alive:
            result = _Result(tensor.untyped_storage().data_ptr() in self._lasting)
            self._alive[key] = result, weakref.ref(tensor, lambda _: self._alive.pop(key, None))
        return self._alive[key][0]

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor | list | tuple) and not isinstance(made, torch.Size):
            for result in self._used((*args, *(kwargs or {}).values())):
                result.uses += 1
        return made

    def _used(self, arguments: tuple) -> set[_Result]:
        """The counted tensors among the arguments, and in lists of them."""
        used = set()
        for argument in arguments:
            for value in argument if isinstance(argument, list | tuple) else (argument,):
                if id(value) in self._alive:
                    used.add(self._alive[id(value)][0])
        return used


class _Watch:
    """Watches a pass for what can be done in less time."""

    def __init__(self, network: nn.Module, x: Tensor) -> None:
        self.uses = _UseCounter((x, *network.parameters(), *network.buffers()))
        self._norms: dict[nn.Conv2d, tuple[_Result, nn.BatchNorm2d]] = {}  # the result, and where it goes
        self._given: dict[nn.Module, list[_Result]] = {}  # to each activation
        self._runs: Counter[nn.Module] = Counter()
        self._owners = Counter(
            parameter.untyped_storage().data_ptr()
            for module in network.modules()
            for parameter in module.parameters(recurse=False)
        )

    def enter(self, module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        self._runs[module] += 1
        given = self.uses.result(first_tensor(inputs, named))
        if isinstance(module, ACTIVATIONS):
            self._given.setdefault(module, []).append(given)
        elif isinstance(module, nn.BatchNorm2d) and given.maker is not None:
            self._norms[given.maker] = given, module

    def leave(self, module: nn.Module, output: Any) -> None:
        if isinstance(module, nn.Conv2d) and isinstance(output, Tensor):  # None if it failed
            self.uses.result(output).maker = module

    def foldable(self) -> dict[nn.Conv2d, nn.BatchNorm2d]:
        """The convolutions whose result goes into one batch norm and nowhere else, each with that one; their
        weights are no other module's too."""
        return {
            convolution: norm
            for convolution, (result, norm) in self._norms.items()
            if result.uses == 1
            and self._runs[convolution] == 1
            and self._runs[norm] == 1
            and norm.track_running_stats
            and self._owners[convolution.weight.untyped_storage().data_ptr()] == 1
        }

    def overwritable(self) -> set[nn.Module]:
        """The activations after which nobody needs what they were given."""
        return {
            module
            for module, results in self._given.items()
            if all(result.uses == 1 and not result.lasts for result in results)
        }


def _scores(output: Any) -> Tensor:
    """The first tensor that a network gave back; an empty one if there is none."""
    if isinstance(output, dict):
        output = list(output.values())
    while isinstance(output, list | tuple) and output:
        output = output[0]
    return output if isinstance(output, Tensor) else torch.empty(0)
