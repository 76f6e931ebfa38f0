"""What a person can choose of how gates are shown, by the names that the command, the page and links have."""

from __future__ import annotations

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
