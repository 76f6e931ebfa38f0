"""The networks that a page opens first, if it is told any: how far each is."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import SettingsError
from ..zoo import imagenet
from ..zoo.registry import intact, list_networks


class FirstNetworks:
    """Names, in the order in which a page prefers them: those that come with attnviz, which are there, and
    ImageNet's, which are there once they were fetched, checked and opened."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names = tuple(dict.fromkeys(_offered(name) for name in names))
        self._there: set[str] = set()
        self._failed: set[str] = set()

    def to_fetch(self) -> list[str]:
        """Those of ImageNet's that are not there yet."""
        return [name for name in self.names if name not in list_networks() and name not in self._there]

    def arrived(self, name: str) -> None:
        """One is open: who comes from now on may find it first."""
        self._there.add(name)
        self._failed.discard(name)

    def failed(self, name: str) -> None:
        """One could not be fetched or opened."""
        self._failed.add(name)

    def there(self) -> list[str]:
        """Those that can be shown without a wait."""
        return [
            name for name in self.names if name in self._there or (name in list_networks() and intact(name))
        ]

    def awaited(self) -> str | None:
        """The one before which a page opens with another, if there is any."""
        first = next(iter(self.names), None)
        return None if first is None or first in self.there() else first

    def has_failed(self, name: str) -> bool:
        """Whether one could not be had when that was last tried."""
        return name in self._failed


def _offered(name: str) -> str:
    """The name by which a catalog offers a network. Raises SettingsError for one that it does not offer."""
    if name in list_networks():
        return name
    key = imagenet.in_table(name)
    if key is None:
        raise SettingsError("first_network_unknown", name=name)
    return key
