"""The photos of a folder, and their classes where its folders are the network's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..networks.card import Card
from ..training.dataset import list_photos_of
from .reference import pictures_in


@dataclass(frozen=True)
class LabelledPhotos:
    """Paths of photos, in a fixed order, and the number of each one's class; None where these are not
    known."""

    files: tuple[Path, ...]
    targets: tuple[int, ...] | None = None

    @property
    def digest(self) -> str:
        """What these photos are told by: their paths, in order."""
        text = "\n".join(map(str, self.files))
        return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()

    def spread(self, count: int) -> list[Path]:
        """At most so many of them, evenly over all."""
        step = max(1, len(self.files) / count)
        return [self.files[int(number * step)] for number in range(min(count, len(self.files)))]


def labelled_photos(photos: str | Path | Iterable[str | Path], card: Card) -> LabelledPhotos:
    """The photos of a folder of class folders, whose names in sorted order are the network's classes in
    theirs; of any other folder, or of a list, without classes. Raises AttnvizError for a folder without
    photos, and for one of another number of classes."""
    if not isinstance(photos, str | os.PathLike):
        return LabelledPhotos(tuple(Path(each) for each in photos))
    folder = Path(photos)
    if not folder.is_dir() or not any(each.is_dir() for each in folder.iterdir()):
        return LabelledPhotos(tuple(pictures_in(folder)))
    listed = list_photos_of(folder, card)
    return LabelledPhotos(tuple(listed.files), tuple(listed.targets))
