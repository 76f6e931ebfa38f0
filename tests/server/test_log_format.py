"""The log says what went wrong and where, and nothing that a visitor named."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from attnviz.server.log_format import JSONFormatter, TextFormatter

SECRETS = ("/uploads/own/token/holiday.png", "yours:name", "my-weights.pth")


def raised() -> None:
    try:
        raise FileNotFoundError(SECRETS[0])
    except FileNotFoundError as error:
        raise RuntimeError(SECRETS[1:]) from error


@pytest.mark.parametrize("formatter", [JSONFormatter(), TextFormatter()])
def test_an_exceptions_message_is_left_out_and_its_places_are_told(formatter):
    try:
        raised()
    except RuntimeError:
        record = logging.LogRecord("attnviz", logging.ERROR, "", 1, "opening failed", (), sys.exc_info())
    line = formatter.format(record)
    assert not [secret for secret in SECRETS if secret in line]
    assert "FileNotFoundError" in line and "RuntimeError" in line and "in raised" in line


def test_a_line_without_an_exception_has_no_trouble():
    record = logging.LogRecord("attnviz", logging.INFO, "", 1, "request", (), None)
    assert "trouble" not in json.loads(JSONFormatter().format(record))
