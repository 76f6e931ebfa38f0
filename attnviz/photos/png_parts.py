"""The chunks of a PNG file. PNG, third edition (W3C, 2025), section 5."""

from __future__ import annotations

import struct
import zlib

from .parts import MOST_PARTS, Parts, ToldDepth, counted

MOST_SAMPLE_BYTES = 250_000_000  # 50 megapixels of RGBA in 8 bits have 200
MOST_PROFILE_BYTES = 1_000_000  # unpacked: Pillow opens no picture with more

_ONCE = (b"IHDR", b"PLTE", b"tRNS", b"iCCP")
_METADATA = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # the type of colour -> samples a pixel


def walk_png(content: bytes, found: Parts) -> None:
    """Keep what decoding needs: the first chunk of each kind, and all data that is not empty."""
    found.keep(content[:8])
    position, seen = 8, set()
    for _ in counted(MOST_PARTS):
        length, kind = struct.unpack_from(">I4s", content, position)
        start, end = position + 8, position + 12 + length  # the checksum has four bytes
        is_wanted = kind in _ONCE and kind not in seen
        seen |= {kind} & set(_ONCE)
        if kind in _METADATA:
            found.read_metadata(content[start : end - 4])
        if kind == b"IHDR" and is_wanted:
            _read_header(content, start, found)
        if kind == b"sBIT" and length:
            found.told_depth = ToldDepth(_most_bits(content[start : end - 4]), is_high=True)
        is_data = kind == b"IDAT" and length > 0
        if kind == b"iCCP" and is_wanted:
            is_wanted = _unpacks_to_little(content[start : end - 4])
        if is_data or is_wanted or kind == b"IEND":
            found.keep(memoryview(content)[position:end])
        if kind == b"IEND":
            return
        position = end


def _read_header(content: bytes, at: int, found: Parts) -> None:
    width, height, bits, colour = struct.unpack_from(">IIBB", content, at)
    found.size = width, height
    sample_bytes = width * height * bits * _SAMPLES.get(colour, 4) // 8
    found.is_bounded = sample_bytes <= MOST_SAMPLE_BYTES


def _most_bits(significant: bytes) -> int:
    """The bits of the sample that uses most of them, of a chunk with a number for each; alpha, the last of
    two or four, does not count."""
    return max(significant[: {2: 1, 4: 3}.get(len(significant), 3)])


def _unpacks_to_little(profile: bytes) -> bool:
    """Whether a profile, packed behind its name and a zero and the number of a method, is not too large."""
    packed = profile[profile.find(b"\0") + 2 :]
    try:
        return len(zlib.decompressobj().decompress(packed, MOST_PROFILE_BYTES + 1)) <= MOST_PROFILE_BYTES
    except zlib.error:
        return False
