"""What a decoder's process and its starter tell each other."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..child_processes.channel import Channel, key_and_values, plain_error
from ..errors import PhotoError, PhotoRemark
from .decoding import KEPT_PIXELS
from .photo import Photo

_LENGTHS = struct.Struct("<II")  # of a name and a content
_SIZE = struct.Struct("<II")  # height and width
_MOST_PIXELS = 4 * KEPT_PIXELS // 3


@dataclass(frozen=True)
class Request:
    """A picture to decode."""

    name: str
    content: bytes


def send_request(channel: Channel, request: Request) -> None:
    """Ask for a picture."""
    name = request.name.encode(errors="replace")
    channel.write(_LENGTHS.pack(len(name), len(request.content)) + name)
    channel.write(request.content)


def read_request(channel: Channel) -> Request | None:
    """The next picture to decode; None if the other end has closed."""
    try:
        name, content = _LENGTHS.unpack(channel.read(_LENGTHS.size))
        return Request(_bytes(channel, name).decode(), _bytes(channel, content))
    except (EOFError, OSError):
        return None


def send_photo(channel: Channel, photo: Photo) -> None:
    """Answer with a photo: its remarks and pixels; who asked knows its name."""
    channel.write_json({"remarks": [plain_error(remark) for remark in photo.remarks]})
    channel.write(_SIZE.pack(*photo.pixels.shape[:2]))
    channel.write(np.ascontiguousarray(photo.pixels).data.cast("B"))


def send_error(channel: Channel, error: Any) -> None:
    """Answer with an error."""
    channel.write_json({"error": plain_error(error)})


def read_answer(channel: Channel, name: str) -> Photo:
    """The photo that was asked for, whose name is known. Raises PhotoError where the answer is an error,
    EOFError where the process has ended, and ValueError for what can be no answer."""
    answer = channel.read_json()
    if "error" in answer:
        key, values = key_and_values(answer["error"])
        raise PhotoError(key, **values)
    height, width = _SIZE.unpack(channel.read(_SIZE.size))
    if height * width > _MOST_PIXELS:
        raise ValueError("this is larger than a picture")
    pixels = np.frombuffer(channel.read(height * width * 3), np.uint8).reshape(height, width, 3)
    remarks = (key_and_values(remark) for remark in answer["remarks"])
    return Photo(pixels, name, tuple(PhotoRemark(key, **values) for key, values in remarks))


def _bytes(channel: Channel, count: int) -> bytes:
    """So many bytes of a way in that has a buffer, which saves a copy. Raises EOFError if it closes first."""
    content = channel.incoming.read(count)
    if len(content) < count:
        raise EOFError
    return content
