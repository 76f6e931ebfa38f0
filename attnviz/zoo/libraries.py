"""Libraries that need not be installed."""

from __future__ import annotations

import importlib
from types import ModuleType

from ..errors import NetworkError

INSTALL = 'pip install "attnviz[zoo]"'


def library(name: str) -> ModuleType:
    """A library, or a module of one, by name. Raises NetworkError if it is not installed."""
    package = name.split(".")[0]
    try:
        importlib.import_module(package)
        return importlib.import_module(name)
    except (ImportError, RuntimeError, OSError):  # the latter two where it was built for another torch
        raise NetworkError("library_missing", package=package, command=INSTALL) from None
