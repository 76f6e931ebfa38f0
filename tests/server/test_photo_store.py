"""Photos are known by names that lead nowhere else."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as any_of

from attnviz._paths import EXAMPLES_FOLDER
from attnviz.errors import AttnvizError, PhotoError
from attnviz.photos.example_photos import PHOTOS
from attnviz.server.inference import Inference
from attnviz.server.photo_store import PhotoStore
from attnviz.server.settings import Settings
from attnviz.server.uploads import UploadFolder
from attnviz.server.visitors import Belongings


@pytest.fixture
def photos(uploads) -> PhotoStore:
    return PhotoStore(UploadFolder(uploads, 60), Settings(photo_mb=1))


@pytest.fixture
def belongings(uploads, catalog) -> Belongings:
    return Belongings(UploadFolder(uploads, 60), catalog, Inference(Settings(), catalog))


def arrived(uploads, content: bytes) -> str:
    path = uploads / "hash" / "a.png"
    path.parent.mkdir()
    path.write_bytes(content)
    return str(path)


def test_a_photo_is_named_without_its_folder_and_found_again(photos, uploads, belongings):
    name = photos.take(arrived(uploads, b"x"), belongings)
    assert re.fullmatch(r"upload:[\w-]{22}/a\.png", name)
    assert photos.path_of(name).read_bytes() == b"x" and photos.name_of(photos.path_of(name)) == name


def test_photos_are_as_large_as_the_settings_say_and_larger_ones_leave_nothing(photos, uploads, belongings):
    with pytest.raises(PhotoError, match=r"“a.png” is larger than 1 MB"):
        photos.take(arrived(uploads, b" " * 1_000_001), belongings)
    assert [path for path in uploads.rglob("*") if path.is_file()] == []


def test_what_is_deleted_is_gone_and_examples_stay(photos, uploads, belongings):
    name = photos.take(arrived(uploads, b"x"), belongings)
    belongings.end()
    with pytest.raises(AttnvizError, match="no longer here"):
        photos.path_of(name)
    assert photos.path_of("example:temple").is_file()


def test_an_example_is_named_as_one_from_its_path_too(photos):
    for name in PHOTOS:
        assert photos.name_of(photos.path_of(f"example:{name}")) == f"example:{name}"


@pytest.mark.parametrize("name", ["flower", "galaxies", "../page", ""])
def test_an_example_that_is_not_there_is_one_sentence(photos, name):
    with pytest.raises(AttnvizError, match="no such example photo here, or none any more"):
        photos.path_of(f"example:{name}")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=any_of.text(max_size=60)
    | any_of.sampled_from(["../../secret.png", "a/../../../secret.png", "/etc/passwd", "~", "temple"])
)
def test_no_name_leads_out_of_the_examples(photos, name):
    for prefix in ("example:", ""):
        try:
            path = photos.path_of(prefix + name)
        except AttnvizError:
            continue
        assert path.parent == EXAMPLES_FOLDER and path.is_file()
