"""What a folder says of itself to people: README.txt."""

from __future__ import annotations

from .._version import __version__

README = "README.txt"
KINDS = (  # how a file's name ends or what it is, and what is in it
    ("photo.png", "the photo, all its pixels, without metadata"),
    (".overlay.png", "a layer's map on the photo, as large as the photo"),
    (".map.", "a layer's map on the photo, on a page with its colour bar"),
    (".channels.", "the channel weights of a layer as bars"),
    (".diagram.", "how the layer computes them, with this photo's numbers"),
    (".steps.", "every step of that"),
    (".channel-", "one channel before the gate, the gate, and after"),
    ("overview.", "all layers on one page"),
    ("answer.", "the most probable classes"),
    ("pair.", "two photos' channel weights against each other"),
    ("channels.csv", "every channel weight, to six digits"),
    ("arrays.npz", "every number, as NumPy stores it: numpy.load"),
    ("manifest.json", "photo, network, settings, versions, and what each file is of"),
    ("reproduce.py", "makes the arrays again and compares them"),
    (".svg", "text in them is text, and the cells of maps are rectangles: they can be edited"),
)

TEXT = """Made by attnviz {version}: what channel and spatial attention did in a network, for {what}.

{files}

To make the arrays again:

  1. Get attnviz {version}: in the folder of its source, where its README.md is, run
         python -m pip install .
  2. In this folder, run
         python reproduce.py
     with the file of the weights behind it, if the network is one of your own.
"""


def readme(what: str, files: list[str]) -> str:
    """The text, about ``what`` was looked at, for a folder of these ``files``."""
    present = [(name, about) for name, about in KINDS if any(_is_of(file, name) for file in files)]
    width = max(len(name) for name, _ in present)
    lines = [f"  {name.ljust(width)}  {about}" for name, about in present]
    return TEXT.format(version=__version__, what=what, files="\n".join(lines))


def _is_of(file: str, kind: str) -> bool:
    name = file.rpartition("/")[2]
    return kind in name if kind.startswith(".") else name.startswith(kind)
