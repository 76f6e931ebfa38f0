"""Reduces a picture file to what decoding its first frame needs.

Metadata, comments, further frames and empty parts are left out before a decoder sees the file. They let a
small file take any amount of memory or time: tags that all point at the same bytes, comments that are joined
one by one, scans that hold nothing. The file is walked once, part by part, and the parts are counted. Of the
metadata only the orientation is read, by few lines of our own.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import PhotoError
from .bmp_parts import walk_bmp
from .gif_parts import walk_gif
from .jpeg_parts import walk_jpeg
from .media_brands import Coding, coding_of, with_avif_brand
from .parts import ExcessError, Parts, RareKindError, RareTiffError, ToldDepth
from .png_parts import walk_png
from .tiff_parts import told_samples, walk_tiff
from .webp_parts import walk_webp

# What a file begins with (a pattern) -> how it is walked.
WALKS: dict[bytes, Callable[[bytes, Parts], None]] = {
    rb"\xff\xd8": walk_jpeg,
    rb"\x89PNG\r\n\x1a\n": walk_png,
    rb"GIF8[79]a": walk_gif,
    rb"RIFF....WEBP": walk_webp,
    rb"BM": walk_bmp,
    rb"II[*+]\0|MM\0[*+]": walk_tiff,
}


def is_of_known_kind(content: bytes) -> bool:
    """Whether a file begins as a picture does that can be opened here."""
    walked = any(re.match(magic, content, re.DOTALL) for magic in WALKS)
    return walked or coding_of(content) in (Coding.AVIF, Coding.HEIC)


@dataclass(frozen=True)
class Essence:
    """A file without what decoding does not need, and what its parts told."""

    content: bytes
    orientation: int = 1  # as in EXIF, 1 to 8
    size: tuple[int, int] | None = None  # (width, height), where the walk comes upon it
    held_bytes: int = 0  # of coefficients, that a JPEG's decoder holds until the last scan
    is_bounded: bool = False  # whether its structure bounds the time and memory that decoding takes
    told_depth: ToldDepth | None = None  # how many bits of its samples are used, where the file says so
    planes: str = ""  # a letter for each page, where those are the planes of one picture
    is_negative: bool = False  # whether its zeros are white


def essence(content: bytes, name: str) -> Essence:
    """The essence of a JPEG, PNG, GIF, BMP, WebP or TIFF file; any other file as it is, bounded by nothing;
    an AVIF has the brand of one.

    A file that is cut off or damaged keeps what stands before the damage, and the decoder says what is wrong.
    ``name`` is for the error. Raises PhotoError for a file of more parts than an honest one has, and for a
    JPEG of a kind that decoders are not to be trusted with.
    """
    if coding_of(content) is Coding.AVIF:
        return Essence(with_avif_brand(content))
    walk = next((walk for magic, walk in WALKS.items() if re.match(magic, content, re.DOTALL)), None)
    if walk is None:
        return Essence(content)
    found = Parts()
    try:
        walk(content, found)
    except ExcessError:
        raise PhotoError("photo_of_too_many_parts", name=name) from None
    except RareKindError:
        raise PhotoError("photo_is_rare_jpeg", name=name) from None
    except RareTiffError:
        raise PhotoError("photo_is_rare_tiff", name=name, samples=told_samples(content)) from None
    except (struct.error, IndexError):  # its structure ends too early
        pass
    kept = b"".join(found.kept)
    return Essence(
        kept,
        found.orientation,
        found.size,
        found.held_bytes,
        found.is_bounded,
        found.told_depth,
        found.planes,
        found.is_negative,
    )
