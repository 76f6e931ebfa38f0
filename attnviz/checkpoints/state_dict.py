"""A stranger's checkpoint file becomes a state dict: weights and nothing else, held against the file before
they are read.

No code in a file can run: a pickle is read as text, never unpickled (``pickle_reader``), and only then are
numbers read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from ..languages.catalogue import Phrase
from .fault import CheckpointFault, megabytes, printable
from .formats import Places, dtype_of, open_file, read_content
from .pickle_reader import MAX_KEY, Claim, NamedObject, Storage
from .stored_weights import StoredWeights, faults_named

SUFFIXES = (
    ".pth",
    ".pt",
    ".pkl",
    ".bin",
    ".safetensors",
    ".ckpt",
    ".tar",
)  # for file choosers: the content decides
LIMIT = 1_000_000_000  # bytes of a file
MAX_TENSORS = 5_000

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@contextmanager
def stored_weights(path: str | os.PathLike, limit: int = LIMIT) -> Iterator[StoredWeights]:
    """The state dict in a file of torch.save (of any age) or safetensors, in the file's order; its numbers
    are read one tensor at a time, while the ``with`` lasts.

    It may lie bare or under one of the names in ``WRAPPINGS``, at most two deep; of several, the name that
    stands first there wins, so a model before its moving average. Those of ``PREFIXES`` that all keys share
    are taken off. Tensors are float16, bfloat16, float32 or float64, with whole numbers only where batches
    are counted (``num_batches_tracked``). Raises NetworkError, one sentence, for whatever is not weights, is
    damaged, or is beyond a limit. Nothing of the file is executed."""
    name = printable(os.path.basename(os.fspath(path))) or "The file"
    with faults_named(name):
        file = open_file(path, limit)
    with file:
        with faults_named(name):
            value, places = read_content(file)
            claims = _without_prefixes(_claims(value, places, file.size))
        yield StoredWeights(file, name, claims, places)


def read_checkpoint(path: str | os.PathLike, limit: int = LIMIT) -> dict[str, Tensor]:
    """All of ``stored_weights``, each tensor with memory of its own."""
    with stored_weights(path, limit) as weights:
        return dict(weights)


def _claims(value: Any, places: Places, size: int) -> dict[str, Claim]:
    """The state dict in what a file describes, each tensor held against what the file of ``size`` bytes has
    for it."""
    weights = _state_dict(value, deep=2)
    if weights is None:
        raise _without_weights(value)
    if len(weights) > MAX_TENSORS:
        raise CheckpointFault(
            "checkpoint_has_too_many_tensors", count=f"{len(weights):,}", limit=f"{MAX_TENSORS:,}"
        )
    for key, claim in weights.items():
        _check_entry(key, claim, places)
    # Each tensor gets memory of its own, as many times as it is named, and is read from its first number to
    # its last.
    claimed = sum(claim.span * dtype_of(claim.storage).itemsize for claim in weights.values())
    if claimed > 1.1 * size:
        raise CheckpointFault("checkpoint_claims_too_much", claimed=megabytes(claimed), size=megabytes(size))
    return weights


def _state_dict(value: Any, deep: int) -> dict[str, Any] | None:
    """The first dict with tensors in it under ``WRAPPINGS``, else the dict itself if it has some."""
    if not isinstance(value, dict):
        return None
    for key in WRAPPINGS if deep else ():
        inner = _state_dict(value[key], deep - 1) if key in value else None
        if inner is not None:
            return inner
    return value if any(isinstance(entry, Claim) for entry in value.values()) else None


def _without_weights(value: Any) -> CheckpointFault:
    """What is wrong with a file in which no state dict was found."""
    if not isinstance(value, dict):
        return CheckpointFault("checkpoint_not_state_dict", what=_phrase_of(value))
    if not value:
        return CheckpointFault("checkpoint_without_weights")
    names = tuple(f"“{printable(str(key))}”" for key in list(value)[:3])
    return CheckpointFault("checkpoint_without_known_names", names=names)


def _check_entry(key: Any, claim: Any, places: Places) -> None:
    """Raise CheckpointFault unless an entry of a state dict is a tensor of weights that lies in the file."""
    if not isinstance(key, str) or len(key) > MAX_KEY:
        raise CheckpointFault("checkpoint_key_impossible", tensor=printable(str(key)))
    if not isinstance(claim, Claim):
        raise CheckpointFault("checkpoint_entry_no_tensor", what=_phrase_of(claim), tensor=printable(key))
    storage, dtype = claim.storage, dtype_of(claim.storage)
    if dtype.is_complex:
        raise CheckpointFault("checkpoint_complex", tensor=printable(key))
    if dtype not in FLOATS and not key.endswith("num_batches_tracked"):
        raise CheckpointFault("checkpoint_quantized", tensor=printable(key))
    _, length = places.get(storage.key, (0, 0))
    if claim.size > storage.count:
        raise CheckpointFault("checkpoint_repeats_numbers", tensor=printable(key))
    if storage.count * dtype.itemsize > length or (claim.size and claim.last >= storage.count):
        raise CheckpointFault("checkpoint_tensor_claims_more", tensor=printable(key))


def _phrase_of(value: Any) -> Phrase:
    """What a value is, for a sentence."""
    if isinstance(value, NamedObject):
        return ODD_TENSORS.get(value.name) or Phrase("an_object", type=printable(value.name))
    return next((phrase for kind, phrase in VALUE_PHRASES if isinstance(value, kind)), Phrase("no_value"))


def _without_prefixes(claims: dict[str, Claim]) -> dict[str, Claim]:
    """The same without the prefixes that wrappers put before every key."""
    prefix = next((prefix for prefix in PREFIXES if _all_begin(claims, prefix)), None)
    if prefix is None:
        return claims
    return _without_prefixes({key.removeprefix(prefix): claim for key, claim in claims.items()})


def _all_begin(keys: Iterable[str], prefix: str) -> bool:
    return all(key.startswith(prefix) and key != prefix for key in keys)


# Where programs put a state dict beside an optimiser and what else they save: averages of a model last.
WRAPPINGS = (
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
    "state_dict_ema",
    "ema_state_dict",
    "model_ema",
    "ema_model",
    "params_ema",
    "ema",
)

# What DataParallel, torch.compile, Lightning and averaging put before every key. No layout of a network that
# is known here begins all its keys with one of them.
PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.", "backbone.", "ema_model.", "ema.")

ODD_TENSORS = {
    "torch._utils._rebuild_sparse_tensor": Phrase("sparse_tensor"),
    "torch._utils._rebuild_qtensor": Phrase("quantized_tensor"),
    "torch._utils._rebuild_meta_tensor_no_storage": Phrase("meta_tensor"),
    "torch._utils._rebuild_tensor_v3": Phrase("unknown_tensor"),
}
VALUE_PHRASES = (
    (Claim, Phrase("single_tensor")),
    (Storage, Phrase("bare_storage")),
    (str, Phrase("plain_text")),
    (bytes, Phrase("plain_bytes")),
    (dict, Phrase("a_dictionary")),
    ((list, tuple), Phrase("a_list")),
    ((int, float), Phrase("a_number")),
)
