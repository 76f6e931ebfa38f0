from __future__ import annotations

import random
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from helpers.hostile_checkpoints import (
    mapping,
    refusal,
    save_legacy,
    save_with_adam,
    save_zip,
    tensor,
    text,
    views,
)
from helpers.small_networks import stirred
from safetensors.torch import save_file
from torch import nn

from attnviz.checkpoints.containers import WRAPPINGS
from attnviz.checkpoints.prefixes import PREFIXES
from attnviz.checkpoints.state_dict import read_checkpoint
from attnviz.errors import NetworkError

FORMATS = {
    "zip": torch.save,
    "legacy": lambda value, path: torch.save(value, path, _use_new_zipfile_serialization=False),
    "safetensors": save_file,
}
NUMBERS = struct.pack("<4f", 1, 2, 3, 4)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "weights.pth"


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return stirred(18, "cbam", width=4).state_dict()


def assert_same(read: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert read.keys() == expected.keys()
    for key, value in expected.items():
        assert (
            type(read[key]) is torch.Tensor and read[key].dtype == value.dtype and not read[key].requires_grad
        )
        assert torch.equal(read[key], value), key


@pytest.mark.parametrize("number", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("save", FORMATS.values(), ids=FORMATS)
def test_a_state_dict_comes_back_as_it_was_saved(save, number, path, recwarn):
    expected = {
        key: value.to(number) if value.is_floating_point() else value for key, value in weights().items()
    }
    save(expected, path)
    read = read_checkpoint(path)
    assert_same(read, expected)
    assert save is save_file or list(read) == list(expected)
    assert not recwarn.list


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("zipped", [True, False])
def test_every_protocol_of_pickle_reads_as_torch_reads_it(protocol, zipped, path):
    torch.save(OrderedDict(weights()), path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    assert_same(
        read_checkpoint(path), torch.load(path, weights_only=True) if protocol == 2 else weights_of(path)
    )


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=False)  # our own file, of a protocol that weights_only does not know


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("save", [FORMATS["zip"], FORMATS["legacy"]], ids=["zip", "legacy"])
def test_weights_are_found_beside_the_rest_of_a_checkpoint(save, wrapping, path):
    beside = {
        "epoch": 3,
        "arch": "cbam",
        "best_acc": torch.tensor(0.75),
        "losses": [0.1, None, True],
        "args": {"lr": (0.1, 2**70)},
    }
    save({**beside, wrapping: weights()}, path)
    assert_same(read_checkpoint(path), weights())
    save({**beside, "model": {**beside, wrapping: weights()}}, path)
    assert_same(read_checkpoint(path), weights())


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: (state, 30),
        lambda state: [state, {"epoch": 30}],
        lambda state: {"SE_ResNet18": state, "epoch": 30},
        lambda state: {"epoch": 30, "best_acc": torch.tensor(0.9), "generator": {"state_dict": state}},
        lambda state: {"my_net": state, "optimizer_state": {"a.weight": torch.ones(3)}},
        lambda state: ({"model": state, "epoch": 3}, "cbam"),
        lambda state: (state, {"loss": torch.tensor(0.5)}),
        lambda state: [{"best_acc": torch.tensor(0.9), "scores": torch.ones(3)}, {"net": state}],
    ],
)
def test_weights_are_found_in_tuples_and_under_names_of_peoples_own(wrapped, path):
    torch.save(wrapped(weights()), path)
    assert_same(read_checkpoint(path), weights())


def test_parts_of_a_network_that_lie_beside_each_other_become_one(path):
    whole = weights()
    head = {key.removeprefix("fc."): value for key, value in whole.items() if key.startswith("fc.")}
    body = {key: value for key, value in whole.items() if not key.startswith("fc.")}
    torch.save({"encoder": body, "classifier": head, "epoch": 3}, path)
    read = read_checkpoint(path)
    assert read.keys() == {
        *(f"encoder.{key}" for key in body),
        *(f"classifier.{key}" for key in head),
    }


