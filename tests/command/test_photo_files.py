"""What `attnviz show` writes is whole, or what was there before."""

from __future__ import annotations

import pytest

from attnviz.command.photo_files import _write


def test_a_file_that_can_not_be_written_leaves_the_one_before(tmp_path):
    before = tmp_path / "gates.csv"
    before.write_bytes(b"before")
    (tmp_path / ".gates.csv.part").mkdir()
    with pytest.raises(OSError, match=r"gates\.csv"):
        _write(before, b"after")
    assert before.read_bytes() == b"before"


def test_a_file_is_written_in_place_of_the_one_before_and_nothing_else_stays(tmp_path):
    for content in (b"before", b"after"):
        _write(tmp_path / "new" / "gates.csv", content)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["gates.csv"]
    assert (tmp_path / "new" / "gates.csv").read_bytes() == b"after"
