"""A folder of class folders (``train/tench/1.jpg``) as a list of photos, or as batches for training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from ..errors import AttnvizError
from ..networks.card import Card
from ..photos.geometry import Recipe, normalised
from ..regular_files import open_regular

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
SHORTER_SIDE = 256  # pixels that a photo is shrunk to, as more would not fit into memory


@dataclass(frozen=True)
class PhotoList:
    """Paths of labelled photos, sorted by class and name."""

    files: list[Path]
    targets: list[int]  # the index of each photo's class
    classes: list[str]  # the class folders' names, sorted


@dataclass(frozen=True, eq=False)
class ClassFolder:
    """Decoded RGB photos with their classes."""

    photos: list[Image.Image]
    targets: Tensor  # (N,) int64
    classes: list[str]


def list_photos(folder: Path) -> PhotoList:
    """The photos in a folder of class folders. Raises AttnvizError if there are none."""
    if not folder.is_dir():
        raise _no_photos(folder)
    classes = sorted(path.name for path in folder.iterdir() if path.is_dir())
    files, targets = [], []
    for index, name in enumerate(classes):
        for path in sorted((folder / name).iterdir()):
            if path.suffix.lower() in SUFFIXES:
                files.append(path)
                targets.append(index)
    if not files:
        raise _no_photos(folder)
    return PhotoList(files, targets, classes)


def list_photos_of(folder: Path, card: Card) -> PhotoList:
    """The photos in a folder whose class folders, sorted, are a network's classes in their order. Raises
    AttnvizError if there are none, or folders of another number."""
    listed = list_photos(folder)
    if len(listed.classes) != len(card.labels):
        raise AttnvizError(
            "classes_differ",
            folder=str(folder),
            count=len(listed.classes),
            network=card.name,
            classes=len(card.labels),
        )
    return listed


def read_folder(folder: Path) -> ClassFolder:
    """All photos of a folder of class folders, decoded into memory, shorter sides over 256 px shrunk to it.

    Raises AttnvizError if there are none, or one that can't be decoded."""
    listed = list_photos(folder)
    with tqdm(listed.files, "reading photos", mininterval=5) as progress:
        photos = [_decode(path) for path in progress]
    return ClassFolder(photos, torch.tensor(listed.targets), listed.classes)


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
        crops = [_random_crop(data.photos[index], size, least_area, random) for index in chosen]
        photos = normalised(np.stack(crops), Recipe())  # (N, 3, H, W) from (N, H, W, 3)
        yield _vary_colours(photos, random), data.targets[torch.from_numpy(chosen)]


def read_class_names(file: Path | None, classes: list[str]) -> tuple[str, ...]:
    """People's names for the class folders, from a text file with a line “FOLDER name” for each; without a
    file, the folders' own. Raises AttnvizError if one is missing."""
    if file is None:
        return tuple(classes)
    try:
        lines = _lines(file)
    except (OSError, UnicodeError):
        raise AttnvizError("class_labels_unreadable", name=file.name) from None
    names = {}
    for line in lines:
        words = line.strip().split(maxsplit=1)
        if len(words) == 2:
            names[words[0]] = words[1]
    missing = [folder for folder in classes if folder not in names]
    if missing:
        raise AttnvizError("class_labels_missing", name=file.name, classes=tuple(missing))
    return tuple(names[folder] for folder in classes)


def first_words(file: Path) -> list[str]:
    """The first word of each line of a text file. Raises AttnvizError if it can't be read."""
    try:
        return [words[0] for line in _lines(file) if (words := line.split())]
    except (OSError, UnicodeError):
        raise AttnvizError("kin_unreadable", name=file.name) from None


def _lines(file: Path) -> list[str]:
    with open_regular(file) as content:
        return content.read().decode("utf-8-sig").splitlines()


def _no_photos(folder: Path) -> AttnvizError:
    return AttnvizError("class_folders_missing", folder=str(folder), endings=SUFFIXES)


def _decode(path: Path) -> Image.Image:
    try:
        with Image.open(path) as file:
            photo = file.convert("RGB")
    except OSError:
        raise AttnvizError("training_photo_damaged", name=path.name) from None
    scale = SHORTER_SIDE / min(photo.size)
    if scale >= 1:
        return photo
    size = (round(photo.width * scale), round(photo.height * scale))
    return photo.resize(size, Image.Resampling.BILINEAR)


def _random_crop(photo: Image.Image, size: int, least_area: float, random: np.random.Generator) -> np.ndarray:
    area = photo.width * photo.height * random.uniform(least_area, 1)
    aspect = np.exp(random.uniform(np.log(3 / 4), np.log(4 / 3)))
    width, height = min(photo.width, (area * aspect) ** 0.5), min(photo.height, (area / aspect) ** 0.5)
    left, top = random.uniform(0, photo.width - width), random.uniform(0, photo.height - height)
    box = (left, top, left + width, top + height)
    pixels = np.asarray(photo.resize((size, size), Image.Resampling.BILINEAR, box=box))
    return pixels[:, ::-1] if random.random() < 0.5 else pixels


def _vary_colours(x: Tensor, random: np.random.Generator) -> Tensor:
    def factor() -> Tensor:
        return torch.from_numpy(random.uniform(-0.4, 0.4, (len(x), 1, 1, 1)).astype(np.float32))

    x = torch.lerp(x, x.mean(1, keepdim=True), factor())  # saturation, in normalised values
    return x.mul_(1 + factor()).add_(factor())  # contrast, brightness