def test_what_programs_count_beside_the_weights_is_left_out(path):
    counts = {
        "n_averaged": torch.tensor(3),
        "total_ops": torch.zeros(1, dtype=torch.float64),
        "layer1.0.conv1.total_params": torch.zeros(1, dtype=torch.float64),
        "layer1.0.position_index": torch.arange(9),
        "layer1.0.mask": torch.ones(3, dtype=torch.bool),
        "layer1.0._extra_state": None,
        "epoch": 30,
        "arch": "cbam",
    }
    torch.save({**counts, **{f"module.{key}": value for key, value in weights().items()}}, path)
    assert_same(read_checkpoint(path), weights())


def test_an_optimiser_beside_the_weights_is_left_where_it_is(path):
    network = stirred(18, "se", width=4)
    save_with_adam(path, network)
    assert_same(read_checkpoint(path), network.state_dict())


def test_a_model_goes_before_its_average_in_whatever_order_they_lie(path):
    average = {key: value + 1 for key, value in weights().items()}
    torch.save({"ema": average, "state_dict_ema": average, "model": weights()}, path)
    assert_same(read_checkpoint(path), weights())
    torch.save({"ema": average, "model": {}}, path)
    assert_same(read_checkpoint(path), average)


@pytest.mark.parametrize("prefix", [*PREFIXES, "module.model.", "_orig_mod.module.net."])
def test_a_prefix_that_all_keys_share_is_taken_off(prefix, path):
    torch.save({f"{prefix}{key}": value for key, value in weights().items()}, path)
    assert_same(read_checkpoint(path), weights())


@pytest.mark.parametrize(
    "keys",
    [
        ("features.init_block.conv.weight", "features.stage1.weight"),
        ("module.", "module.fc.weight"),
        ("module.fc.weight", "fc.weight"),
        ("modules.a", "modules.b"),
    ],
)
def test_a_prefix_that_belongs_to_the_network_stays(keys, path):
    torch.save({key: torch.ones(2) for key in keys}, path)
    assert tuple(read_checkpoint(path)) == keys


def test_words_of_wrappers_are_taken_out_of_keys(path):
    keys = ("module.conv1.weight", "layer1._checkpoint_wrapped_module.0.weight", "fc._orig_mod.weight")
    torch.save({key: torch.ones(2) for key in keys}, path)
    assert tuple(read_checkpoint(path)) == ("conv1.weight", "layer1.0.weight", "fc.weight")


def test_parameters_and_tensors_with_attributes_are_plain_tensors(path):
    marked = nn.Parameter(torch.ones(3))
    marked.no_decay = True
    named = torch.ones(2)
    named.origin = "here"
    torch.save(
        {
            "a": nn.Parameter(torch.arange(4.0)),
            "b": marked,
            "c": named,
            "d": nn.Parameter(torch.ones(1), requires_grad=False),
        },
        path,
    )
    assert_same(
        read_checkpoint(path),
        {"a": torch.arange(4.0), "b": torch.ones(3), "c": torch.ones(2), "d": torch.ones(1)},
    )


@pytest.mark.parametrize("save", [FORMATS["zip"], FORMATS["legacy"]], ids=["zip", "legacy"])
def test_views_tied_and_empty_tensors_are_read(save, path):
    flat = torch.arange(24.0)
    expected = {
        "whole": flat,
        "part": flat[3:9],
        "turned": flat.view(4, 6).t(),
        "tied": flat[3:9],
        "empty": torch.empty(0, 3),
        "nothing": torch.empty(0),
        "scalar": torch.tensor(2.5),
        "expanded": torch.ones(1).expand(1, 1, 1),
        "last": torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last),
    }
    save(expected, path)
    assert_same(read_checkpoint(path), expected)


