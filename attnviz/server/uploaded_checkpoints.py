"""Checkpoints that visitors uploaded, by names that nobody can guess."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from ..checkpoints.told import NOTHING_TOLD, Told
from ..errors import NetworkError
from .uploads import remove, touch

PREFIX = "yours:"  # of their names


@dataclass(frozen=True)
class Checkpoint:
    """An uploaded file of weights, the file of its classes' names if there is one, and what its visitor says
    of the network."""

    path: Path
    labels: Path | None
    told: Told = NOTHING_TOLD
    classes: tuple[str, ...] = ()  # their names, once it was opened, if they are known


class UploadedCheckpoints:
    """Checkpoints by name: who was not told the name can't use one."""

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes  # that uploads are kept
        self._by_name: dict[str, Checkpoint] = {}

    def add(self, checkpoint: Checkpoint) -> str:
        """The name under which a checkpoint can be asked for from now on."""
        name = PREFIX + secrets.token_urlsafe(16)
        self._by_name[name] = checkpoint
        return name

    def get(self, name: str) -> Checkpoint:
        """The checkpoint of this name; the time that its files are kept begins anew. Raises NetworkError if
        there is none, or none any more."""
        checkpoint = self._by_name.get(name)
        if checkpoint is None or not checkpoint.path.exists():
            raise NetworkError("checkpoint_gone", minutes=self._minutes)
        touch(checkpoint.path, checkpoint.labels)
        return checkpoint

    def has(self, name: str) -> bool:
        """Whether there is one of this name, and its file."""
        checkpoint = self._by_name.get(name)
        return checkpoint is not None and checkpoint.path.exists()

    def learn(self, name: str, classes: tuple[str, ...]) -> None:
        """Keep the names of one's classes."""
        checkpoint = self._by_name.get(name)
        if checkpoint is not None:
            self._by_name[name] = replace(checkpoint, classes=classes)

    def classes(self, name: str) -> tuple[str, ...]:
        """The names of one's classes; none where they are not known."""
        checkpoint = self._by_name.get(name)
        return checkpoint.classes if checkpoint else ()

    def forget(self, name: str) -> None:
        """Take one's name away; its files stay."""
        self._by_name.pop(name, None)

    def delete(self, name: str, everywhere: bool = True) -> None:
        """Delete one and its files, if it is there; ``everywhere`` as in ``uploads.remove``."""
        checkpoint = self._by_name.pop(name, None)
        for path in (checkpoint.path, checkpoint.labels) if checkpoint else ():
            if path is not None:
                remove(path, everywhere)

    def expire(self) -> list[str]:
        """Forget those whose file is gone; their names."""
        gone = [name for name, checkpoint in list(self._by_name.items()) if not checkpoint.path.exists()]
        for name in gone:
            self._by_name.pop(name, None)
        return gone
