"""Photos that go through a checkpoint's network, small, to see whether it is read as it was trained."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .._paths import EXAMPLES_FOLDER
from ..photos.geometry import Recipe

NOISE = 0  # a side: white noise of 32 pixels, which is what tests and calibrations use
MOST_PHOTOS = 16


def sample_photos(channels: int, side: int, most: int = MOST_PHOTOS) -> Tensor:
    """Normalised photos (N, channels, side, side), ``most`` at most: grey ones for one channel, colours in
    turn for more than three; or noise."""
    if side == NOISE:
        generator = torch.Generator().manual_seed(0)
        return torch.randn(MOST_PHOTOS, channels, 32, 32, generator=generator)[:most]
    recipe = Recipe()
    mean, deviation = torch.tensor(recipe.mean)[:, None, None], torch.tensor(recipe.std)[:, None, None]
    photos = (_squares(side)[:most].float() / 255 - mean) / deviation
    if channels == 1:
        return photos.mean(1, keepdim=True)
    return photos[:, torch.arange(channels) % 3]


@cache
def _squares(side: int) -> Tensor:
    """Squares of the photos that come with attnviz, some whole and some in quarters, uint8 (N, 3, side,
    side)."""
    paths = sorted(EXAMPLES_FOLDER.glob("*.jpg"))
    every = [(path, part) for path in paths for part in range(5)]
    mixed = [every[7 * index % len(every)] for index in range(min(MOST_PHOTOS, len(every)))]
    squares = torch.zeros(len(mixed), 3, side, side, dtype=torch.uint8)
    count = 0
    for path, part in mixed:
        try:
            square = _square(path, part, side)
        except OSError:  # damaged, which others say
            continue
        squares[count] = square
        count += 1
    return squares[:count]


def _square(path: Path, part: int, side: int) -> Tensor:
    """The square at a photo's upper left, or one of its quarters, which are 1 to 4. The photo is decoded as
    small as will do."""
    with Image.open(path) as image:
        parts = 1 if part == 0 else 2
        width, height = (parts * side * length // min(image.size) for length in image.size)
        image.draft(None, (width, height))
        length = min(image.size) // parts
        y, x = divmod(max(0, part - 1), 2)
        box = (x * length, y * length, (x + 1) * length, (y + 1) * length)
        small = image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR, box)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)
