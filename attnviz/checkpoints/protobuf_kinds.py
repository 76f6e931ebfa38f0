"""Whose file a file of Protocol Buffers is, by the numbers of its first fields: ONNX's, Core ML's,
TensorFlow's or Caffe's.

Protocol Buffers, "Encoding": a field is a varint (its number × 8 + how it is written), then its value. The
numbers are those of onnx.proto, Model.proto of Core ML, saved_model.proto, meta_graph.proto, graph.proto and
caffe.proto."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

ERRORS = (
    "checkpoint_is_onnx",
    "checkpoint_is_core_ml",
    "checkpoint_is_tensorflow",
    "checkpoint_is_caffe",
)
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


def protobuf_kind(file: BinaryIO) -> str:
    """The key of the error, one of ``ERRORS``, for a file of one of these kinds; "" for any other file."""
    file.seek(0)
    fields = list(_fields(file))
    if not fields:
        return ""
    by_number = {field.number: field for field in reversed(fields)}
    first, second = fields[0], by_number.get(2)
    is_versioned = first.number == 1 and first.form == VARINT
    if is_versioned and (
        any(field.number >= _LEAST_OF_CORE_ML for field in fields)
        or (first.value > _VERSION_OF_TENSORFLOW and _is_node(second))
    ):
        return "checkpoint_is_core_ml"
    graph = by_number.get(7)
    if graph is not None and graph.form == BYTES and by_number.keys() <= _ONNX and len(fields) > 1:
        return "checkpoint_is_onnx"
    if is_versioned and second is not None and second.value and _is_text(second):
        return "checkpoint_is_onnx"
    if first.number != 1 or len(fields) < 2:
        return ""
    if is_versioned:
        return "checkpoint_is_tensorflow" if _is_node(second) else ""
    if _is_node(first) or (_is_node(second) and not _is_text(first)):
        return "checkpoint_is_tensorflow"
    named = _is_text(first) and any(number in by_number for number in _LAYERS_OF_CAFFE)
    return "checkpoint_is_caffe" if named else ""


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
    for place in range(9):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 127) << (7 * place)
        if byte[0] < 128:
            return value
    return None


def _is_node(field: _Field | None) -> bool:
    """Whether a field is a message whose first field is one of bytes, as a node, a graph or a description
    are."""
    return field is not None and field.form == BYTES and field.beginning[:1] == b"\n"


def _is_text(field: _Field) -> bool:
    return field.form == BYTES and field.beginning.isascii() and field.beginning.decode("ascii").isprintable()
