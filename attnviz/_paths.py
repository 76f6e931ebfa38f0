"""Where the files that are no code lie. In an installed wheel they are inside the package, in a checkout
beside it."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent
ROOT = PACKAGE.parent  # of a checkout


def _folder(name: str) -> Path:
    inside = PACKAGE / name
    return inside if inside.is_dir() else ROOT / name


MODELS = _folder("models")  # a folder a network that comes with attnviz
ASSETS = _folder("assets")
EXAMPLES_FOLDER = ASSETS / "examples"
LANGUAGES = PACKAGE / "languages"  # what people read, a file a language
SCRIPTS = PACKAGE / "viewer" / "js"
STYLES = PACKAGE / "viewer" / "css"
IMAGENET_LABELS = PACKAGE / "zoo" / "imagenet-labels.txt"
