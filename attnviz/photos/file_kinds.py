"""Files of well-known kinds that are no pictures to be opened here: what to do differs from kind to kind."""

from __future__ import annotations

import re

from ..errors import PhotoError
from ..languages.catalogue import Phrase
from .camera_raw import is_camera_raw
from .media_brands import Coding, coding_of

MOST_TEXT = 2_000  # bytes, in which the kind of a text is looked for


def other_kind(content: bytes, name: str, opens_heic: bool) -> PhotoError | None:
    """The error for a file that its first bytes say is of another kind; None for one that may be a picture.
    ``name`` is the file's, for the sentence; ``opens_heic`` tells whether HEIC photos can be opened."""
    if not content:
        return PhotoError("photo_empty", name=name)
    coding = coding_of(content)
    if coding is Coding.HEIC and not opens_heic:
        return PhotoError("photo_is_heic", name=name)
    if coding is Coding.VIDEO or re.match(VIDEOS, content, re.DOTALL):
        return PhotoError("photo_is_video", name=name)
    if coding is Coding.RARE:
        return PhotoError("photo_is_other_picture", name=name, kind=Phrase("rare_heif"))
    if coding is Coding.RAW or is_camera_raw(content):
        return PhotoError("photo_is_raw", name=name)
    for pattern, kind in PICTURES.items():
        if re.match(pattern, content, re.DOTALL):
            return PhotoError("photo_is_other_picture", name=name, kind=kind)
    if not content[:64].strip(b"\0") and len(content) >= 64:  # a download that was not finished
        return PhotoError("photo_damaged", name=name)
    start = content[:MOST_TEXT].lstrip()
    for pattern, kind in OTHER_KINDS.items():
        if re.match(pattern, start, re.DOTALL):
            return PhotoError("photo_is_other", name=name, kind=kind)
    is_text = _is_text(content[:MOST_TEXT]) and not content.startswith((b"GIF87a", b"GIF89a"))
    return _of_text(start, name) if is_text else None


def _of_text(text: bytes, name: str) -> PhotoError:
    """The error for a text."""
    if b"<svg" in text.lower():
        return PhotoError("photo_is_svg", name=name)
    if re.search(rb"<(!doctype html|html|head|body)\b", text.lower()):
        return PhotoError("photo_is_web_page", name=name)
    if text.startswith(b"version https://git-lfs"):
        return PhotoError("photo_is_lfs_pointer", name=name)
    return PhotoError("photo_is_other", name=name, kind=Phrase("a_text"))


def _is_text(head: bytes) -> bool:
    """Whether a file's first bytes are text that people write."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < max(1, len(head) - 4):  # not only a letter that is cut
            return False
        text = head[: error.start].decode("utf-8-sig")
    return all(character.isprintable() or character in "\t\r\n" for character in text)


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
OTHER_KINDS = {
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
