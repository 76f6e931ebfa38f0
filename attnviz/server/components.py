"""What answers the app in the browser, as a component of Gradio."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import gradio as gr
from starlette.responses import Response

from .asker import asked_by, asker_of
from .routes import SESSION


class AttentionViewer(gr.HTML):
    """The ``functions`` of the server that ``viewer/js/host/gradio.js`` asks by their names. It has no value,
    and shows nothing."""

    is_template = True  # tells Gradio that the browser's part is gr.HTML's
    skip_api = True

    def __init__(
        self,
        functions: list[Callable[[Any, str], Awaitable[Any]]],
        **named: Any,
    ) -> None:
        super().__init__(
            server_functions=[_function(method) for method in functions],
            **named,
        )

    def preprocess(self, payload: Any) -> None:
        """Nothing: what a browser sends back is not used."""
        return None

    def postprocess(self, value: Any) -> None:
        """Nothing: the browser asks for what it shows."""
        return None


def _function(method: Callable[[Any, str], Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """A function for Gradio, which marks those that browsers may call; a method can't be marked. The guard
    says whose request it is: Gradio itself does not tell."""

    async def answer(request: Any, asked: gr.Request) -> Any:
        with asked_by(asker_of(asked)):
            value = await method(request, asked.scope.get(SESSION, ""))
        # as text: Gradio walks through structures, which takes longer than a pass
        text = json.dumps(value, ensure_ascii=False)
        return Response(text.encode(errors="replace"), media_type="application/json")

    answer.__name__ = method.__name__  # by which browsers call it
    return answer
