"""The engine in a browser, module by module: numbers go in, numbers come out."""

from __future__ import annotations

import base64

import numpy as np
from playwright.sync_api import Browser, Page
from safetensors.torch import save as save_tensors
from torch import nn

from attnviz._paths import SCRIPTS
from attnviz.viewer.javascript import bundled

MODULES = (
    "engine/memory",
    "engine/network",
    "engine/safetensors",
    "engine/permutation",
    "worker/changing",
    "pixels/input",
    "pixels/shrinking",
    "pixels/geometry",
    "pixels/deep_png",
)
# Numbers travel as base64 of single precision, bytes as base64 of bytes.
CODE = """window.modules = (() => {{ 'use strict';
{modules}
return modules; }})();
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);
function textOf(array) {{
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; at += 32768)
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}}
const weightsOf = (text) => modules['engine/safetensors'].readWeights(bytesOf(text));
const code = WebAssembly.compile(bytesOf('{code}'));
const memory = async () => modules['engine/memory'].Memory.open(await code);
const put = (memory, text, channels, height, width) => {{
  const x = memory.features(channels, height, width);
  memory.read(x).set(floatsOf(text));
  return x;
}};
const fault = async (action) => {{
  try {{ await action(); return null; }} catch (error) {{ return error.key ?? String(error); }}
}};
"""


def engine_page(browser: Browser) -> Page:
    """A blank page that knows the engine's modules as ``modules``, and how to take and give numbers."""
    page = browser.new_page()
    compiled = (SCRIPTS / "engine" / "engine.wasm").read_bytes()
    page.add_script_tag(content=CODE.format(modules=bundled(MODULES), code=in_base64(compiled)))
    return page


def in_base64(values: bytes | np.ndarray) -> str:
    """Bytes, or an array in single precision, as the page takes them."""
    content = values if isinstance(values, bytes) else np.ascontiguousarray(values, np.float32).tobytes()
    return base64.b64encode(content).decode("ascii")


def numbers(text: str, kind: str = "f4") -> np.ndarray:
    """What the page gave back."""
    return np.frombuffer(base64.b64decode(text), kind)


def weights_file(module: nn.Module, prefix: str = "", half: bool = False) -> bytes:
    """A module's weights as a safetensors file."""
    state = {
        prefix + key: (value.half() if half and value.is_floating_point() else value).contiguous()
        for key, value in module.state_dict().items()
    }
    return save_tensors(state, metadata={"format": "pt"})
