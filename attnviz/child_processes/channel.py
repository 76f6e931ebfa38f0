"""What a process and its starter tell each other: bytes, and errors by their keys and values.

Nothing here is a pickle: the process reads strangers' files, and what it says is read as a stranger's too.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from ..languages.catalogue import Phrase

GREETING = b"ready"
MOST_JSON_BYTES = 100_000
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Channel:
    """A way to another process and back. What goes out is raw, without a buffer."""

    incoming: IO[bytes]
    outgoing: IO[bytes]

    def read(self, count: int) -> memoryview:
        """So many bytes. Raises EOFError if the other end closes before."""
        content = np.empty(count, np.uint8).data  # not zeros, as a bytearray would be
        view = content
        while view:
            read = self.incoming.readinto(view)  # type: ignore[attr-defined]
            if not read:
                raise EOFError
            view = view[read:]
        return content

    def write(self, content: bytes | memoryview) -> None:
        """All of these bytes: a pipe takes some at a time."""
        view = memoryview(content)
        while view:
            view = view[self.outgoing.write(view) :]

    def read_json(self) -> Any:
        """What ``write_json`` wrote. Raises ValueError for what can't be that."""
        (length,) = _LENGTH.unpack(self.read(_LENGTH.size))
        if length > MOST_JSON_BYTES:
            raise ValueError("this is longer than anything that is told")
        return json.loads(bytes(self.read(length)))

    def write_json(self, value: Any) -> None:
        """A plain value."""
        content = json.dumps(value).encode()
        self.write(_LENGTH.pack(len(content)) + content)


def plain_error(error: Any) -> list[Any]:
    """An error's key and values as JSON has them."""
    return [error.key, _plain(error.values)]


def key_and_values(plain: Any) -> tuple[str, dict[str, Any]]:
    """An error's key and values from what ``plain_error`` gave. Raises ValueError for what can't be that."""
    key, values = plain
    return str(key), _values(values)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Phrase):
        return {"phrase": value.key, "values": _plain(value.values)}
    return [_plain_value(part) for part in value] if isinstance(value, tuple) else value


def _values(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in plain.items()}


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return Phrase(value["phrase"], **_values(value["values"]))
    return tuple(map(_value, value)) if isinstance(value, list) else value
