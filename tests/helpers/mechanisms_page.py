"""The app on a bare page that follows its address, with SE, CBAM and BAM on some photos, without a server."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

import attnviz
from attnviz.networks.card import Card
from attnviz.viewer.encoding import pack
from attnviz.viewer.javascript import in_markup, script, style

from .small_networks import stirred

NETWORKS = ("se", "cbam", "bam")
PHOTO, OUTSIDER = "noise", "outsider"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>host</title>
<style>{style}</style></head><body class="av-page"><main id="viewer"></main>
<script>{script}</script><script>
const captures = {captures};  // by "PHOTO NETWORK"
const asked = [];  // channels whose features were asked for
const of = (kind) => [...new Set(Object.keys(captures).map((key) => key.split(' ')[kind]))];
const networks = of(1).map((name) => (
  {{ name, title: name, group: 'embedded', attention: name, isReady: true }}));
const photos = of(0).map((photo) => (
  {{ photo, name: `${{photo}}.png`, mark: photo === '{outsider}' ? 'none of its classes' : undefined }}));
const host = {{
  start: async ({{ network, photo }}) => ({{
    capture: captures[`${{photo ?? photos[0].photo}} ${{network ?? 'cbam'}}`], networks, examples: photos }}),
  networks: async () => networks,
  examples: async () => photos,
  async capture({{ photo, network }}) {{
    if (window.isLost) throw new attnviz.HostError();
    return captures[`${{photo}} ${{network}}`];
  }},
  features: async ({{ channel }}) => {{
    asked.push(channel);
    const features = {{ values: new Float32Array(104).fill(channel), height: 8, width: 13 }};
    return {{ before: features, after: features }};
  }},
}};
const page = {{ language: 'en', hasAddress: true }};
attnviz.viewer = attnviz.mount(document.getElementById('viewer'), host, page);
attnviz.viewer.start();
</script></body></html>"""

Traces = Mapping[tuple[str, str], attnviz.Trace]  # by photo and network


def traces_of(*photos: str) -> Traces:
    """Noise under these names, each another, in a network of each mechanism."""
    networks = {name: stirred(18, name) for name in NETWORKS}
    return {
        (photo, name): attnviz.trace(network, attnviz.Photo(_noise(seed), f"{photo}.png"))
        for seed, photo in enumerate(photos)
        for name, network in networks.items()
    }


def page_of(traces: Traces) -> str:
    """The page, which opens with the first photo in CBAM."""
    captures = {
        f"{photo} {name}": pack(
            trace,
            Card(name, labels=trace.labels),
            {"photo": photo, "network": name, "view": "whole", "example": True},
        )
        for (photo, name), trace in traces.items()
    }
    text = in_markup(json.dumps(captures))
    return PAGE.format(style=style(), script=in_markup(script()), captures=text, outsider=OUTSIDER)


def _noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (90, 140, 3), dtype=np.uint8)
