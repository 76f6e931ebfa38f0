"""What all figures share: the ground and the ink, and how they become files. matplotlib's, without pyplot, so that any thread can draw."""

from __future__ import annotations

import io
import textwrap
import threading

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

ACCENT, DARK_ACCENT = "#4458c8", "#93a2f5"
DARK_GROUND = "#1e293b"   # that of a block on the dark page
DPI = 150


def blank(width: float, height: float, dark: bool) -> tuple[Figure, str]:
    """An empty figure, its size in inches, and the ink for it."""
    ground, ink = ground_and_ink(dark)
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=ground)
    FigureCanvasAgg(figure)
    return figure, ink


def ground_and_ink(dark: bool) -> tuple[str, str]:
    """The colours of the ground, and of what is written on it."""
    return (DARK_GROUND, "#e6e6e6") if dark else ("#ffffff", "#222222")


def inked(axes: Axes, ink: str, size: int) -> None:
    """Give axes their ink and the size of their numbers, and take away the lines that say nothing."""
    axes.set_facecolor("none")
    axes.tick_params(colors=ink, labelsize=size)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(ink)


def plain(text: str) -> str:
    """Text from outside, as it can be drawn: SVG can't hold control characters."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def heading(*parts: str, width: int = 60) -> str:
    """Texts from outside as a title of a figure: matplotlib would take dollar signs for mathematics."""
    return wrapped(*parts, width=width).replace("$", r"\$")


def wrapped(*parts: str, width: int = 60) -> str:
    """Texts from outside as a title, in lines of at most ``width`` letters."""
    return "\n".join(plain(line) for line in textwrap.wrap(" · ".join(parts), width))


def png(figure: Figure, dpi: int = DPI) -> bytes:
    """A figure as a PNG file without metadata."""
    _settle(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=dpi, format="png", metadata={"Software": None}, pil_kwargs={"compress_level": 4})
    return buffer.getvalue()


def svg(figure: Figure, dpi: int = DPI) -> bytes:
    """A figure as an SVG file: text as text, no metadata; the same figure gives the same bytes. A picture in it keeps its own pixels, in
    the figure from then on too, unless they are finer than ``dpi``."""
    _settle(figure)
    for axes in figure.axes:
        finest = axes.get_window_extent().width / figure.dpi * dpi
        for image in axes.images:
            if image.get_size()[1] <= finest:
                image.set_interpolation("none")
    buffer = io.BytesIO()
    with _svg_settings, rc_context({"svg.fonttype": "none", "svg.hashsalt": "attnviz", "svg.image_inline": True}):
        figure.savefig(buffer, dpi=dpi, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return buffer.getvalue()


def both(figure: Figure) -> dict[str, bytes]:
    """A figure as files, by their suffix: "png" and "svg"."""
    return {"png": png(figure), "svg": svg(figure)}


def picture(figure: Figure, dpi: int = DPI) -> Image.Image:
    """A figure as a Pillow image."""
    return Image.open(io.BytesIO(png(figure, dpi)))


def _settle(figure: Figure) -> None:
    """Lay a figure out, once for all its files; left to itself, matplotlib does it again for each, and draws twice."""
    engine = figure.get_layout_engine()
    if engine is None:
        return
    engine.execute(figure)
    figure.set_layout_engine(None)
    for axes in figure.axes:   # the solver's last digits are not the same each time, and an SVG's names are made of them
        axes.set_position(np.round(axes.get_position(original=True).bounds, 6).tolist())


_svg_settings = threading.Lock()   # matplotlib's settings are those of all threads; drawing a PNG reads none of these
