"""What is usual for the gates of a network: their means over a reference set of photos."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from torch import Tensor, nn

from ..capture.inputs import PhotoSource
from ..capture.layer_attention import LayerAttention
from ..capture.plan import unwrapped
from ..capture.run import traces
from ..errors import EditError, PhotoError
from ..networks.card import card_of
from ..regular_files import open_regular
from ..training.dataset import SUFFIXES
from ..training.moments import Moments
from .compact_means import compact, whole

FEW = 100  # photos: below this, a mean is known to about 0.02, and people are told

# What is usual: means that were taken, a file of them, or photos to take them over.
ReferenceSource: TypeAlias = "Reference | str | Path | Iterable[PhotoSource]"


@dataclass(frozen=True, eq=False)
class Reference:
    """Means of a network's gates over some photos: layer -> part -> float32 array.

    Parts are those of ``capture.changes``, (C,), (h, w) or (C, h, w): "spatial", "spatial_logits" and "joint"
    only where all photos gave maps of one grid; and for other grids "channel" of joint gates, (C,), and
    "spatial_mean", "spatial_logits_mean", one number each."""

    network: str
    sha256: str  # of the network's weights; "" where they are no file
    photos: int
    means: dict[str, dict[str, np.ndarray]]

    def usual(self, layer: LayerAttention, part: str) -> tuple[np.ndarray, bool]:
        """What is usual for a part of a layer, as (C,), (h, w), (C, h, w) or what can be broadcast to these,
        and whether it is known cell by cell. Raises EditError if the layer is not in the reference."""
        means, sides = self.means.get(layer.name, {}), layer.shape[1:]
        wanted = {"channel": layer.shape[:1], "channel_logits": layer.shape[:1], "joint": layer.shape}
        if part in means and means[part].shape == wanted.get(part, sides):
            return means[part], True
        if part == "joint" and "channel" in means and means["channel"].shape == layer.shape[:1]:
            return means["channel"].reshape(-1, *[1] * len(sides)), False
        if f"{part}_mean" in means:
            return means[f"{part}_mean"].reshape([1] * len(sides)), False
        raise EditError("reference_without_layer", layer=layer.name)

    @property
    def digest(self) -> str:
        """What these means are told by."""
        digest = hashlib.sha256(f"{self.network} {self.sha256} {self.photos}".encode())
        for layer, means in self.means.items():
            for part, values in means.items():
                digest.update(f"{layer} {part}".encode() + np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()

    def save(self, path: str | Path, small: bool = False) -> None:
        """Write it as a file of NumPy's (.npz) that ``load_reference`` opens; a ``small`` one in a
        fraction of the bytes, rounded to halves (0.0002 of a gate), a joint gate's cells to 0.002."""
        means = {layer: compact(each) for layer, each in self.means.items()} if small else self.means
        arrays = {f"{layer}|{part}": values for layer, each in means.items() for part, values in each.items()}
        about = np.array([self.network, self.sha256, str(self.photos)])
        with open(path, "wb") as file:
            np.savez_compressed(file, about=about, **arrays)  # type: ignore[arg-type]


def load_reference(path: str | Path) -> Reference:
    """The means in a file that ``Reference.save`` wrote. Raises EditError for another file."""
    arrays = _arrays_in(path)
    try:
        network, sha256, photos = arrays.pop("about").tolist()
        means: dict[str, dict[str, np.ndarray]] = {}
        for name, values in arrays.items():
            layer, _, part = name.rpartition("|")
            means.setdefault(layer, {})[part] = values.astype(np.float32)
        return Reference(network, sha256, int(photos), {layer: whole(each) for layer, each in means.items()})
    except (ValueError, KeyError):
        raise _unreadable(path) from None


def stored_means(path: str | Path) -> dict[str, np.ndarray]:
    """The means in such a file as they are stored, "layer|part" -> array. Raises EditError for another
    file."""
    return {name: values for name, values in _arrays_in(path).items() if name != "about"}


def _arrays_in(path: str | Path) -> dict[str, np.ndarray]:
    try:
        with open_regular(Path(path)) as content, np.load(content, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error):
        raise _unreadable(path) from None


def _unreadable(path: str | Path) -> EditError:
    return EditError("reference_unreadable", name=Path(path).name)


def reference(
    network: nn.Module, photos: Iterable[PhotoSource] | Tensor, view: str = "crop", batch_size: int = 16
) -> Reference:
    """The means of a network's gates over photos, in one pass each and flat memory; the rest is as in
    ``traces``.

    They should look like what is asked about, all classes among them: over a hundred photos a channel's mean
    is known to about 0.02, and over those of a single class it can be off by 0.1 and more."""
    network, meters, count = unwrapped(network), dict[str, _Means](), 0
    for trace in traces(network, photos, batch_size, view):
        count += 1
        for layer in trace.layers.values():
            if layer.formula != "none":
                meters.setdefault(layer.name, _Means()).add(layer)
    card = card_of(network)
    return Reference(card.name, card.sha256, count, {name: meter.means() for name, meter in meters.items()})


class _Means:
    """One layer's means, photo by photo."""

    def __init__(self) -> None:
        self._moments: dict[str, Moments | None] = {}  # None: of several shapes

    def add(self, layer: LayerAttention) -> None:
        for part, values in _parts(layer).items():
            moments = self._moments.setdefault(part, Moments())
            if moments is not None and moments.counts.size and moments.counts.shape != values.shape:
                self._moments[part] = moments = None
            if moments is not None:
                moments.add(values.astype(np.float64))

    def means(self) -> dict[str, np.ndarray]:
        known = {part: each for part, each in self._moments.items() if each is not None}
        return {
            part: np.where(each.counts > 0, each.means, np.nan).astype(np.float32)
            for part, each in known.items()
        }


def _parts(layer: LayerAttention) -> dict[str, np.ndarray]:
    parts: dict[str, Any] = {
        "channel": layer.channel,
        "channel_logits": layer.channel_logits,
        "joint": layer.factor() if layer.averaged else None,
    }
    for name in ("spatial", "spatial_logits"):
        values = getattr(layer, name)
        if values is not None:
            known = values[~np.isnan(values)]
            parts[name], parts[f"{name}_mean"] = values, np.array([known.mean() if known.size else np.nan])
    return {name: values for name, values in parts.items() if values is not None}


def pictures_in(path: str | Path) -> list[Path]:
    """The pictures in a folder and below it, by name, or the one picture that a path leads to. Raises
    PhotoError for a folder without any."""
    if not Path(path).is_dir():
        return [Path(path)]
    found = sorted(each for each in Path(path).rglob("*") if each.suffix.lower() in SUFFIXES)
    if not found:
        raise PhotoError("folder_without_pictures", name=str(path))
    return found
