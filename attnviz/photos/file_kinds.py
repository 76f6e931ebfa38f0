"""Files of well-known kinds that are no pictures to be opened here: what to do differs from kind to kind."""

from __future__ import annotations

from ..errors import PhotoError
from ..languages.catalogue import Phrase
from .camera_raw import is_camera_raw
from .media_brands import Coding, coding_of


def other_kind(content: bytes, name: str, opens_heic: bool) -> PhotoError | None:
    """The error for a file that its first bytes say is of another kind; None for one that may be a picture.
    ``name`` is the file's, for the sentence; ``opens_heic`` tells whether HEIC photos can be opened."""
    if not content:
        return PhotoError("photo_empty", name=name)
    coding = coding_of(content)
    if coding is Coding.HEIC and not opens_heic:
        return PhotoError("photo_is_heic", name=name)
    if coding is Coding.VIDEO:
        return PhotoError("photo_is_video", name=name)
    if coding is Coding.RAW or is_camera_raw(content):
        return PhotoError("photo_is_raw", name=name)
    start = content[:512].lstrip()
    lower = start.lower()
    if lower.startswith((b"<svg", b"<?xml")):
        return PhotoError("photo_is_svg", name=name)
    if lower.startswith((b"<!doctype", b"<html", b"<head")):
        return PhotoError("photo_is_web_page", name=name)
    for magic, kind in OTHER_KINDS.items():
        if start.startswith(magic):
            return PhotoError("photo_is_other", name=name, kind=kind)
    return None


OTHER_KINDS = {
    b"%PDF": Phrase("pdf_document"),
    b"%!PS": Phrase("postscript_file"),
    b"PK\x03\x04": Phrase("zip_archive"),
    b"\x1f\x8b": Phrase("compressed_archive"),
    b"\x80\x02": Phrase("pickle_file"),
    b"\x80\x03": Phrase("pickle_file"),
    b"\x80\x04": Phrase("pickle_file"),
    b"\x80\x05": Phrase("pickle_file"),
    b"\x1aE\xdf\xa3": Phrase("video"),
}
