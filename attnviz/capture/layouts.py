"""Which dimension of a tensor is what: batch, channels or positions. Features have channels second, but code
may turn them, as in (N, h, w, C), or merge and split dimensions, as in (N, C, h·w) or (N, G, C/G, h, w).

A layout is a text with a letter a dimension: "N", "C", and "0", "1", "2" for positions. It is known of what
convolutions and batch norms give back, and followed from there."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

STANDARD = "NC012"
PRIMES = (2, 3, 5, 7, 11, 13, 17)  # sizes of a tensor whose dimensions can be told apart

# Functions whose results have channels second, and so many dimensions.
ANCHORS = {
    **{f"conv{positions}d": 2 + positions for positions in (1, 2, 3)},
    **{f"conv_transpose{positions}d": 2 + positions for positions in (1, 2, 3)},
    "batch_norm": 0,  # any number
}
TURNING = {"permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis"}
TURNED = {Tensor.mT.__get__, Tensor.mH.__get__, Tensor.T.__get__}  # type: ignore[attr-defined]
RESHAPING = {"view", "reshape", "flatten", "unflatten", "reshape_as", "view_as"}
# Functions that change the size of any dimension.
RESIZING = {"__getitem__", "cat", "concat", "pad", "_pad", "roll", "chunk", "split", "narrow"}
MIXING = {"matmul", "__matmul__", "bmm", "baddbmm", "einsum"}  # what comes out may lie otherwise


class Layouts:
    """The layouts of the tensors of a pass, as far as they are known."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Tensor], str]] = {}  # by the ids of the tensors

    def of(self, tensor: Tensor) -> str:
        """A tensor's layout; "" if it is not known."""
        known = self._known.get(id(tensor))
        return known[1] if known is not None else ""

    def follow(self, func: Any, args: tuple, kwargs: dict[str, Any], result: Any) -> None:
        """A function has given a result back for some arguments."""
        name = getattr(func, "__name__", "")
        if name in ANCHORS:
            if isinstance(result, Tensor) and result.ndim > 2 and ANCHORS[name] in (0, result.ndim):
                self._keep(result, STANDARD[: result.ndim])
            return
        given = _first_tensor(args)
        layout = self.of(given) if given is not None else ""
        if given is None or not layout or name in MIXING:
            return
        for each in result if isinstance(result, tuple | list) else (result,):
            if isinstance(each, Tensor):
                self._keep(each, _layout_after(func, name, given, layout, args, kwargs, each))

    def _keep(self, tensor: Tensor, layout: str) -> None:
        key = id(tensor)
        if not layout:
            return
        self._known[key] = weakref.ref(tensor, lambda _: self._known.pop(key, None)), layout


def _first_tensor(args: tuple) -> Tensor | None:
    for value in args:
        if isinstance(value, tuple | list) and value:
            value = value[0]
        if isinstance(value, Tensor):
            return value
    return None


def _layout_after(
    func: Any, name: str, given: Tensor, layout: str, args: tuple, kwargs: dict[str, Any], result: Tensor
) -> str:
    """The layout of a result; "" if it can't be told."""
    if name in TURNING or func in TURNED:
        return _turned(func, layout, args, kwargs)
    if name in RESHAPING:
        return _reshaped(given.shape, layout, result.shape)
    if result.ndim != given.ndim:
        return ""
    others = [place for place, letter in enumerate(layout) if letter != "C"]
    is_alike = all(result.shape[place] == given.shape[place] for place in others)
    return layout if is_alike or name in RESIZING else ""


def _turned(func: Any, layout: str, args: tuple, kwargs: dict[str, Any]) -> str:
    sizes = PRIMES[: len(layout)]
    try:
        turned = func(torch.empty(sizes, device="meta"), *args[1:], **kwargs)
    except (RuntimeError, IndexError, TypeError):  # its tensor was given by name
        return ""
    return "".join(layout[sizes.index(size)] for size in turned.shape)


def _reshaped(before: torch.Size, layout: str, after: torch.Size) -> str:
    """The layout after dimensions were merged or split."""
    letters = ""
    if {0, 1} & {*before, *after} or math.prod(before) != math.prod(after):
        return ""
    for old, new in _matching(before, after):
        merged = {layout[place] for place in old}
        if len(old) == len(new) == 1 or len(merged) == 1:
            letters += layout[old[0]] * len(new)
        elif len(new) == 1:
            letters += _merged(merged)
        elif "N" in merged and merged <= {"N", "C"} and len(new) == 2:  # groups of channels in the batch
            letters += "NC"
        else:
            return ""
    return letters if "N" in letters and "C" in letters and "?" not in letters else ""


def _merged(letters: set[str]) -> str:
    if "N" in letters:
        return "N"
    return "?" if "C" in letters else min(letters)


def _matching(before: torch.Size, after: torch.Size) -> Iterator[tuple[list[int], list[int]]]:
    """Runs of dimensions before and after that hold the same numbers; there are no dimensions of 1."""
    old = new = 0
    while old < len(before):
        olds, news = [old], [new]
        left, right = before[old], after[new]
        while left != right:
            if left < right:
                olds.append(olds[-1] + 1)
                left *= before[olds[-1]]
            else:
                news.append(news[-1] + 1)
                right *= after[news[-1]]
        yield olds, news
        old, new = olds[-1] + 1, news[-1] + 1


def canonical(values: Tensor, layout: str, sizes: torch.Size | None = None) -> Tensor:
    """Values of a layout as (N, C, positions …). What is to be broadcast to features is given with the
    ``sizes`` of these. Values that have other dimensions than the layout stay as they are."""
    if len(layout) != values.ndim or layout == STANDARD[: len(layout)]:
        return values
    sizes = values.shape if sizes is None else sizes
    groups = [[place for place, letter in enumerate(layout) if letter == kind] for kind in "NC"]
    positions = sorted(
        (place for place, letter in enumerate(layout) if letter not in "NC"), key=layout.__getitem__
    )
    for group in groups:
        values = _alike_in(values, group, sizes)
    order = [*groups[0], *groups[1], *positions]
    turned = values.permute(order)
    return turned.flatten(len(groups[0]), len(groups[0]) + len(groups[1]) - 1).flatten(0, len(groups[0]) - 1)


def _alike_in(values: Tensor, group: list[int], sizes: torch.Size) -> Tensor:
    """The values written out over a group of dimensions, unless they have only one number there."""
    if all(values.shape[place] == 1 for place in group):
        return values
    return values.expand([sizes[place] if place in group else -1 for place in range(values.ndim)])


def laid_out(values: Tensor, layout: str, sizes: torch.Size) -> Tensor:
    """The way back from ``canonical``: values (N, C, positions …), any of which may be 1, so that they can be
    broadcast to a tensor of a layout that has these ``sizes``."""
    if len(layout) != len(sizes) or layout == STANDARD[: len(layout)]:
        return values
    order = [place for kind in "NC" for place, letter in enumerate(layout) if letter == kind]
    order += sorted((p for p, letter in enumerate(layout) if letter not in "NC"), key=layout.__getitem__)
    counts = [
        layout.count("N"),
        layout.count("C"),
        *[1] * (len(layout) - layout.count("N") - layout.count("C")),
    ]
    split: list[int] = []
    for size, count in zip(values.shape, counts):
        places = order[len(split) : len(split) + count]
        split += [1] * count if size == 1 else [sizes[place] for place in places]
    return values.reshape(split).permute([order.index(place) for place in range(len(order))])
