"""What can go wrong with what people bring. The text of each is one sentence for the person in front of the
screen."""


class AttnvizError(Exception):
    """Any of the errors below: its text says what is wrong and what to do, and names no path of the
    machine."""


class PhotoError(AttnvizError):
    """A picture that can't be opened: not an allowed format, damaged, or beyond a limit."""


class NetworkError(AttnvizError):
    """A network that can't be opened: no such name, or weights that are missing or damaged."""


class TraceError(AttnvizError):
    """A network that can't be traced: it has no attention that we know of, or a gate did not report."""


class BusyError(AttnvizError):
    """More was asked for than can be done now; it can be asked for again."""


class SettingsError(AttnvizError):
    """A setting of the environment that can't be read."""
