"""Where in a checkpoint its weights lie: bare, under a name that programs give them, in a tuple, in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..languages.catalogue import Phrase
from .fault import CheckpointFault, printable
from .pickle_reader import Claim, NamedObject, Storage

DEEPEST = 4  # dicts under known names in each other
MOST_NESTED = 6  # dicts under any names in each other: modules in modules, at most


def weights_in(value: Any) -> dict[str, Any]:
    """The state dict in what a file describes.

    It lies there bare, or in a tuple or list, or under one of the names in ``WRAPPINGS``, at most four deep;
    of several, the name that stands first there wins, so a model before its moving average. Under another
    name it is taken where it is the only one. Where the parts of a network lie in dicts beside each other
    they become one, each key with its part's name before it. Raises CheckpointFault if there is none, or if
    a list has several."""
    weights = _in_list(value) if isinstance(value, list | tuple) else _in_dict(value)
    if weights is None:
        raise _without_weights(value)
    return weights


def _in_list(items: Sequence[Any]) -> dict[str, Any] | None:
    """The state dict in one of some things."""
    dicts = {index: _in_dict(item) for index, item in enumerate(items[:MOST_ITEMS]) if isinstance(item, dict)}
    found = {index: weights for index, weights in dicts.items() if weights}
    of_modules = {index: weights for index, weights in found.items() if any(map(_is_weight, weights))}
    found = of_modules or found  # what is measured, such as a loss, stands beside them
    if len(found) > 1:
        raise CheckpointFault("layout_of_several", names=tuple(f"“{index}”" for index in list(found)[:3]))
    return next(iter(found.values()), None)


def _in_dict(value: Any) -> dict[str, Any] | None:
    return _under_known_names(value, DEEPEST, set()) or _under_any_name(value)


def _under_known_names(value: Any, deep: int, seen: set[int]) -> dict[str, Any] | None:
    """The first dict with tensors in it under ``WRAPPINGS``, else the dict itself if it has some.

    Dicts ``seen`` before are passed over: a small file can hold one a thousand times, in others that it holds
    as often."""
    if not isinstance(value, dict) or id(value) in seen:
        return None
    seen.add(id(value))
    for key in WRAPPINGS if deep else ():
        inner = _under_known_names(value[key], deep - 1, seen) if key in value else None
        if inner is not None:
            return inner
    return (
        value if any(isinstance(entry, Claim) and _is_weight(key) for key, entry in value.items()) else None
    )


def _under_any_name(value: Any) -> dict[str, Any] | None:
    """The state dict under a name that is not known, or the parts of one under several."""
    if not isinstance(value, dict):
        return None
    parts = dict(_parts(value, MOST_NESTED, set(), set()))
    if len(parts) == 1:
        return next(iter(parts.values()))
    return _joined(parts) or (value if any(isinstance(entry, Claim) for entry in value.values()) else None)


def _parts(
    value: dict[Any, Any], deep: int, seen: set[int], searched: set[int]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and state dicts in a dict that holds others; dicts ``seen`` before, or ``searched`` under known
    names, are passed over."""
    for name, part in value.items():
        if not isinstance(name, str) or name.lower().startswith(NOT_NETWORKS) or not isinstance(part, dict):
            continue
        inner = _under_known_names(part, DEEPEST - 1, searched)
        if inner is None and deep and id(part) not in seen:
            seen.add(id(part))
            inner = _joined(dict(_parts(part, deep - 1, seen, searched)))
        if inner and all(isinstance(key, str) for key in inner):
            yield name, inner


def _joined(parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Parts of a network as one, each key with its part's name before it."""
    return {f"{name}.{key}": entry for name, part in parts.items() for key, entry in part.items()}


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
        return Phrase("an_object", type=printable(value.name))
    return next((phrase for kind, phrase in VALUE_PHRASES if isinstance(value, kind)), Phrase("no_value"))


def odd_tensor(value: Any, key: str) -> CheckpointFault | None:
    """The fault of what stands in the place of a tensor and is one of another kind; None for all else."""
    if not isinstance(value, NamedObject):
        return None
    kinds = (fault for start, fault in ODD_TENSORS.items() if value.name.startswith(start))
    fault = next(kinds, None)
    return fault(printable(key)) if fault else None


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


def _quantized(tensor: str) -> CheckpointFault:
    return CheckpointFault("checkpoint_quantized", tensor=tensor)


def _of_unknown_numbers(tensor: str) -> CheckpointFault:
    return CheckpointFault("checkpoint_number_type_unknown")


def _sharded(tensor: str) -> CheckpointFault:
    return CheckpointFault("checkpoint_sharded", tensor=tensor)


ODD_TENSORS: dict[str, Callable[[str], CheckpointFault]] = {  # by how the names of what makes them begin
    "torch._utils._rebuild_sparse_tensor": lambda tensor: CheckpointFault("checkpoint_sparse", tensor=tensor),
    "torch._utils._rebuild_meta_tensor": lambda tensor: CheckpointFault("checkpoint_meta", tensor=tensor),
    "torch._utils._rebuild_nested_tensor": _of_unknown_numbers,
    "torch._utils._rebuild_tensor_v3": _of_unknown_numbers,
    "torch._utils._rebuild_qtensor": _quantized,
    "torch.q": _quantized,
    "torch._utils._rebuild_wrapper_subclass": _sharded,
    "torch.distributed.": _sharded,
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
