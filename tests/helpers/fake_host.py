"""The app on a bare page, with a host that answers what a test told it, without any server."""

from __future__ import annotations

import json

import numpy as np
from torch import nn

import attnviz
from attnviz.networks.card import Card
from attnviz.viewer.encoding import pack
from attnviz.viewer.javascript import in_markup, script, site_script, site_style, style

from .small_networks import stirred

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>host</title>
<style>{style}</style></head><body class="av-page"><main id="viewer"></main>
<script>{script}</script><script>
const captures = {captures};
const calls = [];  // [name, what was asked]
const held = [];   // what ends each capture that is not answered at once, with its signal
const key = ({{ photo, network }}) => photo + ' ' + network;
const network = (name, attention) => ({{ name, title: name, group: 'embedded', attention, isReady: true }});
const networks = [network('se', 'se'), network('cbam', 'cbam')];
const photos = ['first', 'second'].map((photo) => ({{ photo, name: `${{photo}}.png` }}));
const host = {{
  async start(asked) {{
    calls.push(['start', asked]);
    return {{ capture: captures['first cbam'], networks, examples: photos }};
  }},
  networks: async () => networks,
  examples: async () => photos,
  capture(asked, {{ signal, report }} = {{}}) {{
    calls.push(['capture', asked]);
    if (!window.isHolding) return Promise.resolve(captures[key(asked)]);
    return new Promise((resolve, reject) => {{
      signal.addEventListener('abort', () => reject(signal.reason));
      held.push({{ signal, report, answer: () => resolve(captures[key(asked)]), reject }});
    }});
  }},
  ...({more}),
}};
attnviz.viewer = attnviz.mount(document.getElementById('viewer'), host, {page});
attnviz.viewer.start();
</script></body></html>"""


PHOTOS = {"first": 1, "second": -1}  # the same noise, the second upside down


def packed(network: nn.Module, name: str, photo: str) -> dict:
    """The capture of one of PHOTOS in a network of that name."""
    noise = np.random.default_rng(0).integers(0, 256, (90, 140, 3), dtype=np.uint8)
    pixels = noise[:: PHOTOS[photo]].copy()
    trace = attnviz.trace(network, attnviz.Photo(pixels, f"{photo}.png"))
    asked = {"photo": photo, "network": name, "view": "whole"}
    return pack(trace, Card(name, labels=trace.labels), asked)


def packed_changed(network: nn.Module, name: str, photo: str, edits: dict[str, list[dict]]) -> dict:
    """The same with changed gates; what is usual is what the photo itself has, turned upside down."""
    noise = np.random.default_rng(0).integers(0, 256, (90, 140, 3), dtype=np.uint8)
    pixels = noise[:: PHOTOS[photo]].copy()
    made = attnviz.intervene(
        network,
        attnviz.Photo(pixels, f"{photo}.png"),
        attnviz.edits_from_json(edits),
        reference=[attnviz.Photo(pixels[::-1].copy(), "usual.png")],
    )
    asked = {"photo": photo, "network": name, "view": "whole", "edits": edits}
    return pack(made.after, Card(name, labels=made.after.labels), asked, made.before)


def two_photos_in_two_networks() -> dict[str, dict]:
    """Captures by "PHOTO NETWORK"."""
    networks = {name: stirred(18, name) for name in ("se", "cbam")}
    return {
        f"{photo} {name}": packed(network, name, photo)
        for name, network in networks.items()
        for photo in PHOTOS
    }


def page_of(captures: dict[str, dict], more: str = "{}") -> str:
    """The page, which opens with the first photo in CBAM; ``more`` is JavaScript: what else the host can do,
    or does otherwise."""
    return _page(captures, more, script(), style(), "{ language: 'en' }")


def live_page_of(captures: dict[str, dict], more: str) -> str:
    """The same with the live camera, as a page without a server has it."""
    page = "{ language: 'en', LiveCamera: attnviz.LiveCamera }"
    return _page(captures, more, site_script(), site_style(), page)


def _page(captures: dict[str, dict], more: str, code: str, look: str, page: str) -> str:
    """The page with this script and style; ``page`` is JavaScript: what the app is told of it."""
    text = in_markup(json.dumps(captures))
    return PAGE.format(style=look, script=in_markup(code), captures=text, more=more, page=page)
