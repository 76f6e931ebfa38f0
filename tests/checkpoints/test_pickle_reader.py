from __future__ import annotations

import argparse
import ctypes
import functools
import io
import os
import pickle
import random
import runpy
import struct
from collections import Counter, OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.hostile_checkpoints import mapping, refusal, save_legacy, save_zip, tensor, text
from helpers.small_networks import stirred
from torch import nn

from attnviz.checkpoints.pickle_reader import Claim, NamedObject, Storage, read_pickle
from attnviz.checkpoints.state_dict import read_checkpoint
from attnviz.errors import NetworkError


class Call:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)


class Config:
    def __init__(self):
        self.rate = 0.1


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "weights.pth"


@pytest.fixture
def canary(tmp_path) -> Path:
    return tmp_path / "canary"


def calls(canary: Path) -> dict[str, Call]:
    touch = f"open({str(canary)!r}, 'w').close()"
    return {
        f"{os.system.__module__}.system": Call(os.system, f"echo x > {canary}"),
        "builtins.eval": Call(eval, touch),
        "builtins.exec": Call(exec, touch),
        "builtins.getattr": Call(getattr, "x", "upper"),
        "torch.serialization.load": Call(torch.load, str(canary)),
        "torch.hub.load": Call(torch.hub.load, "a/b", "c"),
        "numpy.load": Call(np.load, str(canary)),
        "runpy.run_path": Call(runpy.run_path, str(canary)),
        "ctypes.CDLL": Call(ctypes.CDLL, str(canary)),
    }


@pytest.mark.parametrize("name", calls(Path()))
@pytest.mark.parametrize(
    "wrap",
    [
        lambda call: call,
        lambda call: {"state_dict": {"a": torch.ones(2)}, "x": call},
        lambda call: [{"optimizer": (call,)}],
        lambda call: {call: 1},
        lambda call: {"model": Net(), "x": call},
    ],
    ids=["bare", "beside", "nested", "key", "model"],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_code_is_named_and_never_run(name, wrap, zipped, path, canary):
    torch.save(wrap(calls(canary)[name]), path, _use_new_zipfile_serialization=zipped)
    assert f"holds code ({name}) and was not opened" in refusal(path)
    assert not canary.exists()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_code_in_a_bare_pickle_is_named_and_never_run(protocol, path, canary):
    for name, call in calls(canary).items():
        path.write_bytes(pickle.dumps(call, protocol))
        assert f"holds code ({name})" in refusal(path)
    assert not canary.exists()


SPELLINGS = {
    "a global": b"cposix\nsystem\n",
    "an instance": b"(iposix\nsystem\n",
    "from the stack": text("posix") + text("system") + b"\x93",
    "from the memo": text("posix") + b"q\x01" + text("system") + b"q\x0200h\x01h\x02\x93",
    "from a short memo": b"\x8c\x05posix\x94\x8c\x06system\x9400h\x00h\x01\x93",
    "from a long memo": text("posix")
    + b"r\x01\x00\x00\x000"
    + text("system")
    + b"p2\n0j\x01\x00\x00\x00g2\n\x93",
    "from eight bytes": b"\x8d" + struct.pack("<Q", 5) + b"posix" + b"V" + b"system\n" + b"\x93",
    "an object": b"(cposix\nsystem\nX\x01\x00\x00\x00ao",
    "before damage": b"cposix\nsystem\n\xff",
    "in a persistent name": b"cposix\nsystem\nQ",
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_code_is_named_however_it_is_spelled(spelling, path):
    save_zip(path, spelling)
    assert "holds code (posix.system)" in refusal(path)
    save_legacy(path, spelling, [], b"")
    assert "holds code (posix.system)" in refusal(path)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "model",
    [Net(), nn.Sequential(nn.Linear(2, 2)), {"epoch": 1, "model": Net()}, stirred(18, "cbam", width=4)],
)
@pytest.mark.filterwarnings("ignore")
def test_a_whole_model_is_named_with_its_class(model, zipped, path):
    torch.save(model, path, _use_new_zipfile_serialization=zipped)
    name = type(model["model"] if isinstance(model, dict) else model).__name__
    said = refusal(path)
    assert f"is a whole pickled model (class {name})" in said and "torch.save(model.state_dict()" in said


BESIDE = [
    (np.float64(0.9), "float(best_accuracy)"),
    (np.arange(3), "float(best_accuracy)"),
    (argparse.Namespace(rate=0.1), "vars(args)"),
    (Path("a"), "str(path)"),
    (Config(), "Config), which is not opened here"),
    (functools.partial(Config), "functools.partial"),
    (Call(getattr, Config, "mean"), "Config), which is not opened here"),
]
BESIDE_NAMES = ["number", "array", "arguments", "path", "object", "partial", "a class's method"]


@pytest.mark.parametrize("beside", [beside for beside, _ in BESIDE] + [Net()], ids=[*BESIDE_NAMES, "model"])
@pytest.mark.parametrize("zipped", [True, False])
def test_objects_beside_the_weights_are_left_out(beside, zipped, path):
    saved = {"state_dict": {"a.weight": torch.ones(2)}, "best": beside}
    torch.save(saved, path, _use_new_zipfile_serialization=zipped)
    assert list(read_checkpoint(path)) == ["a.weight"]


@pytest.mark.parametrize(("beside", "words"), BESIDE, ids=BESIDE_NAMES)
@pytest.mark.parametrize("zipped", [True, False])
def test_objects_without_weights_are_refused_with_how_to_save_them(beside, words, zipped, path):
    torch.save({"best": beside}, path, _use_new_zipfile_serialization=zipped)
    said = refusal(path)
    assert words in said and "torch.save(model.state_dict()" in said


def test_arguments_alone_are_no_model(path):
    torch.save(argparse.Namespace(rate=0.1), path)
    assert "holds an object (argparse.Namespace), not a state dict" in refusal(path)


def test_a_bare_pickle_is_told_from_a_checkpoint(path):
    path.write_bytes(pickle.dumps({"a": [1.0]}))
    assert "is a bare pickle" in refusal(path)
    path.write_bytes(pickle.dumps({"a": torch.ones(2)}))
    assert "pickle.dump" in refusal(path)


def test_what_an_honest_training_program_saves_is_all_allowed(path):
    network = stirred(18, "se", width=4)
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
    sum(parameter.sum() for parameter in network.parameters()).backward()
    optimizer.step()
    beside = {
        "optimizer": optimizer.state_dict(),
        "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 3).state_dict(),
        "loss": torch.tensor(0.3),
        "seen": Counter("ab"),
        "set": {1, 2},
        "device": torch.device("cpu"),
        "size": torch.Size([1]),
        "type": torch.bfloat16,
        "rng": torch.get_rng_state(),
        "bytes": b"\xff\0",
        "number": 1j,
        "large": 2**80,
    }
    torch.save(beside, path)
    torch.load(path, weights_only=True)  # torch's own rule admits as much
    torch.save({**beside, "history": defaultdict(list, a=[1]), "net": network.state_dict()}, path)
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in read_checkpoint(path).items())


