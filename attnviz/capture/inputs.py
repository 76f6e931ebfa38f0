"""Photos become a network's inputs: one by one, and many in windows that are made ready ahead."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeAlias

import numpy as np
from PIL import Image
from torch import Tensor, nn

from ..errors import AttnvizError, TraceError, TraceRemark
from ..networks.card import Card
from ..photos.geometry import VIEWS, Region, crop, network_input
from ..photos.opening import open_photo
from ..photos.photo import Photo
from .input_form import InputForm

PhotoSource: TypeAlias = str | os.PathLike | Photo | Image.Image | np.ndarray | Tensor


@dataclass(frozen=True, eq=False)
class PreparedInput:
    """What a network gets of one photo."""

    source: Photo | Tensor  # what was given
    region: Region  # the part of it that the network sees
    x: Tensor  # (C, H, W), normalised
    remarks: tuple[TraceRemark, ...] = ()  # what was assumed of the photo, and done to it


@dataclass(frozen=True, eq=False)
class Window:
    """The inputs of some photos in a row, up to the first that can't be opened, and what is wrong with that
    one."""

    inputs: list[PreparedInput]
    error: AttnvizError | None


def prepare(source: PhotoSource, card: Card, view: str, form: InputForm) -> PreparedInput:
    """The input of one photo for a network with this card, which takes inputs of this form; where that has
    one channel, the photo is made grey.

    ``view`` is one of ``VIEWS``; a photo whose input would have other sides than the network takes is cut to
    the crop. Raises PhotoError for a photo that can't be opened, TraceError for a tensor that is no input,
    and for a photo where the network takes something else."""
    if isinstance(source, Tensor):
        return _of_tensor(source, card, form)
    if form.positions != 2 or form.channels not in (None, 1, 3):
        raise TraceError("photo_not_taken", name=card.name, form=str(form))
    photo = source if isinstance(source, Photo) else open_photo(source)
    region = VIEWS[view](photo, card.recipe)
    if not _takes(card, region.size):
        region = crop(photo, card.recipe)
    if form.channels == 1:
        grey = Photo(np.asarray(photo.image().convert("L").convert("RGB")), photo.name)
        x = network_input(grey, region, card.recipe).mean(0, keepdim=True)
        made_grey = TraceRemark("photo_made_grey", name=card.name)
        return PreparedInput(photo, region, x, (*photo.remarks, made_grey))
    return PreparedInput(photo, region, network_input(photo, region, card.recipe), photo.remarks)


def crop_to(photo: Photo, card: Card, side: int, form: InputForm) -> PreparedInput:
    """The input of a photo's centre square for a network that takes only this side."""
    recipe = replace(card.recipe, resize=side, crop=side)
    cropped = prepare(photo, replace(card, recipe=recipe), "crop", form)
    remark = TraceRemark("photo_cropped", name=card.name, side=side)
    return replace(cropped, remarks=(*cropped.remarks, remark))


def _of_tensor(x: Tensor, card: Card, form: InputForm) -> PreparedInput:
    if not form.fits(x) or not x.numel() or not x.is_floating_point():
        raise TraceError("tensor_not_photo", tensor=f"{tuple(x.shape)} {x.dtype}", form=str(form))
    height, width = (1, 1, *x.shape[1:])[-2:]
    if not _takes(card, (height, width)):
        least, greatest = card.sides or (0, 0)
        raise TraceError(
            "tensor_size_not_taken",
            height=height,
            width=width,
            name=card.name,
            least=least,
            greatest=greatest,
        )
    return PreparedInput(x.detach().clone(), region_of(x), x)


def region_of(x: Tensor) -> Region:
    """All of an input (C, …, H, W) or (C, L)."""
    height, width = (1, 1, *x.shape[1:])[-2:]
    return Region((0.0, 0.0, float(width), float(height)), (height, width))


def _takes(card: Card, size: tuple[int, int]) -> bool:
    """Whether a network takes inputs of this size: some pool over a fixed number of cells."""
    return card.sides is None or all(card.sides[0] <= side <= card.sides[1] for side in size)


def windows(
    photos: Iterator[PhotoSource], count: int, prepared: Callable[[PhotoSource], PreparedInput]
) -> Iterator[Window]:
    """The photos in windows of ``count``; while one is used, the next is made ready in a thread beside. The
    last has an error, or else there were no more photos.

    With a ``count`` of 1 nothing is asked for ahead: whoever gives the photos may wait for each trace before
    it gives another."""
    if count == 1:
        return _one_by_one(photos, prepared)
    return _ahead(photos, count, prepared)


def _one_by_one(
    photos: Iterator[PhotoSource], prepared: Callable[[PhotoSource], PreparedInput]
) -> Iterator[Window]:
    for photo in photos:
        window = _window([photo], prepared)
        yield window
        if window.error is not None:
            return


def _ahead(
    photos: Iterator[PhotoSource], count: int, prepared: Callable[[PhotoSource], PreparedInput]
) -> Iterator[Window]:
    with ThreadPoolExecutor(1, "attnviz-photos") as beside:

        def begin_next() -> Future[Window]:
            try:
                return beside.submit(_window, list(islice(photos, count)), prepared)
            except Exception as error:  # of who gives the photos: those before come first
                failed: Future[Window] = Future()
                failed.set_exception(error)
                return failed

        coming = begin_next()
        while True:
            window = coming.result()
            if window.error is not None:
                yield window
                return
            if not window.inputs:
                return
            coming = begin_next()
            yield window


def _window(photos: Iterable[PhotoSource], prepared: Callable[[PhotoSource], PreparedInput]) -> Window:
    inputs = []
    for photo in photos:
        try:
            inputs.append(prepared(photo))
        except AttnvizError as error:
            return Window(inputs, error)
    return Window(inputs, None)


def as_parameters(network: nn.Module, x: Tensor) -> Tensor:
    """An input on the device and in the type of the network's parameters."""
    parameter = next(network.parameters(), None)
    return x if parameter is None else x.to(parameter.device, parameter.dtype)
