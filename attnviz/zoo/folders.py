"""A folder that somebody names: a model repo of ours or of timm's, a checkpoint in several files, or what its
files say that it is."""

from __future__ import annotations

import fnmatch
import itertools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..checkpoints.formats import is_checkpoint
from ..checkpoints.shards import part_of
from ..checkpoints.state_dict import SUFFIXES
from ..errors import NetworkError
from ..networks.card import Card
from ..photos.geometry import Recipe
from ..regular_files import open_regular

LONGEST_CONFIG = 10_000_000  # bytes
WEIGHTS = ("model.safetensors", "pytorch_model.bin")  # as the Hub's libraries call them
DEEPEST = 3  # folders in folders that are looked into
MOST_ENTRIES = 2_000  # of all these folders together, that are looked at


@dataclass(frozen=True)
class Held:
    """What a folder holds: the file to open, and what the folder says about it."""

    weights: Path
    recipe: Recipe | None = None
    labels: tuple[str, ...] = ()
    transformers: str = ""  # the kind of network, in a folder of the transformers library


def read_config(folder: Path) -> dict[str, Any]:
    """What a folder's ``config.json`` says; nothing where there is none that can be read."""
    try:
        with open_regular(folder / "config.json") as file:
            config = json.loads(file.read(LONGEST_CONFIG))
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def is_ours(config: dict[str, Any]) -> bool:
    """Whether a ``config.json`` is ours, or what is left of one: it has nothing that ours have not."""
    architecture = config.get("architecture", {})
    return isinstance(architecture, dict) and {*config} <= {field.name for field in fields(Card)}


def held_in(folder: Path) -> Held:
    """The file of weights in a folder that is none of our model repos, or below it. Raises NetworkError,
    which says what the folder is, if there is not exactly one that can be opened."""
    name = folder.resolve().name
    found = _found_in(folder, name)
    if len(found) > 1:
        files = tuple(f"“{path.relative_to(folder).as_posix()}”" for path in found[:3])
        raise NetworkError("folder_of_several", name=name, files=files)
    config = read_config(found[0].parent)
    kind = str(config.get("model_type", ""))[:40] or "transformers"
    is_theirs = bool(config.keys() & TRANSFORMERS)
    return Held(found[0], _recipe(config), _labels(config), kind if is_theirs else "")


def _found_in(folder: Path, name: str) -> list[Path]:
    """The files of weights in the folder of this name, or nearest below it. Raises NetworkError where there
    are none."""
    found: list[Path] = []
    is_whole = True
    for level in _levels(folder):
        is_whole = is_whole and all(inner.is_whole for inner in level)
        found = [path for inner in level for path in _checkpoints_in(inner)]
        if not found:
            for inner in level:
                _refuse_others(inner, name)
            found = [path for inner in level for path in inner.files if path.suffix.lower() in ENDINGS]
        if found:
            break
    if not found and not is_whole:
        raise NetworkError("folder_of_many", name=name, most=f"{MOST_ENTRIES:,}")
    if not found:
        raise NetworkError("folder_without_weights", name=name, deep=DEEPEST)
    return list({path.resolve(): path for path in reversed(found)}.values())[::-1]  # links to one are one


@dataclass(frozen=True)
class _Listed:
    """A folder and the names in it, but for hidden ones."""

    path: Path
    names: tuple[str, ...]  # sorted
    is_whole: bool  # whether these are all

    @property
    def files(self) -> list[Path]:
        """The files in it that may be weights."""
        paths = [self.path / name for name in self.names if not re.search(TRAINING_FILES, name.lower())]
        return [path for path in paths if os.path.isfile(path)]

    @property
    def folders(self) -> list[Path]:
        return [self.path / name for name in self.names if os.path.isdir(self.path / name)]


