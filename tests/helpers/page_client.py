"""A visitor of a page that is not served, who calls its handlers as the browser does."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr

from attnviz.capture.run import features_of_layers, trace
from attnviz.server.handlers import Handlers
from attnviz.server.inference import Compute
from attnviz.server.layout import Components, draw
from attnviz.server.service import Service, make_service
from helpers.waiting import Waiting

TEMPLE = {"photo": "example:temple", "network": "cbam_resnet18", "view": "whole"}


def drawn_components() -> Components:
    """The components of a page; they only name updates, so one set does for all services."""
    with gr.Blocks():
        return draw(make_service())


class Passes:
    """Computes as a server does, and keeps the arguments of each forward pass."""

    def __init__(self) -> None:
        self.traced: list[tuple] = []  # of each pass for a trace: photo, view
        self.layers: list[tuple[str, ...]] = []  # of each pass for features: the layers that are kept

    def compute(self, **changes: Any) -> Compute:
        """What counts."""
        return Compute(**{"trace": self._trace, "features": self._features, **changes})

    def _trace(self, network, photo, view):
        self.traced.append((photo, view))
        return trace(network, photo, view)

    def _features(self, network, photo, layers, view):
        self.layers.append(layers)
        return features_of_layers(network, photo, layers, view)


@dataclass
class PageClient:
    """One visitor of one server's page, known by its session."""

    service: Service
    components: Components
    language: str = "en"
    session: str = "visitor"

    @property
    def request(self) -> Any:
        """What Gradio tells a handler of who asks."""
        return SimpleNamespace(session_hash=self.session, query_params={}, headers={})

    @property
    def handlers(self) -> Any:
        """The page's handlers, called by this visitor."""
        return Waiting(Handlers(self.service, self.components), request=self.request)

    @property
    def viewer(self) -> Any:
        """What the viewer asks."""
        return Waiting(self.service.viewer)

    @property
    def checkpoints(self) -> list[tuple[str, str]]:
        """The visitor's checkpoints."""
        return self.service.visitors.checkpoints_of(self.session)

    def named(self, updates: dict) -> dict[str, Any]:
        """A handler's updates by the components' names; a skipped one is missing."""
        names = {id(getattr(self.components, row.name)): row.name for row in fields(self.components)}
        return {names[id(component)]: update for component, update in updates.items() if update != gr.skip()}

    def arrived(self, path: str | Path) -> str:
        """A file as Gradio puts it into the uploads: in a folder named after its content."""
        path = Path(path)
        place = self.service.folder / hashlib.sha256(path.read_bytes()).hexdigest() / path.name
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, place)
        return str(place)

    def upload(self, photo, network="cbam_resnet18", view="whole") -> dict[str, Any]:
        """A photo is uploaded; its path is taken as an upload's if there is no such file."""
        upload = self.arrived(photo) if Path(photo).is_file() else str(photo)
        updates = self.handlers.analyse_upload(upload, network, view, self.language)
        return self.named(updates)

    def capture_of(self, photo, network="cbam_resnet18", view="whole") -> dict[str, Any]:
        """The capture that the viewer shows of an uploaded photo."""
        return self.upload(photo, network, view)["viewer"]["capture"]

    def open_checkpoint(self, checkpoint, labels=None, told=()) -> dict[str, Any]:
        """A checkpoint is uploaded, and perhaps labels; something may be said of it."""
        files = [path and self.arrived(path) for path in (checkpoint, labels)]
        updates = self.handlers.open_yours(*files, list(told), self.language)
        return {} if updates == gr.skip() else self.named(updates)

    def files(self) -> list[Path]:
        """All that lies in the uploads."""
        return [path for path in self.service.folder.rglob("*") if path.is_file()]
