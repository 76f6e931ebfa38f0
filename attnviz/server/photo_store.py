"""The photos that can be asked for: examples, and visitors' uploads. A browser names them, never a path of
this machine."""

from __future__ import annotations

from pathlib import Path

from ..errors import AttnvizError, PhotoError
from ..photos.example_photos import EXAMPLE, PHOTOS
from .settings import Settings
from .uploads import UPLOAD, UploadFolder, name_of, remove
from .visitors import Belongings


class PhotoStore:
    """Photos by the browser's names, ``example:NAME`` and ``upload:TOKEN/NAME``."""

    def __init__(self, uploads: UploadFolder, settings: Settings) -> None:
        self._uploads, self._settings = uploads, settings

    def take(self, upload: str, belongings: Belongings) -> str:
        """The browser's name for a photo that was uploaded, which is added to its visitor's belongings.
        Raises PhotoError for one that is too large, and AttnvizError for what is no upload, or where there is
        no room."""
        path = belongings.take(upload)
        if path.stat().st_size > self._settings.photo_bytes:
            remove(path)
            raise PhotoError("photo_too_large", name=path.name, limit=self._settings.photo_mb)
        belongings.show(path)
        return self.name_of(path)

    def path_of(self, name: str) -> Path:
        """The file of a photo; the time that an upload is kept begins anew. Raises AttnvizError for a photo
        that is neither an example nor an upload."""
        if name.startswith(EXAMPLE):
            return _example_named(name.removeprefix(EXAMPLE))
        if not name.startswith(UPLOAD):
            raise self.gone()
        return self._uploads.find(name.removeprefix(UPLOAD))

    def name_of(self, path: Path) -> str:
        """A photo's name for the browser, the opposite of ``path_of``."""
        photo = PHOTOS.get(path.stem)
        return EXAMPLE + photo.name if photo and photo.path == path else UPLOAD + name_of(path)

    def gone(self) -> AttnvizError:
        """The error for a photo that is not there."""
        return self._uploads.gone()


def _example_named(name: str) -> Path:
    """The file of an example. Raises AttnvizError if there is none, or none any more, of this name."""
    if name not in PHOTOS:
        raise AttnvizError("example_unknown")
    return PHOTOS[name].path
