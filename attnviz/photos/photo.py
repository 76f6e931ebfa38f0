"""An untrusted file becomes an upright, bounded RGB ``Photo``."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import PhotoError
from ..regular_files import NotOnDiskError, open_regular
from .decoding import decode, decode_smaller, exif_orientation, shrunk
from .essence import essence
from .file_kinds import other_kind
from .limits import MAX_BYTES, MAX_PIXELS, check_bytes, check_decoder, check_size

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture as a person sees it: upright sRGB, no metadata, at most two megapixels."""

    pixels: np.ndarray  # (H, W, 3) uint8
    name: str  # the file's name without its folder, for titles

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.pixels.shape[0]

    def image(self) -> Image.Image:
        """The photo as a new Pillow image, mode RGB."""
        return Image.fromarray(self.pixels)


def open_photo(
    source: str | os.PathLike | bytes | Image.Image | np.ndarray, name: str | None = None
) -> Photo:
    """A Photo from a path, a file's bytes, a Pillow image or an (H, W, 3) uint8 array.

    The kind of a file is told by its content. EXIF orientation is applied, colour profiles are converted to
    sRGB, 16 bits are scaled to 8, transparency is laid on white, and of an animation the first frame is
    taken. ``name`` replaces the file's own. Raises PhotoError, one sentence, for whatever can't be opened:
    over 20 MB, over 50 megapixels, more than 30 times as long as wide, damaged, or not one of the formats
    JPEG, PNG, WebP, AVIF, GIF, BMP and TIFF."""
    if isinstance(source, np.ndarray):
        return _from_array(source, name or "array")
    if isinstance(source, Image.Image):
        name = name or "picture"
        check_size(source.size, name)
        return Photo(decode(source, name, exif_orientation(source)), name)
    if isinstance(source, bytes):
        name, content = display_name(name or "picture"), source
    else:
        name = display_name(name or os.path.basename(os.fspath(source)))
        content = read_file(Path(source), name)
    return _from_bytes(content, name)


def display_name(name: str) -> str:
    """A file's name fit for a title: printable, without folders, at most 80 characters."""
    name = "".join(c for c in name.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable()) or "picture"
    return name if len(name) <= 80 else f"{name[:60]}…{name[-19:]}"


def read_file(path: Path, name: str) -> bytes:
    """A picture file's bytes. Raises PhotoError for one that is too large, or can't be read."""
    try:
        with open_regular(path) as file:
            check_bytes(os.fstat(file.fileno()).st_size, name)
            return file.read(MAX_BYTES + 1)  # it may have grown; who decodes it counts again
    except IsADirectoryError:
        raise PhotoError("photo_is_folder", name=name) from None
    except NotOnDiskError:
        raise PhotoError("photo_not_on_disk", name=name) from None
    except (OSError, ValueError):
        raise PhotoError("file_unreadable", name=name) from None


def _from_bytes(content: bytes, name: str) -> Photo:
    check_bytes(len(content), name)
    refusal = other_kind(content, name)
    if refusal is not None:
        raise refusal
    told = essence(content, name)
    with _opened(told.content, name) as image:
        check_size(image.size, name)
        check_decoder(image, name)
        decode_smaller(image)
        return Photo(decode(image, name, told.orientation), name)


def _opened(content: bytes, name: str) -> Image.Image:
    """The picture in a file's bytes, not decoded yet."""
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError("photo_claims_too_many_pixels", name=name, limit=MAX_PIXELS // 1_000_000) from None
    except Exception:  # decoders raise what they like: OSError, SyntaxError, ValueError, struct.error, …
        raise PhotoError("photo_unknown", name=name) from None


def _from_array(array: np.ndarray, name: str) -> Photo:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise PhotoError("array_not_photo", array=f"{array.shape} {array.dtype}")
    check_size((array.shape[1], array.shape[0]), name)
    return Photo(np.array(shrunk(Image.fromarray(array))), name)
