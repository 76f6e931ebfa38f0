"""Files that visitors upload, each under a path that nobody can guess."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from ..errors import AttnvizError

UPLOAD = "upload:"  # how the browser's names of uploads begin
OWN = "own"  # the folder in that of the uploads


class UploadFolder:
    """The folder that Gradio puts uploads into, and in it the folder of those that were taken.

    In Gradio's part a file is named after its content: there, the same file of two visitors is one, and what
    one of them deletes the other would lose. So each upload that is taken gets a path of its own."""

    def __init__(self, path: Path, minutes: int) -> None:
        self.path = path
        self._minutes = minutes  # that uploads are kept

    def take(self, upload: str) -> Path:
        """Give an upload its own path; that path. Raises AttnvizError for what is no upload, or where there
        is no room."""
        path = Path(upload)
        try:
            if self.path.resolve() not in path.resolve().parents or not path.is_file():
                raise self.gone()
            return self._linked(path)
        except (OSError, ValueError):
            raise AttnvizError("no_room_for_upload") from None

    def discard(self, upload: str) -> None:
        """Delete an upload that was not taken; what is none stays."""
        path = Path(upload)
        with suppress(OSError, ValueError):
            if self.path.resolve() in path.resolve().parents and path.is_file():
                path.unlink()

    def find(self, name: str) -> Path:
        """The path of an upload by its name, which is the end of the path; the time that it is kept begins
        anew. Raises AttnvizError if there is none, or none any more."""
        folder = self.path.resolve() / OWN
        path = folder / name
        try:
            if path.resolve().parent.parent != folder or not path.is_file():
                raise self.gone()
        except (OSError, ValueError):  # a name that no file can have
            raise self.gone() from None
        touch(path)
        return path

    def gone(self) -> AttnvizError:
        """The error for an upload that is not there."""
        return AttnvizError("photo_gone", minutes=self._minutes)

    def _linked(self, upload: Path) -> Path:
        folder = self.path.resolve() / OWN / secrets.token_urlsafe(16)
        folder.mkdir(parents=True, mode=0o700)
        path = folder / upload.name
        try:
            os.link(upload, path)
        except OSError:  # a file system without links
            shutil.copyfile(upload, path)
        return path


def name_of(path: Path) -> str:
    """The name by which ``UploadFolder.find`` finds a taken upload."""
    return "/".join(path.parts[-2:])


def touch(*paths: Path | None) -> None:
    """Begin the time anew for which uploads are kept."""
    for path in paths:
        if path is not None:
            with suppress(OSError):
                os.utime(path)


def remove(path: Path, everywhere: bool = True) -> None:
    """Delete a taken upload, and with ``everywhere`` the same file in Gradio's part of the folder."""
    with suppress(OSError):
        identity = path.stat().st_ino
        path.unlink()
        path.parent.rmdir()
        for copy in path.parents[2].glob(f"*/{glob.escape(path.name)}") if everywhere else ():
            if copy.lstat().st_ino == identity:
                copy.unlink()
