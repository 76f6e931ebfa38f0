"""The formats of checkpoint files (safetensors, and those of torch.save, old and new): what a file describes,
and where its numbers lie. The content tells the format, never the file's ending."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from typing import Any, NamedTuple

import torch

from ..regular_files import NotOnDiskError, open_regular
from .allowlist import refuse_objects
from .fault import CheckpointFault, megabytes, printable
from .other_kinds import other_kind, other_zip
from .pickle_reader import MAX_PICKLE, Storage, claim_of, read_pickle

MAX_RECORDS = 10_000  # of a zip archive, an optimiser's among them
MAX_HEADER = 1_000_000  # bytes, of safetensors
OF_ARRAYS = ("numpy.", "joblib.numpy_pickle.")  # classes and functions of NumPy arrays
MAGIC = 0x1950A86A20F9469CFC6C  # the first thing that torch.save wrote before torch 1.6
LEGACY = b"\x8a\x0a" + MAGIC.to_bytes(10, "little")  # how it is pickled, behind the protocol

# Where numbers lie: a storage's key -> the first byte in the file, and how many bytes there are.
Ranges = dict[str, tuple[int, int]]


class Content(NamedTuple):
    """What a file holds: with Claims for tensors, where the numbers of each storage lie in it, and the names
    of all classes and functions in its pickle."""

    value: Any
    ranges: Ranges
    names: tuple[str, ...] = ()


class File(io.BufferedReader):
    """A file that gives at most ``MAX_PICKLE`` bytes at one ``read``: zipfile would read its list of records
    whole, however long it is."""

    def __init__(self, path: str | os.PathLike) -> None:
        super().__init__(open_regular(path).detach())  # type: ignore[attr-defined]
        self.size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > MAX_PICKLE:
            raise CheckpointFault("checkpoint_describes_too_much")
        return super().read(MAX_PICKLE if size is None or size < 0 else size)


def open_file(path: str | os.PathLike, limit: int) -> File:
    """The file, if it is one and has at most ``limit`` bytes. Raises CheckpointFault."""
    try:
        file = File(path)
    except IsADirectoryError:
        raise CheckpointFault("checkpoint_is_folder") from None
    except NotOnDiskError:
        raise CheckpointFault("checkpoint_not_on_disk") from None
    except (OSError, ValueError):
        raise CheckpointFault("file_unreadable") from None
    if file.size > limit:
        file.close()
        raise CheckpointFault("checkpoint_too_large", size=megabytes(file.size), limit=megabytes(limit))
    return file


def is_checkpoint(path: str | os.PathLike) -> bool:
    """Whether a file begins as one of these formats does."""
    try:
        with open_regular(path) as file:
            head = file.read(1024)
    except (OSError, ValueError):
        return False
    is_zip = head.startswith(b"PK") and b"data.pkl" in head
    return is_zip or head[5:9] == b"\0\0\0{" or head[2:].startswith(LEGACY)


def dtype_of(storage: Storage) -> torch.dtype:
    """The type of a storage's numbers. Raises CheckpointFault if there is no such type."""
    if storage.kind not in DTYPES:
        raise CheckpointFault("checkpoint_number_type_unknown")
    return DTYPES[storage.kind]


def read_content(file: File) -> Content:
    """What a file holds.

    Raises CheckpointFault for what is no checkpoint, and whatever error damage leads to."""
    head = file.read(1024)
    if head[5:9] == b"\0\0\0{":  # a length in eight bytes, any of which can be a P or \x80, then JSON
        return _safetensors(file)
    if head.startswith(b"PK"):
        return _zip(file)
    if head.startswith(b"\x80"):
        return _legacy(file)
    raise other_kind(head, file)


def _zip(file: File) -> Content:
    """Files of torch.save since torch 1.6: ``name/data.pkl`` describes the records ``name/data/0``,
    ``name/data/1`` and so on."""
    with zipfile.ZipFile(file) as archive:
        records = archive.infolist()
        names = {record.filename for record in records}
        pickle = _pickle_among(names)
        if len(names) < len(records) or len(records) > MAX_RECORDS:
            raise CheckpointFault("checkpoint_has_bad_records")
        ranges = _record_ranges(file, archive)
        if archive.testzip() is not None:
            raise CheckpointFault("checkpoint_checksum_wrong")
        folder = pickle.removesuffix("data.pkl")
        if f"{folder}byteorder" in names and archive.read(f"{folder}byteorder") != b"little":
            raise CheckpointFault("checkpoint_big_endian")
        value, _, names_in_it = read_pickle(io.BytesIO(archive.read(pickle)))
    prefix = f"{folder}data/"
    own = {name.removeprefix(prefix): whole for name, whole in ranges.items() if name.startswith(prefix)}
    return Content(value, own, names_in_it)


def _pickle_among(names: set[str]) -> str:
    """The name of the record that describes the others."""
    if any(name.endswith(("/constants.pkl", "/archive_format")) for name in names):
        raise CheckpointFault("checkpoint_is_program")
    pickles = [name for name in names if name.rpartition("/")[2] == "data.pkl"]
    if len(pickles) == 1:  # the folder is anybody's, or several, where a program has packed it anew
        return pickles[0]
    raise other_zip(names)


