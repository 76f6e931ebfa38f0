"""What a decoder's process and its starter tell each other.

Nothing here is a pickle: the process reads strangers' files, and what it says is read as a stranger's too.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from ..errors import PhotoError, PhotoRemark
from ..languages.catalogue import Phrase
from .decoding import KEPT_PIXELS
from .photo import Photo

_LENGTHS = struct.Struct("<II")  # of a name and a content; or of an error and nothing; or 0 and 0 for the end
_ABOUT = struct.Struct("<III")  # height, width, and the length of remarks
_MOST_TOLD_BYTES = 100_000
_MOST_PIXEL_BYTES = 4 * KEPT_PIXELS


_GREETING = b"ready"


@dataclass(frozen=True)
class Channel:
    """A way to another process and back. What goes out is raw, without a buffer."""

    incoming: IO[bytes]
    outgoing: IO[bytes]


@dataclass(frozen=True)
class Request:
    """A picture to decode."""

    name: str
    content: bytes


def send_greeting(channel: Channel) -> None:
    """Say that requests may come."""
    _write(channel, _GREETING)


def read_greeting(channel: Channel) -> None:
    """Wait until the process is ready. Raises EOFError where it has ended, ValueError for another answer."""
    if _read(channel, len(_GREETING)) != _GREETING:
        raise ValueError("this is no decoder")


def send_request(channel: Channel, request: Request) -> None:
    """Ask for a picture."""
    name = request.name.encode(errors="replace")
    _write(channel, _LENGTHS.pack(len(name), len(request.content)) + name)
    _write(channel, request.content)


def read_request(channel: Channel) -> Request | None:
    """The next picture to decode; None if the other end has closed."""
    try:
        name, content = _LENGTHS.unpack(_read(channel, _LENGTHS.size))
        return Request(_bytes(channel, name).decode(), _bytes(channel, content))
    except (EOFError, OSError):
        return None


def send_photo(channel: Channel, photo: Photo) -> None:
    """Answer with a photo: its pixels and remarks; who asked knows its name."""
    remarks = json.dumps([[remark.key, _plain(remark.values)] for remark in photo.remarks]).encode()
    _write(channel, _LENGTHS.pack(0, photo.pixels.nbytes))
    _write(channel, _ABOUT.pack(*photo.pixels.shape[:2], len(remarks)) + remarks)
    _write(channel, np.ascontiguousarray(photo.pixels).data.cast("B"))


def send_error(channel: Channel, error: Any) -> None:
    """Answer with an error's key and values."""
    told = json.dumps([error.key, _plain(error.values)]).encode()
    _write(channel, _LENGTHS.pack(len(told), 0) + told)


def read_answer(channel: Channel, name: str) -> Photo:
    """The photo that was asked for, whose name is known. Raises PhotoError where the answer is an error,
    EOFError where the process has ended, and ValueError for what can be no answer."""
    error, content = _LENGTHS.unpack(_read(channel, _LENGTHS.size))
    if error > _MOST_TOLD_BYTES or content > _MOST_PIXEL_BYTES:
        raise ValueError("this is longer than an answer")
    if error:
        key, values = json.loads(bytes(_read(channel, error)))
        raise PhotoError(key, **_values(values))
    height, width, told = _ABOUT.unpack(_read(channel, _ABOUT.size))
    if told > _MOST_TOLD_BYTES:
        raise ValueError("this is longer than remarks")
    remarks = json.loads(bytes(_read(channel, told)))
    pixels = np.frombuffer(_read(channel, content), np.uint8).reshape(height, width, 3)
    return Photo(pixels, name, tuple(PhotoRemark(key, **_values(values)) for key, values in remarks))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values of an error as JSON has them."""
    return {
        name: {"phrase": value.key, "values": _plain(value.values)} if isinstance(value, Phrase) else value
        for name, value in values.items()
    }


def _values(plain: dict[str, Any]) -> dict[str, Any]:
    """Values of an error from what JSON has."""
    return {name: _value(value) for name, value in plain.items()}


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return Phrase(value["phrase"], **_values(value["values"]))
    return tuple(value) if isinstance(value, list) else value


def _read(channel: Channel, count: int) -> memoryview:
    """So many bytes. Raises EOFError if the other end closes before."""
    content = np.empty(count, np.uint8).data  # not zeros, as a bytearray would be
    view = content
    while view:
        read = channel.incoming.readinto(view)  # type: ignore[attr-defined]
        if not read:
            raise EOFError
        view = view[read:]
    return content


def _bytes(channel: Channel, count: int) -> bytes:
    """So many bytes of a way in that has a buffer, which saves a copy. Raises EOFError as ``_read`` does."""
    content = channel.incoming.read(count)
    if len(content) < count:
        raise EOFError
    return content


def _write(channel: Channel, content: bytes | memoryview) -> None:
    """All of these bytes: a pipe takes some at a time."""
    view = memoryview(content)
    while view:
        view = view[channel.outgoing.write(view) :]
