from __future__ import annotations

import json
import os
import pickle
import random
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.hostile_checkpoints import (
    header,
    mapping,
    overlapping,
    refusal,
    save_legacy,
    save_zip,
    tensor,
    text,
)
from safetensors.torch import save_file

from attnviz.checkpoints.state_dict import read_checkpoint
from attnviz.errors import NetworkError

NUMBERS = struct.pack("<4f", 1, 2, 3, 4)


def legacy(value, path: Path) -> None:
    torch.save(value, path, _use_new_zipfile_serialization=False)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "weights.pth"


def damaged(change, save=torch.save):
    """An honest file, changed: from bytes to bytes."""

    def write(path: Path) -> None:
        save({"fc.weight": torch.arange(400.0).view(20, 20), "fc.bias": torch.ones(20)}, path)
        path.write_bytes(change(path.read_bytes()))

    return write


def flipped(content: bytes) -> bytes:
    place = content.index(struct.pack("<2f", 100, 101))
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def content(value: bytes):
    return lambda path: path.write_bytes(value)


def zipped(pickle: bytes, records=None, compression=zipfile.ZIP_STORED):
    return lambda path: save_zip(path, pickle, records, compression)


def doubled(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a/data.pkl", "a/data.pkl"):
            archive.writestr(name, b"\x80\x02}.")


def longer(path: Path) -> None:
    save_zip(path, mapping({"a": tensor()}))
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 20 : entry + 28] = struct.pack("<2I", 9999, 9999)
    path.write_bytes(content)


def members(*names: str):
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, b"x")

    return write


def safe(entries: dict, numbers: bytes = NUMBERS):
    return lambda path: path.write_bytes(
        struct.pack("<Q", len(json.dumps(entries))) + json.dumps(entries).encode() + numbers
    )


def entry(begin=0, end=16, shape=(4,), dtype="F32") -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


