"""The photos in what people hand over: an item of a dataset, a batch of a DataLoader, or the photo itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from ..photos.photo import Photo
from .input_form import InputForm

NAMES = ("pixel_values", "image", "images", "img", "imgs", "photo", "input", "inputs", "x", "data")


def photo_in(item: Any, form: InputForm) -> Any:
    """The photo, or the batch of photos, of an item that holds more, as ``photo, target = dataset[0]`` does:
    the first that is one by its form, in a mapping first under a usual name; else what stands first."""
    parts = list(_parts(item))
    photos = (part for part in parts if _is_photo(part, form) or _is_batch(part, form))
    return next(photos, parts[0] if parts else item)


def _parts(item: Any) -> Iterator[Any]:
    """All that an item holds, in order, those under usual names first."""
    if isinstance(item, Mapping):
        names = [name for name in NAMES if name in item]
        for name in (*names, *(name for name in item if name not in names)):
            yield from _parts(item[name])
    elif isinstance(item, tuple | list):
        for part in item:
            yield from _parts(part)
    else:
        yield item


def _is_photo(value: Any, form: InputForm) -> bool:
    if isinstance(value, Tensor):
        return value.is_floating_point() and form.fits(value)
    if isinstance(value, np.ndarray):
        return value.ndim == 3
    return isinstance(value, Photo | Image.Image)


def _is_batch(value: Any, form: InputForm) -> bool:
    return isinstance(value, Tensor) and value.ndim > 1 and len(value) > 0 and _is_photo(value[0], form)


def iter_items(photos: Any) -> Iterator[Any]:
    """The items of anything that can be gone through. A dataset that knows its length is asked for no item
    beyond it."""
    if hasattr(photos, "__iter__") or not hasattr(photos, "__len__"):
        return iter(photos)
    return (photos[index] for index in range(len(photos)))


def photos_in(items: Iterable[Any], form: InputForm) -> Iterator[Any]:
    """The photos of many items, one by one, those of a batch (N, C, H, W) too."""
    for item in items:
        for each in _collected(item, form):
            photo = photo_in(each, form)
            if isinstance(photo, Tensor) and photo.ndim == 2 + form.positions:
                yield from photo
            else:
                yield photo


def _collected(item: Any, form: InputForm) -> list[Any]:
    """The items in what a DataLoader collected as a list, or as a list of photos beside lists of what belongs
    to them; else the item itself."""
    if not isinstance(item, tuple | list) or not item:
        return [item]
    columns = [part for part in item if isinstance(part, tuple | list)]
    if len(columns) == len(item) > 1 and len({len(column) for column in columns}) == 1:
        photos = next((column for column in columns if _are_photos(column, form)), None)
        if photos is not None:
            return list(photos)
    if isinstance(item, list) and (_are_photos(item, form) or all(_is_item(part, form) for part in item)):
        return item
    return [item]


def _are_photos(values: Any, form: InputForm) -> bool:
    return len(values) > 0 and all(
        isinstance(each, str | os.PathLike) or _is_photo(each, form) for each in values
    )


def _is_item(value: Any, form: InputForm) -> bool:
    """Whether a value holds just one photo among other things."""
    if not isinstance(value, Mapping | tuple | list):
        return False
    return sum(_is_photo(part, form) for part in _parts(value)) == 1


def single_photo(item: Any, form: InputForm) -> Any:
    """The photo of one item, which can be a batch of one."""
    photo = photo_in(item, form)
    is_batch = isinstance(photo, Tensor) and photo.ndim == 2 + form.positions
    return photo[0] if is_batch and len(photo) == 1 else photo
