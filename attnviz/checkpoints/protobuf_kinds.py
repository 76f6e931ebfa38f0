"""Whose file a file of Protocol Buffers is, by the numbers of its first fields: ONNX's, Core ML's,
TensorFlow's or Caffe's.

Protocol Buffers, "Encoding": a field is a varint (its number × 8 + how it is written), then its value. The
numbers are those of onnx.proto, Model.proto of Core ML, saved_model.proto, meta_graph.proto, graph.proto and
caffe.proto."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_FIELDS = 40  # that are looked at
VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5
BEGINNING = 200  # bytes of a field that are looked at

_ONNX = {1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26}
_LEAST_OF_CORE_ML = 200  # the kinds of its networks have such numbers
_VERSION_OF_TENSORFLOW = 1  # of a saved model, the only one that there is
_LAYERS_OF_CAFFE = (2, 100)


@dataclass(frozen=True)
class _Field:
    number: int
    form: int
    value: int  # of a varint, else how many bytes it has
    beginning: bytes


@dataclass(frozen=True)
class _Message:
    """The first fields of a file, in its order and by their numbers."""

    fields: list[_Field]
    by_number: dict[int, _Field]

    @property
    def first(self) -> _Field:
        return self.fields[0]

    @property
    def second(self) -> _Field | None:
        """The field of number 2."""
        return self.by_number.get(2)

    @property
    def is_versioned(self) -> bool:
        """Whether it begins with the number of a version."""
        return self.first.number == 1 and self.first.form == VARINT


def protobuf_kind(file: BinaryIO) -> str:
    """The key of the error, one of ``ERRORS``, for a file of one of these kinds; "" for any other file."""
    file.seek(0)
    fields = list(_fields(file))
    if not fields:
        return ""
    message = _Message(fields, {field.number: field for field in reversed(fields)})
    return next((key for key, holds in ERRORS.items() if holds(message)), "")


def _is_core_ml(message: _Message) -> bool:
    if not message.is_versioned:
        return False
    later = message.first.value > _VERSION_OF_TENSORFLOW and _is_node(message.second)
    return later or any(field.number >= _LEAST_OF_CORE_ML for field in message.fields)


def _is_onnx(message: _Message) -> bool:
    graph, maker = message.by_number.get(7), message.second
    whole = graph is not None and graph.form == BYTES and message.by_number.keys() <= _ONNX
    named = message.is_versioned and maker is not None and maker.value > 0 and _is_text(maker)
    return (whole and len(message.fields) > 1) or named


def _is_tensorflow(message: _Message) -> bool:
    first, second = message.first, message.second
    if first.number != 1 or len(message.fields) < 2:
        return False
    return _is_node(first) or (_is_node(second) and (message.is_versioned or not _is_text(first)))


def _is_caffe(message: _Message) -> bool:
    layers = any(number in message.by_number for number in _LAYERS_OF_CAFFE)
    return message.first.number == 1 and _is_text(message.first) and layers


def _fields(file: BinaryIO) -> Iterator[_Field]:
    """The first fields, up to the first that can be none."""
    for _ in range(MOST_FIELDS):
        tag = _varint(file)
        if tag is None:
            return
        number, form = tag >> 3, tag & 7
        if not 0 < number < 10_000 or form not in (VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES):
            return
        value = {EIGHT_BYTES: 8, FOUR_BYTES: 4}.get(form) or _varint(file)
        if value is None:
            return
        start = file.tell()
        beginning = file.read(min(value, BEGINNING)) if form == BYTES else b""
        yield _Field(number, form, value, beginning)
        if form != VARINT:
            file.seek(start + value)


def _varint(file: BinaryIO) -> int | None:
    """A number of seven bits a byte, the lowest first; None where there is none."""
    value = 0
    for index in range(9):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 127) << (7 * index)
        if byte[0] < 128:
            return value
    return None


def _is_node(field: _Field | None) -> bool:
    """Whether a field is a message whose first field is one of bytes, as a node, a graph or a description
    are."""
    return field is not None and field.form == BYTES and field.beginning[:1] == b"\n"


def _is_text(field: _Field) -> bool:
    return field.form == BYTES and field.beginning.isascii() and field.beginning.decode("ascii").isprintable()


ERRORS: dict[str, Callable[[_Message], bool]] = {  # by the key of the error; the first that holds counts
    "checkpoint_is_core_ml": _is_core_ml,
    "checkpoint_is_onnx": _is_onnx,
    "checkpoint_is_tensorflow": _is_tensorflow,
    "checkpoint_is_caffe": _is_caffe,
}
