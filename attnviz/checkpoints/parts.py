"""The modules that keys and shapes of weights tell of, and the blocks of a ResNet that they lie in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .fault import CheckpointFault

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Part:
    """A module that holds weights itself."""

    path: str  # as in the file
    shapes: Shapes  # by the weights' own names: "weight", "bias", …

    @property
    def weight(self) -> tuple[int, ...]:
        """The shape of its weight; () without one."""
        return self.shapes.get("weight", ())

    @property
    def kind(self) -> str:
        """ "convolution" of two dimensions, "layer" (fully connected), "norm" (batch norm), or "other"."""
        if "running_mean" in self.shapes and len(self.shapes["running_mean"]) == 1:
            return "norm"
        if not self.shapes.keys() <= {"weight", "bias"} or 0 in self.weight:
            return "other"
        return {4: "convolution", 2: "layer"}.get(len(self.weight), "other")

    @property
    def size(self) -> int:
        """Channels of a batch norm."""
        return self.shapes["running_mean"][0]

    @property
    def out(self) -> int:
        """Channels, or units, that a convolution or layer gives."""
        return self.weight[0]

    @property
    def inputs(self) -> int:
        """Those that it takes; of a convolution in groups those of one group."""
        return self.weight[1]

    @property
    def side(self) -> int:
        """The side of a convolution's kernel; 1 of a layer."""
        return self.weight[-1] if len(self.weight) == 4 else 1

    @property
    def is_pointwise(self) -> bool:
        """Whether it is a layer, or a convolution of 1×1, which is one at every position."""
        return self.kind == "layer" or (self.kind == "convolution" and self.weight[2:] == (1, 1))

    @property
    def bias(self) -> bool:
        """Whether it has a bias."""
        return "bias" in self.shapes


def parts_of(shapes: Shapes) -> list[Part]:
    """The modules of a state dict, in the order of their names, numbers by their value."""
    found: dict[str, Shapes] = {}
    for key, shape in shapes.items():
        path, _, name = key.rpartition(".")
        found.setdefault(path, {})[name] = shape
    return sorted((Part(path, own) for path, own in found.items()), key=lambda part: in_order(part.path))


def in_order(path: str) -> list[tuple[int, int, str]]:
    """A key to sort names by, in which 10 comes after 9."""
    pieces = re.split(r"(\d+)", path)
    return [(0, int(piece[:15]), "") if piece.isdigit() else (1, 0, piece) for piece in pieces]


@dataclass(frozen=True)
class Grouped:
    """A state dict's modules by where they lie."""

    prefix: str  # before the names of the network that was taken
    stages: tuple[tuple[tuple[Part, ...], ...], ...]  # modules of each block, their paths from the block on
    paths: tuple[tuple[str, ...], ...]  # of each block
    outside: tuple[Part, ...]  # all others
    others: tuple[str, ...] = ()  # prefixes of other networks in the file, which are left out


def grouped(parts: list[Part]) -> Grouped:
    """The blocks of the network that these modules are of. Raises CheckpointFault where none is seen, or
    where several networks are and none is the one to take."""
    for pattern in BLOCKS:
        matches = {part.path: re.fullmatch(pattern, part.path) for part in parts}
        inside = {path: found for path, found in matches.items() if found}
        by_prefix: dict[str, list[Part]] = {}
        for part in parts:
            if part.path in inside:
                by_prefix.setdefault(inside[part.path]["prefix"], []).append(part)
        nets = {prefix: own for prefix, own in by_prefix.items() if _has_blocks(own, inside)}
        if nets:
            prefix = _to_take(nets)
            others = tuple(name for name in nets if name != prefix)
            return _gathered(parts, nets[prefix], inside, prefix, others)
    raise CheckpointFault("layout_without_blocks")


def _gathered(
    parts: list[Part],
    own: list[Part],
    matches: dict[str, re.Match[str]],
    prefix: str,
    others: tuple[str, ...],
) -> Grouped:
    stages: dict[int, dict[int, list[Part]]] = {}
    paths: dict[tuple[int, int], str] = {}
    for part in own:
        match = matches[part.path]
        groups = match.groupdict()
        stage, block = int(groups.get("stage") or 0), int(match["block"])
        stages.setdefault(stage, {}).setdefault(block, []).append(Part(match["rest"], part.shapes))
        paths[stage, block] = part.path.removesuffix("." + match["rest"])
    taken = {part.path for part in own}
    left = tuple(
        part for part in parts if part.path not in taken and not part.path.startswith(others or "\0")
    )
    ordered = tuple(tuple(tuple(stages[s][b]) for b in sorted(stages[s])) for s in sorted(stages))
    names = tuple(tuple(paths[s, b] for b in sorted(stages[s])) for s in sorted(stages))
    return Grouped(prefix, ordered, names, left, others)


def _has_blocks(parts: list[Part], matches: dict[str, re.Match[str]]) -> bool:
    """Whether at least two blocks hold at least two convolutions each, one of them over several pixels."""
    blocks: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        match = matches[part.path]
        stage = match.groupdict().get("stage") or ""
        if part.kind == "convolution":
            blocks.setdefault((stage, match["block"]), []).append(part)
    wide = [own for own in blocks.values() if len(own) > 1 and any(part.side > 1 for part in own)]
    return len(wide) > 1


def _to_take(nets: Iterable[str]) -> str:
    """The prefix of the network to take: the only one that is no average or teacher of another."""
    first = [prefix for prefix in nets if not re.search(AVERAGES, prefix.lower())]
    if len(first) == 1:
        return first[0]
    names = tuple(f"“{prefix.rstrip('.')[:40]}”" for prefix in (first or list(nets))[:3])
    if not first and len(names) == 1:
        return next(iter(nets))
    raise CheckpointFault("layout_of_several", names=names)


# How paths of modules in blocks look, the surest first: what comes before, the stage, the block, the rest.
_REST = r"\.(?P<rest>.+)"
_LIST = r"(?:unit|block|bottleneck|res|resblock|b)?_?(?P<block>\d+)"
BLOCKS = (
    r"(?P<prefix>(?:.*?[._])?)(?:layer|stage|conv|res|block|group|blk|stack|section)_?(?P<stage>\d+)(?:_x)?[._]"
    + _LIST
    + _REST,
    r"(?P<prefix>.*?)(?:layers|stages|blocks|groups)\.(?P<stage>\d+)\.(?:layers\.|blocks\.)?" + _LIST + _REST,
    r"(?P<prefix>(?:.*?\.)?)(?P<stage>\d+)\.(?P<block>\d+)\.(?P<rest>[A-Za-z_].*)",
    r"(?P<prefix>(?:.*?\.)?)(?:layers|blocks|body|resblocks|res_blocks|residual\w*|features)\.(?P<block>\d+)"
    + _REST,
    r"(?P<prefix>(?:.*?\.)?)(?:layer|block|resblock|res|residual|stage)_?(?P<block>\d+)" + _REST,
)
AVERAGES = r"ema|teacher|momentum|target|_k\b|encoder_k|swa|average|old|shadow"