def test_what_python_2_and_a_gpu_left_is_read(path):
    items = b"](](" + b"U\x01a" + tensor(kind="FloatStorage").replace(b"ctorch\n", b"ctorch.cuda\n") + b"ee"
    save_legacy(
        path,
        b"ccollections\nOrderedDict\n(" + items + b"tR}U\x09_metadata}sb",
        [text("0")],
        struct.pack("<q", 4) + NUMBERS,
    )
    assert_same(read_checkpoint(path), {"a": torch.arange(1.0, 5.0)})


@pytest.mark.parametrize("name", ["weights", "weights.txt", "weights.safetensors", "ünï“.pth.tar"])
def test_the_content_decides_not_the_ending(name, tmp_path):
    torch.save(weights(), tmp_path / name)
    assert_same(read_checkpoint(str(tmp_path / name)), weights())


def tensors(value) -> dict[str, torch.Tensor]:
    return {"fc.weight": torch.ones(3), "layer1.bias": value}


def saved(value, **options):
    return lambda path: torch.save(value, path, **options)


def zipped(pickle: bytes, records=None, compression=zipfile.ZIP_STORED):
    return lambda path: save_zip(path, pickle, records, compression)


MATRIX = torch.ones(400, 400)


def quantized(path: Path) -> None:
    torch.save(tensors(torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)), path)


def diverged(path: Path) -> None:
    value = torch.zeros(2_500_000)
    value[2_000_001] = float("-inf")
    torch.save({"fc.weight": torch.ones(2), "first": value[:2_000_001], "second": value[2_000_001:]}, path)


