"""The picture that a link to the page is shown with, 1200 by 630 pixels: a photo, its map, and what this is.
``.ci/card`` draws ``assets/card.jpg`` by it."""

from __future__ import annotations

from ..capture.trace import Trace
from .canvas import Drawing
from .heatmap import fitted
from .look import Look
from .marks import Picture, text_lines
from .photo_map import photo_map
from .style import DARK, wrapped
from .words import said

WIDTH, HEIGHT = 1200.0, 630.0
DPI = 72  # a point is a pixel
MARGIN, GAP = 48.0, 24.0
TOP, BOTTOM = 190.0, 560.0  # of the two pictures
NAME, SENTENCE, NOTE = 64, 31, 24  # sizes of text


def card_drawing(trace: Trace, layer: str) -> Drawing:
    """The photo, and beside it the same with a layer's map, below the name and the sentence of the page."""
    drawing = Drawing(WIDTH, HEIGHT, DARK.ground)
    photo = trace.photo.image()
    side = (WIDTH - 2 * MARGIN - GAP) / 2
    places = [
        fitted((photo.height, photo.width), (left, TOP, left + side, BOTTOM))
        for left in (MARGIN, MARGIN + side + GAP)
    ]
    sentence = wrapped(said("heading"), width=64).split("\n")
    drawing.marks += [
        *text_lines(["attnviz"], (MARGIN, 88), NAME, DARK.ink, NAME),
        *text_lines(sentence, (MARGIN, 134), SENTENCE, DARK.ink, SENTENCE * 1.25),
        Picture(places[0], photo),
        *photo_map(trace, layer, Look(), (), places[1], photo),
        *text_lines(["SE · CBAM · BAM"], (MARGIN, HEIGHT - 28), NOTE, DARK.accent, NOTE),
    ]
    return drawing
