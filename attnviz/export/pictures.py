"""The pictures of a bundle, each as PNG and SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ..capture.trace import Trace
from ..drawing.bars import bars_drawing
from ..drawing.canvas import Drawing
from ..drawing.channel import Channel, channel_drawing
from ..drawing.diagram import diagram_drawing
from ..drawing.look import Look
from ..drawing.overlay import overlay
from ..drawing.overview import overview_drawing
from ..drawing.png import png
from ..drawing.spatial_map import map_drawing
from ..drawing.steps import steps_drawing
from ..drawing.style import wrapped


@dataclass(frozen=True, eq=False)
class PictureSettings:
    """How the pictures of a bundle are drawn."""

    look: Look
    order: str  # of bars, one of ORDERS
    bars_scale: str  # one of SCALES
    compared: Sequence[Trace]  # what the scale "shown" spans

    def described(self) -> dict[str, object]:
        """The settings as plain values, for the manifest."""
        bars = "fixed" if self.bars_scale == "fixed" else "own range"
        return {**asdict(self.look), "order": self.order, "bars": bars}


def overview_pictures(trace: Trace, settings: PictureSettings) -> dict[str, bytes]:
    """All layers of a trace on one page."""
    return _files({"overview": overview_drawing(trace, settings.look, settings.compared)})


def layer_pictures(
    trace: Trace, layer: str, settings: PictureSettings, channel: int | None = None
) -> dict[str, bytes]:
    """The pictures that a layer has something for: overlay (as large as the photo, PNG only), map, channels,
    steps with the ``channel`` marked; by the suffix of their files' names."""
    attention, look = trace.layers[layer], settings.look
    files, drawings = dict[str, bytes](), dict[str, Drawing]()
    if attention.map is not None:
        files["overlay.png"] = png(overlay(trace, layer, look, settings.compared))
        drawings["map"] = map_drawing(trace, layer, look, settings.compared)
    if attention.channel is not None or attention.paths is not None:
        title = wrapped(trace.network, layer, trace.photo.name)
        drawings["channels"] = bars_drawing(attention, settings.order, look.dark, title, settings.bars_scale)
    if drawings:
        drawings["steps"] = steps_drawing(trace, layer, look, settings.order, settings.compared, channel)
    return {**files, **_files(drawings)}


def mechanism_pictures(
    trace: Trace, layer: str, settings: PictureSettings, channels: Sequence[Channel]
) -> dict[str, bytes]:
    """The diagram of a layer's mechanism, with the numbers of the first of its channels, if there are any."""
    channel = channels[0] if channels else None
    return _files({"diagram": diagram_drawing(trace, layer, settings.look, channel)})


def channel_pictures(
    trace: Trace, channels: Sequence[Channel], settings: PictureSettings
) -> dict[str, bytes]:
    """The features of channels of one layer; by the suffix of their files' names."""
    drawings = {
        f"channel-{channel.index}": channel_drawing(trace, channel, settings.look) for channel in channels
    }
    return _files(drawings)


def _files(drawings: dict[str, Drawing]) -> dict[str, bytes]:
    files = {}
    for name, drawing in drawings.items():
        for suffix, content in drawing.files().items():
            files[f"{name}.{suffix}"] = content
    return files
