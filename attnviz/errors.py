"""What can go wrong with what people bring: errors with a key and values, whose sentences for the person in
front of the screen are in ``languages``."""

from __future__ import annotations

import errno

from .languages.catalogue import ENGLISH, Value, catalogue

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of an OSError where there is no room on a disk


class AttnvizError(Exception):
    """Any of the errors below: its sentence says what is wrong and what to do, and names no path of the
    machine.

    ``key`` names the sentence in ``languages/*.json``, ``values`` fill its holes. ``str(error)`` is the
    English sentence."""

    def __init__(self, key: str, /, **values: Value) -> None:
        self.key, self.values = key, values

    def sentence(self, language: str = ENGLISH) -> str:
        """The sentence in a language: "en", "zh", or whatever else has a file in ``languages``; in English
        where it is not translated."""
        return catalogue().error(language, self.key, self.values)

    def __str__(self) -> str:
        return self.sentence()


class PhotoError(AttnvizError):
    """A picture that can't be opened: not an allowed format, damaged, or beyond a limit."""


class NetworkError(AttnvizError):
    """A network that can't be opened: no such name, or weights that are missing or damaged."""


class TraceError(AttnvizError):
    """A network that can't be traced: it has no attention that we know of, or a gate did not report."""


class EditError(AttnvizError):
    """An edit of a gate that can't be made, or can't be read: no such layer, part or channel, or a factor
    that nobody multiplies by."""


class TraceRemark(AttnvizError, UserWarning):
    """Something to be known of a trace that was made all the same, such as a layer that could not be read. It
    stands in ``trace.remarks``, or is given as a warning; it is never raised."""


class PhotoRemark(TraceRemark):
    """Something to be known of a photo that was opened all the same, such as what was assumed of its samples.
    It stands in ``photo.remarks`` and in those of each trace of it; it is never raised."""


class BusyError(AttnvizError):
    """More was asked for than can be done now; it can be asked for again."""


class SettingsError(AttnvizError):
    """A setting of the environment that can't be read."""
