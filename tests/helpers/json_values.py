"""Values that a browser or a program could send, right and wrong."""

from __future__ import annotations

from hypothesis import strategies as any_of

KEYS = [
    "photo",
    "network",
    "view",
    "layer",
    "channel",
    "what",
    "tab",
    "shown",
    "look",
    "opacity",
    "order",
    "language",
    "path",
]
TEXTS = [
    "example:temple",
    "upload:x/y",
    "cbam_resnet18",
    "layer3.1",
    "../../etc/passwd",
    "yours:x",
    "whole",
    "all",
    "en",
]
JSON = any_of.recursive(
    any_of.none()
    | any_of.booleans()
    | any_of.integers()
    | any_of.floats()
    | any_of.text(max_size=40)
    | any_of.sampled_from(TEXTS),
    lambda inner: any_of.lists(inner, max_size=5) | any_of.dictionaries(any_of.sampled_from(KEYS), inner),
    max_leaves=12,
)