BAD = {  # a case: how to write it, and the words that matter
    "nothing": (content(b""), "is empty"),
    "a folder": (Path.mkdir, "is a folder"),
    "no file": (lambda path: None, "is not there"),
    "text": (content(b"epoch 1, loss 2.3\n" * 100), "is a text"),
    "random bytes": (content(random.Random(0).randbytes(5000)), "is not a checkpoint"),
    "a photo": (content(b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(99)), "is a picture"),
    "another photo": (content(b"\x89PNG\r\n\x1a\n" + bytes(99)), "is a picture"),
    "a web page": (content(b"\n<!DOCTYPE html><html><title>Sign in"), "is a web page"),
    "a pointer of Git LFS": (
        content(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"),
        "git lfs pull",
    ),
    "ONNX": (content(b"\x08\x08\x12\x07pytorch\x1a\x052.1.0" + bytes(99)), "ONNX"),
    "ONNX of another program": (content(b"\x08\x07\x12\x07tf2onnx\x1a\x051.9.3" + bytes(99)), "ONNX"),
    "ONNX without its maker's name": (content(b"\x08\x04:\xc3\x03\n\x0e" + bytes(99)), "ONNX"),
    "ONNX with a word about it": (content(b"\x08\x0c2\x05hello:\x02\n\0B\x02\x10\x0c"), "ONNX"),
    "ONNX, its graph first": (content(b":\x04\n\x02\n\0B\x02\x10\x0c\x08\x0c"), "ONNX"),
    "Core ML": (content(b"\x08\x04\x12\x06\n\x04\n\x02xy\xa2\x1f\x02\n\0"), "Core ML"),
    "Core ML, cut off": (content(b"\x08\x05\x12\xb1\x01\n\x1d\n\x05image" + bytes(200)), "Core ML"),
    "TensorFlow, a graph": (content(b'\n\x10\n\x01x\x12\x0bPlaceholder"\x03\x08\xc7\x0b'), "TensorFlow"),
    "Caffe": (content(b"\n\tResNet-50\xa2\x06\x06\n\x04data" + bytes(60)), "Caffe"),
    "Flax": (content(b"\x82\xa6params\x80\xabbatch_stats\x80"), "Flax"),
    "joblib, packed": (content(zlib.compress(b"\x80\x04}." * 99)), "joblib.load"),
    "joblib": (content(b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81."), "NumPy arrays"),
    "a pickle of protocol 0": (content(pickle.dumps({"a": [1.0, 2.0], "b": (3, None)}, 0)), "bare pickle"),
    "a pickle of protocol 1": (content(pickle.dumps({"a": [1.0, 2.0], "b": (3, None)}, 1)), "bare pickle"),
    "zeros": (content(bytes(5000)), "nothing but zeros"),
    "bytes that begin as JSON does": (content(b"{\xff\x00\x9d" + bytes(range(256))), "is not a checkpoint"),
    "a link in brackets": (content(b"[InternetShortcut]\r\nURL=https://example.org"), "is a text"),
    "Darknet's settings": (content(b"[net]\nbatch=64\nsubdivisions=16\n"), "is a text"),
    "settings in sections": (content(b"[train]\nepochs = 90\n"), "is a text"),
    "settings in sections of numbers": (content(b"[2024]\nepochs = 90\n"), "is a text"),
    "tables of TOML": (content(b"[[package]]\nname = 'torch'\n"), "is a text"),
    "RTF": (content(b"{\\rtf1\\ansi Notes on the training}"), "is a text"),
    "a text in brackets": (content(b"(see. the other folder)\n" * 9), "is a text"),
    "a text in brackets that begins with d": (content(b"(d0. is the first epoch)\n" * 9), "is a text"),
    "a formula": (content(b"x^2 + y^2 = z^2\n"), "is a text"),
    "a text about GGUF": (content(b"GGUF files of this network are at example.org\n"), "is a text"),
    "a text of other letters": (content("ߊߎߡߊ_a".encode() * 30), "is a text"),
    "words behind a byte order mark": (content(b"\xef\xbb\xbf" + b"ab" + "🙂".encode() * 300), "is a text"),
    "JSON behind a byte order mark": (content(b'\xef\xbb\xbf{"num_classes": 5}'), "JSON"),
    "nested lists in JSON": (content(b"[[1, 2], [3, 4]]"), "JSON"),
    "a sound": (content(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0" + bytes(range(256))), "is not a checkpoint"),
    "a web page behind a comment": (content(b"<!-- saved -->\n<html><head>"), "is a web page"),
    "OpenVINO, by lines": (content(b'<?xml version="1.0"?>\n<net name="a">'), "OpenVINO"),
    "TensorFlow, a saved model": (content(b"\x08\x01\x12\x80\x9b\x02\n" + bytes(99)), "TensorFlow"),
    "TensorFlow, its list": (content(b'model_checkpoint_path: "model.ckpt-100"\n'), "TensorFlow"),
    "TensorFlow, an index": (
        content(bytes(300) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"),
        "TensorFlow",
    ),
    "TensorFlow Lite": (content(b"\x1c\0\0\0TFL3" + bytes(99)), "TensorFlow"),
    "PaddlePaddle": (
        content(pickle.dumps({"StructuredToParameterName@@": {}, "conv.w_0": np.ones(3)}, 4)),
        "PaddlePaddle",
    ),
    "MXNet": (content(b"\x12\x01" + bytes(99)), "MXNet"),
    "Lua Torch": (content(b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1\r\0\0\0nn.Sequential"), "Lua Torch"),
    "OpenVINO": (content(b'<?xml version="1.0"?><net name="resnet" version="11">'), "OpenVINO"),
    "MATLAB": (content(b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(99)), "MATLAB"),
    "a PDF": (content(b"%PDF-1.7\n" + bytes(99)), "a PDF"),
    "settings": (content(b'{"architecture": "resnet18", "num_classes": 5}'), "JSON"),
    "a list in JSON": (content(b"[1, 2]"), "JSON"),
    "JSON that does not end": (content(b'{"weight_map": '), "JSON"),
    "JSON 500,000 deep": (content(b'{"a":' + b"[" * 500_000), "JSON"),
    "an index without files": (content(b'{"weight_map": {}}'), "JSON"),
    "an index that leads elsewhere": (content(b'{"weight_map": {"a": "../../etc/passwd"}}'), "passwd"),
    "an index that leads elsewhere on Windows": (
        content(b'{"weight_map": {"a": "C:\\\\a.bin"}}'),
        "beside it",
    ),
    "an index of a number": (content(b'{"weight_map": {"a": 3}}'), "“3”"),
    "an index whose files are missing": (
        content(b'{"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}'),
        "“model-00001-of-00002.safetensors” is not beside it",
    ),
    "a pickle of arrays": (content(pickle.dumps({"a": np.ones(3)})), "torch.from_numpy"),
    "data.pkl of an unzipped file": (
        content(b"\x80\x02" + mapping({"a": tensor()}) + b"."),
        "a part of a checkpoint that was unzipped",
    ),
    "tensors of a TPU": (
        zipped(mapping({"a": b"ctorch._utils\n_rebuild_device_tensor_from_numpy\n)R"})),
        "TPU (XLA)",
    ),
    "Keras": (content(b"\x89HDF\r\n\x1a\n" + bytes(99)), "Keras"),
    "a newer Keras": (members("config.json", "model.weights.h5"), "Keras"),
    "gzip": (content(b"\x1f\x8b\x08" + bytes(99)), "unpack it"),
    "tar": (content(b"weights.pth" + bytes(246) + b"ustar" + bytes(999)), "tar archive"),
    "NumPy": (content(b"\x93NUMPY\x01\0v\0" + bytes(99)), "torch.from_numpy"),
    "NumPy, several": (members("a.npy", "b.npy"), "torch.from_numpy"),
    "any zip": (members("readme.txt", "weights.pth"), "unpack it"),
    "an empty zip": (members(), "unpack it"),
    "TorchScript": (members("net/data.pkl", "net/constants.pkl", "net/code/__torch__.py"), "TorchScript"),
    "an exported program": (members("net/archive_format", "net/models/model.json"), "torch.export"),
    "cut off": (damaged(lambda content: content[:-300]), "damaged or cut off"),
    "cut off, legacy": (damaged(lambda content: content[:-30], legacy), "damaged or cut off"),
    "cut off in the head, legacy": (damaged(lambda content: content[:200], legacy), "damaged or cut off"),
    "cut off, safetensors": (
        damaged(lambda content: content[:-30], save_file),
        "claims more or less than it holds",
    ),
    "longer, safetensors": (
        damaged(lambda content: content + b"\0", save_file),
        "claims more or less than it holds",
    ),
    "a flipped bit": (damaged(flipped), "a checksum in it is wrong"),
    "another count, legacy": (
        lambda path: save_legacy(
            path, mapping({"a": tensor()}), [text("0")], struct.pack("<q", 5) + NUMBERS * 2
        ),
        "claims more or less",
    ),
    "no numbers, legacy": (
        lambda path: save_legacy(path, mapping({"a": tensor()}), [], b""),
        "claims more than it holds (“a”)",
    ),
    "a count of 10^11, legacy": (
        lambda path: save_legacy(
            path, mapping({"a": tensor(count=10**11)}), [text("0")], struct.pack("<q", 10**11)
        ),
        "damaged or cut off",
    ),
    "compressed": (zipped(mapping({"a": tensor()}), None, zipfile.ZIP_DEFLATED), "compressed records"),
    "doubled names": (doubled, "several of one name"),
    "a storage of no type": (zipped(mapping({"a": tensor(kind="OddStorage")})), "a type that is not known"),
    "seventeen sides": (zipped(mapping({"a": tensor((1,) * 17, (1,) * 17)})), "damaged"),
    "big-endian": (zipped(mapping({"a": tensor()}), {"data/0": NUMBERS, "byteorder": b"big"}), "big-endian"),
    "overlapping records": (overlapping, "has records that overlap"),
    "a record longer than the file": (longer, "claims more than it holds"),
    "no pickle": (members("a/data/0", "a/version"), "not of torch.save"),
    "a pickle that does not end": (zipped(b"}K"), "damaged"),
    "safetensors: overlapping": (
        safe({"a": entry(), "b": entry()}),
        "claims more or less than it holds (“b”)",
    ),
    "safetensors: a hole": (
        safe({"a": entry(0, 4, (1,)), "b": entry(12, 16, (1,))}),
        "claims more or less than it holds (“b”)",
    ),
    "safetensors: another shape": (safe({"a": entry(shape=(5,))}), "claims more or less than it holds (“a”)"),
    "safetensors: behind the end": (safe({"a": entry(0, 32, (8,))}), "claims more or less"),
    "safetensors: negative": (safe({"a": entry(-16, 0)}), "claims more or less"),
    "safetensors: negative sides": (safe({"a": entry(shape=(-2, -2))}), "damaged"),
    "safetensors: sides that are text": (safe({"a": entry(shape=("4",))}), "damaged"),
    "safetensors: a type of text": (safe({"a": entry(dtype="TEXT")}), "a type that is not known"),
    "safetensors: no JSON": (lambda path: header(path, b'{"a": '), "damaged"),
    "safetensors: nothing in it": (safe({}, b""), "no weights"),
    "safetensors: NaN": (
        safe({"a": entry()}, NUMBERS[:12] + struct.pack("<f", float("nan"))),
        "NaN or infinite weights (“a”)",
    ),
}


@pytest.mark.parametrize(("write", "words"), BAD.values(), ids=BAD)
@pytest.mark.filterwarnings("ignore")
def test_what_is_no_checkpoint_is_refused_in_one_sentence(write, words, path):
    write(path)
    assert words in refusal(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_without_waiting_for_it(path):
    os.mkfifo(path)
    with pytest.raises(NetworkError, match="not a file on a disk"):
        read_checkpoint(path)


def test_a_file_beyond_the_limit_is_refused_and_the_limit_named(path):
    torch.save({"a": torch.ones(500_000)}, path)
    assert len(read_checkpoint(path, limit=3_000_000)) == 1
    with pytest.raises(NetworkError, match=r"has 2\.0 MB, more than the 1\.9 MB"):
        read_checkpoint(path, limit=1_900_000)


@pytest.mark.parametrize("name", ["", "a\0b.pth", "\ud800.pth", "x" * 5000, "there is none.pth"])
def test_a_name_that_can_not_be_one_is_refused(name):
    with pytest.raises(NetworkError, match="is not there"):
        read_checkpoint(name)


def test_every_flipped_bit_in_a_record_of_a_zip_is_noticed(path):
    torch.save({"fc.weight": torch.randn(4, 4)}, path)
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        records = [
            (whole.index(archive.read(name)), len(archive.read(name)))
            for name in archive.namelist()
            if "/data" in name
        ]
    assert len(records) == 2
    for start, length in records:
        for place in range(start, start + length, 7):
            content = bytearray(whole)
            content[place] ^= 1 << place % 8
            path.write_bytes(content)
            with pytest.raises(NetworkError, match="checksum"):
                read_checkpoint(path)


def sharded(folder: Path, index: str, save) -> dict[str, torch.Tensor]:
    """A network in two files and an index of them, as Hugging Face's libraries write it."""
    parts = {
        "model-00001-of-00002.safetensors": {"conv1.weight": torch.randn(4, 3, 3, 3)},
        "model-00002-of-00002.safetensors": {"fc.weight": torch.randn(2, 4), "fc.bias": torch.randn(2)},
    }
    for name, part in parts.items():
        save(part, folder / name)
    places = {key: name for name, part in parts.items() for key in part}
    (folder / index).write_text(json.dumps({"metadata": {"total_size": 500}, "weight_map": places}))
    return {key: value for part in parts.values() for key, value in part.items()}


@pytest.mark.parametrize("index", ["model.safetensors.index.json", "pytorch_model.bin.index.json"])
@pytest.mark.parametrize("save", [save_file, torch.save])
def test_an_index_opens_all_of_its_files(index, save, tmp_path):
    whole = sharded(tmp_path, index, save)
    read = read_checkpoint(tmp_path / index)
    assert read.keys() == whole.keys()
    assert all(torch.equal(read[key], value) for key, value in whole.items())


def test_one_file_of_several_opens_all_or_names_the_one_that_is_missing(tmp_path):
    whole = sharded(tmp_path, "model.safetensors.index.json", save_file)
    first, second = (tmp_path / f"model-0000{number}-of-00002.safetensors" for number in (1, 2))
    assert read_checkpoint(second).keys() == whole.keys()
    second.unlink()
    assert "one of 2 parts" in refusal(first) and f"“{second.name}” is not beside it" in refusal(first)


def test_the_limit_holds_for_all_files_of_an_index_together(tmp_path):
    sharded(tmp_path, "index.json", save_file)
    most = sum(path.stat().st_size for path in tmp_path.glob("*.safetensors"))
    assert len(read_checkpoint(tmp_path / "index.json", limit=most)) == 3
    with pytest.raises(NetworkError, match="more than the"):
        read_checkpoint(tmp_path / "index.json", limit=most - 1)


@pytest.mark.parametrize("named", [1, 2])
@pytest.mark.parametrize("short", [1, 60])
def test_the_limit_holds_for_all_parts_together_whichever_is_named(named, short, tmp_path):
    sharded(tmp_path, "index.json", save_file)
    path = tmp_path / f"model-0000{named}-of-00002.safetensors"
    most = sum(path.stat().st_size for path in tmp_path.glob("*.safetensors"))
    assert len(read_checkpoint(path, limit=most)) == 3
    with pytest.raises(NetworkError, match=r"2 files of .* MB together, more than the 0"):
        read_checkpoint(path, limit=most - short)


def test_a_tensor_of_an_accelerator_that_was_copied_is_read(path):
    copied = b"ctorch._utils\n_rebuild_device_tensor_from_cpu_tensor\n("
    more = b"ctorch\nfloat32\n" + text("xla:0") + b"\x89tR"
    save_zip(path, mapping({"a.weight": copied + tensor() + more}))
    assert read_checkpoint(path)["a.weight"].tolist() == [1, 2, 3, 4]
