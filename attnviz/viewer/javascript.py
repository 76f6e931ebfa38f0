"""The viewer's JavaScript as one script: the modules of ``js/`` in the order in which they need each other,
the words in all languages and matplotlib's colours. It defines ``window.attnviz``, and asks for nothing from
outside."""

from __future__ import annotations

import base64
import json
import re
from functools import cache

import numpy as np
from matplotlib import colormaps

from .._paths import SCRIPTS, STYLES
from ..drawing.style import COLORMAPS
from ..languages.catalogue import LANGUAGES, words

MODULES = (
    "numbers",
    "dom",
    "colours",
    "strip",
    "map",
    "bars",
    "channel",
    "mechanism",
    "compare",
    "guide",
    "viewer",
    "gradio",
)
EXPORTED = ("mount", "attach", "unpack")


@cache
def script() -> str:
    """The whole script, without ``<script>`` around it."""
    constants = f"const WORDS = {_json({language: words(language) for language in LANGUAGES})};\nconst LUTS = {_json(_colours())};"
    modules = "\n".join(plain((SCRIPTS / f"{name}.js").read_text(encoding="utf-8")) for name in MODULES)
    return f"window.attnviz = (() => {{\n'use strict';\n{constants}\n{modules}\nreturn {{ {', '.join(EXPORTED)} }};\n}})();"


@cache
def style() -> str:
    """The viewer's CSS."""
    return STYLES.read_text(encoding="utf-8")


def in_markup(text: str) -> str:
    """JSON or a script, so that nothing in it can end the ``<script>`` that holds it."""
    return text.replace("</", "<\\/").replace("<!--", "<\\!--")


def plain(module: str) -> str:
    """A module without its imports and exports: all share one scope, see the test for names that are declared
    twice."""
    module = re.sub(r"^import [^;]*;\n", "", module, flags=re.MULTILINE)
    return re.sub(r"^export ", "", module, flags=re.MULTILINE)


def _colours() -> dict[str, str]:
    shares = np.linspace(0, 1, 256)
    return {
        name: base64.b64encode(
            np.rint(colormaps[name](shares)[:, :3] * 255).astype(np.uint8).tobytes()
        ).decode()
        for name in COLORMAPS
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
