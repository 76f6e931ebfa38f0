"""Where in a checkpoint its weights lie: bare, under a name that programs give them, in a tuple, in parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..languages.catalogue import Phrase
from .fault import CheckpointFault, printable
from .pickle_reader import Claim, NamedObject, Storage

DEEPEST = 2  # dicts in dicts


def weights_in(value: Any) -> dict[str, Any]:
    """The state dict in what a file describes.

    It lies there bare, or in a tuple or list, or under one of the names in ``WRAPPINGS``, at most two deep;
    of several, the name that stands first there wins, so a model before its moving average. Under another
    name it is taken where it is the only one. Where the parts of a network lie in dicts beside each other
    they become one, each key with its part's name before it. Raises CheckpointFault if there is none."""
    if isinstance(value, list | tuple) and len(value) <= MOST_ITEMS:
        value = next((item for item in value if isinstance(item, dict)), value)
    weights = _under_known_names(value, DEEPEST) or _under_any_name(value)
    if weights is None:
        raise _without_weights(value)
    return weights


def _under_known_names(value: Any, deep: int) -> dict[str, Any] | None:
    """The first dict with tensors in it under ``WRAPPINGS``, else the dict itself if it has some."""
    if not isinstance(value, dict):
        return None
    for key in WRAPPINGS if deep else ():
        inner = _under_known_names(value[key], deep - 1) if key in value else None
        if inner is not None:
            return inner
    return (
        value if any(isinstance(entry, Claim) and _is_weight(key) for key, entry in value.items()) else None
    )


def _under_any_name(value: Any) -> dict[str, Any] | None:
    """The state dict under a name that is not known, or the parts of one under several."""
    if not isinstance(value, dict):
        return None
    parts = dict(_parts(value))
    if len(parts) == 1:
        return next(iter(parts.values()))
    if parts:
        return {f"{name}.{key}": entry for name, part in parts.items() for key, entry in part.items()}
    return value if any(isinstance(entry, Claim) for entry in value.values()) else None


def _parts(value: dict[Any, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and state dicts in a dict that holds others."""
    for name, part in value.items():
        if not isinstance(name, str) or name.lower().startswith(NOT_NETWORKS):
            continue
        inner = _under_known_names(part, DEEPEST - 1)
        if inner is not None and all(isinstance(key, str) for key in inner):
            yield name, inner


def _is_weight(key: Any) -> bool:
    """Whether a key is one of a module's, or at least no single number that stands beside them."""
    return not isinstance(key, str) or "." in key or key in ("weight", "bias")


def _without_weights(value: Any) -> CheckpointFault:
    """What is wrong with a file in which no state dict was found."""
    if not isinstance(value, dict):
        return CheckpointFault("checkpoint_not_state_dict", what=phrase_of(value))
    if not value:
        return CheckpointFault("checkpoint_without_weights")
    names = tuple(f"“{printable(str(key))}”" for key in list(value)[:3])
    return CheckpointFault("checkpoint_without_known_names", names=names)


def phrase_of(value: Any) -> Phrase:
    """What a value is, for a sentence."""
    if isinstance(value, NamedObject):
        return ODD_TENSORS.get(value.name) or Phrase("an_object", type=printable(value.name))
    return next((phrase for kind, phrase in VALUE_PHRASES if isinstance(value, kind)), Phrase("no_value"))


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
NOT_NETWORKS = ("optim", "sched", "lr_", "scaler", "amp", "rng", "hyper", "callback", "loop", "_metadata")
MOST_ITEMS = 20  # of a tuple in which a state dict stands

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
