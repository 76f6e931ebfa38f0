"""A photo with a layer's map on it, as marks: as the page draws it, the photo grey below the map, so that
each colour is one of the colour bar's. The map's cells stay cells."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from ..analysis import brightness_range, map_range
from ..capture.trace import Trace
from .heatmap import painted
from .look import Look
from .marks import Box, Mark, Picture
from .overlay import BRIGHTNESS, PALE

FULL_GREY = 0.5  # the map's opacity from which on the photo has no colour of its own
BLENDED = 600  # pixels along the longer side of a map whose cells are blended


def photo_map(
    trace: Trace, layer: str, look: Look, compared: Sequence[Trace], place: Box, photo: Image.Image
) -> Iterator[Mark]:
    """The trace's ``photo``, of any size, in a box, ``place``, and a layer's map on the part of it that the
    network saw. ``compared`` are the traces that the scale "shown" spans too."""
    values = np.asarray(trace.layers[layer].map)
    span, is_dim = map_range(trace, layer, look.scale, compared), look.way == "dim"
    size = _blended_size(values.shape) if look.smooth else None
    if is_dim:
        colours = painted(values, *brightness_range(span, look.scale), BRIGHTNESS, size)
    else:
        colours = painted(values, *span, look.colormap, size)
    seen, box = (_in_place(part, trace, place) for part in (trace.region.box, trace.box(layer)))
    seen = _common(seen, place)
    yield Picture(place, _paled(photo, trace) if is_dim else _greyed(photo, trace, look.opacity))
    opacity = 1.0 if is_dim else look.opacity
    yield Picture(box, colours, not look.smooth, opacity, _common(seen, box), multiplies=is_dim)


def _blended_size(shape: tuple[int, ...]) -> tuple[int, int]:
    times = math.ceil(BLENDED / max(shape))
    return times * shape[1], times * shape[0]


def _in_place(part: Box, trace: Trace, place: Box) -> Box:
    """Where a part of the photo, in its pixels, lies when the photo is drawn in a place."""
    across = (place[2] - place[0]) / trace.photo.width
    down = (place[3] - place[1]) / trace.photo.height
    left, top, right, bottom = part
    return (
        place[0] + left * across,
        place[1] + top * down,
        place[0] + right * across,
        place[1] + bottom * down,
    )


def _common(one: Box, other: Box) -> Box:
    """The part that lies in both boxes."""
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _paled(photo: Image.Image, trace: Trace) -> Image.Image:
    """The photo, pale where the network did not see it: dark would look held back."""
    box = _seen_pixels(photo, trace)
    pale = Image.blend(photo, Image.new("RGB", photo.size, "white"), PALE)
    if box is not None:
        pale.paste(photo.crop(box), box)
    return pale


def _greyed(photo: Image.Image, trace: Trace, opacity: float) -> Image.Image:
    """The photo, without its colours where the network saw it, the more so the denser the map is."""
    box = _seen_pixels(photo, trace)
    if box is None:
        return photo
    part = photo.crop(box)
    share = min(1.0, opacity / FULL_GREY)
    greyed = photo.copy()
    greyed.paste(Image.blend(part, part.convert("L").convert("RGB"), share), box)
    return greyed


def _seen_pixels(photo: Image.Image, trace: Trace) -> tuple[int, int, int, int] | None:
    """The box of the photo's pixels that the network saw; None if there are none."""
    left, top, right, bottom = _in_place(trace.region.box, trace, (0, 0, *photo.size))
    ends = min(photo.width, round(right)), min(photo.height, round(bottom))
    box = (max(0, round(left)), max(0, round(top)), *ends)
    return box if box[2] > box[0] and box[3] > box[1] else None
