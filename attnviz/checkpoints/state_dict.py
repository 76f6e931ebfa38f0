"""A stranger's checkpoint file becomes a state dict: weights and nothing else, held against the file before
they are read.

No code in a file can run: a pickle is read as text, never unpickled (``pickle_reader``), and only then are
numbers read. What lies where in a checkpoint is ``containers``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..plain_text import is_json
from .allowlist import refuse_objects
from .containers import odd_tensor, phrase_of, weights_in
from .fault import CheckpointFault, megabytes, printable
from .formats import File, Ranges, dtype_of, open_file, read_content
from .pickle_reader import MAX_KEY, Claim, NamedObject
from .prefixes import without_prefixes
from .shards import all_parts, shard_names
from .stored_weights import Entry, StoredWeights, faults_named

SUFFIXES = (  # by which a file that is not there is told from a name; the content decides what a file is
    ".pth",
    ".pt",
    ".pkl",
    ".bin",
    ".safetensors",
    ".ckpt",
    ".tar",
    ".th",
    ".t7",
    ".model",
    ".chkpt",
    ".pyth",
    ".weights",
    ".json",
    ".onnx",
    ".h5",
    ".keras",
    ".pb",
)
LIMIT = 1_000_000_000  # bytes of a file
MAX_TENSORS = 5_000

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
WEIGHTS = ("weight", "bias", "running_mean", "running_var")  # what weights are called, at a key's end
LEFT_OUT = ("total_ops", "total_params", "n_averaged")  # what counters of operations, and averages, add


@contextmanager
def stored_weights(path: str | os.PathLike, limit: int = LIMIT) -> Iterator[StoredWeights]:
    """The state dict in a file of torch.save (of any age) or safetensors, in the file's order, or in the
    files that an index of shards names; its numbers are read one tensor at a time, while the ``with`` lasts.

    Where in a file it may lie, ``containers.weights_in`` says. A prefix that all keys share is taken off.
    Tensors are float16, bfloat16, float32 or float64, with whole numbers only where batches are counted
    (``num_batches_tracked``); other counts are left out. Raises NetworkError, one sentence, for whatever is
    not weights, is damaged, or is beyond a limit. Nothing of the file is executed."""
    name = printable(os.path.basename(os.fspath(path))) or "The file"
    with ExitStack() as files:
        with faults_named(name):
            entries = {}
            for file, of_part in _opened_files(path, name, limit, files):
                with faults_named(of_part):
                    entries.update(_entries(file))
            entries = without_prefixes(entries)
        yield StoredWeights(name, entries)


def read_checkpoint(path: str | os.PathLike, limit: int = LIMIT) -> dict[str, Tensor]:
    """All of ``stored_weights``, each tensor with memory of its own."""
    with stored_weights(path, limit) as weights:
        return dict(weights)


def _opened_files(path: str | os.PathLike, name: str, limit: int, files: ExitStack) -> list[tuple[File, str]]:
    """The files of a checkpoint, open as long as ``files``, and the name of each for a sentence. Raises
    NetworkError and CheckpointFault, the latter if they have more than ``limit`` bytes together."""
    named = files.enter_context(open_file(path, limit))
    opened = []
    for part in _paths_of(Path(path), named):
        if part == Path(path):
            opened.append((named, name))
            continue
        of_part = printable(part.name)
        with faults_named(of_part):
            opened.append((files.enter_context(_opened_shard(part, name, limit)), of_part))
    whole = sum(file.size for file, _ in opened)
    if whole > limit:
        size, most = megabytes(whole), megabytes(limit)
        raise CheckpointFault("checkpoint_parts_too_large", count=len(opened), size=size, limit=most)
    return opened


def _paths_of(path: Path, named: File) -> list[Path]:
    """The files of a checkpoint of which one is named: those that it indexes, or that it is one of. Raises
    CheckpointFault for a part that torch.distributed wrote, whose tensors another file describes."""
    if is_json(named.peek(64)[:64]):
        return [path.parent / shard for shard in shard_names(named)]
    if path.suffix == ".distcp":
        raise CheckpointFault("checkpoint_is_distributed")
    return all_parts(path)


def _opened_shard(path: Path, index: str, limit: int) -> File:
    """One of several files. Raises NetworkError for one that is not there, and CheckpointFault for too
    much."""
    if not path.is_file():
        raise CheckpointFault("checkpoint_shard_missing", shard=printable(path.name)).error(index)
    return open_file(path, limit)


def _entries(file: File) -> dict[str, Entry]:
    """The state dict in a file, each tensor held against what the file has for it."""
    value, ranges, names = read_content(file)
    try:
        weights = _counts_left_out(weights_in(value))
    except CheckpointFault:
        whole = value.name if isinstance(value, NamedObject) else ""
        refuse_objects(names, whole, bool(ranges))  # which says more than that there is no state dict
        raise
    if len(weights) > MAX_TENSORS:
        raise CheckpointFault(
            "checkpoint_has_too_many_tensors", count=f"{len(weights):,}", limit=f"{MAX_TENSORS:,}"
        )
    for key, claim in weights.items():
        _check_entry(key, claim, ranges)
    # Each tensor gets memory of its own, as many times as it is named, and is read from its first number to
    # its last.
    claimed = sum(claim.span * dtype_of(claim.storage).itemsize for claim in weights.values())
    if claimed > 1.1 * file.size:
        raise CheckpointFault(
            "checkpoint_claims_too_much", claimed=megabytes(claimed), size=megabytes(file.size)
        )
    return {key: Entry(file, claim, ranges) for key, claim in weights.items()}


def _counts_left_out(weights: dict[str, Any]) -> dict[str, Any]:
    """The same without what programs add that is no weight: text and numbers beside the weights, counts of
    operations, tensors of whole numbers under other names than those of weights."""
    return {key: value for key, value in weights.items() if not _is_no_weight(key, value)}


def _is_no_weight(key: Any, value: Any) -> bool:
    """Whether an entry is one that programs add to a network's weights."""
    last = str(key).rpartition(".")[2]
    if last in LEFT_OUT or last.endswith("_extra_state"):
        return True
    if last in WEIGHTS or last == "num_batches_tracked" or not isinstance(key, str):
        return False
    if isinstance(value, Claim):
        return dtype_of(value.storage) not in FLOATS
    return "." not in key


def _check_entry(key: Any, claim: Any, ranges: Ranges) -> None:
    """Raise CheckpointFault unless an entry of a state dict is a tensor of weights that lies in the file."""
    if not isinstance(key, str) or len(key) > MAX_KEY:
        raise CheckpointFault("checkpoint_key_impossible", tensor=printable(str(key)))
    odd = odd_tensor(claim, key)
    if odd is not None:
        raise odd
    if not isinstance(claim, Claim):
        raise CheckpointFault("checkpoint_entry_no_tensor", what=phrase_of(claim), tensor=printable(key))
    storage, dtype = claim.storage, dtype_of(claim.storage)
    if dtype.is_complex:
        raise CheckpointFault("checkpoint_complex", tensor=printable(key))
    if dtype not in FLOATS and not key.endswith("num_batches_tracked"):
        raise CheckpointFault("checkpoint_quantized", tensor=printable(key))
    _, length = ranges.get(storage.key, (0, 0))
    if claim.size > storage.count:
        raise CheckpointFault("checkpoint_repeats_numbers", tensor=printable(key))
    if storage.count * dtype.itemsize > length or (claim.size and claim.last >= storage.count):
        raise CheckpointFault("checkpoint_tensor_claims_more", tensor=printable(key))
