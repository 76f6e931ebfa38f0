"""Which reference is meant where an edit asks what is usual: what is given; or the file that lies with the
network, ``usual.npz``; or else the example photos."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from pathlib import Path

from torch import nn
from tqdm import tqdm

from .._paths import EXAMPLES_FOLDER
from ..capture.plan import has_card
from ..errors import EditError
from ..networks.card import card_of
from ..zoo.registry import home_of
from .edits import permutation
from .reference import Reference, ReferenceSource, load_reference, pictures_in, reference

FILE = "usual.npz"  # in a network's folder
MOST = 1000  # photos that such a file is taken over: a channel's mean is then known to about 0.005
SEED = 0  # of their choice

_of_examples: weakref.WeakKeyDictionary[nn.Module, Reference] = weakref.WeakKeyDictionary()


def reference_for(network: nn.Module, source: ReferenceSource | None) -> Reference:
    """The reference that is meant: of photos that are given, of a file, or, without one, the file that lies
    with the network, or else one of the example photos that come with attnviz. Raises EditError for one of
    another network."""
    if isinstance(source, Reference):
        return _fitting(source, network)
    if isinstance(source, str | Path) and str(source).endswith(".npz"):
        return _fitting(load_reference(source), network)
    if source is not None:
        return reference(network, pictures_in(source) if isinstance(source, str | Path) else source)
    return kept_reference(network) or _of_example_photos(network)


def kept_reference(network: nn.Module) -> Reference | None:
    """What the file in a network's folder says; None where there is none. Raises EditError for a file that
    can't be read, and for one of other weights."""
    home = home_of(network)
    if home is None or not (home / FILE).is_file():
        return None
    return _fitting(load_reference(home / FILE), network)


def write_reference(network: nn.Module, folder: Path, photos: Path) -> Reference:
    """Take what is usual for a network over photos in a folder, and write it into the network's. Raises
    EditError for a network without gates, PhotoError for a folder without photos."""
    card = card_of(network)
    if card.architecture.get("attention") is None:
        raise EditError("usual_without_gates", name=card.name)
    files = spread_photos(photos)
    with tqdm(files, card.name, mininterval=5, unit=" photos") as progress:
        made = reference(network, progress)
    made.save(folder / FILE, small=True)
    return made


def spread_photos(folder: Path, most: int = MOST) -> list[Path]:
    """At most so many of the pictures in a folder and those below it, as many of each folder where they
    have as many, the same ones each time. Raises PhotoError for a folder without any."""
    by_folder: dict[Path, list[Path]] = {}
    for path in pictures_in(folder):
        by_folder.setdefault(path.parent, []).append(path)
    share = max(1, most // len(by_folder))
    chosen = [path for files in by_folder.values() for path in _some(files, share)]
    return _some(chosen, most)


def _some(files: Sequence[Path], count: int) -> list[Path]:
    return [files[place] for place in sorted(permutation(len(files), SEED)[:count])]


def _of_example_photos(network: nn.Module) -> Reference:
    if network not in _of_examples:
        made = reference(network, sorted(EXAMPLES_FOLDER.glob("*.jpg")))
        if not has_card(network):
            return made  # its weights may change
        _of_examples[network] = made
    return _of_examples[network]


def _fitting(given: Reference, network: nn.Module) -> Reference:
    card = card_of(network)
    if given.sha256 != card.sha256:
        raise EditError("reference_of_other", network=given.network, name=card.name)
    return given
