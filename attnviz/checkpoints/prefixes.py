"""What stands before the keys of a network and is no part of its names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

# What DataParallel, torch.compile, Lightning and averaging put before every key. No layout of a network that
# is known here begins all its keys with one of them.
PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.", "backbone.", "ema_model.", "ema.")


# What activation checkpointing, FSDP, DeepSpeed, torch.compile and DataParallel put before any module's keys.
WRAPPERS = {"module", "_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module", "_forward_module"}


def without_prefixes(entries: dict[str, T]) -> dict[str, T]:
    """The same without the prefixes that wrappings put before every key, and without the words of wrappers
    within them."""
    names = {key: ".".join(word for word in key.split(".") if word not in WRAPPERS) for key in entries}
    if len(set(names.values())) == len(names) and all(names.values()):
        entries = {names[key]: entry for key, entry in entries.items()}
    return _without_first(entries)


def _without_first(entries: dict[str, T]) -> dict[str, T]:
    prefix = next((prefix for prefix in PREFIXES if _all_begin(entries, prefix)), None)
    if prefix is None:
        return entries
    return _without_first({key.removeprefix(prefix): entry for key, entry in entries.items()})


def _all_begin(keys: Iterable[str], prefix: str) -> bool:
    return all(key.startswith(prefix) and key != prefix for key in keys)
