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
from .hooks import calls, features_of
from .plan import alone, bare, taps_of
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
    network = bare(network)
    tensors = [*network.parameters(), *network.buffers()]
    if any(
        each.device.type != "cpu" or (each.is_floating_point() and each.dtype != torch.float32)
        for each in tensors
    ):
        return network
    modules = dict(network.named_modules())
    side = card_of(network).recipe.crop
    channels = next((module.in_channels for module in modules.values() if isinstance(module, nn.Conv2d)), 3)
    x = torch.randn(1, channels, side, side, generator=torch.Generator().manual_seed(0))
    with alone(network, list(modules.values())):
        with torch.inference_mode():
            pairs, over, expected = _watched(network, _outside(modules, taps_of(network, modules, x)), x)
        copied = copy.deepcopy(network)
        for path, module in modules.items():
            if module in over:
                copied.get_submodule(path).inplace = True  # type: ignore[assignment]
            elif isinstance(module, nn.Conv2d) and module in pairs:
                copied.set_submodule(path, fuse_conv_bn_eval(module, pairs[module]))
            elif module in pairs.values():
                copied.set_submodule(path, nn.Identity().eval())
    copied.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if isinstance(getattr(copied, "card", None), Card):
        with_card(copied, replace(card_of(copied), folded=True))
    with torch.inference_mode():
        found = _scores(copied(x))
    if (
        expected.shape != found.shape
        or not expected.numel()
        or not (expected - found).abs().max() <= SAME * expected.abs().max()
    ):
        log.warning("%s has no faster copy that computes the same", card_of(network).name)
        return network
    return copied


class _Uses(TorchFunctionMode):
    """Counts the functions that take each of some tensors and make tensors of them."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[int, Tensor] = {}  # alive, so that no other takes its place
        self.counts: Counter[int] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor | list | tuple) and not isinstance(result, torch.Size):
            taken = [*args, *(kwargs or {}).values()]
            taken = [one for each in taken for one in (each if isinstance(each, list | tuple) else (each,))]
            self.counts.update({id(each) for each in taken if id(each) in self.kept})
        return result


def _outside(modules: dict[str, nn.Module], taps: list[Tap]) -> list[nn.Module]:
    """The convolutions, batch norms and activations that no attention module holds: those inside are read
    while they run."""
    paths = {module: path for path, module in modules.items()}
    attention = tuple(f"{paths[tap.module]}." for tap in taps if not tap.sites)
    return [
        module
        for path, module in modules.items()
        if type(module) in (nn.Conv2d, nn.BatchNorm2d, *ACTIVATIONS) and not path.startswith(attention)
    ]


def _watched(
    network: nn.Module, modules: list[nn.Module], x: Tensor
) -> tuple[dict[nn.Conv2d, nn.BatchNorm2d], set[nn.Module], Tensor]:
    """The convolutions whose result goes into one batch norm and nowhere else, each with that one; the
    activations after which nobody needs what they were given; and the scores of ``x``."""
    given: dict[int, nn.Conv2d] = {}  # by the number of a convolution's result
    after: dict[nn.Conv2d, tuple[int, nn.BatchNorm2d]] = {}
    into: dict[nn.Module, list[int]] = {}  # the numbers of what each activation was given
    lasting = {each.untyped_storage().data_ptr() for each in (x, *network.parameters(), *network.buffers())}
    runs: Counter[nn.Module] = Counter()
    uses = _Uses()

    def enter(module: nn.Module, inputs: tuple, named: dict[str, Any]) -> None:
        runs[module] += 1
        taken = features_of(inputs, named)
        if isinstance(module, ACTIVATIONS):
            uses.kept[id(taken)] = taken
            into.setdefault(module, []).append(id(taken))
        elif isinstance(module, nn.BatchNorm2d) and id(taken) in given:
            after[given[id(taken)]] = id(taken), module

    def leave(module: nn.Module, output: Any) -> None:
        if isinstance(module, nn.Conv2d):
            uses.kept[id(output)] = output
            given[id(output)] = module

    with calls(modules, enter, leave), uses:
        expected = _scores(network(x))
    pairs = {
        convolution: norm
        for convolution, (number, norm) in after.items()
        if uses.counts[number] == 1
        and runs[convolution] == 1
        and runs[norm] == 1
        and norm.track_running_stats
    }
    over = {
        module
        for module, numbers in into.items()
        if all(
            uses.counts[one] == 1 and uses.kept[one].untyped_storage().data_ptr() not in lasting
            for one in numbers
        )
    }
    return pairs, over, expected


def _scores(output: Any) -> Tensor:
    """The first tensor that a network gave back."""
    if isinstance(output, dict):
        output = list(output.values())
    while isinstance(output, list | tuple) and output:
        output = output[0]
    return output if isinstance(output, Tensor) else torch.empty(0)
