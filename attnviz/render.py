"""Arrays in, pictures out: the map over the photo, all layers on one page. Computes nothing.

A colour means a number, and the range that the colours span stands on the colour bar, see ``analysis.map_range``. ``shown`` are the
traces that are looked at beside this one: the scale "shown" spans them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from PIL import Image

from .analysis import SCALES, map_range, ranked, weights_of
from .bars import bars_of
from .capture import Trace
from .layers import LayerAttention
from .paper import DPI, blank, heading, inked

COLORMAPS = ("viridis", "magma", "inferno", "cividis", "turbo", "jet", "coolwarm")
UNDEFINED = 128   # the grey of a cell whose factor can't be known


@dataclass(frozen=True)
class Look:
    """How a map is drawn. It changes no number."""

    opacity: float = 0.6         # of the map over the photo, 0 to 1
    colormap: str = "viridis"    # one of COLORMAPS
    scale: str = "fixed"         # one of SCALES: what the colours span
    smooth: bool = False         # blend between the centres of the cells, or show each cell as one square
    dark: bool = False           # light ink on a dark ground, for a dark page


def overlay(trace: Trace, layer: str, look: Look = Look(), shown: Sequence[Trace] = ()) -> Image.Image:
    """The photo, RGB in its own size, with this layer's spatial map laid exactly on the part of it that the map covers.

    Without ``look.smooth`` each cell is one flat rectangle; with it, values are blended bilinearly between the cells' centres
    and never leave the map's range. What the network did not see stays as it is. Raises ValueError if there is no spatial map.
    """
    attention = trace.layers[layer]
    if attention.map is None:
        raise ValueError(f"{layer} has no spatial map: {attention.title} weighs channels only")
    rows, columns = _inside(trace)
    picture = trace.photo.image()
    if rows.size == 0 or columns.size == 0:
        return picture
    seen = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    size, cells = (seen[2] - seen[0], seen[3] - seen[1]), _cells_of(trace, layer, seen)
    low, high = map_range(trace, layer, look.scale, shown)
    if look.smooth:
        values = Image.fromarray(attention.map.astype(np.float32)).resize(size, Image.Resampling.BILINEAR, cells)
        painted = _painted(np.asarray(values), low, high, look.colormap)
    else:
        painted = _painted(attention.map, low, high, look.colormap).resize(size, Image.Resampling.NEAREST, cells)
    picture.paste(Image.blend(picture.crop(seen), painted, look.opacity), seen)
    return picture


def map_figure(trace: Trace, layer: str, look: Look = Look(), shown: Sequence[Trace] = ()) -> Figure:
    """The overlay with its colour bar, which carries the scale, and a mark at this map's own least and greatest."""
    attention = trace.layers[layer]
    picture = overlay(trace, layer, look, shown)   # raises if there is no map
    spatial = np.asarray(attention.map)
    low, high = map_range(trace, layer, look.scale, shown)
    least, greatest = float(np.nanmin(spatial)), float(np.nanmax(spatial))
    figure, below, ink = _photo_axes(picture, look.dark, 1.15)
    title = heading(f"Spatial attention of {layer}: {attention.shape[1]} × {attention.shape[2]} cells")
    figure.axes[0].set_title(title, color=ink, fontsize=10, loc="left")
    colours = ScalarMappable(Normalize(low, high), look.colormap)
    bar = figure.colorbar(colours, cax=figure.add_subplot(below), orientation="horizontal")
    ticks = np.linspace(low, high, 6).tolist()
    bar.set_ticks(ticks, labels=[f"{tick:.{2 if high - low >= 0.1 else 4}f}" for tick in ticks])
    bar.ax.tick_params(colors=ink, labelsize=9)
    bar.outline.set_edgecolor(ink)
    for value in (least, greatest):
        bar.ax.plot([value], [0.5], marker="|", color="white", markersize=11, markeredgewidth=4)
        bar.ax.plot([value], [0.5], marker="|", color="black", markersize=11, markeredgewidth=1.5)
    what = "share of the context" if attention.spatial is None else "mean factor over channels" if attention.averaged else "factor"
    digits = 3 if high >= 0.1 else 5
    grey = " · grey: undefined" if np.isnan(spatial).any() else ""
    label = f"{what} at each position · this map: {least:.{digits}f} to {greatest:.{digits}f} (marks){grey}\ncolours: {SCALES[look.scale]}"
    bar.set_label(label, color=ink, fontsize=9)
    return figure


