"""Gradio's inputs where their own checks get in the way."""

from __future__ import annotations

from typing import Any

import gradio as gr


class PhotoInput(gr.Image):
    """An image input without Gradio's decoding: handlers get the path of the upload as it came, and ``images.open_photo`` is the only
    decoder of strangers' files. Addresses and pixels in place of an uploaded file are refused."""

    is_template = True   # tells Gradio that the browser's part is gr.Image's
    skip_api = True      # Gradio describes a component for its API whenever an event leaves it as it is, which takes milliseconds

    async def async_move_resource_to_block_cache(self, url_or_file_path: Any) -> str | None:
        """As in Gradio, but nothing is fetched from an address. Raises gr.Error for one."""
        if str(url_or_file_path).lower().startswith(("http:", "https:")):
            raise gr.Error("This is an address, not a picture: save the picture and upload it.", print_exception=False)
        return await super().async_move_resource_to_block_cache(url_or_file_path)

    def preprocess(self, payload: Any) -> str | None:
        """The path of the uploaded file. Raises gr.Error for pixels sent in place of a file."""
        if payload is None:
            return None
        if not payload.path or (payload.url or "").startswith("data:"):
            raise gr.Error("This is not an uploaded picture: choose a file.", print_exception=False)
        return payload.path


class OpenDropdown(gr.Dropdown):
    """A dropdown whose choices change while it is open, with the network or with what was uploaded: a name that was a choice a moment
    ago, or of another visitor, reaches the handler, which resolves it."""

    is_template = True

    def preprocess(self, payload: Any) -> str | None:
        """The chosen name, which may be none of those that are offered now."""
        return payload if isinstance(payload, str) else None


class Sentence(gr.Markdown):
    """What is wrong, in one sentence."""

    is_template = True
    skip_api = True
