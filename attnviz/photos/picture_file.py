"""Reads a picture's file, and decodes its bytes in this process."""

from __future__ import annotations

import io
import os
import struct
from contextlib import suppress
from pathlib import Path

from PIL import Image

from ..errors import PhotoError
from ..regular_files import NotOnDiskError, open_regular
from .decoding import decode, decode_smaller
from .essence import Essence, essence, is_of_known_kind
from .file_kinds import other_kind
from .heic import FORMAT as HEIC
from .heic import can_open_heic
from .limits import MAX_BYTES, MAX_PIXELS, check_bytes, check_decoder, check_size
from .orientation import told_orientation
from .parts import ExcessError
from .photo import Photo
from .tiff_parts import told_samples

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")


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


def checked(content: bytes, name: str) -> Essence:
    """What there is to decode of a file's bytes. Raises PhotoError for what is no picture to be opened here,
    as far as its structure tells."""
    check_bytes(len(content), name)
    refusal = other_kind(content, name, can_open_heic())
    if refusal is not None:
        raise refusal
    told = essence(content, name)
    if told.size is not None:
        check_size(told.size, name)
    return told


def decoded(told: Essence, name: str) -> Photo:
    """The photo. Raises PhotoError for what can't be decoded, or takes too much memory as
    far as an estimate tells."""
    with _opened(told.content, name) as image:
        check_size(image.size, name)
        check_decoder(image, told.held_bytes, name)
        decode_smaller(image)
        orientation = told.orientation
        if image.format == "AVIF":  # which is not walked; libavif tells it as EXIF
            orientation = told_orientation(image.info.get("exif", b""))
        return decode(image, name, orientation, told)


def _opened(content: bytes, name: str) -> Image.Image:
    """The picture in a file's bytes, not decoded yet."""
    try:
        formats = (*FORMATS, HEIC) if HEIC in Image.OPEN else FORMATS
        return Image.open(io.BytesIO(content), formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError("photo_claims_too_many_pixels", name=name, limit=MAX_PIXELS // 1_000_000) from None
    except MemoryError:
        raise PhotoError("photo_out_of_memory", name=name) from None
    except Exception:  # decoders raise what they like: OSError, SyntaxError, ValueError, struct.error, …
        raise _unidentified(content, name) from None


def _unidentified(content: bytes, name: str) -> PhotoError:
    """The error for a file that Pillow does not know: one of a known kind is damaged, so that little or
    nothing is left of it, or a rare TIFF."""
    if content and not is_of_known_kind(content):
        return PhotoError("photo_unknown", name=name)
    if content[:2] in (b"II", b"MM"):
        with suppress(struct.error, ExcessError):
            return PhotoError("photo_is_rare_tiff", name=name, samples=told_samples(content))
    return PhotoError("photo_damaged", name=name)