def overview_figure(trace: Trace, look: Look = Look(), shown: Sequence[Trace] = ()) -> Figure:
    """Every layer of a trace on one page: its map on the photo above its channel weights, sorted by size."""
    layers = list(trace.layers.values())
    columns = min(4, max(1, len(layers)))
    rows = -(-len(layers) // columns)
    height = 2.6 * float(np.clip(trace.photo.height / trace.photo.width, 0.25, 2))
    figure, ink = blank(max(6.4, 2.9 * columns), rows * (height + 1.6) + 1.2, look.dark)
    best = [f"{label} {probability:.0%}" for label, probability in trace.top(1)]
    figure.suptitle(heading(trace.network, trace.photo.name, *best), color=ink, fontsize=12)
    grid = figure.add_gridspec(max(1, 2 * rows), columns, height_ratios=[height, 1.0] * max(1, rows))
    for index, layer in enumerate(layers):
        row, column = divmod(index, columns)
        above = figure.add_subplot(grid[2 * row, column])
        title = heading(layer.name, layer.title, f"{layer.shape[1]} × {layer.shape[2]}", width=34)
        above.set_title(title, color=ink, fontsize=9)
        above.set_axis_off()
        if layer.map is None:
            above.imshow(_fitting(trace.photo.image(), 2.9, 2 * 2.9), alpha=0.25)
            above.text(0.5, 0.5, "weighs channels only", transform=above.transAxes, ha="center", va="center", color=ink, fontsize=9)
        else:
            above.imshow(_fitting(overlay(trace, layer.name, look, shown), 2.9, 2 * 2.9))
        below = figure.add_subplot(grid[2 * row + 1, column])
        _small_bars(below, layer, ink, look.dark)
    ranges = {map_range(trace, layer.name, look.scale, shown) for layer in layers if layer.map is not None}
    if ranges:
        _bar_of_all(figure, ranges, look, ink)
    return figure


def _photo_axes(photo: Image.Image, dark: bool, room: float) -> tuple[Figure, SubplotSpec, str]:
    """A figure as wide as a column whose first axes show a photo in its shape, with ``room`` inches for what stands around it; a
    narrow place below them, and the ink."""
    width, highest = 6.4, 8.0
    height = float(np.clip(width * photo.height / photo.width, 1.2, highest))
    figure, ink = blank(width, height + room, dark)
    grid = figure.add_gridspec(2, 1, height_ratios=(height, 0.16))
    axes = figure.add_subplot(grid[0])
    axes.imshow(_fitting(photo, width, highest), interpolation="none" if photo.width < 400 else "antialiased")
    axes.set_axis_off()
    return figure, grid[1], ink


def _fitting(photo: Image.Image, width: float, height: float) -> Image.Image:
    """The photo, shrunk if it is finer than can be seen in this many inches: less to draw."""
    photo.thumbnail((round(width * DPI), round(height * DPI)))
    return photo


def _inside(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """The photo's rows and columns whose centres the network saw."""
    left, top, right, bottom = trace.region.box
    rows, columns = np.arange(trace.photo.height) + 0.5, np.arange(trace.photo.width) + 0.5
    return np.flatnonzero((rows >= top) & (rows < bottom)), np.flatnonzero((columns >= left) & (columns < right))


def _cells_of(trace: Trace, layer: str, seen: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
    """Where in the map, in cells with fractions, a part of the photo lies: left, top, right, bottom."""
    left, top, right, bottom = trace.box(layer)
    height, width = trace.layers[layer].shape[1:]
    across = [min(max((x - left) / (right - left), 0.0), 1.0) * width for x in seen[::2]]
    down = [min(max((y - top) / (bottom - top), 0.0), 1.0) * height for y in seen[1::2]]
    return across[0], down[0], across[1], down[1]


def _painted(values: np.ndarray, low: float, high: float, colormap: str) -> Image.Image:
    """Numbers in their colours, RGB; grey where one is undefined."""
    shares = (values - np.float32(low)) * np.float32(256 / ((high - low) or 1))
    undefined = np.isnan(shares)
    codes = np.where(undefined, 0, np.clip(shares, 0, 255)).astype(np.uint8)
    picture = Image.fromarray(codes)
    picture.putpalette(_palette(colormap))
    picture = picture.convert("RGB")
    if undefined.any():
        picture.paste((UNDEFINED,) * 3, mask=Image.fromarray(undefined))
    return picture


@cache
def _palette(colormap: str) -> bytes:
    """256 colours of three bytes."""
    return np.rint(colormaps[colormap](np.arange(256))[:, :3] * 255).astype(np.uint8).tobytes()


def _bars(axes: Axes, attention: LayerAttention, values: np.ndarray, shown: np.ndarray, base: float, dark: bool) -> None:
    """The channels' factors; of paths, their shares one upon the other."""
    for feet, heads, colour in bars_of(attention, values, shown, base, dark):
        axes.stairs(heads, baseline=feet, fill=True, color=colour)


def _bar_of_all(figure: Figure, ranges: set[tuple[float, float]], look: Look, ink: str) -> None:
    """One colour bar for the maps of all layers: with numbers if they share one range."""
    low, high = next(iter(ranges))
    bar = figure.colorbar(ScalarMappable(Normalize(low, high), look.colormap), ax=figure.axes, orientation="horizontal",
                          fraction=0.012, pad=0.01, aspect=60)
    bar.ax.tick_params(colors=ink, labelsize=8)
    if len(ranges) > 1:
        bar.set_ticks([low, high], labels=["least", "greatest"])
    one = "" if len(ranges) > 1 else ", one scale for all maps"
    bar.set_label(f"factor at each position{one} · colours: {SCALES[look.scale]}", color=ink, fontsize=9)


def _small_bars(axes: Axes, layer: LayerAttention, ink: str, dark: bool) -> None:
    if layer.channel is None and layer.paths is None:
        axes.set_axis_off()
        return
    base, most = (0.0, 1.0) if layer.channel is None else layer.limits
    weights = weights_of(layer)
    shown = ranked(weights, "size")
    _bars(axes, layer, weights, shown, base, dark)
    axes.set_ylim(base, most)
    axes.set_xlim(0, len(weights))
    axes.set_yticks([base, (base + most) / 2, most])
    axes.set_xticks([])
    axes.set_xlabel(f"{len(weights)} channels, mean {np.nanmean(weights):.2f}", color=ink, fontsize=8)
    inked(axes, ink, 7)
