"""Arrays in, pictures out: the map over the photo, the channel weights as bars, all layers on one page. Computes nothing.

A colour means a number: the range that the colours span is a fixed one (0 to 1; BAM's factor 1 to 2) unless it is stretched to
the map's own, and it stands on the colour bar either way. Figures are matplotlib's, drawn without pyplot, so any thread can.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from PIL import Image

from .capture import Trace
from .layers import LayerAttention

COLORMAPS = ("viridis", "magma", "inferno", "cividis", "turbo", "jet")
SCALES = ("fixed", "stretched")
ORDERS = ("index", "size")
NAMED_BARS = 5
PATHS = ("#4458c8", "#e69f00", "#009e73", "#cc79a7")   # told apart by the colour-blind too
ACCENT, DARK_ACCENT = "#4458c8", "#93a2f5"
UNDEFINED = 128.0   # the grey of a cell whose factor can't be known
DARK_GROUND = "#1e293b"   # that of a block on the dark page


@dataclass(frozen=True)
class Look:
    """How a map is drawn. It changes no number."""

    opacity: float = 0.6         # of the map over the photo, 0 to 1
    colormap: str = "viridis"    # one of COLORMAPS
    scale: str = "fixed"         # "fixed": 0 to 1, BAM 1 to 2; "stretched": this map's own least and greatest
    smooth: bool = False         # blend between the centres of the cells, or show each cell as one square
    dark: bool = False           # light ink on a dark ground, for a dark page


def scale_of(values: np.ndarray, limits: tuple[float, float], scale: str) -> tuple[float, float]:
    """The numbers that the first and the last colour stand for: what the factor can be, or with "stretched" what it is here. A flat
    map that is stretched keeps the fixed scale."""
    known = values[np.isfinite(values)]
    if scale == "stretched" and known.size and known.max() > known.min():
        return float(known.min()), float(known.max())
    return limits


def overlay(trace: Trace, layer: str, look: Look = Look()) -> Image.Image:
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
    values = _sampled(attention.map, row_cells, column_cells, look.smooth)
    low, high = scale_of(attention.map, attention.map_limits, look.scale)
    colours = colormaps[look.colormap](Normalize(low, high)(values))[..., :3] * 255
    colours[np.isnan(values)] = UNDEFINED
    seen = np.ix_(rows, columns)
    drawn = photo.astype(np.float32)
    drawn[seen] += look.opacity * (colours.astype(np.float32) - drawn[seen])
    return Image.fromarray(np.rint(drawn).astype(np.uint8))


def map_figure(trace: Trace, layer: str, look: Look = Look()) -> Figure:
    """The overlay with its colour bar, which carries the scale, and a mark at this map's own least and greatest."""
    attention = trace.layers[layer]
    picture = overlay(trace, layer, look)   # raises if there is no map
    spatial = np.asarray(attention.map)
    low, high = scale_of(spatial, attention.map_limits, look.scale)
    least, greatest = float(np.nanmin(spatial)), float(np.nanmax(spatial))
    figure, below, ink = _photo_axes(np.asarray(picture), look.dark, 1.1)
    axes = figure.axes[0]
    axes.set_title(f"Spatial attention of {layer}: {attention.shape[1]} × {attention.shape[2]} cells", color=ink, fontsize=10, loc="left")
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
    bar.set_label(f"{what} at each position · this map: {least:.{digits}f} to {greatest:.{digits}f} (marks){grey}", color=ink, fontsize=9)
    return figure


def photo_figure(trace: Trace, dark: bool = False) -> Figure:
    """The photo without a map, for layers that have none; what the network did not see is dimmed."""
    pixels = trace.photo.pixels * 0.35
    rows, columns = _inside(trace)
    pixels[np.ix_(rows, columns)] = trace.photo.pixels[np.ix_(rows, columns)]
    figure, _, ink = _photo_axes(pixels.astype(np.uint8), dark, 0.4)
    figure.axes[0].set_title("What the network sees", color=ink, fontsize=10, loc="left")
    return figure


