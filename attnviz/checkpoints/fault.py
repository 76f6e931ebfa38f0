"""What is wrong with a checkpoint file, as long as the file's name is not known."""

from __future__ import annotations

from ..errors import NetworkError
from ..languages.catalogue import Value


class CheckpointFault(Exception):
    """The key and values of a NetworkError's sentence, all but ``name``."""

    def __init__(self, key: str, /, **values: Value) -> None:
        self.key, self.values = key, values

    def error(self, name: str) -> NetworkError:
        """The whole error, with the file's name."""
        return NetworkError(self.key, name=name, **self.values)


def megabytes(size: float) -> str:
    """Bytes in MB for a sentence, with one decimal."""
    return f"{size / 1e6:,.1f}"


def printable(text: str) -> str:
    """Text from a file as it can stand in a sentence: at most 60 characters, odd ones as "?"."""
    cut = text if len(text) <= 60 else f"{text[:59]}…"
    return "".join(character if character.isprintable() else "?" for character in cut)
