"""What a file is that is no checkpoint of PyTorch: told by its content, so that the sentence is true."""

from __future__ import annotations

from typing import BinaryIO

from .fault import CheckpointFault


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
    if _is_onnx(head):
        return CheckpointFault("checkpoint_is_onnx")
    if _is_tensorflow(head, file):
        return CheckpointFault("checkpoint_is_tensorflow")
    if beginning.startswith((b"{", b"[")):
        return CheckpointFault("checkpoint_is_json")
    if _is_text(head):
        return CheckpointFault("checkpoint_is_text")
    return CheckpointFault("checkpoint_unknown")


def other_zip(names: set[str]) -> CheckpointFault:
    """What to say of a zip archive of these records, none of which is the one that torch.save writes."""
    if any(name.endswith(".npy") for name in names):
        return CheckpointFault("checkpoint_holds_numpy")
    if any(name.endswith(".h5") for name in names):
        return CheckpointFault("checkpoint_is_keras")
    if any(name.endswith("saved_model.pb") for name in names):
        return CheckpointFault("checkpoint_is_tensorflow")
    return CheckpointFault("checkpoint_is_other_zip")


def _is_onnx(head: bytes) -> bool:
    """Whether a file begins as ONNX does: the version of its format, then one of the fields that follow it
    there (who wrote it, the graph, the operators)."""
    return (
        head[:1] == b"\x08" and b"\x02" <= head[1:2] <= b"\x1e" and head[2:3] in (b"\x12", b"\x3a", b"\x42")
    )


def _is_tensorflow(head: bytes, file: BinaryIO) -> bool:
    """Whether a file is one of those that TensorFlow writes: the list of its checkpoints, a saved model, or a
    checkpoint's index, which ends with the number of its table format."""
    if head.startswith((b"model_checkpoint_path:", b"\x08\x01\x12")):
        return True
    file.seek(0, 2)
    file.seek(max(0, file.tell() - 8))
    return file.read(8) == b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"


def _is_text(head: bytes) -> bool:
    """Whether these bytes are text that people write."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not only a letter that is cut
            return False
        text = head[: error.start].decode()
    return all(character.isprintable() or character in "\t\r\n" for character in text)


# How files begin that people take for checkpoints, in small letters, by the error that each is.
SIGNS = {
    "checkpoint_is_lfs_pointer": (b"version https://git-lfs",),
    "checkpoint_is_keras": (b"\x89hdf",),
    "checkpoint_is_numpy": (b"\x93numpy",),
    "checkpoint_is_gguf": (b"gguf",),
    "checkpoint_is_picture": (b"\xff\xd8\xff", b"\x89png", b"gif8", b"riff"),
    "checkpoint_packed": (b"\x1f\x8b", b"7z\xbc\xaf", b"rar!", b"bzh", b"\xfd7zxz", b"\x28\xb5\x2f\xfd"),
    "checkpoint_is_openvino": (b'<?xml version="1.0"?><net', b'<?xml version="1.0" ?><net', b"<net "),
    "checkpoint_is_web_page": (b"<!doctype", b"<html", b"<?xml"),
    "checkpoint_is_matlab": (b"matlab ",),
    "checkpoint_is_pdf": (b"%pdf",),
}
FURTHER_IN = (  # the error, where in the file, and what stands there
    ("checkpoint_is_tar", 257, b"ustar"),
    ("checkpoint_is_tensorflow", 4, b"TFL3"),
    ("checkpoint_is_lua", 0, b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1"),
    ("checkpoint_is_lua", 0, b"4\n1\n3\nV 1"),
    ("checkpoint_is_mxnet", 0, b"\x12\x01\0\0\0\0\0\0"),
)
