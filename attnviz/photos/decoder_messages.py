"""What a decoder's process and its starter tell each other.

Nothing here is a pickle: the process reads strangers' files, and what it says is read as a stranger's too.
"""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import PhotoError
from ..languages.catalogue import Phrase
from .decoding import KEPT_PIXELS
from .limits import MAX_BYTES

_LENGTHS = struct.Struct("<II")  # of a name and a content; or of an error and nothing; or 0 and 0 for the end
_SIZE = struct.Struct("<II")  # height and width
_MOST_ERROR_BYTES = 100_000


@dataclass(frozen=True)
class Request:
    """A picture to decode."""

    name: str
    content: bytes


def send_request(connection: socket.socket, request: Request) -> None:
    """Ask for a picture."""
    name = request.name.encode(errors="replace")
    connection.sendall(_LENGTHS.pack(len(name), len(request.content)) + name)
    connection.sendall(request.content)


def read_request(connection: socket.socket) -> Request | None:
    """The next picture to decode; None if the other end has closed."""
    try:
        name, content = _LENGTHS.unpack(_read(connection, _LENGTHS.size))
        return Request(_read(connection, name).decode(), bytes(_read(connection, content)))
    except (EOFError, OSError):
        return None


def send_pixels(connection: socket.socket, pixels: np.ndarray) -> None:
    """Answer with a picture, (H, W, 3) uint8."""
    connection.sendall(_LENGTHS.pack(0, pixels.nbytes) + _SIZE.pack(*pixels.shape[:2]))
    connection.sendall(np.ascontiguousarray(pixels).data)


def send_error(connection: socket.socket, error: Any) -> None:
    """Answer with an error's key and values."""
    told = json.dumps([error.key, _plain(error.values)]).encode()
    connection.sendall(_LENGTHS.pack(len(told), 0) + told)


def read_answer(connection: socket.socket) -> np.ndarray:
    """The pixels of the picture that was asked for, (H, W, 3) uint8. Raises PhotoError where the answer is an
    error, EOFError where the process has ended, and ValueError for what can be no answer."""
    error, content = _LENGTHS.unpack(_read(connection, _LENGTHS.size))
    if error > _MOST_ERROR_BYTES or content > 3 * KEPT_PIXELS + MAX_BYTES:
        raise ValueError("this is longer than an answer")
    if error:
        key, values = json.loads(_read(connection, error))
        raise PhotoError(key, **{name: _value(value) for name, value in values.items()})
    height, width = _SIZE.unpack(_read(connection, _SIZE.size))
    return np.frombuffer(_read(connection, content), np.uint8).reshape(height, width, 3)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values of an error as JSON has them."""
    return {
        name: {"phrase": value.key, "values": _plain(value.values)} if isinstance(value, Phrase) else value
        for name, value in values.items()
    }


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return Phrase(value["phrase"], **{name: _value(inner) for name, inner in value["values"].items()})
    return tuple(value) if isinstance(value, list) else value


def _read(connection: socket.socket, count: int) -> bytearray:
    """So many bytes. Raises EOFError if the other end closes before."""
    content = bytearray(count)
    view = memoryview(content)
    while view:
        read = connection.recv_into(view)
        if not read:
            raise EOFError
        view = view[read:]
    return content
