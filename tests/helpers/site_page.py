"""What a page without a server computes, asked of its host."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

import attnviz

GATES, LOGITS = 1e-5, 1e-4  # that a capture may be from the library's trace
CAPTURE = """async (request) => {
  const text = (array) => {
    const values = array instanceof Float32Array ? array : array.values;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    let letters = '';
    for (let at = 0; at < bytes.length; at += 32768)
      letters += String.fromCharCode(...bytes.subarray(at, at + 32768));
    return btoa(letters);
  };
  const made = await attnviz.viewer.host.capture(request);
  const parts = ['channel', 'map', 'channel_logits', 'spatial_logits', 'sizes'];
  const layers = made.layers.map((layer) => ({
    ...layer,
    ...Object.fromEntries(parts.filter((part) => layer[part]).map((part) => [part, text(layer[part])])),
    steps: layer.steps.map(({ name, ...array }) => [name, text(array)]),
  }));
  return { ...made, logits: text(made.logits), layers };
}"""
ADD = """async ([name, type, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return (await attnviz.viewer.host.addPhoto(new File([bytes], name, { type }))).photo;
}"""

FEATURES = """async (request) => {
  const { before, after } = await attnviz.viewer.host.features(request);
  const { height, width, shares, sizes } = await attnviz.viewer.host.gallery(request);
  return [[...before.values], [...after.values], [height, width], [...shares], [...sizes]];
}"""


@dataclass(frozen=True)
class Differences:
    """The greatest differences between a capture and a trace."""

    logits: float
    gates: float
    steps: float  # each as a share of the step's greatest number, where that is over one


def captured(page: Page, photo: str, network: str, view: str = "whole", edits: dict | None = None) -> dict:
    """The capture of a photo, its arrays in base64; with edits, of a changed network."""
    request = {"photo": photo, "network": network, "view": view}
    return page.evaluate(CAPTURE, {**request, "edits": edits} if edits else request)


def added(page: Page, file: Path) -> str:
    """The name of a photo of the visitor's own, which was brought as a file."""
    return page.evaluate(ADD, [file.name, "", base64.b64encode(file.read_bytes()).decode("ascii")])


def numbers(text: str) -> np.ndarray:
    """An array of a capture, flat."""
    return np.frombuffer(base64.b64decode(text), np.float32)


def differences(capture: dict, trace: attnviz.Trace) -> Differences:
    """How far a capture is from the library's trace of the same photo."""
    gates, steps = [0.0], [0.0]
    assert [layer["name"] for layer in capture["layers"]] == list(trace.layers)
    for found, layer in zip(capture["layers"], trace.layers.values()):
        for part, name in (("channel", "channel"), ("map", "spatial")):
            values = getattr(layer, name)
            assert (part in found) == (values is not None)
            if values is not None:
                gates.append(_greatest(found[part], values))
        assert [name for name, _ in found["steps"]] == [step.name for step in layer.steps]
        steps += [_share(text, step.values) for (_, text), step in zip(found["steps"], layer.steps)]
        for part in ("channel_logits", "spatial_logits", "sizes"):
            if getattr(layer, part) is not None:
                steps.append(_share(found[part], getattr(layer, part)))
    return Differences(_greatest(capture["logits"], trace.logits), max(gates), max(steps))


def _greatest(text: str, values: np.ndarray) -> float:
    return float(np.abs(numbers(text) - np.asarray(values).ravel()).max())


def _share(text: str, values: np.ndarray) -> float:
    return _greatest(text, values) / max(1.0, float(np.abs(values).max()))


def assert_as_traced(capture: dict, trace: attnviz.Trace) -> None:
    """Hold a capture against the library's trace of the same photo."""
    found = differences(capture, trace)
    assert found.gates < GATES and found.logits < LOGITS and found.steps < 1e-5, found
