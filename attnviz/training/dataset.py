"""A folder of class folders (``train/tench/1.jpg``) becomes a list of photos, or batches for training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from ..photos.geometry import Recipe, normalised

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True, eq=False)
class ClassFolder:
    """Decoded RGB photos, the index of each one's class, and the class folders' names in sorted order."""

    photos: list[Image.Image]
    targets: Tensor  # (N,) int64
    classes: list[str]


def list_photos(folder: Path) -> tuple[list[Path], list[int], list[str]]:
    """The photos of a folder of class folders, the index of each one's class, and the class folders' names,
    all sorted.

    Raises ValueError if there are no class folders with photos in them.
    """
    classes = sorted(path.name for path in folder.iterdir() if path.is_dir())
    found = [
        (path, index)
        for index, name in enumerate(classes)
        for path in sorted((folder / name).iterdir())
        if path.suffix.lower() in SUFFIXES
    ]
    if not found:
        raise ValueError(f"{folder} holds no class folders with photos ({', '.join(SUFFIXES)}) in them")
    return [path for path, _ in found], [index for _, index in found], classes


def read_folder(folder: Path) -> ClassFolder:
    """All photos of a folder of class folders, decoded into memory; shorter sides over 256 px are shrunk to
    it."""
    files, targets, classes = list_photos(folder)
    return ClassFolder(
        [_decode(path) for path in tqdm(files, "reading photos", mininterval=5)],
        torch.tensor(targets),
        classes,
    )


def training_batches(
    data: ClassFolder, size: int, batch: int, seed: int, epoch: int, least_area: float
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of shuffled batches: photos (N, 3, size, size), normalised, channels last, and targets (N,).

    Each photo is a random crop of ``least_area`` to 1 of its area, mirrored half the time, with its
    brightness, contrast and saturation changed by up to 40 %. The same seed and epoch give the same batches.
    """
    random = np.random.default_rng((seed, epoch))
    order = random.permutation(len(data.photos))
    for start in range(0, len(order) - batch + 1, batch):
        chosen = order[start : start + batch]
        crops = np.stack(
            [_random_crop(data.photos[i], size, least_area, random) for i in chosen]
        )  # (N, H, W, 3)
        yield _vary(normalised(crops, Recipe()), random), data.targets[torch.from_numpy(chosen)]


def _decode(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        photo = opened.convert("RGB")
    scale = 256 / min(photo.size)
    return (
        photo
        if scale >= 1
        else photo.resize(
            (round(photo.width * scale), round(photo.height * scale)), Image.Resampling.BILINEAR
        )
    )


def _random_crop(photo: Image.Image, size: int, least_area: float, random: np.random.Generator) -> np.ndarray:
    area = photo.width * photo.height * random.uniform(least_area, 1)
    aspect = np.exp(random.uniform(np.log(3 / 4), np.log(4 / 3)))
    width, height = min(photo.width, (area * aspect) ** 0.5), min(photo.height, (area / aspect) ** 0.5)
    left, top = random.uniform(0, photo.width - width), random.uniform(0, photo.height - height)
    crop = np.asarray(
        photo.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + width, top + height))
    )
    return crop[:, ::-1] if random.random() < 0.5 else crop


def _vary(x: Tensor, random: np.random.Generator) -> Tensor:
    def factor() -> Tensor:
        return torch.from_numpy(random.uniform(-0.4, 0.4, (len(x), 1, 1, 1)).astype(np.float32))

    x = torch.lerp(x, x.mean(1, keepdim=True), factor())  # saturation, in normalised values
    return x.mul_(1 + factor()).add_(factor())  # contrast, brightness
