"""The viewer as a Gradio component: its value is what ``js/gradio.js`` takes, its questions are answered by functions of the server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gradio as gr


class AttentionViewer(gr.HTML):
    """A capture, explored in the browser. The value is a dict of plain values, never markup; the template is fixed."""

    is_template = True   # tells Gradio that the browser's part is gr.HTML's

    def __init__(self, functions: list[Callable], **named: Any) -> None:
        super().__init__(
            html_template='<div class="av-root"></div>', apply_default_css=False, server_functions=functions,
            js_on_load="attnviz.attach(element, props, server, watch, () => trigger('cbam'), () => trigger('chinese'))", **named,
        )

    def preprocess(self, payload: Any) -> None:
        """Nothing: what a browser sends back is not used."""
        return None

    def postprocess(self, value: Any) -> Any:
        """The value as text: Gradio walks through structures, on both sides, several times an event."""
        return value if value is None else json.dumps(value, ensure_ascii=False)
