"""A checkpoint in several files: the index that says which, as Hugging Face's libraries write it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from .fault import CheckpointFault, printable
from .formats import File
from .pickle_reader import MAX_PICKLE

MOST_SHARDS = 100
PART = re.compile(r"(?P<before>.*-)\d{5}-of-(?P<count>\d{5})(?P<after>\..+)")


def part_of(name: str) -> str:
    """What the names of a checkpoint's files share, of which this one names a part of several; else ""."""
    part = PART.fullmatch(name)
    return f"{part['before']}{part['after']}" if part and int(part["count"]) > 1 else ""


def all_parts(path: Path) -> list[Path]:
    """All files of a checkpoint in several, of which this one is a part by its name; this one alone, if it is
    not. Raises CheckpointFault if one of them is missing."""
    part = PART.fullmatch(path.name)
    if part is None or int(part["count"]) == 1:
        return [path]
    count = int(part["count"])
    if count > MOST_SHARDS:
        raise CheckpointFault("checkpoint_describes_too_much")
    names = [
        f"{part['before']}{number:05}-of-{part['count']}{part['after']}" for number in range(1, count + 1)
    ]
    paths = [path.with_name(name) for name in names]
    missing = next((other for other in paths if not other.is_file()), None)
    if missing is not None:
        raise CheckpointFault("checkpoint_is_shard", count=count, shard=printable(missing.name))
    return paths


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
    index = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(index, dict) or not index:
        raise CheckpointFault("checkpoint_is_json")
    return index
