"""How log lines are written: what, how long, how big, and never the content."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any


class JSONFormatter(logging.Formatter):
    """A record as one line of JSON. An exception's traceback is part of it."""

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
        if record.exc_info:
            fields["trouble"] = self.formatException(record.exc_info)
        return fields


class TextFormatter(JSONFormatter):
    """A record as one line of text, ``time level message key=value …``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = self._fields(record)
        start = [fields.pop(name) for name in ("time", "level", "what")]
        return " ".join([*start, *(f"{name}={value}" for name, value in fields.items())])


def write_logs(style: str) -> None:
    """Write attnviz's lines to standard error from now on: "json", "text", or with "off" none but
    warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONFormatter() if style == "json" else TextFormatter())
    logger = logging.getLogger("attnviz")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.WARNING if style == "off" else logging.INFO)
