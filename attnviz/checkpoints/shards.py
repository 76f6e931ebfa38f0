"""A checkpoint in several files: the index that says which, as Hugging Face's libraries write it."""

from __future__ import annotations

import json
from typing import Any

from .fault import CheckpointFault, printable
from .formats import File
from .other_kinds import is_text
from .pickle_reader import MAX_PICKLE

MOST_SHARDS = 100


def is_json(file: File) -> bool:
    """Whether a file begins as JSON does."""
    head = file.peek(64)[:64]
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and is_text(head)


def shard_names(file: File) -> list[str]:
    """The names of the files that an index names, each beside it. Raises CheckpointFault for JSON that is no
    index, and for names that lead elsewhere."""
    names = list(dict.fromkeys(_weight_map(file).values()))
    if len(names) > MOST_SHARDS:
        raise CheckpointFault("checkpoint_describes_too_much")
    for name in names:
        if (
            not isinstance(name, str)
            or not name
            or name != name.replace("\\", "/").rpartition("/")[2]
            or ":" in name
        ):
            raise CheckpointFault("checkpoint_shard_elsewhere", shard=printable(str(name)))
    return names


def _weight_map(file: File) -> dict[str, Any]:
    """Key of a weight -> the file it is in."""
    try:
        content = json.loads(file.read(MAX_PICKLE))
    except (ValueError, RecursionError):
        raise CheckpointFault("checkpoint_is_json") from None
    index = content.get("weight_map")
    if not isinstance(index, dict) or not index:
        raise CheckpointFault("checkpoint_is_json")
    return index
