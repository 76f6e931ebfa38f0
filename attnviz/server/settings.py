"""How the page is served, from the environment: every ``ATTNVIZ_…`` variable, typed, with its rule. A wrong
one is refused at start."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..errors import SettingsError
from ..processors import cores

LOOPBACK = ("127.0.0.1", "localhost", "::1")
YES, NO = ("1", "yes", "true", "on"), ("0", "no", "false", "off")


def _number(least: int, most: int) -> tuple[str, Callable[[str], Any]]:
    def read(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise ValueError
        return value

    return f"a whole number from {least:,} to {most:,}", read


def _switch(text: str) -> bool:
    if text.lower() not in (*YES, *NO):
        raise ValueError
    return text.lower() in YES


def _one_of(*words: str) -> tuple[str, Callable[[str], Any]]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return " or ".join(words), read


def _setting(default: Any, about: str, rule: tuple[str, Callable[[str], Any]]) -> Any:
    return field(default=default, metadata={"about": about, "rule": rule[0], "read": rule[1]})


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError
    return text.strip()


TEXT = ("text that is not empty", _text)
SWITCH = ("yes or no", _switch)


@dataclass(frozen=True)
class Settings:
    """One field a variable: ATTNVIZ_ and its name in capitals."""

    host: str | None = _setting(None, "address to listen on; unset: this machine only", TEXT)
    port: int | None = _setting(
        None, "port to listen on; unset: the first free one from 7860 on", _number(1, 65535)
    )
    public: bool = _setting(
        False,
        "strangers use the page: smaller checkpoints; yes where the address is not this machine's own",
        SWITCH,
    )
    checkpoints: bool = _setting(True, "visitors may upload checkpoints of their own", SWITCH)
    photo_mb: int = _setting(20, "largest photo, MB", _number(1, 20))
    checkpoint_mb: int = _setting(
        1000, "largest checkpoint, MB; 300 where the page is public", _number(1, 1000)
    )
    waiting: int = _setting(
        80, "forward passes that may wait; who comes then is told to try again", _number(1, 10_000)
    )
    each: int = _setting(4, "of these, those of one visitor", _number(1, 1000))
    rate: int = _setting(
        3000, "requests a minute from one address; 0: as many as it likes", _number(0, 1_000_000)
    )
    proxies: int = _setting(0, "proxies in front, whose X-Forwarded-For is believed", _number(0, 10))
    passes: int = _setting(
        0,
        "forward passes at a time, which share the processor's cores; 0: one a core, at most 4",
        _number(0, 64),
    )
    seconds: int = _setting(30, "longest forward pass, seconds", _number(1, 3600))
    keep: int = _setting(
        60, "minutes that photos, checkpoints and results are kept after their last use", _number(1, 60)
    )
    memory_mb: int = _setting(
        4000,
        "memory of the process: above 85 % of it uploads wait, and networks that don't fit aren't opened",
        _number(1000, 10_000_000),
    )
    free_mb: int = _setting(500, "room on the disk below which nothing is taken in", _number(0, 10_000_000))
    sessions: int = _setting(2000, "visitors whose choices are remembered", _number(1, 100_000))
    log: str = _setting("json", "a line a request, on standard error", _one_of("json", "text", "off"))
    mcp: bool = _setting(False, "offer the API as tools for agents too; needs attnviz[mcp]", SWITCH)

    @property
    def checkpoint_bytes(self) -> int:
        """The largest checkpoint that is taken; 0 where none are."""
        return self.checkpoint_mb * 1_000_000 if self.checkpoints else 0

    @property
    def at_once(self) -> int:
        """Forward passes at a time. Of passes with a thread each, as many as cores, more are done in all than
        of one with all threads, most of which are too short to be shared."""
        return self.passes or min(cores(), 4)


def from_environment(
    environment: Mapping[str, str] | None = None, host: str | None = None, port: int | None = None
) -> Settings:
    """The settings; ``host`` and ``port``, where given, go before the environment's, and Gradio's own two
    count after ours.

    Raises SettingsError for a variable that can't be read or that does not exist.
    """
    environment = os.environ if environment is None else environment
    known = {f"ATTNVIZ_{one.name.upper()}": one for one in fields(Settings)}
    values: dict[str, Any] = {}
    for name in sorted(environment):
        if name.startswith("ATTNVIZ_") and name not in known:
            raise SettingsError("setting_unknown", name=name, names=", ".join(known))
    for name, one in known.items():
        text = environment.get(
            name,
            environment.get(f"GRADIO_SERVER_{'NAME' if one.name == 'host' else one.name.upper()}", "")
            if one.name in ("host", "port")
            else "",
        )
        if not text and name not in environment:
            continue
        try:
            values[one.name] = one.metadata["read"](text)
        except ValueError:
            raise SettingsError(
                "setting_wrong", name=name, text=text, rule=one.metadata["rule"], about=one.metadata["about"]
            ) from None
    values.update({key: value for key, value in (("host", host), ("port", port)) if value is not None})
    values.setdefault(
        "public", bool(environment.get("SPACE_ID")) or values.get("host") not in (None, *LOOPBACK)
    )
    values.setdefault("checkpoint_mb", 300 if values["public"] else 1000)
    values.setdefault(
        "proxies", 1 if environment.get("SPACE_ID") else 0
    )  # a Space stands behind its platform's
    return Settings(**values)


def table() -> list[tuple[str, str, str]]:
    """(variable, default, what it says and its rule), for people."""
    return [
        (
            f"ATTNVIZ_{one.name.upper()}",
            _shown(one.default),
            f"{one.metadata['about']}; {one.metadata['rule']}",
        )
        for one in fields(Settings)
    ]


def _shown(value: Any) -> str:
    return "unset" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
