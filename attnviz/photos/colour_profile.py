"""A colour profile without what lets a small one take any amount of time.

ICC.1:2022, section 7: a header of 128 bytes, a count, and a table of tags, each a signature, where its data
lie, and how many bytes they have."""

from __future__ import annotations

import struct

MOST_BYTES = 4_000_000  # a printer's has some hundred kilobytes
MOST_TAGS = 100  # as LittleCMS has it

_TABLE = 128  # where the table begins
_ENTRY = struct.Struct(">4sII")
_CHAIN = b"mpet"  # of any number of steps, which may all lie at the same bytes


def bounded_profile(profile: bytes) -> bytes | None:
    """The profile without tags that are chains of processing elements, which few have, and which have others
    beside them; None for what is too large, or no profile."""
    try:
        (count,) = struct.unpack_from(">I", profile, _TABLE)
        if count > MOST_TAGS or len(profile) > MOST_BYTES:
            return None
        first, end = _TABLE + 4, _TABLE + 4 + count * _ENTRY.size
        entries = [profile[at : at + _ENTRY.size] for at in range(first, end, _ENTRY.size)]
        kept = [entry for entry in entries if not _is_chain(profile, entry)]
    except struct.error:
        return None
    table = b"".join(kept).ljust(end - first, b"\0")
    return profile[:_TABLE] + struct.pack(">I", len(kept)) + table + profile[end:]


def _is_chain(profile: bytes, entry: bytes) -> bool:
    _, start, _ = _ENTRY.unpack(entry)
    return profile[start : start + 4] == _CHAIN
