"""What a network says: the class scores in what it gave back, and what kind of numbers they are."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

# What the numbers are -> in words.
MEANINGS = {
    "logits": "class scores, whose softmax are probabilities",
    "probabilities": "probabilities that the network gives itself; their sum is 1",
    "independent": "a probability for each class by itself, as the network's sigmoid gives it",
    "number": "one number, which names no class",
    "none": "no class scores",
}

NAMED_SCORES = re.compile(r"logit|score|prob|pred|class|cls|^out(put)?$", re.I)
NAMED_OTHERWISE = re.compile(r"loss|feat|embed|hidden|pool|mask|box|attention|state", re.I)
DEEPEST = 3  # outputs within outputs that are looked into
SUM_OFF = 5e-3  # the most by which probabilities in half precision miss a sum of 1
SIGMOIDS = {
    torch.sigmoid,
    torch.sigmoid_,
    torch.special.expit,
    Tensor.sigmoid,
    Tensor.sigmoid_,
    nn.functional.sigmoid,
    nn.functional.hardsigmoid,
}


@dataclass(frozen=True, eq=False)
class Scores:
    """The numbers that a network gave for each of N inputs."""

    values: np.ndarray  # (N, K) float32; (N, 0) if there are none
    meaning: str  # one of MEANINGS


@dataclass(frozen=True, eq=False)
class Head:
    """What is known of a network's end: its classes' labels, the modules that could give scores, and a
    question that costs a pass, whether it ends with a sigmoid."""

    labels: tuple[str, ...]
    modules: Iterable[nn.Module]
    ends_with_sigmoid: Callable[[], bool]


def scores_of(output: Any, count: int, head: Head) -> Scores:
    """The class scores in what a network gave back for ``count`` inputs, a copy.

    They are the output itself, or that one of its entries which is known to be scores: by its name, by the
    number of labels, or because a linear layer makes as many. Where several could be, there are none."""
    found = _found(output, count, head)
    if found is None:
        return Scores(np.zeros((count, 0), np.float32), "none")
    values = found.detach().reshape(count, -1).float().cpu().numpy().copy()
    meaning = _meaning(values, head)
    return Scores(values[:, :0] if meaning == "none" else values, meaning)


def _found(output: Any, count: int, head: Head) -> Tensor | None:
    if isinstance(output, Tensor) and count == 1 and output.ndim < 2 and output.is_floating_point():
        return output  # what was squeezed
    candidates = [entry for entry in _entries(output, count) if _are_scores(entry[1], count)]
    if len(candidates) > 1 or not isinstance(output, Tensor):
        candidates = _chosen(candidates, head)
    return candidates[0][1] if candidates else None


def _entries(output: Any, count: int, name: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    """The tensors in an output, each with its name if it has one. A list with an entry for each input holds
    what was found in each, such as boxes, and no scores."""
    if isinstance(output, Tensor):
        yield name, output
    elif depth < DEEPEST and not (isinstance(output, list) and _has_one_each(output, count)):
        for key, value in _named(output):
            yield from _entries(value, count, key, depth + 1)


def _has_one_each(output: list, count: int) -> bool:
    """Whether a list has an entry for each input, rather than one for each of several heads."""
    return len(output) == count and not all(
        isinstance(each, Tensor) and each.ndim == 2 and _are_scores(each, count) for each in output
    )


def _named(output: Any) -> list[tuple[str, Any]]:
    if isinstance(output, Mapping):
        return [(str(key), value) for key, value in output.items()]
    if hasattr(output, "_asdict"):  # a named tuple
        return list(output._asdict().items())
    if isinstance(output, tuple | list):
        return [("", value) for value in output]
    return list(vars(output).items()) if dataclasses.is_dataclass(output) else []


def _are_scores(values: Tensor, count: int) -> bool:
    """Whether a tensor is (N,), (N, K), or has only sides of 1 beyond that."""
    if not values.is_floating_point() or not values.ndim or len(values) != count or not values.numel():
        return False
    return values.ndim == 1 or values.numel() == count * values.shape[1]


def _chosen(candidates: list[tuple[str, Tensor]], head: Head) -> list[tuple[str, Tensor]]:
    """Those among several tensors that are scores; empty if that can't be told."""
    rest = [entry for entry in candidates if not NAMED_OTHERWISE.search(entry[0])]
    rest = [entry for entry in rest if NAMED_SCORES.search(entry[0])] or rest
    wide = [entry for entry in rest if entry[1].numel() > len(entry[1])]
    rest = wide or rest  # (N,) beside (N, K) is a loss or the like
    for counts in ({len(head.labels)}, _class_counts(head.modules)):
        fitting = [entry for entry in rest if _width(entry) in counts]
        if len(set(map(_width, fitting))) == 1:
            return fitting
    named = [entry for entry in rest if NAMED_SCORES.search(entry[0])]
    return named if len(set(map(_width, named))) == 1 else []


def _width(entry: tuple[str, Tensor]) -> int:
    return entry[1].numel() // len(entry[1])


def _class_counts(modules: Iterable[nn.Module]) -> set[int]:
    """How many numbers the linear layers, and convolutions of one cell, give that no other takes."""
    sides: list[tuple[int, int]] = []
    for module in modules:
        if isinstance(module, nn.Linear):
            sides.append((module.in_features, module.out_features))
        elif isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1):
            sides.append((module.in_channels, module.out_channels))
    return {given for _, given in sides} - {taken for taken, _ in sides}


def _meaning(values: np.ndarray, head: Head) -> str:
    if values.shape[1] == 1:
        return "number"
    least, greatest = values.min(), values.max()
    if not (np.isfinite(least) and np.isfinite(greatest)):
        values = values[np.isfinite(values).all(1)]
        return _meaning(values, head) if len(values) else "logits"
    in_range = least >= -1e-6 and greatest <= 1 + 1e-6
    if in_range and (np.abs(values.sum(1) - 1) <= SUM_OFF).all():
        return "probabilities"
    if (np.abs((values * values).sum(1) - 1) < 2e-3).all():  # vectors of length 1 are an embedding
        return "none"
    return "independent" if in_range and head.ends_with_sigmoid() else "logits"


class _SigmoidListener(TorchFunctionMode):
    """Keeps what the latest sigmoid gave back."""

    def __init__(self) -> None:
        super().__init__()
        self.latest: Tensor | None = None

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in SIGMOIDS:
            self.latest = result
        return result


def ends_with_sigmoid(run: Callable[[], Any], head: Head, count: int) -> bool:
    """Whether the scores of a pass for ``count`` inputs are what its last sigmoid gave; ``run`` runs it."""
    listener = _SigmoidListener()
    with listener:
        found = _found(run(), count, head)
    latest = listener.latest
    if found is None or latest is None or latest.numel() != found.numel():
        return False
    latest, found = latest.flatten(), found.flatten()
    return any(torch.allclose(each, found, atol=1e-5, rtol=0) for each in (latest, 1 - latest))