def _levels(folder: Path) -> Iterator[list[_Listed]]:
    """The folder, those in it, those in these, and so on, but for what can't be read; at most
    ``MOST_ENTRIES`` names. Raises NetworkError where the folder itself can't be read."""
    try:
        os.scandir(folder).close()
        os.stat(os.path.join(folder, "."))  # fails where only the names of its files can be read
    except OSError:
        raise NetworkError("file_unreadable", name=folder.resolve().name) from None
    paths, left = [folder], MOST_ENTRIES
    for _ in range(DEEPEST + 1):
        level = []
        for path in paths:
            level.append(_listed(path, left))
            left = max(0, left - len(level[-1].names))
        yield level
        paths = [path for inner in level for path in inner.folders]


def _listed(folder: Path, most: int) -> _Listed:
    """A folder with the first names in it, at most so many; with none, if it can't be read."""
    try:
        with os.scandir(folder) as entries:
            visible = (entry.name for entry in entries if not entry.name.startswith("."))
            names = list(itertools.islice(visible, most + 1))
    except OSError:
        names = []
    return _Listed(folder, tuple(sorted(names[:most])), len(names) <= most)


def _checkpoints_in(folder: _Listed) -> list[Path]:
    """The files of weights that lie in a folder: its index, the one that the Hub's libraries look for, or all
    that are checkpoints by their content, of one in parts the first part."""
    indices = [path for path in folder.files if path.name.endswith(".index.json")]
    named = [folder.path / weights for weights in WEIGHTS if os.path.isfile(folder.path / weights)]
    if indices or named:
        return (indices or named)[:1]
    found = [path for path in folder.files if is_checkpoint(path)]
    return list({part_of(path.name) or path.name: path for path in reversed(found)}.values())[::-1]


def _refuse_others(folder: _Listed, name: str) -> None:
    """Raise NetworkError for a folder whose files say that it is no checkpoint that can be opened."""
    if "data.pkl" in folder.names:
        raise NetworkError("folder_is_unzipped", name=name)
    if any(fnmatch.filter(folder.names, sign) for sign in OF_TENSORFLOW):
        raise NetworkError("folder_is_tensorflow", name=name)
    if any(sign in folder.names for sign in OF_ORBAX):
        raise NetworkError("folder_is_orbax", name=name)
    if os.path.lexists(folder.path / "Data" / "com.apple.CoreML"):
        raise NetworkError("folder_is_core_ml", name=name)
    if fnmatch.filter(folder.names, "*.distcp"):
        raise NetworkError("folder_is_distributed", name=name)


def _recipe(config: dict[str, Any]) -> Recipe | None:
    """The preprocessing in timm's settings; None where they say nothing of it that can be used."""
    settings = config.get("pretrained_cfg")
    if not isinstance(settings, dict):
        return None
    mean, std = _three(settings.get("mean")), _three(settings.get("std"))
    if mean is None or std is None or 0 in std:
        return None
    return Recipe(mean=mean, std=std)


def _three(numbers: Any) -> tuple[float, float, float] | None:
    """Three numbers of JSON; None if it is anything else."""
    if not isinstance(numbers, list) or len(numbers) != 3:
        return None
    if not all(isinstance(number, int | float) and abs(number) < 1e6 for number in numbers):
        return None
    first, second, third = map(float, numbers)
    return first, second, third


def _labels(config: dict[str, Any]) -> tuple[str, ...]:
    """The names of the classes in timm's settings, if there are any."""
    names = config.get("label_names")
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(names)
    return ()


TRANSFORMERS = {"model_type", "architectures", "transformers_version"}
ENDINGS = tuple(ending for ending in SUFFIXES if ending != ".json")
# Words of files that training saves beside the weights, and of parts of other kinds of checkpoints.
TRAINING_FILES = r"optim|sched|scaler|rng_?state|random_state|training_args|\.distcp$"
OF_TENSORFLOW = ("saved_model.pb", "*.data-?????-of-?????", "group*-shard*of*.bin")
OF_ORBAX = ("_CHECKPOINT_METADATA", "manifest.ocdbt")
