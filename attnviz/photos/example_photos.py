"""The example photos: which of them a network is shown with, what is said of each, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .._paths import EXAMPLES_FOLDER
from ..languages.catalogue import say

EXAMPLE = "example:"  # how the browser's names of them begin


@dataclass(frozen=True)
class ExamplePhoto:
    """A photo that comes with attnviz. ``name`` is that of its file without the ending, and stands in
    links; ``found`` says where it was taken from, as ``assets/SOURCES.md`` does."""

    name: str
    author: str
    licence: str
    found: str

    @property
    def path(self) -> Path:
        """Its file."""
        return EXAMPLES_FOLDER / f"{self.name}.jpg"

    @property
    def credit(self) -> str:
        """Whose it is: the author and the licence."""
        return f"{self.author} ({self.licence})"


@dataclass(frozen=True)
class Example:
    """A photo as it is shown with a network; ``outside``: none of the network's classes fits it."""

    photo: ExamplePhoto
    outside: bool = False

    def title(self, language: str) -> str:
        """What the photo shows."""
        return say(language, f"example_{self.photo.name}")

    def mark(self, language: str) -> str:
        """That none of the network's classes fits it; else nothing."""
        return say(language, "example_outside") if self.outside else ""

    def row(self, language: str) -> dict[str, str]:
        """All of it for a browser: the photo's name there, its file's, and what is said of it."""
        return {
            "photo": EXAMPLE + self.photo.name,
            "name": self.photo.path.name,
            "title": self.title(language),
            "mark": self.mark(language),
            "credit": self.photo.credit,
        }


def examples_for(labels: Iterable[str]) -> tuple[Example, ...]:
    """The examples for a network of these classes, first the one that a page opens with. One that knows
    Imagenette's ten is shown with two photos of them and two that none of them fits; any other, also one
    whose classes have no names, with everyday things, which ImageNet's thousand have."""
    if {*labels} != IMAGENETTE:
        return tuple(Example(PHOTOS[name]) for name in EVERYDAY)
    known = [Example(PHOTOS[name]) for name in OF_IMAGENETTE]
    return (*known, *(Example(PHOTOS[name], outside=True) for name in OUTSIDE_IMAGENETTE))


def credits_of(examples: Iterable[Example]) -> str:
    """Whose these photos are, each author once."""
    return ", ".join(dict.fromkeys(example.photo.credit for example in examples))


def credit_of(path: Path) -> str:
    """Whose the photo of a file is, of an example; else nothing."""
    return next((photo.credit for photo in PHOTOS.values() if photo.path == path), "")


def _of_pexels(name: str, collection: str) -> ExamplePhoto:
    """One of Pexels' photos that are samples of one of IBM's networks."""
    return ExamplePhoto(name, "Pexels", "CC0", f"IBM/MAX-{collection}, `samples/{name}.jpg`")


PHOTOS = {
    photo.name: photo
    for photo in (
        ExamplePhoto("temple", "danielbuechele", "CC BY 2.0", "scikit-learn, `datasets/images/china.jpg`"),
        ExamplePhoto(
            "springer", "Lokal_Profil", "CC BY 2.5", "Wikimedia Commons, `Welsh Springer Spaniel.jpg`"
        ),
        ExamplePhoto("coffee", "Rachel Michetti", "CC0", "scikit-image, `data.coffee`"),
        _of_pexels("cat", "Inception-ResNet-v2"),
        _of_pexels("dog", "Inception-ResNet-v2"),
        _of_pexels("pizza", "Inception-ResNet-v2"),
        _of_pexels("shuttle", "Inception-ResNet-v2"),
        _of_pexels("taxis", "ResNet-50"),
        _of_pexels("burger", "ResNet-50"),
        _of_pexels("plane", "Image-Caption-Generator"),
    )
}
IMAGENETTE = {
    *("tench", "English springer", "cassette player", "chain saw", "church"),
    *("French horn", "garbage truck", "gas pump", "golf ball", "parachute"),
}
OF_IMAGENETTE = ("temple", "springer")  # of the classes “church” and “English springer”
# One looks like nothing that they know, the other like a garbage truck.
OUTSIDE_IMAGENETTE = ("cat", "taxis")
EVERYDAY = ("pizza", "taxis", "cat", "coffee", "burger", "dog", "shuttle", "plane")