def test_a_pickle_damaged_at_random_is_read_or_refused(path):
    beside = pickle.dumps([1, {"b": (1, 2.5, None)}, b"x", {2}, 2**70], 2)[2:-1]
    whole, chance, said = (
        mapping({"epoch": text("1"), "x": beside, "state_dict": mapping({"a": tensor()})}),
        random.Random(3),
        set(),
    )
    for _ in range(300):
        place = chance.randrange(len(whole))
        patch = chance.choice([chance.randbytes(1), b"", whole[chance.randrange(len(whole)) :][:9]])
        save_zip(
            path, whole[:place] + patch + whole[place + chance.randrange(3) :]
        )  # with a checksum that fits
        try:
            read_checkpoint(path)
        except NetworkError as error:
            said.add(str(error).split(":")[0])
    assert len(said) > 5


def test_a_pickle_is_told_as_numbers_text_and_claims():
    told, storages, _ = read_pickle(
        io.BytesIO(b"\x80\x02" + mapping({"a": tensor((2, 2), (2, 1), 0, 4, "7")}) + b".")
    )
    storage = Storage("FloatStorage", "7", 4)
    assert told == {"a": Claim(storage, 0, (2, 2), (2, 1))} and storages == {"7": storage}
    plain = {"a": [1, 2.5, "x", None, True], "b": (1, (2,), ()), "c": OrderedDict(d=-(2**70)), "e": b"x"}
    for protocol in range(3, 6):
        assert read_pickle(io.BytesIO(pickle.dumps(plain, protocol))).value == plain
    assert read_pickle(io.BytesIO(pickle.dumps(torch.float32))).value == NamedObject("torch.float32")
