"""Gradio's image input without its decoding."""

from __future__ import annotations

from typing import Any

import gradio as gr


class PhotoInput(gr.Image):
    """Gives handlers the path of the upload as it came: ``images.open_photo`` is the only decoder of strangers' files."""

    is_template = True   # tells Gradio that the browser's part is gr.Image's

    def preprocess(self, payload: Any) -> str | None:
        """The path of the uploaded file; Gradio has checked that it is one. Raises gr.Error for pixels sent in place of a file."""
        if payload is None:
            return None
        if not payload.path or (payload.url or "").startswith("data:"):
            raise gr.Error("This is not an uploaded picture: choose a file.", print_exception=False)
        return payload.path
