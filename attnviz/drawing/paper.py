"""A figure for a paper: chosen panels of chosen layers, one or two columns wide, with letters to cite them
by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..capture.trace import Trace
from .canvas import Drawing
from .channel import Channel
from .look import Look
from .marks import Mark, Text
from .paper_panels import Block, channel_blocks, channels_block, map_block, photo_block, step_blocks
from .style import LIGHT, wrapped

PANELS = ("photo", "map", "channels", "channel", "steps")
WIDTHS = {85: 2, 170: 4}  # millimetres -> panels in a row, at most
PAPER_DPI = 300
POINTS = 72 / 25.4  # a millimetre
GAP, MARGIN = 14.0, 6.0  # points, between panels and around them
TITLE, LEADING = 7.5, 9.5
LETTER = 4.4  # points, of a title's letter, on average


@dataclass(frozen=True, eq=False)
class Paper:
    """What a figure for a paper shows, and how wide it is."""

    panels: tuple[str, ...] = PANELS[:3]
    layers: tuple[str, ...] = ()
    width: int = 170  # millimetres, one of WIDTHS
    channel: Channel | None = None  # of one of the layers: marked in its bars, and what "channel" shows


def paper_drawing(
    trace: Trace, paper: Paper, look: Look, order: str = "size", compared: Sequence[Trace] = ()
) -> Drawing:
    """The figure: a row a layer where its panels fit in one, the photo before the first. What a layer does
    not have is left out. Raises ValueError if nothing is left."""
    count = _columns(trace, paper)
    width = paper.width * POINTS
    each = (width - 2 * MARGIN - (count - 1) * GAP) / count
    rows = list(_rows(trace, paper, look, order, compared, count, each))
    if not rows:
        raise ValueError("the layers have none of the panels")
    drawing = Drawing(width, 0, LIGHT.ground)
    top, letter = MARGIN, 0
    for row in rows:
        drawing.marks += _row(row, top, each, letter)
        letter += sum(block is not None for block in row)
        top += _title_height(row, each) + max(block.height for block in row if block) + GAP
    drawing.height = top - GAP + MARGIN
    return drawing


def _columns(trace: Trace, paper: Paper) -> int:
    """How many panels stand in a row: those of the layer that has most, and the photo."""
    most = max((_count(trace, paper, layer) for layer in paper.layers), default=0)
    return max(1, min(WIDTHS[paper.width], most + ("photo" in paper.panels)))


def _count(trace: Trace, paper: Paper, layer: str) -> int:
    return len(_blocks(trace, paper, layer, Look(), "index", (), 100.0))


def _rows(
    trace: Trace,
    paper: Paper,
    look: Look,
    order: str,
    compared: Sequence[Trace],
    count: int,
    width: float,
) -> Iterator[list[Block | None]]:
    """The panels in rows; None where a place stays empty, below the photo."""
    first: list[Block | None] = [photo_block(trace, width)] if "photo" in paper.panels else []
    fits = all(_count(trace, paper, layer) + len(first) <= count for layer in paper.layers)
    row = list(first)
    for place, layer in enumerate(paper.layers):
        if fits and place:
            yield row
            row = [None] * len(first)
        for block in _blocks(trace, paper, layer, look, order, compared, width):
            if len(row) == count:
                yield row
                row = []
            row.append(block)
    if any(row):
        yield row


def _blocks(
    trace: Trace,
    paper: Paper,
    layer: str,
    look: Look,
    order: str,
    compared: Sequence[Trace],
    width: float,
) -> list[Block]:
    """The panels of one layer, in the order of PANELS."""
    attention, blocks = trace.layers[layer], []
    channel = paper.channel if paper.channel is not None and paper.channel.layer == layer else None
    index = channel.index if channel else None
    has_weights = attention.channel is not None or attention.paths is not None
    if "map" in paper.panels and attention.map is not None:
        blocks.append(map_block(trace, layer, look, compared, width))
    if "channels" in paper.panels and has_weights:
        blocks.append(channels_block(trace, layer, look, order, index, width))
    if "channel" in paper.panels and channel:
        blocks += channel_blocks(trace, channel, look, width)
    if "steps" in paper.panels:
        blocks += step_blocks(trace, layer, look, order, index, width)
    return blocks


def _row(row: Sequence[Block | None], top: float, width: float, letter: int) -> Iterator[Mark]:
    """Panels side by side, their titles above them, lettered on from ``letter``."""
    begin = top + _title_height(row, width)
    for column, block in enumerate(row):
        if block is None:
            continue
        left = MARGIN + column * (width + GAP)
        for place, line in enumerate(_title(block, width, chr(ord("a") + letter % 26))):
            yield Text((left, top + LEADING * place + TITLE), line, TITLE, LIGHT.ink)
        yield from block.draw((left, begin, left + width, begin + block.height))
        letter += 1


def _title_height(row: Sequence[Block | None], width: float) -> float:
    return LEADING * max(len(_title(block, width, "a")) for block in row if block) + 5


def _title(block: Block, width: float, letter: str) -> list[str]:
    return wrapped(f"({letter}) {block.title}", width=max(12, int(width / LETTER))).split("\n")
