"""Tells texts that people write from other files, by how they begin."""

from __future__ import annotations

import codecs
import re


def without_mark(head: bytes) -> bytes:
    """A file's first bytes without the byte order mark of UTF-8 and the space before the first word."""
    return head.removeprefix(codecs.BOM_UTF8).lstrip()


def is_text(head: bytes) -> bool:
    """Whether a file's first bytes are text in UTF-8 that people write; its last letter may be cut."""
    head = head.removeprefix(codecs.BOM_UTF8)
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < max(1, len(head) - 4):  # not only a letter that is cut
            return False
        text = head[: error.start].decode()
    return all(character.isprintable() or character in "\t\r\n" for character in text)


def is_json(head: bytes) -> bool:
    """Whether a file's first bytes are those of a JSON object or list, and not of other text in brackets, as
    the sections of settings are ("[train]")."""
    return is_text(head) and re.match(JSON, without_mark(head)) is not None


STRING = rb'"[^"\n]*("|$)'
PLAIN = rb"(-?\d[\d.eE+-]*|true|false|null)"
OBJECT = rb'\{\s*(["}]|$)'
END_OF_LIST = rb'\][\]\s,]*($|[\[{"\d-])'  # the next thing, if there is one, is JSON again
IN_LIST = rb"(" + OBJECT + rb"|(" + STRING + rb"|" + PLAIN + rb")?\s*(,|$|" + END_OF_LIST + rb"))"
JSON = rb"(" + OBJECT + rb"|\[[\[\s]*" + IN_LIST + rb")"
