"""Components of Gradio's that the page needs to be otherwise: the viewer, and inputs that trust nothing."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import gradio as gr
from gradio.components.gallery import GalleryData, GalleryImage
from gradio.data_classes import ImageData

from ..errors import PhotoError
from .asker import asked_by, asker_of
from .routes import API, EXAMPLES, SESSION


class AttentionViewer(gr.HTML):
    """A capture, explored in the browser by ``viewer/js/gradio.js``. The value is a dict of plain values,
    never markup; the template is fixed. The browser can call ``functions`` by their names."""

    is_template = True  # tells Gradio that the browser's part is gr.HTML's

    def __init__(self, functions: list[Callable[[Any, str], Awaitable[Any]]], **named: Any) -> None:
        super().__init__(
            html_template='<div class="av-root"></div>',
            apply_default_css=False,
            server_functions=[_function(method) for method in functions],
            js_on_load="attnviz.attach(element, props, server, watch, () => trigger('cbam'), () => "
            "trigger('speak'))",
            **named,
        )

    def preprocess(self, payload: Any) -> None:
        """Nothing: what a browser sends back is not used."""
        return None

    def postprocess(self, value: Any) -> Any:
        """The value as text: Gradio walks through structures, on both sides, several times an event."""
        return value if value is None else json.dumps(value, ensure_ascii=False)


class PhotoInput(gr.Image):
    """An image input without Gradio's decoding: handlers get the path of the upload as it came, and
    ``photos.opening.open_photo`` is the only decoder of strangers' files. Addresses and pixels in place of an
    uploaded file are refused."""

    is_template = True  # tells Gradio that the browser's part is gr.Image's
    # Gradio describes a component for its API whenever an event leaves it as it is, which takes milliseconds
    skip_api = True

    async def async_move_resource_to_block_cache(self, url_or_file_path: Any) -> str | None:
        """As in Gradio, but nothing is fetched from an address. Raises gr.Error for one."""
        if str(url_or_file_path).lower().startswith(("http:", "https:")):
            raise gr.Error(str(PhotoError("photo_is_address")), print_exception=False)
        return await super().async_move_resource_to_block_cache(url_or_file_path)

    def preprocess(self, payload: Any) -> str | None:
        """The path of the uploaded file. Raises gr.Error for pixels sent in place of a file."""
        if payload is None:
            return None
        if not payload.path or (payload.url or "").startswith("data:"):
            raise gr.Error(str(PhotoError("photo_not_uploaded")), print_exception=False)
        return payload.path


class ExampleGallery(gr.Gallery):
    """A choice among rows of ``Example.row``. Browsers get their photos by addresses without this machine's
    folders, see ``RequestGuard``, and Gradio copies none of them."""

    is_template = True

    def postprocess(self, value: Any) -> GalleryData:
        """The photos, with what is said of each below it."""
        return GalleryData(root=[_thumbnail(row) for row in value or ()])


def _thumbnail(row: dict[str, str]) -> GalleryImage:
    url = f"{API.strip('/')}/file={EXAMPLES}/{row['name']}"
    said = "\n".join(text for text in (row["title"], row["mark"]) if text)
    return GalleryImage(image=ImageData(url=url, orig_name=row["name"]), caption=said)


class OpenDropdown(gr.Dropdown):
    """A dropdown whose choices change while it is open, with the network or with what was uploaded: a name
    that was a choice a moment ago, or of another visitor, reaches the handler, which resolves it."""

    is_template = True

    def preprocess(self, payload: Any) -> str | None:
        """The chosen name, which may be none of those that are offered now."""
        return payload if isinstance(payload, str) else None


class Sentence(gr.Markdown):
    """What is wrong, in one sentence."""

    is_template = True
    skip_api = True


def _function(method: Callable[[Any, str], Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """A function for Gradio, which marks those that browsers may call; a method can't be marked. The guard
    says whose request it is: Gradio itself does not tell."""

    async def answer(request: Any, asked: gr.Request) -> Any:
        with asked_by(asker_of(asked)):
            return await method(request, asked.scope.get(SESSION, ""))

    answer.__name__ = method.__name__  # by which browsers call it
    return answer
