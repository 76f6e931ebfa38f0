"""Photos or networks that are compared, as one picture: a row a trace, a column a layer; one layer of each
stands in a single row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..capture.trace import Trace
from .canvas import Drawing
from .look import Look
from .marks import Mark, Text
from .paper_panels import Block, channels_block, map_block, photo_block
from .style import LABEL, LIGHT, NOTE, wrapped

WIDTH = 130.0  # points, of a panel
GAP, MARGIN = 16.0, 12.0
LEADING = 11.0
LETTERS = 28  # in a line above a panel


def grid_drawing(traces: Sequence[tuple[Trace, tuple[str, ...]]], look: Look = Look()) -> Drawing:
    """Each trace with its layers. A layer's map is drawn on the gate's own axis, or on its own range if the
    look says so; a layer without a map by its weights. Where each trace has one layer they stand side by
    side."""
    rows = [[_titled(trace, layer, look) for layer in layers] or [_photo(trace)] for trace, layers in traces]
    if all(len(row) == 1 for row in rows):
        rows = [[panel for row in rows for panel in row]]
    columns = max(len(row) for row in rows)
    drawing = Drawing(2 * MARGIN + columns * (WIDTH + GAP) - GAP, 0, LIGHT.ground)
    top = MARGIN
    for row in rows:
        head = LEADING * max(len(lines) for lines, _ in row) + 4
        for column, (lines, block) in enumerate(row):
            drawing.marks += _panel(lines, block, MARGIN + column * (WIDTH + GAP), top, head)
        top += head + max(block.height for _, block in row) + GAP
    drawing.height = top - GAP + MARGIN
    return drawing


def _titled(trace: Trace, layer: str, look: Look) -> tuple[list[str], Block]:
    """A layer's panel under what it is of."""
    attention = trace.layers[layer]
    if attention.map is not None:
        block = map_block(trace, layer, look, (), WIDTH)
    elif attention.channel is not None or attention.paths is not None:
        block = channels_block(trace, layer, replace(look, scale="fixed"), "size", None, WIDTH)
    else:
        block = photo_block(trace, WIDTH)
    return wrapped(trace.photo.name, trace.network, layer, width=LETTERS).split("\n"), block


def _photo(trace: Trace) -> tuple[list[str], Block]:
    return wrapped(trace.photo.name, trace.network, width=LETTERS).split("\n"), photo_block(trace, WIDTH)


def _panel(lines: Sequence[str], block: Block, left: float, top: float, head: float) -> Iterator[Mark]:
    for place, line in enumerate(lines):
        size = LABEL if place == 0 else NOTE
        yield Text((left, top + LEADING * place + size), line, size, LIGHT.ink)
    yield from block.draw((left, top + head, left + WIDTH, top + head + block.height))
