"""Which part of a photo a network sees, at what size, and where on the photo each cell of a map lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .photo import Photo

LONGEST = 4  # a whole photo's longer side is at most this many times the recipe's ``resize``


@dataclass(frozen=True)
class Recipe:
    """The preprocessing that a network was measured with, as in torchvision: Resize, CenterCrop, ToTensor,
    Normalize."""

    resize: int = 256  # px, the shorter side
    crop: int = 224  # px, the side of the centre square
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    interpolation: str = "bilinear"  # or "bicubic", with antialiasing either way

    def __post_init__(self) -> None:
        for name in ("mean", "std"):  # as lists they come from JSON
            object.__setattr__(self, name, tuple(getattr(self, name)))


@dataclass(frozen=True)
class Region:
    """The part of a photo that a network sees: ``box`` (left, top, right, bottom) in pixels of the photo,
    with fractions, resampled to an input of ``size`` (height, width) in pixels."""

    box: tuple[float, float, float, float]
    size: tuple[int, int]


def whole(photo: Photo, recipe: Recipe) -> Region:
    """The region of all of a photo, its shorter side scaled to ``recipe.resize`` and its longer one to at
    most four times that."""
    scale = min(
        recipe.resize / min(photo.width, photo.height),
        LONGEST * recipe.resize / max(photo.width, photo.height),
    )
    size = max(1, round(photo.height * scale)), max(1, round(photo.width * scale))
    return Region((0.0, 0.0, float(photo.width), float(photo.height)), size)


def crop(photo: Photo, recipe: Recipe) -> Region:
    """The region of a photo's centre square: ``recipe.crop`` pixels of the photo when its shorter side has
    ``recipe.resize``."""
    side = min(photo.width, photo.height) * recipe.crop / recipe.resize
    left, top = (photo.width - side) / 2, (photo.height - side) / 2
    return Region((left, top, left + side, top + side), (recipe.crop, recipe.crop))


VIEWS = {"whole": whole, "crop": crop}


def network_input(photo: Photo, region: Region, recipe: Recipe) -> Tensor:
    """The region as the network takes it: float32 (3, H, W), resampled with antialiasing, normalised with
    mean and std."""
    height, width = region.size
    resized = photo.image().resize(
        (width, height), Image.Resampling[recipe.interpolation.upper()], box=region.box
    )
    return normalised(np.array(resized)[None], recipe)[0]


def normalised(pixels: np.ndarray, recipe: Recipe) -> Tensor:
    """RGB bytes (N, H, W, 3) -> float32 (N, 3, H, W), channels last in memory, normalised with mean and
    std."""
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255)
    return x.sub_(_column(recipe.mean)).div_(_column(recipe.std))


def photo_of(x: Tensor, recipe: Recipe, name: str) -> Photo:
    """The way back: a normalised (3, H, W) input as a Photo of the same size, rounded to 8 bits."""
    pixels = (
        x.detach()
        .float()
        .cpu()
        .mul(_column(recipe.std))
        .add(_column(recipe.mean))
        .mul(255)
        .round()
        .clamp(0, 255)
    )
    return Photo(pixels.permute(1, 2, 0).byte().numpy().copy(), name)


def map_box(region: Region, grid: tuple[int, int]) -> tuple[float, float, float, float]:
    """Where a map of (h, w) cells lies on the photo: (left, top, right, bottom) in pixels of the photo.

    A network that halves its input k times gives ceil(H / 2^k) rows, so the last row and column may hang over
    the edge of what was seen: 341 pixels at stride 32 make 11 columns, which cover 352. The box then ends
    outside the photo, and a cell stays as large as it is. For grids that no such k explains, the cells share
    the input evenly."""
    left, top, right, bottom = region.box
    height, width = (_covered(side, cells) for side, cells in zip(region.size, grid))
    return (
        left,
        top,
        left + (right - left) * width / region.size[1],
        top + (bottom - top) * height / region.size[0],
    )


def _covered(side: int, cells: int) -> int:
    """How many pixels of the input that many cells cover, of a ``side`` in pixels."""
    stride = 1
    while -(-side // stride) > cells:
        stride *= 2
    return cells * stride if -(-side // stride) == cells else side


def _column(values: tuple[float, float, float]) -> Tensor:
    """A number a channel, (3, 1, 1)."""
    return torch.tensor(values).view(3, 1, 1)
