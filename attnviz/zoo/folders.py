"""A folder that somebody names: a model repo of ours or of timm's, a checkpoint in several files, or what its
files say that it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import NetworkError
from ..photos.geometry import Recipe
from ..regular_files import open_regular

LONGEST_CONFIG = 10_000_000  # bytes
WEIGHTS = ("model.safetensors", "pytorch_model.bin")  # as the Hub's libraries call them
ENDINGS = (".pth", ".pt", ".safetensors", ".ckpt", ".bin", ".th", ".tar", ".pkl")


@dataclass(frozen=True)
class Held:
    """What a folder holds: the file to open, and what the folder says about it."""

    weights: Path
    recipe: Recipe | None = None
    labels: tuple[str, ...] = ()


def read_config(folder: Path) -> dict[str, Any]:
    """What a folder's ``config.json`` says; nothing where there is none that can be read."""
    try:
        with open_regular(folder / "config.json") as file:
            config = json.loads(file.read(LONGEST_CONFIG))
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def is_ours(config: dict[str, Any]) -> bool:
    """Whether a ``config.json`` is none of another library's: ours, or what is left of one."""
    return not isinstance(config.get("architecture"), str) and not config.keys() & TRANSFORMERS


def held_in(folder: Path) -> Held:
    """The file of weights in a folder that is none of our model repos. Raises NetworkError, which says what
    the folder is, if there is not exactly one that can be opened."""
    name, config = folder.resolve().name, read_config(folder)
    if config.keys() & TRANSFORMERS:
        kind = str(config.get("model_type", ""))[:40] or "transformers"
        raise NetworkError("folder_is_transformers", name=name, kind=kind)
    _refuse_others(folder, name)
    indices = sorted(folder.glob("*.index.json"))
    if indices:
        return Held(indices[0])
    named = [folder / weights for weights in WEIGHTS if (folder / weights).is_file()]
    files = named or sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)
    if not files:
        raise NetworkError("folder_without_weights", name=name)
    if len(files) > 1 and not named:
        raise NetworkError(
            "folder_of_several", name=name, files=tuple(f"“{path.name}”" for path in files[:3])
        )
    return Held(files[0], _recipe(config), _labels(config))


def _refuse_others(folder: Path, name: str) -> None:
    """Raise NetworkError for a folder whose files say that it is no checkpoint that can be opened."""
    if (folder / "data.pkl").exists():
        raise NetworkError("folder_is_unzipped", name=name)
    if (folder / "saved_model.pb").exists():
        raise NetworkError("folder_is_tensorflow", name=name)
    if (folder / ".metadata").exists() and any(folder.glob("*.distcp")):
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
