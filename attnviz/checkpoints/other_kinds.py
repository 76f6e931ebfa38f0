"""What a file is that is no checkpoint of PyTorch: told by its content, so that the sentence is true."""

from __future__ import annotations

import io
import pickletools
import re
from typing import BinaryIO

from .fault import CheckpointFault
from .protobuf_kinds import protobuf_kind


def other_kind(head: bytes, file: BinaryIO) -> CheckpointFault:
    """What to say of a file that begins with ``head``, its first kilobyte, and is of none of our formats."""
    if not head:
        return CheckpointFault("checkpoint_empty")
    beginning = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for key, signs in SIGNS.items():
        if beginning.lower().startswith(signs):
            return CheckpointFault(key)
    for key, place, sign in FURTHER_IN:
        if head[place : place + len(sign)] == sign:
            return CheckpointFault(key)
    for key, pattern in PATTERNS.items():
        if re.match(pattern, head, re.DOTALL):
            return CheckpointFault(key)
    if is_old_pickle(file):
        return CheckpointFault("checkpoint_is_bare_pickle")
    if is_text(head):
        return CheckpointFault(_kind_of_text(beginning.lower()))
    if _is_tensorflow(file):
        return CheckpointFault("checkpoint_is_tensorflow")
    return CheckpointFault(protobuf_kind(file) or "checkpoint_unknown")


def _kind_of_text(text: bytes) -> str:
    """The key of the error for a text, in small letters."""
    kinds = (key for key, pattern in TEXTS.items() if re.search(pattern, text))
    return next(kinds, "checkpoint_is_text")


def is_old_pickle(file: BinaryIO) -> bool:
    """Whether a file's first bytes are a pickle of protocol 0 or 1, which have no mark at their beginning."""
    file.seek(0)
    stream = io.BytesIO(file.read(OLD_PICKLE_BYTES))
    if stream.getvalue()[:1] not in OLD_PICKLES:
        return False
    steps = 0
    try:
        for op, _, _ in pickletools.genops(stream):
            steps += 1
            if op.name == "STOP":
                return steps > 2
    except (ValueError, UnicodeError):
        pass
    return (
        steps >= LEAST_STEPS and stream.tell() >= len(stream.getvalue()) - 100
    )  # it was cut, and no nonsense


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


def is_text(head: bytes) -> bool:
    """Whether these bytes are text that people write."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < max(1, len(head) - 4):  # not only a letter that is cut
            return False
        text = head[: error.start].decode()
    return all(character.isprintable() or character in "\t\r\n" for character in text)


# How files begin that people take for checkpoints, in small letters, by the error that each is.
SIGNS = {
    "checkpoint_is_lfs_pointer": (b"version https://git-lfs",),
    "checkpoint_is_keras": (b"\x89hdf",),
    "checkpoint_is_numpy": (b"\x93numpy",),
    "checkpoint_is_gguf": (b"gguf",),
    "checkpoint_is_picture": (b"\xff\xd8\xff", b"\x89png", b"gif8"),
    "checkpoint_packed": (
        *(b"\x1f\x8b", b"\x1f\x9d", b"7z\xbc\xaf", b"rar!", b"bzh", b"\xfd7zxz"),
        *(b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"),
    ),
    "checkpoint_is_tensorflow": (b"model_checkpoint_path:",),
    "checkpoint_is_matlab": (b"matlab ",),
    "checkpoint_is_pdf": (b"%pdf",),
}
FURTHER_IN = (  # the error, where in the file, and what stands there
    ("checkpoint_is_tar", 257, b"ustar"),
    ("checkpoint_is_picture", 8, b"WEBP"),
    ("checkpoint_is_tensorflow", 4, b"TFL3"),
    ("checkpoint_is_lua", 0, b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1"),
    ("checkpoint_is_lua", 0, b"4\n1\n3\nV 1"),
    ("checkpoint_is_mxnet", 0, b"\x12\x01\0\0\0\0\0\0"),
)
PATTERNS = {  # the error, and how a file of that kind begins
    "checkpoint_is_zeros": rb"\0{64,}$",
    "checkpoint_is_zlib": rb"x[\x01\x5e\x9c\xda]",
    "checkpoint_is_msgpack": rb"([\x81-\x8f]|\xde..|\xdf....)([\xa1-\xbf]|\xd9.)[A-Za-z_]",
}
TEXTS = {  # the error, and what stands in a text of that kind, in small letters
    "checkpoint_is_json": rb"^([{]|\[\s*[\[{\"0-9tfn-])",
    "checkpoint_is_openvino": rb"<net\b[^>]*>",
    "checkpoint_is_web_page": rb"<(!doctype html|html|head|body)\b",
}
OLD_PICKLES = (b"(", b"c", b"}", b"]", b")")  # how pickles without a mark begin: a tuple, a class, a dict, …
OLD_PICKLE_BYTES = 100_000
LEAST_STEPS = 20