BAD = {  # a case: how to write it, and the words that matter
    "no record": (zipped(mapping({"a": tensor()}), {}), "claims more than it holds (“a”)"),
    "a short record": (zipped(mapping({"a": tensor(count=5)})), "claims more than it holds (“a”)"),
    "behind the record": (zipped(mapping({"a": tensor(offset=1)})), "claims more than it holds (“a”)"),
    "strides beyond the record": (
        zipped(mapping({"a": tensor((2, 2), (3, 1))})),
        "claims more than it holds (“a”)",
    ),
    "expanded": (saved({"fc.weight": torch.ones(1).expand(10**6, 10**6)}), "tensor.clone()"),
    "a negative stride": (zipped(mapping({"a": tensor((4,), (-1,), 3)})), "damaged"),
    "a negative offset": (zipped(mapping({"a": tensor(offset=-1)})), "damaged"),
    "a negative size": (zipped(mapping({"a": tensor((-4,))})), "damaged"),
    "a storage of two lengths": (
        zipped(mapping({"a": tensor(), "b": tensor(count=2, shape=(2,))})),
        "damaged",
    ),
    "views that add up to more than the file": (views, "MB of weights in 4.7 MB of file"),
    "one tensor under many names": (
        saved(dict.fromkeys("abc", torch.ones(100_000).half())),
        "claims 0.6 MB of weights in 0.2 MB of file",
    ),
    "many columns that are read whole": (
        saved({str(column): MATRIX[:, column] for column in range(9)}),
        "MB of weights in",
    ),
    "sparse": (
        saved(tensors(torch.eye(3).to_sparse())),
        "sparse tensors (“layer1.bias”)",
    ),
    "quantized": (quantized, "quantized"),
    "meta": (saved(tensors(torch.empty(3, device="meta"))), "without numbers"),
    "complex": (saved(tensors(torch.ones(3, dtype=torch.complex64))), "complex weights (“layer1.bias”)"),
    "whole numbers": (saved(tensors(torch.ones(3, dtype=torch.int8))), "whole numbers"),
    "yes and no": (saved(tensors(torch.ones(3, dtype=torch.bool))), "whole numbers"),
    "eight bits": (saved(tensors(torch.ones(3).to(torch.float8_e4m3fn))), "a type that is not known"),
    "NaN": (saved(tensors(torch.tensor([1, float("nan")]))), "NaN or infinite weights (“layer1.bias”)"),
    "infinite": (
        saved(tensors(torch.tensor([1, float("inf")]).half())),
        "NaN or infinite weights (“layer1.bias”)",
    ),
    "infinite, of one storage": (diverged, "NaN or infinite weights (“second”)"),
    "text among the weights": (
        saved(tensors("cbam")),
        "holds text where a tensor is expected (“layer1.bias”)",
    ),
    "a list among the weights": (saved(tensors([1.0])), "holds a list where"),
    "a number among the weights": (saved(tensors(3)), "holds a number where"),
    "None among the weights": (saved(tensors(None)), "holds nothing where"),
    "a number as a key": (
        saved({"fc.weight": torch.ones(3), 7: torch.ones(3)}),
        "a key that no state dict has (“7”)",
    ),
    "an endless key": (saved({"a" * 501: torch.ones(3)}), "a key of more than 500 characters"),
    "three deep": (saved({"model": {"model": {"model": {"a": torch.ones(3)}}}}), "no weights under a name"),
    "an empty dict": (saved({}), "no weights"),
    "an unknown wrapping": (saved({"epoch": 3, "losses": [0.5]}), "(it has “epoch”, “losses”)"),
    "an optimizer alone": (
        saved({"optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}}, "epoch": 3}),
        "(it has “optimizer”, “epoch”)",
    ),
    "a list": (saved([3, torch.ones(3)]), "holds a list, not a state dict"),
    "a tensor": (saved(torch.ones(3)), "holds a single tensor"),
    "a number": (saved(3), "holds a number"),
    "5,001 tensors": (zipped(mapping({str(number): tensor() for number in range(5_001)})), "5,001 tensors"),
}


@pytest.mark.parametrize(("write", "words"), BAD.values(), ids=BAD)
@pytest.mark.filterwarnings("ignore")
def test_what_is_not_weights_is_refused_in_one_sentence(write, words, path):
    write(path)
    assert words in refusal(path)


def test_text_from_a_file_is_cut_and_made_printable(path):
    torch.save({f"layer\u202e\n{'x' * 200}.weight": "text", "a": torch.ones(2)}, path)
    with pytest.raises(NetworkError) as caught:
        read_checkpoint(path)
    key = str(caught.value).split("(“")[1].split("”)")[0]
    assert key.startswith("layer??xxx") and len(key) == 60


@pytest.mark.parametrize("save", FORMATS.values(), ids=FORMATS)
def test_a_file_damaged_at_random_is_read_or_refused(save, path):
    value = {
        "fc.weight": torch.randn(6, 5),
        "bn.num_batches_tracked": torch.tensor(3),
        "bn.weight": torch.randn(4).half(),
    }
    save(value if save is save_file else {"epoch": 1, "state_dict": value}, path)
    whole, chance, refused = path.read_bytes(), random.Random(7), 0
    for _ in range(150):
        path.write_bytes(hurt(whole, chance))
        try:
            read = read_checkpoint(path)
        except NetworkError:
            refused += 1
        else:
            assert all(torch.isfinite(tensor.double()).all() for tensor in read.values())
    assert refused > 30


def hurt(whole: bytes, chance: random.Random) -> bytes:
    content, place = bytearray(whole), chance.randrange(len(whole))
    match chance.randrange(4):
        case 0:
            content[place] ^= 1 << chance.randrange(8)
        case 1:
            del content[place:]
        case 2:
            other = chance.randrange(len(whole))
            content[place : place + 16] = whole[other : other + 16]
        case 3:
            content[place : place + chance.randrange(4)] = chance.randbytes(3)
    return bytes(content)


def test_dicts_that_hold_one_another_many_times_are_searched_once(path):
    value: dict = {"epoch": 1}
    for _ in range(8):
        value = dict.fromkeys((*WRAPPINGS, *map(str, range(50))), value)
    torch.save(value, path)
    assert "no weights under a name that is known" in refusal(path)
