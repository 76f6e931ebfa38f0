"""What drawings say, in the words of the page. Saved pictures are English: their letters are DejaVu's."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..capture.layer_attention import LayerAttention
from ..languages.catalogue import ENGLISH, say, words
from .look import Look

SMALL = (5e-4, 0.05)  # between these a number has two digits more


def said(key: str, **values: Any) -> str:
    """A text of the page."""
    return say(ENGLISH, key, **values)


def step_name(name: str) -> str:
    """What the page calls a step of a mechanism; one that it does not know keeps its name."""
    return words(ENGLISH).get(f"step_{name}", name.replace("_", " "))


def digits(number: float, decimals: int = 3) -> str:
    """A number as the page writes it: three digits behind the point, five if it is small; – if undefined."""
    if not np.isfinite(number):
        return "–"
    more = 2 if SMALL[0] <= abs(number) < SMALL[1] else 0
    return f"{number:.{decimals + more}f}".replace("-", "−")


def map_legend(attention: LayerAttention, look: Look) -> list[str]:
    """What a map's colours mean, its own range, and what the colours span."""
    values = np.asarray(attention.map)
    known = values[np.isfinite(values)]
    shares = attention.spatial is None
    is_dim = look.way == "dim"
    bam = "legend_bam_dim" if is_dim and look.scale == "fixed" else "legend_bam"
    meaning = "legend_share" if shares else bam if attention.kind == "bam" else "legend_gate"
    first = said(meaning) + (said("legend_mean") if attention.averaged and not shares else "")
    second = []
    if known.size:
        second.append(said("legend_span", least=digits(known.min()), greatest=digits(known.max())))
    second.append(said("legend_scale_dim" if is_dim else "legend_scale", scale=said(f"scale_{look.scale}")))
    if known.size < values.size:
        second.append(said("legend_grey"))
    return [first, "".join(second).removeprefix(" · ")]