def _record_ranges(file: File, archive: zipfile.ZipFile) -> Ranges:
    """Where the bytes of each record lie. Raises CheckpointFault unless they are as they are, not compressed,
    and one record lies behind the other."""
    ranges, end = {}, 0
    for record in sorted(archive.infolist(), key=lambda record: record.header_offset):
        if (
            record.compress_type != zipfile.ZIP_STORED
            or record.file_size != record.compress_size
            or record.flag_bits & 1
        ):
            raise CheckpointFault("checkpoint_compressed")
        file.seek(record.header_offset)
        start = record.header_offset + 30 + sum(struct.unpack("<26x2H", file.read(30)))
        if record.header_offset < end:
            raise CheckpointFault("checkpoint_records_overlap")
        end = start + record.file_size
        ranges[record.filename] = start, record.file_size
    if end > archive.start_dir:
        raise CheckpointFault("checkpoint_claims_more")
    return ranges


def _legacy(file: File) -> Content:
    """Files of torch.save before torch 1.6: five pickles (magic number, version, machine, object, keys), then
    for each key a count (8 bytes) and as many numbers."""
    file.seek(0)
    stream = io.BytesIO(file.read(MAX_PICKLE))
    try:
        magic, storages = _first_pickle(stream)
        if storages:  # it names numbers that lie beside it
            raise CheckpointFault("checkpoint_is_unzipped")
        if type(magic) is not int or magic != MAGIC:
            raise CheckpointFault("checkpoint_is_bare_pickle")
        read_pickle(stream)
        machine = read_pickle(stream).value
        value, storages, names = read_pickle(stream)
        keys = read_pickle(stream).value
    except (ValueError, LookupError):
        if file.size > MAX_PICKLE:
            raise CheckpointFault("checkpoint_describes_too_much_or_damaged") from None
        raise
    if machine["little_endian"] is not True:
        raise CheckpointFault("checkpoint_big_endian")
    ranges, start = {}, stream.tell()
    for key in keys:
        if not isinstance(key, str):
            raise ValueError("not a key")
        storage = storages.get(key, Storage("ByteStorage", key, 0))
        length = storage.count * dtype_of(storage).itemsize
        file.seek(start)
        if struct.unpack("<q", file.read(8)) != (storage.count,):
            raise CheckpointFault("checkpoint_sizes_differ")
        ranges[key] = start + 8, length
        start += 8 + length
        if start > file.size:
            raise ValueError("cut off")
    return Content(value, ranges, names)


def _first_pickle(stream: io.BytesIO) -> tuple[Any, dict[str, Storage]]:
    """The first pickle of a file and its storages; Raises CheckpointFault for one of NumPy arrays, which
    other frameworks write, and for objects."""
    try:
        first = read_pickle(stream)
        refuse_objects(first.names, first.whole, bool(first.storages))
    except CheckpointFault as fault:
        if b"StructuredToParameterName@@" in stream.getvalue():
            raise CheckpointFault("checkpoint_is_paddle") from None
        if fault.key == "checkpoint_holds_more" and str(fault.values["type"]).startswith(OF_ARRAYS):
            raise CheckpointFault("checkpoint_holds_numpy") from None
        raise
    return first.value, first.storages


def _safetensors(file: File) -> Content:
    """Safetensors: the length of the header (8 bytes), the header in JSON, then the numbers of one tensor
    behind the other's up to the end."""
    file.seek(0)
    (length,) = struct.unpack("<Q", file.read(8))
    if length > MAX_HEADER:
        raise CheckpointFault("checkpoint_header_too_large", limit=MAX_HEADER // 1_000_000)
    header = json.loads(file.read(length).decode())
    header.pop("__metadata__", None)
    claims, ranges, behind = {}, {}, 0
    for key, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        (begin, end), shape = entry["data_offsets"], entry["shape"]
        claim = claim_of(SAFETENSORS_KINDS.get(entry["dtype"], "unknown"), key, shape)
        if begin != behind or end - begin != claim.size * dtype_of(claim.storage).itemsize:
            raise CheckpointFault("checkpoint_tensor_size_differs", tensor=printable(key))
        claims[key], ranges[key], behind = claim, (8 + length + begin, end - begin), end
    if 8 + length + behind != file.size:
        raise CheckpointFault("checkpoint_sizes_differ")
    return Content({key: claims[key] for key in header}, ranges)


# The types of numbers, by the names that torch.save gives their storages; and those by safetensors' names.
DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
    "QInt8Storage": torch.int8,
    "QUInt8Storage": torch.uint8,
    "QInt32Storage": torch.int32,
    "UntypedStorage": torch.uint8,
}
SAFETENSORS_KINDS = {
    "F32": "FloatStorage",
    "F64": "DoubleStorage",
    "F16": "HalfStorage",
    "BF16": "BFloat16Storage",
    "I64": "LongStorage",
    "I32": "IntStorage",
    "I16": "ShortStorage",
    "I8": "CharStorage",
    "U8": "ByteStorage",
    "BOOL": "BoolStorage",
    "C64": "ComplexFloatStorage",
}
