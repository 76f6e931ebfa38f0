"""Runs the ``attnviz`` command: words in, exit status out, and one sentence for whatever goes wrong."""

from __future__ import annotations

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from ..errors import AttnvizError
from .options import parse
from .terminal import complain, open_streams, write_any_name

FAILED = 1  # exit status: a photo, a network, a folder or other input is not usable
INTERRUPTED = 130  # exit status after Ctrl-C, as shells have it


def main(words: Sequence[str] | None = None) -> int:
    """Run the command with these words, else those of the command line. Gives back the exit status: 0, 1
    where something that was handed in could not be used, or 130 after Ctrl-C."""
    open_streams()
    write_any_name()
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # of folders that it would like to have
    options = parse(words)
    try:
        return _run(options)
    except AttnvizError as error:
        complain(error)
    except BrokenPipeError:  # whoever read our lines has read enough: nothing is written any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        complain(_file_error(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    return FAILED


def _run(options: Namespace) -> int:
    match options.command:
        case "show":
            from .show import show

            return show(options)
        case "networks":
            from .listing import networks

            return networks()
        case "layers":
            from .listing import layers

            return layers(options)
        case "fetch":
            from .fetching import fetch

            return fetch(options)
        case "app":
            from .page import app

            return app(options)
        case "site":
            from .site import site

            return site(options)
        case "deploy":
            from .page import deploy

            return deploy(options)
        case "train":
            from .training import train

            return train(options)
        case "evaluate":
            from .training import evaluate

            return evaluate(options)
        case "usual":
            from .training import usual

            return usual(options)
        case "intervene" | "sweep" | "ablate":
            from . import what_if

            return getattr(what_if, options.command)(options)
    raise ValueError(f"there is no command {options.command!r}")


def _file_error(error: OSError) -> AttnvizError:
    """What the operating system says of a file or a folder, as a sentence of ours."""
    reason = error.strerror or type(error).__name__
    if error.filename is None:
        return AttnvizError("system_refused", reason=reason)
    if isinstance(error, FileExistsError | NotADirectoryError):
        return AttnvizError("folder_is_file", name=os.fspath(error.filename))
    return AttnvizError("file_refused", name=os.fspath(error.filename), reason=reason)
