"""The photos in what people hand over: an item of a dataset, a batch of a DataLoader, or the photo itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor

from .input_form import InputForm

NAMES = ("pixel_values", "image", "images", "img", "imgs", "photo", "input", "inputs", "x", "data")


def photo_in(item: Any) -> Any:
    """The photo, or the batch of photos, of an item that holds more: the first of a tuple or a list, as in
    ``photo, target = dataset[0]``; in a mapping the one under a usual name, else the first."""
    while isinstance(item, Mapping | tuple | list) and len(item):
        if isinstance(item, Mapping):
            named = [item[name] for name in NAMES if name in item]
            item = named[0] if named else next(iter(item.values()))
        else:
            item = item[0]
    return item


def photos_in(items: Iterable[Any], form: InputForm) -> Iterator[Any]:
    """The photos of many items, one by one, those of a batch (N, C, H, W) too."""
    for item in items:
        photo = photo_in(item)
        if isinstance(photo, Tensor) and photo.ndim == 2 + form.positions:
            yield from photo
        else:
            yield photo
