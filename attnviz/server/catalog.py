"""The page's networks: which it offers, what stands in the picker, and opening the chosen one. What strangers
name is looked up here, never on the disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from torch import nn

from ..capture.fast_copy import fast
from ..errors import NetworkError
from ..languages.catalogue import say
from ..networks.card import card_of, with_card
from ..zoo import imagenet
from ..zoo.registry import card, intact, list_networks, load, open_checkpoint, read_labels
from .network_cache import Shelf
from .settings import Settings
from .uploads import Checkpoint, Checkpoints

log = logging.getLogger(__name__)

Choice = tuple[str, str]  # what is shown, and the network's name

shelf = Shelf()
checkpoints = Checkpoints()


def network_of(name: str, report: Callable[[int, int], None] | None = None) -> nn.Module:
    """The network of this name, opened when it is first asked for. Raises NetworkError, also for one that is
    not offered."""
    if name.startswith(Checkpoints.prefix):
        checkpoints.get(name)  # whose file is gone is gone, even if the network is still open
    return shelf.get(name, lambda name: _opened(name, report))


def add(path: Path, labels: Path | None, limit: int) -> Choice:
    """Open an uploaded checkpoint, and offer it to who uploaded it. Raises NetworkError if it can't be
    opened."""
    name = checkpoints.add(Checkpoint(path, labels, limit))
    return f"{path.name}: {card_of(network_of(name)).title}", name


def configure(settings: Settings) -> None:
    """Keep networks within these settings' memory from now on, and say which of those that come with attnviz
    are damaged."""
    shelf.kept_bytes = 400_000 * settings.memory_mb  # two fifths
    checkpoints.minutes = settings.keep
    for _, name in _embedded():
        if not intact(name):
            log.error(
                "the weights of %s are missing or damaged: it is offered, but can't be opened until they "
                "are restored",
                name,
            )


def forget(name: str, everywhere: bool = True) -> None:
    """Close a checkpoint that was uploaded, and delete it, at once."""
    checkpoints.forget(name, everywhere)
    shelf.drop(name)


def choices(mine: list[Choice], language: str = "en") -> list[Choice]:
    """All that one visitor can choose from: what comes with attnviz, ImageNet's, and the visitor's own, and
    where each comes from."""
    whole = [
        (say(language, "choice_embedded", title=title), name) for title, name in _embedded() if intact(name)
    ]
    damaged = [
        (say(language, "choice_damaged", title=title), name)
        for title, name in _embedded()
        if not intact(name)
    ]
    embedded = [*whole, *damaged]
    own = [(say(language, "choice_yours", title=title), name) for title, name in mine]
    return [*embedded, *((_offer(key, language), key) for key in list_networks("imagenet")), *own]


def ready(mine: list[Choice]) -> list[Choice]:
    """Those that can be compared without waiting for a download, by their names."""
    return [*(each for each in _embedded() if intact(each[1])), *mine, *_downloaded()]


def expire() -> None:
    """Close the checkpoints whose files were deleted."""
    for name in checkpoints.expire():
        shelf.drop(name)


@cache
def _downloaded() -> tuple[Choice, ...]:
    """Those of ImageNet's whose weights are here; forgotten when another one is opened, for to look takes ten
    milliseconds."""
    rows = [(imagenet.row(key), key) for key in list_networks("imagenet") if imagenet.kept(key)]
    return tuple((f"{row.title} ({row.library})", key) for row, key in rows)


@cache
def _embedded() -> tuple[Choice, ...]:
    return tuple((card(name).heading, name) for name in list_networks())


def _opened(name: str, report: Callable[[int, int], None] | None) -> nn.Module:
    if name.startswith(Checkpoints.prefix):
        checkpoint = checkpoints.get(name)
        network = fast(open_checkpoint(checkpoint.path, checkpoint.limit))
        if checkpoint.labels is not None:
            with_card(
                network, replace(card_of(network), labels=read_labels(checkpoint.labels, card_of(network)))
            )
        return network
    if name in list_networks("imagenet"):
        shelf.check(round(imagenet.row(name).megabytes * 1_000_000))  # before it is downloaded
    if name in list_networks() or name in list_networks("imagenet"):
        network = fast(load(name, report=report))
        _downloaded.cache_clear()
        return network
    raise NetworkError("network_not_offered", name=Path(name).name)


def _offer(key: str, language: str) -> str:
    row = imagenet.row(key)
    text = "choice_here" if imagenet.kept(key) else "choice_download"
    return say(language, text, title=row.title, library=row.library, megabytes=f"{row.megabytes:.0f}")
