"""A visitor of a page that is not served, who asks what the browser asks."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnviz.capture.run import features_of_layers, trace
from attnviz.server.inference import Compute
from attnviz.server.service import Service
from attnviz.zoo.checksum import checksum
from helpers.waiting import Waiting

TEMPLE = {"photo": "example:temple", "network": "cbam_resnet18", "view": "whole"}


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
    session: str = "visitor"

    @property
    def viewer(self) -> Any:
        """What the app asks about photos and networks."""
        return Waiting(self.service.viewer)

    @property
    def visits(self) -> Any:
        """What the app asks about a visit."""
        return Waiting(self.service.visits)

    @property
    def checkpoints(self) -> list[tuple[str, str]]:
        """The visitor's checkpoints."""
        return self.service.visitors.checkpoints_of(self.session)

    def ask(self, name: str, **request: Any) -> dict[str, Any]:
        """The answer to a request about this visit."""
        return asyncio.run(getattr(self.service.visits, name)(request, self.session))

    def arrived(self, path: str | Path) -> str:
        """A file as Gradio puts it into the uploads: in a folder named after its content."""
        path = Path(path)
        place = self.service.folder / checksum(path) / path.name
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, place)
        return str(place)

    def add_photo(self, photo) -> dict[str, Any]:
        """A photo is uploaded; its path is taken as an upload's if there is no such file."""
        return self.ask("add_photo", upload=self.arrived(photo) if Path(photo).is_file() else str(photo))

    def upload(self, photo, network="cbam_resnet18", view="whole") -> dict[str, Any]:
        """A photo is uploaded and shown: its name and its capture, or why there is none."""
        added = self.add_photo(photo)
        if "error" in added:
            return added
        asked = {"photo": added["photo"], "network": network, "view": view}
        capture = self.viewer.capture(asked)
        return capture if "error" in capture else {"photo": added["photo"], "capture": capture}

    def capture_of(self, photo, network="cbam_resnet18", view="whole") -> dict[str, Any]:
        """The capture that the app shows of an uploaded photo."""
        return self.upload(photo, network, view)["capture"]

    def open_checkpoint(self, checkpoint, labels=None, told=()) -> dict[str, Any]:
        """A checkpoint is uploaded, and perhaps labels; something may be said of it."""
        upload, names = (path and self.arrived(path) for path in (checkpoint, labels))
        return self.ask("add_network", upload=upload, labels=names, told=list(told))

    def files(self) -> list[Path]:
        """All that lies in the uploads."""
        return [path for path in self.service.folder.rglob("*") if path.is_file()]


def error_of(answer: dict[str, Any], language: str = "en") -> str:
    """The sentence of an answer that is an error, and nothing else."""
    assert set(answer) == {"error"}
    return answer["error"][language]
