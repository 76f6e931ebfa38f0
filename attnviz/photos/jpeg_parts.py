"""The segments and scans of a JPEG file. ITU-T T.81 (1992), annex B."""

from __future__ import annotations

import re
import struct

from .parts import MOST_PARTS, ExcessError, Parts, RareKindError, counted

MOST_BITS = 8  # of a sample
MOST_SCANS = 100  # of a progressive JPEG; encoders write 10 to 20

# A marker that a segment follows: no stuffed zero, no restart, none that stands alone. Without a repetition,
# so that the search takes no more than one look at each byte.
_MARKER = re.compile(rb"\xff([^\x00\x01\xff\xd0-\xd7])", re.DOTALL)
_FILL = re.compile(rb"\xff{2,}")
_START_OF_SCAN, _END_OF_IMAGE, _COMMENT, _EXIF_OR_XMP, _PROFILE = 0xDA, 0xD9, 0xFE, 0xE1, 0xE2
_FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
_PROGRESSIVE_FRAMES = (0xC2, 0xCA)
_ARITHMETIC_FRAMES = (0xC9, 0xCA)
_RARE_FRAMES = (0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7)  # lossless, hierarchical, JPEG-LS
_APPLICATIONS = range(0xE0, 0xF0)
_DECODING_APPLICATIONS = (0xE0, 0xEE)  # JFIF's, and Adobe's, which tells the colours


def walk_jpeg(content: bytes, found: Parts) -> None:
    """Keep what decoding needs, and count scans.

    Of arithmetic coding the file's bytes bound nothing: where they end, a decoder goes on with zeros. Raises
    RareKindError for files of more than 8 bits, which Pillow does not read, and for lossless and hierarchical
    ones: libjpeg-turbo 3.1 writes beyond its memory when it shrinks a lossless one."""
    walk = _Walk(found)
    position = 2
    found.keep(content[:2])
    for _ in counted(MOST_PARTS):
        marker = _MARKER.search(content, position)
        end = marker.start() if marker else len(content)
        if walk.scans:
            found.keep(_without_fill(content[position:end]))  # before the first scan it is rubbish
        if marker is None:
            return
        code, start = marker[1][0], marker.end()
        if code == _END_OF_IMAGE:
            found.keep(b"\xff\xd9")
            return
        (length,) = struct.unpack_from(">H", content, start)
        if length < 2:  # where the next segment begins is anybody's guess
            return
        position = start + length
        walk.segment(code, content[start:position])


class _Walk:
    """What was told of the frame, and how many scans came."""

    def __init__(self, found: Parts) -> None:
        self.found = found
        self.scans = 0
        self.components = 0  # of the frame: 1 if grey, 3 in colour
        self.coefficient_bytes = 0  # of all components of the frame

    def segment(self, code: int, segment: bytes) -> None:
        """Take one segment, which begins with its length."""
        if code in _RARE_FRAMES:
            raise RareKindError
        if code == _EXIF_OR_XMP:
            self.found.read_metadata(segment[2:])
        elif code in _FRAMES:
            self._frame(code, segment)
        elif code == _START_OF_SCAN:
            self._scan(segment)
        if _helps_a_decoder(code, segment):
            self.found.keep(bytes((0xFF, code)), segment)

    def _frame(self, code: int, segment: bytes) -> None:
        if segment[2] > MOST_BITS:
            raise RareKindError
        height, width, self.components = struct.unpack_from(">HHB", segment, 3)
        self.found.size = width, height
        self.found.is_bounded = self.found.is_bounded and code not in _ARITHMETIC_FRAMES
        samplings = [(byte >> 4) * (byte & 15) for byte in segment[9::3]]
        shares = sum(samplings) / max(1, *samplings)
        self.coefficient_bytes = int(2 * width * height * shares)
        if code in _PROGRESSIVE_FRAMES:
            self.found.held_bytes = self.coefficient_bytes

    def _scan(self, segment: bytes) -> None:
        self.scans += 1
        if self.scans > MOST_SCANS:
            raise ExcessError
        if segment[2] < self.components:  # libjpeg waits for the other scans with all that it has
            self.found.held_bytes = self.coefficient_bytes


def _without_fill(scan: bytes) -> bytes:
    """What a scan holds, without runs of 255 that mean no more than one: where a run is cut in two, Pillow
    reads it again from its beginning for every block of the file."""
    return _FILL.sub(b"\xff", scan) if b"\xff\xff" in scan else scan


def _helps_a_decoder(code: int, segment: bytes) -> bool:
    if code == _PROFILE:
        return segment[2:14] == b"ICC_PROFILE\0"
    if code in _APPLICATIONS:
        return code in _DECODING_APPLICATIONS
    return code != _COMMENT
