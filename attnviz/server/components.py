"""The app as a component of a Gradio page."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import gradio as gr
from starlette.responses import Response

from .asker import asked_by, asker_of
from .routes import SESSION


class AttentionViewer(gr.HTML):
    """The app in the browser, which ``viewer/js/host/gradio.js`` mounts. It has no value: it asks the
    server's ``functions`` by their names. The template is fixed. ``offers`` says what this server takes."""

    is_template = True  # tells Gradio that the browser's part is gr.HTML's
    skip_api = True

    def __init__(
        self,
        functions: list[Callable[[Any, str], Awaitable[Any]]],
        offers: dict[str, bool] | None = None,
        **named: Any,
    ) -> None:
        super().__init__(
            html_template='<div class="av-root"></div>',
            apply_default_css=False,
            server_functions=[_function(method) for method in functions],
            **named,
        )
        # the number by which the browser asks this component is known only now
        self.js_on_load = f"attnviz.attach(element, {self._id}, {json.dumps(offers or {})})"

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
