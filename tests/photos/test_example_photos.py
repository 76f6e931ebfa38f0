"""Which examples a network is shown with, and whose they are."""

from __future__ import annotations

import re

import pytest
from helpers.checkout import ROOT
from PIL import Image

from attnviz.languages.catalogue import LANGUAGES
from attnviz.photos.example_photos import IMAGENETTE, PHOTOS, credits_of, examples_for
from attnviz.server.catalog import Catalog
from attnviz.server.settings import Settings
from attnviz.zoo import imagenet
from attnviz.zoo.registry import card, list_networks

LONGEST = 1000  # pixels of a side


def names(examples) -> list[str]:
    return [example.photo.name for example in examples]


def test_networks_that_come_with_attnviz_open_with_their_classes_and_two_outsiders():
    for name in list_networks():
        assert {*card(name).labels} == IMAGENETTE
        shown = examples_for(card(name).labels)
        assert names(shown) == ["temple", "springer", "cat", "taxis"]
        assert [example.outside for example in shown] == [False, False, True, True]
        assert Catalog(Settings()).examples(name) == shown


def test_networks_of_imagenet_and_of_unknown_classes_open_with_everyday_things():
    everyday = examples_for(imagenet.labels())
    assert len(everyday) == 8 and not any(example.outside for example in everyday)
    assert examples_for(()) == examples_for(("one", "two")) == everyday
    catalog = Catalog(Settings())
    assert catalog.examples("pytorchcv/cbam_resnet50") == catalog.examples("yours:unknown") == everyday


def test_every_photo_is_shown_somewhere_and_no_file_lies_there_for_nothing(examples):
    shown = {*names(examples_for(IMAGENETTE)), *names(examples_for(()))}
    assert {path.name for path in examples.iterdir()} == {photo.path.name for photo in PHOTOS.values()}
    assert shown == {*PHOTOS}


@pytest.mark.parametrize("photo", PHOTOS.values(), ids=lambda photo: photo.name)
def test_the_sources_name_what_the_page_says_of_a_photo(photo):
    lines = (ROOT / "assets" / "SOURCES.md").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith(f"| `{photo.path.name}` |"))
    _, _, _, author, licence, found, _ = (cell.strip() for cell in line.split("|"))
    assert author.startswith(photo.author) and found == photo.found
    assert re.sub(r"\[(.*)\]\(.*\)", r"\1", licence) == photo.licence
    assert photo.author in photo.credit and photo.licence in photo.credit


@pytest.mark.parametrize("photo", PHOTOS.values(), ids=lambda photo: photo.name)
def test_a_photo_is_small_and_says_nothing_of_its_camera(photo):
    with Image.open(photo.path) as image:
        assert image.format == "JPEG" and image.mode == "RGB" and max(image.size) <= LONGEST
        assert not image.getexif() and not {"icc_profile", "xmp", "photoshop", "comment"} & image.info.keys()


def test_each_has_a_title_of_its_own_in_every_language_and_outsiders_a_mark():
    for language in LANGUAGES:
        rows = [example.row(language) for example in examples_for(IMAGENETTE)]
        assert [bool(row["mark"]) for row in rows] == [False, False, True, True]
        titles = {example.title(language) for example in (*examples_for(IMAGENETTE), *examples_for(()))}
        assert len(titles) == len(PHOTOS) and not any("example_" in title for title in titles)


def test_who_is_named_twice_is_credited_once():
    assert credits_of(examples_for(())) == "Pexels (CC0), Rachel Michetti (CC0)"
