"""What is being saved, or takes as long: how far it is, and that it was given up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..errors import AttnvizError

LONGEST_NAME = 64  # characters, by which a browser calls what it saves


@dataclass(eq=False)
class Saving:
    """One thing that is being saved, or takes as long."""

    done: int = 0  # files that are written, or layers that were changed
    total: int = 0  # and how many there will be
    given_up: bool = False

    def one_is_done(self) -> None:
        """One more. Raises AttnvizError if it was given up."""
        self.done += 1
        self.check()

    def count(self, done: int, total: int) -> None:
        """So many of so many are done. Raises AttnvizError if it was given up."""
        self.done, self.total = done, total
        self.check()

    def check(self) -> None:
        """Raises AttnvizError if it was given up."""
        if self.given_up:
            raise AttnvizError("saving_given_up")


class Savings:
    """All that is being saved, by whose it is and what their browser calls it."""

    def __init__(self) -> None:
        self._under_way: dict[tuple[str, str], Saving] = {}

    @contextmanager
    def under_way(self, session: str, name: object) -> Iterator[Saving]:
        """What is saved under a name, for as long as it is."""
        key, saving = (session, str(name)[:LONGEST_NAME]), Saving()
        self._under_way[key] = saving
        try:
            yield saving
        finally:
            if self._under_way.get(key) is saving:
                del self._under_way[key]

    def of(self, session: str, name: object) -> Saving:
        """What is saved under a name; nothing of which nothing is done, if there is none."""
        return self._under_way.get((session, str(name)[:LONGEST_NAME]), Saving())
