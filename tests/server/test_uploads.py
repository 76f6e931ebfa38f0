"""An upload gets a path that nobody can guess, is found by its name, and goes without a trace."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as any_of

from attnviz.errors import AttnvizError
from attnviz.server.uploads import UploadFolder, name_of, remove


@pytest.fixture
def folder(uploads) -> UploadFolder:
    return UploadFolder(uploads, minutes=7)


def arrived(folder: UploadFolder, name: str = "a.png", content: bytes = b"x") -> str:
    """A file where Gradio puts uploads."""
    path = folder.path / "hash" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return str(path)


def test_the_same_file_taken_twice_has_two_paths_and_what_one_loses_the_other_keeps(folder):
    upload = arrived(folder)
    one, other = folder.take(upload), folder.take(upload)
    assert one != other and one.name == other.name == "a.png"
    remove(one, everywhere=False)
    assert not one.exists() and other.read_bytes() == b"x"


def test_what_is_removed_everywhere_is_gone_where_it_arrived_too_and_its_neighbour_stays(folder):
    upload, neighbour = arrived(folder), arrived(folder, "b.png")
    remove(folder.take(upload))
    assert [path.name for path in folder.path.rglob("*") if path.is_file()] == [Path(neighbour).name]


def test_it_is_found_by_its_name_and_its_time_begins_anew(folder):
    path = folder.take(arrived(folder))
    os.utime(path, (0, 0))
    assert folder.find(name_of(path)) == path and path.stat().st_mtime > 10**9


@pytest.mark.parametrize("path", ["/etc/passwd", "", "x" * 10_000, "\0", "hash", "../secret.png"])
def test_what_is_no_upload_is_not_taken(folder, path):
    (folder.path.parent / "secret.png").write_text("secret")
    with pytest.raises(AttnvizError) as refused:
        folder.take(str(folder.path / path) if path[:1] in ("h", ".") else path)
    assert refused.value.key in ("photo_gone", "no_room_for_upload")


def test_the_time_that_uploads_are_kept_is_told_as_it_is(folder):
    with pytest.raises(AttnvizError, match="after 7 min"):
        folder.find("token/a.png")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=any_of.text(max_size=60)
    | any_of.sampled_from(["../../secret.png", "a/../../../secret.png", "/etc/passwd", "~", "x" * 300])
)
def test_no_name_leads_out_of_the_uploads(folder, name):
    (folder.path.parent / "secret.png").write_text("secret")
    with pytest.raises(AttnvizError):
        folder.find(name)
