"""Forms: how much of one is not in a file. Gradio keeps such fields in memory, whatever their size."""

from __future__ import annotations

from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from .request_body import Refusal


class FieldLimit:
    """Reads a form as it passes, piece by piece, and counts what is not in a file."""

    def __init__(self, boundary: bytes, most_bytes: int) -> None:
        self._most, self._bytes, self._is_file = most_bytes, 0, False
        self._name, self._value, self._disposition = b"", b"", b""
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_header_field": self._add_name,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add_content,
        }
        self._parser = MultipartParser(boundary, callbacks)

    @classmethod
    def of(cls, content_type: str, most_bytes: int) -> FieldLimit | None:
        """That of a request with this header, or None for one that is no form. Raises Refusal for a form that
        can't be read."""
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            return None
        try:
            return cls(options[b"boundary"], most_bytes)
        except (KeyError, FormParserError):
            raise Refusal(400, "request_not_form") from None

    def feed(self, piece: bytes) -> None:
        """The next piece of the form. Raises Refusal where there is too much that is not in a file, and for
        what is no form."""
        try:
            self._parser.write(piece)
        except FormParserError:
            raise Refusal(400, "request_not_form") from None

    def _begin(self) -> None:
        self._is_file, self._name, self._value, self._disposition = False, b"", b"", b""

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._count(end - start)

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._count(end - start)

    def _end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name, self._value = b"", b""

    def _end_headers(self) -> None:
        self._is_file = b"filename" in parse_options_header(self._disposition)[1]

    def _add_content(self, _data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._count(end - start)

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._most:
            raise Refusal(413, "request_too_large", limit=self._most // 1_000_000)
