"""``python -m attnviz`` is the ``attnviz`` command."""

import sys


def run() -> int:
    """The exit status of the command; 130, as shells have it, also after Ctrl-C while it is imported."""
    try:
        from .command.main import main

        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())
