"""Coroutines for tests that have no event loop."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any


class Waiting:
    """An object whose coroutines are run to their end when they are called, in whichever thread that is."""

    def __init__(self, inside: Any, **always: Any) -> None:
        self._inside, self._always = inside, always  # arguments of every call

    def __len__(self) -> int:
        return len(self._inside)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inside, name)
        if not callable(value):
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            result = value(*arguments, **{**self._always, **named})
            return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result

        return call


async def _awaited(result: Any) -> Any:
    return await result
