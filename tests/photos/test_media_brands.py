"""Pictures in ISO media files are told apart by their brands and items: AVIF opens, HEIC and videos say what
they are."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from attnviz import PhotoError, open_photo
from attnviz.photos.media_brands import Coding, coding_of


def brands(own: bytes, *others: bytes) -> bytes:
    """The box ftyp."""
    return struct.pack(">I", 16 + 4 * len(others)) + b"ftyp" + own + bytes(4) + b"".join(others)


def avif(*named: bytes, frames: int = 1) -> bytes:
    """An AVIF, or a sequence, with these brands in place of its own."""
    pictures = [Image.new("RGB", (64, 48), colour) for colour in ("red", "lime", "blue")]
    buffer = io.BytesIO()
    more = {"save_all": True, "append_images": pictures[1:frames]} if frames > 1 else {}
    pictures[0].save(buffer, "AVIF", **more)
    content = buffer.getvalue()
    (size,) = struct.unpack_from(">I", content)
    own, *others = named
    box = brands(own, *others, *(others[-1:] or [own]) * 9)[:size]  # of the same size: places stay right
    return struct.pack(">I", size) + box[4:] + content[size:]


@pytest.mark.slow
@pytest.mark.parametrize(
    "named",
    [
        (b"avif", b"mif1", b"miaf"),
        (b"mif1", b"avif", b"miaf"),
        (b"mif1", b"miaf", b"avif"),
        (b"miaf", b"mif1", b"avif"),
        (b"MA1B", b"avif", b"mif1"),
        (b"mif2", b"avif"),
        (b"avio", b"avif"),
        (b"mif1", b"miaf"),
    ],
    ids=lambda named: " ".join(brand.decode() for brand in named),
)
def test_an_avif_opens_by_any_brand(named):
    photo = open_photo(avif(*named), "mine.heic")
    assert photo.pixels.shape == (48, 64, 3)
    np.testing.assert_allclose(photo.pixels[20, 20], (255, 0, 0), atol=12)


@pytest.mark.slow
@pytest.mark.parametrize(
    "named", [(b"avis", b"msf1"), (b"msf1", b"avis", b"miaf"), (b"msf1", b"avif", b"avis")]
)
def test_of_an_avif_sequence_the_first_frame_is_taken(named):
    np.testing.assert_allclose(open_photo(avif(*named, frames=3)).pixels[20, 20], (255, 0, 0), atol=12)


@pytest.mark.parametrize(
    ("named", "coding"),
    [
        ((b"heic", b"mif1", b"heic"), Coding.HEIC),
        ((b"mif1", b"heic", b"miaf"), Coding.HEIC),
        ((b"mif1", b"miaf", b"heix"), Coding.HEIC),
        ((b"msf1", b"hevc"), Coding.HEIC),
        ((b"hevc", b"msf1", b"mif1"), Coding.HEIC),
        ((b"mif1",), Coding.HEIC),
        ((b"heic", b"avif"), Coding.HEIC),
        ((b"mif1", b"avif"), Coding.AVIF),
        ((b"msf1", b"avis"), Coding.AVIF),
        ((b"crx ", b"isom"), Coding.RAW),
        ((b"mp42", b"isom"), Coding.VIDEO),
        ((b"qt  ",), Coding.VIDEO),
        ((b"isom", b"avc1"), Coding.VIDEO),
    ],
    ids=lambda value: " ".join(brand.decode() for brand in value) if isinstance(value, tuple) else "",
)
def test_the_own_brand_counts_first_and_then_the_compatible_ones(named, coding):
    assert coding_of(brands(*named) + bytes(200)) is coding


@pytest.mark.parametrize(("letters", "coding"), [(b"av01", Coding.AVIF), (b"hvc1", Coding.HEIC)])
def test_where_no_brand_tells_the_items_do(letters, coding):
    item = b"\0\0\0\x15infe\2\0\0\0\0\1\0\0" + letters + b"\0"
    exif = b"\0\0\0\x15infe\2\0\0\0\0\2\0\0Exif\0"
    assert coding_of(brands(b"mif1", b"miaf") + bytes(40) + exif + item) is coding


@pytest.mark.parametrize("content", [b"\0\0\0\x18ftyp", b"\xff\xff\xff\xffftypmif1", b"\0\0\0\0ftypheic"])
def test_boxes_that_are_cut_off_or_lie_end_in_a_sentence(content):
    with pytest.raises(PhotoError, match=r"\.$"):
        open_photo(content, "mine.heic")


def test_what_is_no_such_file_has_no_coding():
    assert coding_of(b"\x89PNG") is None and coding_of(b"") is None
