"""Messages in the reader's language: errors are raised in English, and whoever shows one to people asks here
for its translation.

``languages/messages.zh.json`` has them: English -> translated, with holes like {name} for what they tell of.
A hole that has the name of a group of ``phrases`` takes only those, which may have holes of their own; the
others take any text, and give it back as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from .._paths import LANGUAGES as FOLDER

LANGUAGES = ("zh",)  # that English is translated to

Phrases = dict[str, dict[str, str]]  # group -> English -> translated


@dataclass(frozen=True)
class Message:
    """A message without phrases: literal text and names of holes by turns, beginning and ending with text, in
    both languages."""

    source: str  # as it stands in the file
    english: tuple[str, ...]
    translated: tuple[str, ...]

    @property
    def literal(self) -> int:
        """How many characters of the English are not in holes."""
        return sum(map(len, self.english[::2]))

    def read(self, text: str) -> dict[str, str] | None:
        """What stands in the holes, if the whole text is this message. Each literal is taken where it comes
        first, so that one look at the text is enough: it finds a match if there is any."""
        if len(self.english) == 1:
            return {} if text == self.english[0] else None
        first, *middle, last = self.english[::2]
        start, end, taken = len(first), len(text) - len(last), []
        if start > end or not text.startswith(first) or not text.endswith(last):
            return None
        for literal in middle:
            place = text.find(literal, start, end)
            if place < 0:
                return None
            taken.append(text[start:place])
            start = place + len(literal)
        return dict(zip(self.english[1::2], (*taken, text[start:end])))

    def write(self, holes: dict[str, str]) -> str:
        """The translation with its holes filled."""
        return "".join(holes[part] if index % 2 else part for index, part in enumerate(self.translated))


def translated(text: str, language: str) -> str:
    """A message in this language, "zh" for Simplified Chinese; in English as it is where that is asked for,
    or the message is unknown."""
    if language not in LANGUAGES:
        return text
    for message in messages(language):
        holes = message.read(text)
        if holes is not None:
            return message.write(holes)
    return text


def original(text: str) -> str:
    """The English of a message in any of LANGUAGES, the opposite of ``translated``; as it is if it is
    unknown, or English."""
    for language in LANGUAGES:
        for message in _backwards(language):
            holes = message.read(text)
            if holes is not None:
                return message.write(holes)
    return text


@cache
def _backwards(language: str) -> tuple[Message, ...]:
    found = [Message(message.source, message.translated, message.english) for message in messages(language)]
    return tuple(sorted(found, key=lambda message: -message.literal))


@cache
def messages(language: str) -> tuple[Message, ...]:
    """All messages in one of LANGUAGES, each phrase put in: those with the most literal text first, since
    they are the most exact."""
    content = json.loads((FOLDER / f"messages.{language}.json").read_text(encoding="utf-8"))
    found = [
        Message(source, _parts(english), _parts(foreign))
        for source, whole in content["messages"].items()
        for english, foreign in _with_phrases(source, whole, content["phrases"])
    ]
    return tuple(sorted(found, key=lambda message: -message.literal))


def _with_phrases(english: str, foreign: str, phrases: Phrases) -> Iterator[tuple[str, str]]:
    group = next((hole for hole in _parts(english)[1::2] if hole in phrases), None)
    if group is None:
        yield english, foreign
        return
    for phrase, its_foreign in phrases[group].items():
        yield from _with_phrases(
            english.replace(f"{{{group}}}", phrase), foreign.replace(f"{{{group}}}", its_foreign), phrases
        )


def _parts(template: str) -> tuple[str, ...]:
    return tuple(re.split(r"\{(\w+)\}", template))
