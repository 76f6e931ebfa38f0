"""Checksums of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..regular_files import open_regular


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """A file's checksum in hexadecimal digits; ``algorithm`` is one of hashlib's."""
    state = hashlib.new(algorithm)
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()
