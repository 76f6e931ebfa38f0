"""Checkpoints as strangers could make them, honest and hostile."""

from __future__ import annotations

import itertools
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from attnviz.checkpoints.state_dict import read_checkpoint
from attnviz.errors import NetworkError


def refusal(path: Path) -> str:
    """What is said of a file that is not opened: held against what every sentence promises."""
    with pytest.raises(NetworkError) as caught:
        read_checkpoint(path)
    said = str(caught.value)
    assert said.startswith(f"“{path.name}” ") and said.endswith(".")
    assert str(path.parent) not in said and len(said) < 300 and said.isprintable()
    return said


def text(value: str) -> bytes:
    """A pickled str."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def whole(value: int) -> bytes:
    """A pickled int."""
    return b"\x8a\x08" + struct.pack("<q", value)


def sequence(*items: bytes) -> bytes:
    """A pickled tuple."""
    return b"(" + b"".join(items) + b"t"


def mapping(items: dict[str, bytes]) -> bytes:
    """A pickled dict."""
    return b"}(" + b"".join(text(key) + value for key, value in items.items()) + b"u"


def tensor(shape=(4,), stride=(1,), offset=0, count=4, key="0", kind="FloatStorage") -> bytes:
    """A pickled tensor as torch.save writes it, whatever it claims."""
    storage = (
        sequence(text("storage"), b"ctorch\n" + kind.encode() + b"\n", text(key), text("cpu"), whole(count))
        + b"Q"
    )
    sizes = sequence(*map(whole, shape)), sequence(*map(whole, stride))
    hooks = b"ccollections\nOrderedDict\n)R"
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n"
        + sequence(storage, whole(offset), *sizes, b"\x89", hooks)
        + b"R"
    )


def save_zip(
    path: Path, pickle: bytes, records: dict[str, bytes] | None = None, compression: int = zipfile.ZIP_STORED
) -> None:
    """A zip archive as torch.save writes it, of these parts."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + pickle + b".")
        archive.writestr("archive/version", b"3\n")
        for name, content in (
            {"data/0": struct.pack("<4f", 1, 2, 3, 4)} if records is None else records
        ).items():
            archive.writestr(f"archive/{name}", content)


def save_legacy(path: Path, pickle: bytes, keys: list[bytes], numbers: bytes) -> None:
    """A file as torch.save wrote it before torch 1.6, of these parts."""
    magic = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
    machine = mapping({"little_endian": b"\x88"})
    parts = (whole(1001), machine, pickle, b"](" + b"".join(keys) + b"e")
    path.write_bytes(magic + b"".join(b"\x80\x02" + part + b"." for part in parts) + numbers)


def network(widths: list[int]) -> nn.Module:
    """A plain network of these widths, for files of an honest size."""
    layers = [nn.Conv2d(first, second, 3) for first, second in itertools.pairwise(widths)]
    return nn.Sequential(*layers, nn.BatchNorm2d(widths[-1]))


def save_with_adam(path: Path, model: nn.Module) -> None:
    optimizer = torch.optim.Adam(model.parameters())
    sum(parameter.sum() for parameter in model.parameters()).backward()
    optimizer.step()
    torch.save(
        {"epoch": 3, "state_dict": model.state_dict(), "optimizer": optimizer.state_dict(), "best_acc": 0.75},
        path,
    )


def honest(model: nn.Module) -> dict[str, Callable[[Path], None]]:
    """What people bring: a case and how to write it."""
    return {
        "torch.save": lambda path: torch.save(model.state_dict(), path),
        "torch.save with Adam": lambda path: save_with_adam(path, model),
        "torch.save before 1.6": lambda path: torch.save(
            model.state_dict(), path, _use_new_zipfile_serialization=False
        ),
        "safetensors": lambda path: save_file(model.state_dict(), path),
    }


def bomb(path: Path) -> None:
    save_zip(
        path,
        mapping({"a": tensor(shape=(25_000_000,), count=25_000_000)}),
        {"data/0": bytes(100_000_000)},
        zipfile.ZIP_DEFLATED,
    )


def overlapping(path: Path) -> None:
    """Ten records in one place, each as long as the file."""
    keys = [str(number) for number in range(10)]
    content = {f"data/{key}": struct.pack("<I", int(key)) + bytes(4_000_000) for key in keys}
    save_zip(
        path, mapping({key: tensor(shape=(1_000_001,), count=1_000_001, key=key) for key in keys}), content
    )
    packed = path.read_bytes()
    first = packed.index(b"archive/data/0") - 30
    with zipfile.ZipFile(path) as archive:
        directory = archive.start_dir
    entries = bytearray(packed[directory:])
    place = entries.find(b"PK\x01\x02", 46)
    while place >= 0:
        entries[place + 42 : place + 46] = struct.pack("<I", first)
        place = entries.find(b"PK\x01\x02", place + 46)
    head = packed[: first + 5_000_000]
    entries[-6:-2] = struct.pack("<I", len(head))
    path.write_bytes(head + entries)


def many_records(path: Path, count: int = 60_000) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            archive.writestr(str(number), b"")


