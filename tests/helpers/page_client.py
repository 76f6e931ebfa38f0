"""Questions to the page as the browser sends them, without a server; the fixtures ``uploads`` and ``asked``
go with them."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from attnviz.server import page, viewer_requests

TEMPLE = {"photo": "example:temple", "network": "cbam_resnet18", "view": "whole"}


def arrived(path) -> str:
    """A file as Gradio puts it into the uploads: in a folder named after its content."""
    path = Path(path)
    place = viewer_requests.uploads_folder() / hashlib.sha256(path.read_bytes()).hexdigest() / path.name
    place.parent.mkdir(exist_ok=True)
    shutil.copyfile(path, place)
    return str(place)


def analysed(photo, network="cbam_resnet18", view="whole", mine=(), language="en") -> dict:
    upload = arrived(photo) if Path(photo).exists() else str(photo)
    made = page.analyse_upload(upload, network, view, list(mine), language, [])
    return dict(zip(("photo", "trouble", "error", "current", "value", "sent"), made, strict=True))


def capture_of(photo, network="cbam_resnet18", view="whole") -> dict:
    return analysed(photo, network, view)["value"]["capture"]
