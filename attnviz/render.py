"""Arrays in, pictures out: the map over the photo, the channel weights as bars, all layers on one page. Computes nothing.

A colour means a number, and the range that the colours span stands on the colour bar, see ``analysis.map_range``. ``shown`` are the
traces that are looked at beside this one: the scale "shown" spans them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from PIL import Image

from .analysis import ORDERS, SCALES, map_range, ranked, weights_of, weights_range
from .capture import Trace
from .layers import LayerAttention
from .paper import ACCENT, DARK_ACCENT, DPI, blank, heading, inked

COLORMAPS = ("viridis", "magma", "inferno", "cividis", "turbo", "jet", "coolwarm")
NAMED_BARS = 5
PATHS = ("#4458c8", "#e69f00", "#009e73", "#cc79a7")   # told apart by the colour-blind too
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
    photo = trace.photo.pixels
    rows, columns, row_cells, column_cells = _cells(trace, layer)
    if rows.size == 0 or columns.size == 0:
        return trace.photo.image()
    colours = Normalize(*map_range(trace, layer, look.scale, shown)), colormaps[look.colormap]
    if look.smooth:
        painted = _painted(blended(attention.map, row_cells, column_cells), *colours)
    else:
        height, width = attention.map.shape
        painted = _painted(attention.map, *colours)[np.ix_(_clipped(row_cells, height), _clipped(column_cells, width))]
    seen = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    drawn = photo.copy()
    drawn[seen] = np.rint(photo[seen] * np.float32(1 - look.opacity) + painted * np.float32(look.opacity))
    return Image.fromarray(drawn)


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


def bars_figure(
    attention: LayerAttention, order: str = "index", dark: bool = False, title: str = "", scale: str = "fixed"
) -> Figure:
    """The channel weights of one layer as bars, in one of ORDERS, the strongest ones named, or the most surprising ones.

    On the scale "fixed" bars stand on the least that the factor can be: 0 for SE and CBAM, 1 for BAM; on any other on their mean, and
    their own range is spanned. Raises ValueError for a layer without them.
    """
    if attention.channel is None and attention.paths is None:
        raise ValueError(f"{attention.name} has no channel weights")
    values = weights_of(attention)
    shown = ranked(values, order)
    named = ranked(values, "surprise" if order == "surprise" else "size")[: min(NAMED_BARS, int(np.isfinite(values).sum()))]
    least, most = weights_range([attention], scale)
    own = (least, most) != weights_range([attention], "fixed")
    figure, ink = blank(6.4, 4.0, dark)
    axes = figure.add_subplot()
    mean, digits = float(np.nanmean(values)), 2 if most - least >= 0.1 else 4
    if own:
        axes.stairs(values[shown], baseline=mean, fill=True, color=DARK_ACCENT if dark else ACCENT)
    else:
        _bars(axes, attention, values[shown], shown, least, dark)
    axes.axhline(mean, color=ink, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.text(len(values), mean, f" mean\n {mean:.{digits}f}", color=ink, fontsize=8, va="center", ha="left")
    axes.set_xlim(0, len(values))
    axes.set_ylim(least, least + 1.12 * (most - least))
    ticks = np.linspace(least, most, 6).tolist()
    axes.set_yticks(ticks, labels=[f"{tick:.{digits}f}" for tick in ticks])
    axes.set_ylabel("share of the first path" if own and attention.channel is None else _what(attention), color=ink)
    note = "\nbars from their mean, over their own range" if own else ""
    axes.set_xlabel(f"{len(values)} channels by {ORDERS[order]}{note}", color=ink)
    inked(axes, ink, 9)
    if title:
        axes.set_title(title, color=ink, fontsize=10, loc="left", pad=12)
    _name_bars(axes, values, shown, named, ink)
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


def blended(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """A map (h, w) between the centres of its cells, bilinearly; ``rows`` and ``columns`` count cells, with fractions."""
    return _blend(_blend(values.astype(np.float64), rows).T, columns).T


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


def _cells(trace: Trace, layer: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The photo's rows and columns that were seen, and where in the map (in cells, with fractions) each one's centre lies."""
    left, top, right, bottom = trace.box(layer)
    height, width = trace.layers[layer].shape[1:]
    rows, columns = _inside(trace)
    return rows, columns, (rows + 0.5 - top) / (bottom - top) * height, (columns + 0.5 - left) / (right - left) * width


def _painted(values: np.ndarray, norm: Normalize, colours: Colormap) -> np.ndarray:
    """The colours of values, RGB bytes; grey where a value is undefined."""
    painted = np.rint(colours(norm(values))[..., :3] * 255).astype(np.uint8)
    painted[np.isnan(values)] = UNDEFINED
    return painted


def _blend(values: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Linear between the cells' centres along the first axis, flat beyond the outermost ones."""
    at = np.clip(positions - 0.5, 0, len(values) - 1)
    lower = np.floor(at).astype(int)
    share = (at - lower)[:, None]
    return values[lower] * (1 - share) + values[np.minimum(lower + 1, len(values) - 1)] * share


def _clipped(positions: np.ndarray, count: int) -> np.ndarray:
    return np.clip(positions.astype(int), 0, count - 1)


def _what(attention: LayerAttention) -> str:
    if attention.channel is None:
        return f"share of each of {len(np.asarray(attention.paths))} paths"
    return "factor, mean over positions" if attention.averaged else "factor"


def _bars(axes: Axes, attention: LayerAttention, values: np.ndarray, shown: np.ndarray, base: float, dark: bool) -> None:
    """The channels' factors; of paths, their shares one upon the other."""
    if attention.channel is not None:
        axes.stairs(values, baseline=base, fill=True, color=DARK_ACCENT if dark else ACCENT)
        return
    foot = np.zeros(len(values))
    for index, path in enumerate(np.asarray(attention.paths)[:, shown]):
        axes.stairs(foot + path, baseline=foot, fill=True, color=PATHS[index % len(PATHS)], label=f"path {index + 1}")
        foot = foot + path
    axes.legend(loc="upper right", fontsize=7, framealpha=0.8)


def _name_bars(axes: Axes, values: np.ndarray, shown: np.ndarray, strongest: np.ndarray, ink: str) -> None:
    places = {int(channel): place for place, channel in enumerate(shown)}
    spots = sorted((places[int(channel)] + 0.5, int(channel)) for channel in strongest)
    least_gap, at = len(values) * 0.075, -len(values) * 0.05   # the first clear of the axis
    for x, channel in spots:   # pushed apart, left to right, so that no two names lie on each other
        at = max(x, at + least_gap)
        label = min(at, len(values) * 0.98)
        axes.annotate(
            str(channel), (x, values[channel]), (label, axes.get_ylim()[1]), fontsize=8, color=ink, ha="center", va="top",
            arrowprops={"arrowstyle": "-", "color": ink, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 0},
        )


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
    _bars(axes, layer, weights[shown], shown, base, dark)
    axes.set_ylim(base, most)
    axes.set_xlim(0, len(weights))
    axes.set_yticks([base, (base + most) / 2, most])
    axes.set_xticks([])
    axes.set_xlabel(f"{len(weights)} channels, mean {np.nanmean(weights):.2f}", color=ink, fontsize=8)
    inked(axes, ink, 7)