def bars_figure(attention: LayerAttention, order: str = "index", dark: bool = False, title: str = "") -> Figure:
    """The channel weights of one layer as bars, in the order of their index or of their size, the strongest ones named.

    Bars stand on the least that the factor can be: 0 for SE and CBAM, 1 for BAM.
    """
    if attention.channel is None and attention.paths is None:
        raise ValueError(f"{attention.name} has no channel weights")
    if order not in ORDERS:
        raise ValueError(f"order is {order!r}; it can be {' or '.join(map(repr, ORDERS))}")
    values = _weights(attention)
    ranked = np.argsort(-values, kind="stable")
    shown = ranked if order == "size" else np.arange(len(values))
    base, most = (0.0, 1.0) if attention.channel is None else attention.limits
    figure, ink = _figure(6.4, 4.0, dark)
    axes = figure.add_subplot()
    _bars(axes, attention, values[shown], shown, base, dark)
    mean = float(np.nanmean(values))
    axes.axhline(mean, color=ink, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.text(len(values), mean, f" mean\n {mean:.2f}", color=ink, fontsize=8, va="center", ha="left")
    axes.set_facecolor("none")
    axes.set_xlim(0, len(values))
    axes.set_ylim(base, base + 1.12 * (most - base))
    axes.set_yticks(np.linspace(base, most, 6))
    axes.set_ylabel(_what(attention), color=ink)
    axes.set_xlabel(f"{len(values)} channels by {'size, the greatest first' if order == 'size' else 'index'}", color=ink)
    axes.tick_params(colors=ink, labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(ink)
    if title:
        axes.set_title(title, color=ink, fontsize=10, loc="left", pad=22)
    _name_bars(axes, values, shown, ranked[: min(NAMED_BARS, int(np.isfinite(values).sum()))], ink)
    return figure


def overview_figure(trace: Trace, look: Look = Look()) -> Figure:
    """Every layer of a trace on one page: its map on the photo above its channel weights, sorted by size, on one scale."""
    layers = list(trace.layers.values())
    columns = min(4, max(1, len(layers)))
    rows = -(-len(layers) // columns)
    height = 2.6 * float(np.clip(trace.photo.height / trace.photo.width, 0.25, 2))
    figure, ink = _figure(2.9 * columns, rows * (height + 1.6) + 1.2, look.dark)
    best, probability = trace.top(1)[0]
    figure.suptitle(f"{trace.network} · {plain(trace.photo.name)} · {plain(best)} {probability:.0%}", color=ink, fontsize=12)
    grid = figure.add_gridspec(max(1, 2 * rows), columns, height_ratios=[height, 1.0] * max(1, rows))
    for index, layer in enumerate(layers):
        row, column = divmod(index, columns)
        above = figure.add_subplot(grid[2 * row, column])
        above.set_title(f"{layer.name} · {layer.title} · {layer.shape[1]} × {layer.shape[2]}", color=ink, fontsize=9)
        above.set_axis_off()
        if layer.map is None:
            above.imshow(trace.photo.pixels, alpha=0.25)
            above.text(0.5, 0.5, "weighs channels only", transform=above.transAxes, ha="center", va="center", color=ink, fontsize=9)
        else:
            above.imshow(overlay(trace, layer.name, look))
        below = figure.add_subplot(grid[2 * row + 1, column])
        _small_bars(below, layer, ink, look.dark)
    if len({layer.map_limits for layer in layers if layer.map is not None}) == 1 or look.scale == "stretched":
        low, high = next((layer.map_limits for layer in layers if layer.map is not None), (0.0, 1.0))
        bar = figure.colorbar(ScalarMappable(Normalize(low, high), look.colormap), ax=figure.axes, orientation="horizontal",
                              fraction=0.012, pad=0.01, aspect=60)
        each = "each map stretched to its own range" if look.scale == "stretched" else "factor at each position, one scale for all maps"
        bar.set_label(each, color=ink, fontsize=9)
        bar.ax.tick_params(colors=ink, labelsize=8)
        if look.scale == "stretched":
            bar.set_ticks([low, high], labels=["least", "greatest"])
    return figure


def png(figure: Figure, dpi: int = 150) -> bytes:
    """A figure as a PNG file without metadata."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(buffer, dpi=dpi, format="png", metadata={"Software": None})
    return buffer.getvalue()


def picture(figure: Figure, dpi: int = 150) -> Image.Image:
    """A figure as a Pillow image."""
    return Image.open(io.BytesIO(png(figure, dpi)))


def plain(text: str) -> str:
    """Text from outside, drawn as it is: matplotlib would take dollar signs for mathematics."""
    return text.replace("$", r"\$")


def _figure(width: float, height: float, dark: bool) -> tuple[Figure, str]:
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=DARK_GROUND if dark else "white")
    return figure, "#e6e6e6" if dark else "#222222"


def _photo_axes(pixels: np.ndarray, dark: bool, room: float) -> tuple[Figure, SubplotSpec, str]:
    """A figure as wide as a column whose first axes show a photo in its shape, with ``room`` inches for what stands around it; a
    narrow place below them, and the ink."""
    width = 6.4
    height = float(np.clip(width * pixels.shape[0] / pixels.shape[1], 1.2, 8.0))
    figure, ink = _figure(width, height + room, dark)
    grid = figure.add_gridspec(2, 1, height_ratios=(height, 0.16))
    axes = figure.add_subplot(grid[0])
    axes.imshow(pixels, interpolation="none" if pixels.shape[1] < 400 else "antialiased")
    axes.set_axis_off()
    return figure, grid[1], ink


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


def _sampled(values: np.ndarray, rows: np.ndarray, columns: np.ndarray, smooth: bool) -> np.ndarray:
    if not smooth:
        return values[np.ix_(_clipped(rows, values.shape[0]), _clipped(columns, values.shape[1]))]
    across = _blend(values.astype(np.float64), rows)
    return _blend(across.T, columns).T


def _blend(values: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Linear between the cells' centres along the first axis, flat beyond the outermost ones."""
    at = np.clip(positions - 0.5, 0, len(values) - 1)
    lower = np.floor(at).astype(int)
    share = (at - lower)[:, None]
    return values[lower] * (1 - share) + values[np.minimum(lower + 1, len(values) - 1)] * share


def _clipped(positions: np.ndarray, count: int) -> np.ndarray:
    return np.clip(positions.astype(int), 0, count - 1)


def _weights(attention: LayerAttention) -> np.ndarray:
    """What stands in the bars' place in an order: the factor, or the first path's share."""
    return np.asarray(attention.channel) if attention.channel is not None else np.asarray(attention.paths)[0]


def _what(attention: LayerAttention) -> str:
    if attention.channel is None:
        return f"share of each of {len(np.asarray(attention.paths))} paths"
    return "factor, mean over positions" if attention.averaged else "factor"


def _bars(axes, attention: LayerAttention, values: np.ndarray, shown: np.ndarray, base: float, dark: bool) -> None:
    """The channels' factors; of paths, their shares one upon the other."""
    if attention.channel is not None:
        axes.stairs(values, baseline=base, fill=True, color=DARK_ACCENT if dark else ACCENT)
        return
    foot = np.zeros(len(values))
    for index, path in enumerate(np.asarray(attention.paths)[:, shown]):
        axes.stairs(foot + path, baseline=foot, fill=True, color=PATHS[index % len(PATHS)], label=f"path {index + 1}")
        foot = foot + path
    axes.legend(loc="upper right", fontsize=7, framealpha=0.8)


def _name_bars(axes, values: np.ndarray, shown: np.ndarray, strongest: np.ndarray, ink: str) -> None:
    places = {int(channel): place for place, channel in enumerate(shown)}
    spots = sorted((places[int(channel)] + 0.5, int(channel)) for channel in strongest)
    least_gap, at = len(values) * 0.075, -np.inf
    for x, channel in spots:   # pushed apart, left to right, so that no two names lie on each other
        at = max(x, at + least_gap)
        label = min(at, len(values) * 0.98)
        axes.annotate(
            str(channel), (x, values[channel]), (label, axes.get_ylim()[1]), fontsize=8, color=ink, ha="center", va="top",
            arrowprops={"arrowstyle": "-", "color": ink, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 0},
        )


def _small_bars(axes, layer: LayerAttention, ink: str, dark: bool) -> None:
    if layer.channel is None and layer.paths is None:
        axes.set_axis_off()
        return
    base, most = (0.0, 1.0) if layer.channel is None else layer.limits
    weights = _weights(layer)
    shown = np.argsort(-weights, kind="stable")
    _bars(axes, layer, weights[shown], shown, base, dark)
    axes.set_facecolor("none")
    axes.set_ylim(base, most)
    axes.set_xlim(0, len(weights))
    axes.set_yticks([base, (base + most) / 2, most])
    axes.set_xticks([])
    axes.set_xlabel(f"{len(weights)} channels, mean {np.nanmean(weights):.2f}", color=ink, fontsize=8)
    axes.tick_params(colors=ink, labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(ink)
