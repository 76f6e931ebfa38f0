"""The Gradio app: one component, whose functions the page's app asks, and the API beside it."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read by gradio when it is imported
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr

from .._paths import EXAMPLES_FOLDER
from .api import add_endpoints
from .components import AttentionViewer
from .service import Service, make_service

ELEMENT = "viewer"  # the component's name, by which the app finds its number


def build(service: Service | None = None) -> gr.Blocks:
    """What a server answers, not yet served. Its own page is not shown: ``front_page.py`` has ours."""
    service = service or make_service()
    gr.set_static_paths([EXAMPLES_FOLDER])  # served from there: a copy among the uploads would be swept away
    # For each address one more than passes at a time: while one runs, another's photo is opened and a
    # third's capture encoded; and as many again for the others, whom long ones would keep waiting.
    passes: dict[str, Any] = {
        "concurrency_id": "pass",
        "concurrency_limit": 2 * (service.settings.at_once + 1),
    }
    with gr.Blocks(title="attnviz", analytics_enabled=False) as page:
        AttentionViewer([*service.viewer.functions, *service.visits.functions], elem_id=ELEMENT)
        add_endpoints(service, passes)
    return page
