"""An untrusted file becomes an upright, bounded RGB ``Photo``."""

from __future__ import annotations

import atexit
import os
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import PhotoError
from ..processors import cores
from .decoder import DecoderPool
from .decoding import decode, exif_orientation, shrunk
from .limits import check_size
from .photo import Photo, display_name
from .picture_file import checked, decoded, read_file


def open_photo(
    source: str | os.PathLike | bytes | Image.Image | np.ndarray, name: str | None = None
) -> Photo:
    """A Photo from a path, a file's bytes, a Pillow image or an (H, W, 3) uint8 array.

    The kind of a file is told by its content. EXIF orientation is applied, colour profiles are converted to
    sRGB, 16 bits are scaled to 8 (by as many as are used, see ``Photo.remarks``), transparency is laid on
    white, and of an animation the first frame is taken. ``name`` replaces the file's own. Raises PhotoError,
    one sentence, for whatever can't be opened: over 20 MB, over 50 megapixels, more than 30 times as long as
    wide, damaged, or not one of the formats JPEG, PNG, WebP, AVIF, GIF, BMP, TIFF, and HEIC where pillow-heif
    is installed.

    JPEG, PNG, GIF and BMP are decoded here, where what was counted in the file bounds what that takes;
    anything else in a process of its own, which starts with the first such file."""
    if isinstance(source, np.ndarray):
        return _from_array(source, name or "array")
    if isinstance(source, Image.Image):
        name = name or "picture"
        check_size(source.size, name)
        return decode(source, name, exif_orientation(source))
    if isinstance(source, bytes):
        name, content = display_name(name or "picture"), source
    else:
        name = display_name(name or os.path.basename(os.fspath(source)))
        content = read_file(Path(source), name)
    told = checked(content, name)
    return decoded(told, name) if told.is_bounded else shared_decoders().open(content, name)


_pools: dict[int, DecoderPool] = {}  # the number of a process -> its decoders, which a fork of it can't use


def shared_decoders() -> DecoderPool:
    """The decoders of this process, which end with it."""
    own = os.getpid()
    if own not in _pools:
        pool = _pools.setdefault(own, DecoderPool(cores()))
        atexit.register(_close, own, pool)
    return _pools[own]


def _close(own: int, pool: DecoderPool) -> None:
    if os.getpid() == own:
        pool.close()


def _from_array(array: np.ndarray, name: str) -> Photo:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise PhotoError("array_not_photo", array=f"{array.shape} {array.dtype}")
    check_size((array.shape[1], array.shape[0]), name)
    return Photo(np.array(shrunk(Image.fromarray(array))), name)
