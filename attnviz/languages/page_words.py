"""The page's words, in English and Simplified Chinese: ``languages/page.LANGUAGE.json``, with holes like
{name}."""

from __future__ import annotations

import json
from functools import cache

from .messages import FOLDER

LANGUAGES = ("en", "zh")


@cache
def words(language: str) -> dict[str, str]:
    """All words of one of LANGUAGES by their keys; English ones for another language."""
    known = language if language in LANGUAGES else "en"
    return json.loads((FOLDER / f"page.{known}.json").read_text(encoding="utf-8"))


def say(language: str, key: str, **holes: object) -> str:
    """One text with its holes filled."""
    text = words(language)[key]
    for name, value in holes.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text
