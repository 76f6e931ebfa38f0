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


def iter_items(photos: Any) -> Iterator[Any]:
    """The items of anything that can be gone through. A dataset that knows its length is asked for no item
    beyond it."""
    if hasattr(photos, "__iter__") or not hasattr(photos, "__len__"):
        return iter(photos)
    return (photos[index] for index in range(len(photos)))


def photos_in(items: Iterable[Any], form: InputForm) -> Iterator[Any]:
    """The photos of many items, one by one, those of a batch (N, C, H, W) too."""
    for item in items:
        photo = photo_in(item)
        if isinstance(photo, Tensor) and photo.ndim == 2 + form.positions:
            yield from photo
        else:
            yield photo


def single_photo(item: Any, form: InputForm) -> Any:
    """The photo of one item, which can be a batch of one."""
    photo = photo_in(item)
    is_batch = isinstance(photo, Tensor) and photo.ndim == 2 + form.positions
    return photo[0] if is_batch and len(photo) == 1 else photo
