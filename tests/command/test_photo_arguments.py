from __future__ import annotations

from pathlib import Path

import pytest

from attnviz.command.photo_arguments import find_photos
from attnviz.errors import PhotoError


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    for name in ("b.png", "a.JPG", "c.heic", "notes.txt", "below/d.webp", ".hidden/e.png", "[1].png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "photos"),
    [
        (["b.png", "a.JPG"], ["b.png", "a.JPG"]),
        (["."], ["[1].png", "a.JPG", "b.png", "below/d.webp", "c.heic"]),
        (["*.png"], ["[1].png", "b.png"]),
        (["**/*.webp"], ["below/d.webp"]),
        (["bel*"], ["below/d.webp"]),
        (["[1].png"], ["[1].png"]),  # a file of just this name is no pattern
        (["b.png", "*.png"], ["b.png", "[1].png"]),  # each once
        (["notes.txt"], ["notes.txt"]),  # named, so opened, so said what it is
    ],
    ids=str,
)
def test_words_mean_photos(words, photos, folder):
    assert find_photos(words) == ([Path(photo) for photo in photos], [])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("gone.png", "“gone.png” is not there"),
        ("*.gif", "No file matches “*.gif”"),
        ("empty", "“empty” has no pictures in it"),
        ("", "is not there"),
    ],
)
def test_a_word_that_means_no_photo_is_told_and_stops_no_other(word, said, folder):
    photos, (error,) = find_photos([word, "b.png"])
    assert photos == [Path("b.png")] and isinstance(error, PhotoError) and said in str(error)
