"""The page without a server as a static Hugging Face Space."""

from __future__ import annotations

from ..deploy import Space
from ..zoo.registry import list_networks
from .content import SitePlan, site_content
from .page import folder_files
from .writing import OURS

CARD = "README.md"
# Of the Space. It needs no headers of its own: nothing of it runs in threads that share memory.
CARD_TEXT = """---
title: attnviz
emoji: 🔦
colorFrom: indigo
colorTo: green
sdk: static
app_file: index.html
short_description: What SE, CBAM and BAM attention does, in your browser
license: mit
fullWidth: true
header: mini
tags:
  - attention
  - visualization
  - teaching
---

# attnviz

See what channel and spatial attention does inside a convolutional network. Your browser computes all of it:
no photo leaves it.
"""


def static_space() -> Space:
    """The page with the networks and photos that come with attnviz."""
    content = site_content(SitePlan(tuple(list_networks())))
    return Space("static", {CARD: CARD_TEXT.encode(), **folder_files(content)}, OURS)
