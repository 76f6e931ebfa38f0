"""The photos that the words of a command line mean: files, folders, and wildcards that no shell has
expanded."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from mimetypes import guess_type
from pathlib import Path

from ..errors import AttnvizError, PhotoError

# Pictures by the ends of their names that Python knows in some versions, or on some systems, only.
ENDINGS = (".avif", ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def find_photos(words: Sequence[str]) -> tuple[list[Path], list[AttnvizError]]:
    """The photos that are meant, in the order of the words, each once; and what is wrong with the words that
    mean none. A folder stands for the pictures in it and below it, by name; a pattern such as ``*.png``,
    which the shells of Windows hand over as it is, for what matches it."""
    photos: dict[Path, None] = {}
    errors: list[AttnvizError] = []
    for word in words:
        try:
            photos.update(dict.fromkeys(_photos_of(word)))
        except AttnvizError as error:
            errors.append(error)
    return list(photos), errors


def _photos_of(word: str) -> list[Path]:
    path = Path(word)
    if not word:  # which Path takes for the folder one is in
        raise PhotoError("file_unreadable", name=word)
    if re.match(r"[a-z][a-z0-9+.-]*://", word):
        raise PhotoError("file_is_address", name=word)
    if path.is_dir():
        return _pictures_in(path)
    if path.exists():
        return [path]
    if not glob.has_magic(word):
        raise PhotoError("file_unreadable", name=word)
    matches = [Path(match) for match in sorted(glob.glob(word, recursive=True))]
    if not matches:
        raise PhotoError("wildcard_matches_nothing", pattern=word)
    folders = [match for match in matches if match.is_dir()]
    files = [match for match in matches if not match.is_dir()]
    return files or [photo for folder in folders for photo in _pictures_in(folder)]


def _pictures_in(folder: Path) -> list[Path]:
    inside = (path for path in folder.rglob("*") if not _hidden(path.relative_to(folder)))
    pictures = sorted(path for path in inside if _named_as_picture(path) and path.is_file())
    if not pictures:
        raise PhotoError("folder_without_pictures", name=str(folder))
    return pictures


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _named_as_picture(path: Path) -> bool:
    kind, _ = guess_type(path.name)
    return path.suffix.lower() in ENDINGS or (kind or "").startswith("image/")
