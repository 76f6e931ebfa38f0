"""The example photos of a page without a server: ours, or those in a person's folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ..errors import PhotoError
from ..languages.catalogue import catalogue, say
from ..networks.card import Card
from ..photos.example_photos import EXAMPLE, PHOTOS, Example, ExamplePhoto, examples_for
from ..photos.opening import open_photo
from ..photos.thumbnails import thumbnail

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "GIF", "BMP")  # that every browser opens
OUTSIDE = "example_outside"  # what is said of a photo that shows none of a network's classes


@dataclass(frozen=True)
class SiteExample:
    """A photo of a page: its name in links, its file, what it shows by language, and whose it is."""

    name: str
    file: Path
    titles: dict[str, str]
    credit: str = ""

    def described(self, path: str) -> dict[str, Any]:
        """What the browser has to know of it; ``path`` is that of its file in the page."""
        languages = catalogue().languages
        return {
            "photo": EXAMPLE + self.name,
            "name": self.file.name,
            "path": path,
            "title": self.titles,
            "mark": {language: say(language, OUTSIDE) for language in languages},
            "credit": self.credit,
            "thumbnail": thumbnail(self.file),
        }


def our_examples(cards: Sequence[Card]) -> tuple[list[SiteExample], list[list[dict[str, Any]]]]:
    """The photos that networks with these cards are shown with, and of each network which, as the browser
    takes it."""
    shown = [examples_for(card.labels) for card in cards]
    photos = {example.photo.name: _of_ours(example.photo) for row in shown for example in row}
    return [photos[name] for name in PHOTOS if name in photos], [_rows(row) for row in shown]


def _of_ours(photo: ExamplePhoto) -> SiteExample:
    titles = {language: say(language, f"example_{photo.name}") for language in catalogue().languages}
    return SiteExample(photo.name, photo.path, titles, photo.credit)


def _rows(examples: Sequence[Example]) -> list[dict[str, Any]]:
    return [{"photo": EXAMPLE + example.photo.name, "outside": example.outside} for example in examples]


def examples_in(folder: Path) -> list[SiteExample]:
    """The photos in a folder, by name. Raises PhotoError for one that can't be opened, or that browsers don't
    open, and if there is none."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    if not files:
        raise PhotoError("site_examples_missing", name=folder.name)
    return [_of_file(file, number) for number, file in enumerate(files, 1)]


def _of_file(file: Path, number: int) -> SiteExample:
    open_photo(file)  # which says what is wrong with it
    with Image.open(file) as image:
        if image.format not in FORMATS:
            raise PhotoError("site_example_rare", name=file.name, kind=str(image.format))
    name = file.stem if re.fullmatch(r"[\w-]+", file.stem, re.ASCII) else f"photo-{number}"
    return SiteExample(name, file, dict.fromkeys(catalogue().languages, file.stem))
