"""What a person can choose of how gates are shown, and tell of how a network is built, by the names that the
command, the page and links have."""

from __future__ import annotations

from collections.abc import Sequence

ORDERS = {  # of channels -> in words
    "index": "index",
    "size": "size, the greatest first",
    "surprise": "distance from the mean, the greatest first",
}
SCALES = {  # what the colours of a map span -> in words
    "fixed": "all that a factor can be",
    "map": "this map's own range",
    "stage": "the range of its stage",
    "network": "the range of its network",
    "shown": "the range of all that is compared",
}
# How a map is drawn on its photo -> in words. The page begins with the first, which strangers and a hall
# understand without being told: what is bright passes. Pictures in files begin with the second: on paper
# numbers are read off, and there a dark part of the photo can't be taken for one that is held back.
WAYS = {
    "dim": "the photo, darkened by the factor itself",
    "colours": "the factor's colours on the photo in grey",
}
PLACES = ("branch", "rectified", "norm", "middle", "sum", "output", "input", "entry", "shortcut")
SEQUENCES = ("channel first", "spatial first", "parallel")
PADDINGS = ("zeros", "replicate")
BUILT: dict[str, Sequence] = {  # what weights don't tell of a network: by name, what can be said
    "pool": ("padded", "ceil", "none"),
    "stem": (1, 2),
    "first_gate": ("before pool", "behind pool"),
    "stride": ("first", "second"),
    "shortcut": ("normed", "plain"),
    "zeros": ("around", "behind"),
    "place": PLACES,
    "sequence": SEQUENCES,
    "squeeze": ("both", "average"),
    "order": ("mean first", "maximum first"),
    "branches": ("added", "multiplied"),
    "dilation": range(1, 33),
    "padding": PADDINGS,
}
# What of that the page offers and sentences name, the usual values.
OFFERED: dict[str, Sequence] = {**BUILT, "pool": ("none", "padded"), "dilation": (1, 2, 4), "slope": (0.01,)}
# The same in words, as ``Card.assumed`` has them: "pool none".
CHOICES = tuple(f"{about} {value}" for about, values in OFFERED.items() for value in values)
