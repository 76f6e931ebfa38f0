"""How log lines are written: what, how long, how big, and never the content."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from typing import Any


class JSONFormatter(logging.Formatter):
    """A record as one line of JSON. Of an exception it says the type and the places in the code; its message
    may hold a visitor's file name, path or secret name, and is left out."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return json.dumps(self._fields(record), ensure_ascii=False)

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        fields = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + "Z",
            "level": record.levelname.lower(),
            "what": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1]:
            fields["trouble"] = places(record.exc_info[1])
        return fields


class TextFormatter(JSONFormatter):
    """A record as one line of text, ``time level message key=value …``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = self._fields(record)
        start = [fields.pop(name) for name in ("time", "level", "what")]
        return " ".join([*start, *(f"{name}={value}" for name, value in fields.items())])


def places(error: BaseException) -> str:
    """The type of an error and where in the code it was raised, and the same of what it came from."""
    text = "".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__
    origin = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{places(origin)}\n{text}" if origin else text


def last_place(error: BaseException) -> str:
    """Where in the code an error was raised, as FILE:LINE."""
    while inside := getattr(error, "exceptions", ()):  # of a group
        error = inside[0]
    frames = traceback.extract_tb(error.__traceback__)
    return f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""


class OneLine(logging.Filter):
    """Lets a record of another library through as one line: the traceback becomes a type and a place."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True, always."""
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            record.msg, record.args = f"{type(error).__name__} at {last_place(error)}", ()
            record.exc_info = record.exc_text = None
        return True


def write_logs(style: str) -> None:
    """Write attnviz's lines to standard error from now on: "json", "text", or with "off" none but
    warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONFormatter() if style == "json" else TextFormatter())
    logger = logging.getLogger("attnviz")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.WARNING if style == "off" else logging.INFO)
    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).addFilter(OneLine())