def empty_records(path: Path) -> None:
    """As many records as the list of them can name within its limit: 46 bytes each, of no name."""
    count = 43_000
    entry = struct.pack(
        "<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, count * len(entry), 4, 0)
    path.write_bytes(b"PK\x03\x04" + entry * count + end)


def header(path: Path, content: bytes) -> None:
    path.write_bytes(struct.pack("<Q", len(content)) + content)


def views(path: Path) -> None:
    """Four thousand keys that all show the whole of one storage, each its own way."""
    claims = {str(number): tensor(shape=(1_000_000 - number,), count=1_000_000) for number in range(4_000)}
    save_zip(path, mapping(claims), {"data/0": bytes(4_000_000)})


# A tuple in a tuple in a tuple, twice each time: to hash it would take 2^60 steps.
EXPENSIVE = b"K\x01" + b"2\x86" * 60


def long_shape(path: Path) -> None:
    """One tuple of 100,000 sides, handed to a tensor fifty thousand times."""
    shape = sequence(*[b"K\x01"] * 100_000) + b"q\x010"
    storage = (
        sequence(text("storage"), b"ctorch\nFloatStorage\n", text("0"), text("cpu"), whole(4)) + b"Qq\x020"
    )
    call = b"ctorch._utils\n_rebuild_tensor_v2\nq\x04(h\x02K\x00h\x01h\x01tq\x030"
    save_zip(path, shape + storage + call + b"h\x04h\x03R0" * 50_000 + b"}")


def long_names(path: Path) -> None:
    save_zip(path, text("a" * 1_500_000) + b"q\x010" + b"h\x01h\x01\x930" * 70_000 + b"}")


def long_numbers(path: Path) -> None:
    save_zip(
        path,
        b"}q\x010\x8b"
        + struct.pack("<i", 1_200_000)
        + b"\x7f" * 1_200_000
        + b"q\x020h\x01"
        + b"h\x02Ns" * 80_000,
    )


def repeated_items(path: Path) -> None:
    items = b"](" + b"](K\x01K\x01e" * 30_000 + b"e\x85q\x010ccollections\nOrderedDict\nq\x020"
    save_zip(path, items + b"h\x02h\x01R0" * 60_000 + b"}")


def wrapped_in_itself(path: Path) -> None:
    names = (
        "state_dict",
        "model_state_dict",
        "model_state",
        "model",
        "network",
        "net",
        "weights",
        "params",
        "module",
        "state",
        "ema",
    )
    itself = b"}q\x01(" + b"".join(text(name) + b"h\x01" for name in names)
    save_zip(
        path, itself + b"".join(b"M" + struct.pack("<H", number) + b"N" for number in range(60_000)) + b"u"
    )


WORST: dict[str, Callable[[Path], None]] = {
    "zip bomb": bomb,
    "overlapping records": overlapping,
    "60,000 records": many_records,
    "43,000 records of no name": empty_records,
    "a tensor of 10^12 numbers, stride 0": lambda path: save_zip(
        path, mapping({"a": tensor((10**6, 10**6), (0, 0))})
    ),
    "a storage of 10^11 numbers": lambda path: save_zip(
        path, mapping({"a": tensor((10**11,), count=10**11)})
    ),
    "the same before torch 1.6": lambda path: save_legacy(
        path,
        mapping({"a": tensor((10**11,), count=10**11)}),
        [text("0")],
        struct.pack("<q", 10**11) + bytes(64),
    ),
    "4,000 views of one storage": views,
    "300,000 dicts": lambda path: save_zip(path, b"(" + b"}" * 1_000_000 + b"l"),
    "300,000 dicts, each remembered": lambda path: save_zip(path, b"}\x94" * 900_000),
    "300,000 dicts with an item": lambda path: save_zip(path, b"}NNs" * 450_000),
    "300,000 marks": lambda path: save_zip(path, b"(" * 1_900_000),
    "short texts": lambda path: save_zip(path, b"(" + b"\x8c\x04ab\xc3\xa9" * 300_000 + b"l"),
    "a text of 2 MB": lambda path: save_zip(path, mapping({"a": text("\U0001f600" + "a" * 1_900_000)})),
    "a pickle of 8 MB": lambda path: save_zip(path, mapping({"a": text("a" * 8_000_000)})),
    "lists 900,000 deep": lambda path: save_zip(path, b"]" * 900_000 + b"a" * 899_999),
    "tuples 250,000 deep": lambda path: save_zip(path, b")" + b"\x85" * 250_000),
    "tuples as keys": lambda path: save_zip(path, b"}" + EXPENSIVE + b"Ns"),
    "tuples as keys, from the memo": lambda path: save_zip(
        path, b"}K\x01q\x00" + b"h\x00\x86q\x00" * 60 + b"Ns"
    ),
    "tuples as the keys of storages": lambda path: save_legacy(
        path, mapping({"a": tensor()}), [EXPENSIVE], bytes(64)
    ),
    "tuples as a storage": lambda path: save_zip(path, EXPENSIVE + b"Q"),
    "tuples as a name": lambda path: save_zip(path, EXPENSIVE + text("a") + b"\x93"),
    "a shape of 100,000 sides": long_shape,
    "names of 1.5 MB": long_names,
    "numbers of 1.2 MB as keys": long_numbers,
    "one list for 60,000 dicts": repeated_items,
    "a dict wrapped in itself": wrapped_in_itself,
    "a number of two million digits": lambda path: save_zip(path, b"I" + b"7" * 1_900_000 + b"\n"),
    "180,000 classes": lambda path: save_zip(
        path, b"".join(b"ca\n%d\n0" % number for number in range(180_000)) + b"}"
    ),
    "safetensors, 300,000 tensors": lambda path: header(
        path,
        json.dumps(
            {
                f"t{number}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
                for number in range(300_000)
            }
        ).encode(),
    ),
    "safetensors, lists 900,000 deep": lambda path: header(path, b'{"a":' + b"[" * 900_000),
    "safetensors, 300,000 lists": lambda path: header(path, b'{"a":[' + b"[]," * 300_000 + b"[]]}"),
    "safetensors, 12,000 empty tensors": lambda path: header(
        path,
        json.dumps(
            {f"t{number}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for number in range(12_000)}
        ).encode(),
    ),
    "a header of 10^18 bytes": lambda path: path.write_bytes(struct.pack("<Q", 2**40 - 1)[:8] + b'{"a":1}'),
}
