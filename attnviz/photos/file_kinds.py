"""Files of well-known kinds that are no pictures to be opened here: what to do differs from kind to kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from ..errors import PhotoError
from ..languages.catalogue import Phrase
from ..plain_text import is_text, without_mark
from .camera_raw import is_camera_raw
from .media_brands import Coding, coding_of

HEAD = 2_000  # bytes, by which a file's kind is told

Fault = Callable[[str], PhotoError]  # of a file's name: the error for a file of one kind


def other_kind(content: bytes, name: str, opens_heic: bool) -> PhotoError | None:
    """The error for a file that its first bytes say is of another kind; None for one that may be a picture.
    ``name`` is the file's, for the sentence; ``opens_heic`` tells whether HEIC photos can be opened."""
    fault = _fault_of(content, opens_heic)
    return fault(name) if fault else None


def _fault_of(content: bytes, opens_heic: bool) -> Fault | None:
    if not content:
        return _empty
    coding = coding_of(content)
    if coding is not None:
        return None if coding is Coding.HEIC and opens_heic else CODINGS.get(coding)
    if is_camera_raw(content):
        return _raw
    head = content[:HEAD]
    for pattern, fault in BEGINNINGS.items():
        if re.match(pattern, head, re.DOTALL):
            return fault
    if not is_text(head) or head.startswith((b"GIF87a", b"GIF89a")):
        return None
    text = without_mark(head)
    faults = (fault for pattern, fault in TEXTS.items() if re.search(pattern, text, re.IGNORECASE))
    return next(faults, partial(_other, Phrase("a_text")))


def _empty(name: str) -> PhotoError:
    return PhotoError("photo_empty", name=name)


def _raw(name: str) -> PhotoError:
    return PhotoError("photo_is_raw", name=name)


def _video(name: str) -> PhotoError:
    return PhotoError("photo_is_video", name=name)


def _other_picture(kind: Phrase, name: str) -> PhotoError:
    return PhotoError("photo_is_other_picture", name=name, kind=kind)


def _other(kind: Phrase, name: str) -> PhotoError:
    return PhotoError("photo_is_other", name=name, kind=kind)


CODINGS: dict[Coding, Fault] = {  # those of boxes that can't be opened; HEIC where its library is missing
    Coding.HEIC: lambda name: PhotoError("photo_is_heic", name=name),
    Coding.VIDEO: _video,
    Coding.RARE: partial(_other_picture, Phrase("rare_heif")),
    Coding.RAW: _raw,
}
VIDEOS = rb".{4}(moov|mdat|wide|skip|pnot)|RIFF....AVI |\x1aE\xdf\xa3|FLV\x01|\0\0\x01[\xb3\xba]"
PICTURES = {  # those that can't be opened here, by how their files begin
    rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n": Phrase("jpeg_xl_picture"),
    rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51": Phrase("jpeg_2000_picture"),
    rb"II\xbc\x01": Phrase("jpeg_xr_picture"),
    rb"8BPS": Phrase("photoshop_file"),
    rb"gimp xcf": Phrase("gimp_file"),
    rb"v/1\x01": Phrase("openexr_picture"),
    rb"#\?(RADIANCE|RGBE)": Phrase("radiance_picture"),
    rb".{128}DICM": Phrase("dicom_file"),
    rb"(\x5c\x01\0\0|\0\0\x01\x5c).{340}(n\+1|ni1)": Phrase("nifti_file"),
    rb"SIMPLE  =": Phrase("fits_file"),
    rb"P[1-7]\s|P[Ff]\n": Phrase("netpbm_picture"),
    rb"\0\0[\x01\x02]\0[^\0]\0|icns": Phrase("icon_file"),
    rb"AT&TFORM": Phrase("djvu_document"),
    rb"\xd7\xcd\xc6\x9a|\x01\0\0\0.{36} EMF": Phrase("metafile"),
    rb"DDS |qoif|BPG\xfb|FLIF|[\x8a\x8b][MJ]NG\r\n|NRRD000|ZISRAWFILE": Phrase("rare_picture"),
    rb"\x0a[\0-\5]\x01[\x01\x02\x04\x08]": Phrase("rare_picture"),
}
OTHER_KINDS = {  # that are no pictures
    rb"%PDF": Phrase("pdf_document"),
    rb"%!PS|\xc5\xd0\xd3\xc6": Phrase("postscript_file"),
    rb"PK\x03\x04": Phrase("zip_archive"),
    rb"\x1f\x8b|BZh|7z\xbc\xaf|Rar!|\xfd7zXZ|\x28\xb5\x2f\xfd": Phrase("compressed_archive"),
    rb"\x80[\x02-\x05]": Phrase("pickle_file"),
    rb"\x93NUMPY": Phrase("numpy_file"),
    rb"\x89HDF": Phrase("hdf5_file"),
    rb".{5}\0\0\0{": Phrase("safetensors_file"),
    rb"RIFF....WAVE|ID3|OggS|fLaC": Phrase("sound"),
    rb"MZ|\x7fELF": Phrase("program"),
    rb"\xd0\xcf\x11\xe0": Phrase("office_document"),
}
BEGINNINGS: dict[bytes, Fault] = {  # how files begin that are no texts
    VIDEOS: _video,
    **{pattern: partial(_other_picture, kind) for pattern, kind in PICTURES.items()},
    # A download that was not finished.
    rb"\0{64}": lambda name: PhotoError("photo_damaged", name=name),
    **{rb"\s*(" + pattern + rb")": partial(_other, kind) for pattern, kind in OTHER_KINDS.items()},
}
TEXTS: dict[bytes, Fault] = {  # what stands in a text of a kind
    rb"<svg": lambda name: PhotoError("photo_is_svg", name=name),
    rb"<(!doctype html|html|head|body)\b": lambda name: PhotoError("photo_is_web_page", name=name),
    rb"^version https://git-lfs": lambda name: PhotoError("photo_is_lfs_pointer", name=name),
}
