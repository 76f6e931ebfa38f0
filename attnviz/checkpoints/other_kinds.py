"""What a file is that is no checkpoint of PyTorch: told by its content, so that the sentence is true."""

from __future__ import annotations

import io
import pickletools
import re
from typing import BinaryIO

from ..plain_text import is_json, is_text, without_mark
from .fault import CheckpointFault
from .protobuf_kinds import protobuf_kind


def other_kind(head: bytes, file: BinaryIO) -> CheckpointFault:
    """What to say of a file that begins with ``head``, its first kilobyte, and is of none of our formats."""
    if not head:
        return CheckpointFault("checkpoint_empty")
    for key, offset, sign in FURTHER_IN:
        if head[offset : offset + len(sign)] == sign:
            return CheckpointFault(key)
    if is_old_pickle(file):
        return CheckpointFault("checkpoint_is_bare_pickle")
    if is_text(head):
        return CheckpointFault(_kind_of_text(head))
    for key, pattern in PATTERNS.items():
        if re.match(pattern, head, re.DOTALL):
            return CheckpointFault(key)
    if _is_tensorflow(file):
        return CheckpointFault("checkpoint_is_tensorflow")
    return CheckpointFault(protobuf_kind(file) or "checkpoint_unknown")


def _kind_of_text(head: bytes) -> str:
    """The key of the error for a text."""
    if is_json(head):
        return "checkpoint_is_json"
    text = without_mark(head)
    kinds = (key for key, pattern in TEXTS.items() if re.search(pattern, text, re.IGNORECASE))
    return next(kinds, "checkpoint_is_text")


def is_old_pickle(file: BinaryIO) -> bool:
    """Whether a file's first bytes are a pickle of protocol 0 or 1, which have no mark at their beginning."""
    file.seek(0)
    stream = io.BytesIO(file.read(OLD_PICKLE_BYTES))
    if stream.getvalue()[:1] not in OLD_PICKLES:
        return False
    steps = 0
    stack: list[pickletools.StackObject] = []
    try:
        for op, _, _ in pickletools.genops(stream):
            steps += 1
            _step(op, stack)
            if op.name == "STOP":
                return steps > 2 and not stack
    except (ValueError, UnicodeError):
        pass
    # One that was cut is told from text by many steps, up to its end.
    return steps >= LEAST_STEPS and stream.tell() >= len(stream.getvalue()) - 100


def _step(op: pickletools.OpcodeInfo, stack: list[pickletools.StackObject]) -> None:
    """Do to the kinds of things on a pickle's stack what an op does. Raises ValueError where it lacks what it
    takes, as the letters of a text do."""
    takes = op.stack_before
    if pickletools.markobject in takes:
        if pickletools.markobject not in stack:
            raise ValueError("no mark")
        while stack.pop() is not pickletools.markobject:
            pass
        takes = takes[: takes.index(pickletools.markobject)]
    start = len(stack) - len(takes)
    if start < 0 or pickletools.markobject in stack[start:]:
        raise ValueError("nothing there")
    stack[start:] = op.stack_after


def other_zip(names: set[str]) -> CheckpointFault:
    """What to say of a zip archive of these records, none of which is the one that torch.save writes."""
    if any(name.endswith(".npy") for name in names):
        return CheckpointFault("checkpoint_holds_numpy")
    if any(name.endswith(".h5") for name in names):
        return CheckpointFault("checkpoint_is_keras")
    if any(name.endswith("saved_model.pb") for name in names):
        return CheckpointFault("checkpoint_is_tensorflow")
    return CheckpointFault("checkpoint_is_other_zip")


def _is_tensorflow(file: BinaryIO) -> bool:
    """Whether a file is the index of a TensorFlow checkpoint, which ends with the number of its table
    format."""
    file.seek(0, 2)
    file.seek(max(0, file.tell() - 8))
    return file.read(8) == b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"


FURTHER_IN = (  # the error, how many bytes into the file, and what stands there
    ("checkpoint_is_tar", 257, b"ustar"),
    ("checkpoint_is_picture", 8, b"WEBP"),
    ("checkpoint_is_tensorflow", 4, b"TFL3"),
    ("checkpoint_is_lua", 0, b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1"),
    ("checkpoint_is_lua", 0, b"4\n1\n3\nV 1"),
    ("checkpoint_is_mxnet", 0, b"\x12\x01\0\0\0\0\0\0"),
)
PATTERNS = {  # the error, and how a file of that kind begins that is no text
    "checkpoint_is_keras": rb"\x89HDF",
    "checkpoint_is_numpy": rb"\x93NUMPY",
    "checkpoint_is_gguf": rb"GGUF",
    "checkpoint_is_picture": rb"\xff\xd8\xff|\x89PNG|GIF8",
    "checkpoint_packed": rb"\x1f[\x8b\x9d]|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18",
    "checkpoint_is_matlab": rb"MATLAB ",
    "checkpoint_is_pdf": rb"%PDF",
    "checkpoint_is_zeros": rb"\0{64,}$",
    "checkpoint_is_zlib": rb"x[\x01\x5e\x9c\xda]",
    "checkpoint_is_msgpack": rb"([\x81-\x8f]|\xde..|\xdf....)([\xa1-\xbf]|\xd9.)[A-Za-z_]",
}
TEXTS = {  # the error, and what stands in a text of that kind
    "checkpoint_is_lfs_pointer": rb"^version https://git-lfs",
    "checkpoint_is_tensorflow": rb"^model_checkpoint_path:",
    "checkpoint_is_pdf": rb"^%PDF",
    "checkpoint_is_openvino": rb"<net\b[^>]*>",
    "checkpoint_is_web_page": rb"<(!doctype html|html|head|body)\b",
}
OLD_PICKLES = (b"(", b"c", b"}", b"]", b")")  # how pickles without a mark begin: a tuple, a class, a dict, …
OLD_PICKLE_BYTES = 100_000
LEAST_STEPS = 20
