"""Texts by language and key: one file ``languages/CODE.json`` a language, found by its name.

A file has the language's own ``name``, its ``tag`` for HTML, and three sections: ``page``, what the page and
the viewer say; ``errors``, the sentences of ``attnviz.errors``; ``phrases``, parts of those sentences; and
perhaps ``classes``, what it calls those that the networks that come with attnviz know in English. A text has
holes like {name}. A hole that has the name of a phrase, and for which no value is given, takes that
phrase.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from .._paths import LANGUAGES as FOLDER

ENGLISH = "en"  # the language of ``str(error)``, and of what another language does not say
HOLE = re.compile(r"\{(\w+)\}")


class Phrase:
    """A part of a sentence that is itself translated: a key of ``phrases``, and the values of its holes."""

    def __init__(self, key: str, /, **values: Value) -> None:
        self.key, self.values = key, values

    def __repr__(self) -> str:
        values = "".join(f", {hole}={value!r}" for hole, value in self.values.items())
        return f"Phrase({self.key!r}{values})"


Value: TypeAlias = "str | int | float | Phrase | tuple[str, ...]"  # a tuple is said as a list


class Catalogue:
    """The texts of all languages whose files lie in a folder."""

    def __init__(self, folder: Path) -> None:
        files = {path.stem: path for path in sorted(folder.glob("*.json"))}
        self.languages = (ENGLISH, *(code for code in files if code != ENGLISH))
        self._texts = {code: json.loads(files[code].read_text(encoding="utf-8")) for code in self.languages}
        english = self._texts[ENGLISH]["page"]
        self._pages = {code: {**english, **texts.get("page", {})} for code, texts in self._texts.items()}

    def name(self, language: str) -> str:
        """What a language calls itself."""
        return self._texts[language]["name"]

    def tag(self, language: str) -> str:
        """A language's tag for HTML (BCP 47)."""
        return self._texts[language].get("tag", language)

    def preferred(self, accept_language: str) -> str:
        """The language that an Accept-Language header names first, if it has a file; else English."""
        first = re.split("[-,;]", accept_language.strip().lower())[0]
        return first if first in self.languages else ENGLISH

    def page(self, language: str) -> dict[str, str]:
        """The words of the page and the viewer by key; English ones for a language without a file."""
        return self._pages.get(language, self._pages[ENGLISH])

    def classes(self, language: str) -> dict[str, str]:
        """What a language calls classes, by their English names; what is not in it has none of its own."""
        return self._texts[language].get("classes", {})

    def error(self, language: str, key: str, values: Mapping[str, Value]) -> str:
        """The sentence of an error; in English where the language does not say it."""
        return self._filled(language, self._text(language, "errors", key), values)

    def template(self, language: str, key: str) -> str:
        """The sentence of an error with its holes open, for whoever fills them elsewhere."""
        return self._text(language, "errors", key)

    def phrase(self, language: str, phrase: Phrase) -> str:
        """A phrase in a language; in English where the language does not say it."""
        return self._said(language, phrase)

    def _text(self, language: str, section: str, key: str) -> str:
        texts = self._texts.get(language, {}).get(section, {})
        return texts.get(key) or self._texts[ENGLISH][section].get(key, key)

    def _filled(self, language: str, text: str, values: Mapping[str, Value]) -> str:
        def said(hole: re.Match[str]) -> str:
            if hole[1] in values:
                return self._said(language, values[hole[1]])
            if hole[1] in self._texts[ENGLISH]["phrases"]:
                return self._said(language, Phrase(hole[1]))
            return hole[0]

        return HOLE.sub(said, text)

    def _said(self, language: str, value: Value) -> str:
        if isinstance(value, Phrase):
            return self._filled(language, self._text(language, "phrases", value.key), value.values)
        if isinstance(value, tuple):
            return self._text(language, "phrases", "list_separator").join(value)
        return str(value)


@cache
def catalogue() -> Catalogue:
    """The texts that come with attnviz."""
    return Catalogue(FOLDER)


def words(language: str) -> dict[str, str]:
    """The words of the page and the viewer; see ``Catalogue.page``."""
    return catalogue().page(language)


def say(language: str, key: str, **holes: Any) -> str:
    """One text of the page with its holes filled."""
    return HOLE.sub(lambda hole: str(holes.get(hole[1], hole[0])), words(language)[key])


LANGUAGES = catalogue().languages
