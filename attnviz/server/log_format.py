"""Lines for whoever looks after the server: what, how long, how big, and never the content."""

from __future__ import annotations

import json
import logging
import sys
import time


class Line(logging.Formatter):
    """A record as one line: JSON, or ``name message key=value …``. An exception's traceback is part of it."""

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + "Z",
            "level": record.levelname.lower(),
            "what": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            said["trouble"] = self.formatException(record.exc_info)
        if self._as_json:
            return json.dumps(said, ensure_ascii=False)
        return " ".join(
            [
                said.pop("time"),
                said.pop("level"),
                said.pop("what"),
                *(f"{key}={value}" for key, value in said.items()),
            ]
        )


def start(how: str) -> None:
    """Write attnviz's lines to standard error from now on: "json", "text", or with "off" none but
    warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line(how == "json"))
    ours = logging.getLogger("attnviz")
    ours.handlers, ours.propagate = [handler], False
    ours.setLevel(logging.WARNING if how == "off" else logging.INFO)
