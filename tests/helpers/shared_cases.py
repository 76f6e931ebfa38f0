"""One table of cases, as JSON, for the numbers that both Python and the browser compute.

NaN is written as None, a vector as {"vector": values}, an array of a layer as {"array": values, "shape"}."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from attnviz import LayerAttention, Photo, Recipe, Trace
from attnviz.analysis import ORDERS, SCALES, map_range, ranked, summary, weights_of, weights_range
from attnviz.networks.card import Card
from attnviz.photos.geometry import whole
from attnviz.viewer.encoding import PARTS, PackedArrays, pack

from .encoded_captures import unpacked


@dataclass(frozen=True, eq=False)
class Case:
    """A call of a function of the browser, and what Python's twin answers: numbers, or a dict of numbers."""

    name: str
    function: str
    arguments: list[Any]
    expected: Any


def all_cases() -> list[Case]:
    return [
        *_of_values(),
        *_of_layers(),
        *_of_maps(),
        *_of_factors(),
        *_of_encoding(),
    ]


def values_of_all_kinds() -> dict[str, np.ndarray]:
    """Fifty vectors (C,) of float32: empty, flat, tied, undefined in part or all, saturated, of any size."""
    numbers = np.random.default_rng(7)
    made = {
        "empty": np.empty(0),
        "one": np.array([0.3]),
        "one undefined": np.array([np.nan]),
        "all undefined": np.full(6, np.nan),
        "flat": np.full(9, 0.5),
        "flat and undefined": np.array([0.25, np.nan, 0.25]),
        "zeros": np.zeros(4),
        "both zeros": np.array([0.0, -0.0, 0.0]),
        "tied": np.array([0.5, 0.2, 0.5, 0.2, 0.9, 0.9]),
        "tied around the mean": np.array([0.25, 0.75, 0.25, 0.75, 0.5]),
        "at the limits": np.array([0.1, 0.9, np.float32(0.1), np.float32(0.9), 0.0999, 0.9001]),
        "saturated": np.array([0.0, 1.0, 0.99, 0.01, 1.0]),
        "negative": np.array([-3.0, -0.5, -7.25]),
        "large": np.array([1e20, -1e20, 3.0]),
        "small": np.array([1e-30, 2e-30, 0.0]),
    }
    for number in range(35):
        values = numbers.uniform(0, 1, int(numbers.integers(1, 300)))
        if number % 3 == 1:
            values[numbers.uniform(size=values.size) < 0.2] = np.nan
        if number % 3 == 2:
            values = np.round(values, 1)
        made[f"random {number}"] = values
    return {name: values.astype(np.float32) for name, values in made.items()}


def _of_values() -> Iterator[Case]:
    for name, values in values_of_all_kinds().items():
        for kind in ("se", "bam"):
            factors = values + np.float32(1) if kind == "bam" else values
            numbers = summary(factors, kind)
            expected = {
                "mean": numbers.mean,
                "std": numbers.std,
                "least": numbers.least,
                "greatest": numbers.greatest,
                "highShare": numbers.high_share,
                "lowShare": numbers.low_share,
                "undefinedCount": numbers.undefined,
            }
            yield Case(f"{name}, {kind}", "summary", [_vector(factors), kind], expected)
        for order in ORDERS:
            expected = ranked(values, order).tolist()
            yield Case(f"{name} by {order}", "ranked", [_vector(values), order], expected)


def layers_of_all_kinds() -> dict[str, LayerAttention]:
    """Layers of every formula, with and without channels, maps, paths and pooling, some of it undefined."""
    numbers = np.random.default_rng(11)

    def uniform(*shape: int) -> np.ndarray:
        return numbers.uniform(size=shape).astype(np.float32)

    shape = (6, 4, 5)
    joint, broken_channel, broken_map = uniform(*shape), uniform(6), uniform(4, 5)
    broken_channel[2] = broken_map[1, 1] = np.nan
    bam = {"channel_logits": 4 * uniform(6) - 2, "spatial_logits": 4 * uniform(4, 5) - 2}
    means = {"channel": 1 + uniform(6), "spatial": 1 + uniform(4, 5)}
    return {
        "se": LayerAttention("layer1.0", "se", shape, uniform(6)),
        "cbam": LayerAttention("layer1.1", "cbam", shape, uniform(6), uniform(4, 5)),
        "undefined": LayerAttention("layer2.0", "cbam", shape, broken_channel, broken_map),
        "all undefined": LayerAttention(
            "layer2.1", "both", shape, np.full(6, np.nan, np.float32), np.full((4, 5), np.nan, np.float32)
        ),
        "flat": LayerAttention(
            "layer2.2", "cbam", shape, np.full(6, 0.5, np.float32), np.full((4, 5), 0.5, np.float32)
        ),
        "spatial": LayerAttention("layer3.0", "spatial", shape, spatial=uniform(4, 5)),
        "scse": LayerAttention("layer3.1", "scse", shape, uniform(6), uniform(4, 5), formula="sum"),
        "beyond a sigmoid": LayerAttention("layer3.2", "channel", shape, 3 * uniform(6) - 1),
        "bam sum": LayerAttention("bam1", "bam", shape, **means, **bam, formula="bam sum"),
        "bam product": LayerAttention("bam2", "bam", shape, **means, **bam, formula="bam product"),
        "joint": LayerAttention(
            "layer4.0", "coord", shape, joint.mean((1, 2)), joint.mean(0), formula="joint", joint=joint
        ),
        "paths": LayerAttention("layer4.1", "sk", shape, formula="none", paths=uniform(2, 6)),
        "pooling": LayerAttention("head", "gc", shape, formula="none", pooling=uniform(4, 5) / 10),
    }


def _of_layers() -> Iterator[Case]:
    layers = layers_of_all_kinds()
    weighted = {
        name: each for name, each in layers.items() if each.channel is not None or each.paths is not None
    }
    plain = dict(zip(layers, _plain_layers(_trace(layers))))
    for name, layer in weighted.items():
        yield Case(name, "weightsOf", [plain[name]], _numbers(weights_of(layer)))
        for other in weighted:
            for scale in SCALES:
                expected = list(weights_range([layer, weighted[other]], scale))
                pair = [plain[name], plain[other]]
                yield Case(f"{name} and {other}, {scale}", "weightsRange", [pair, scale], expected)


def _of_maps() -> Iterator[Case]:
    layers = layers_of_all_kinds()
    trace = _trace(layers)
    other = _trace({name: layers[name] for name in ("scse", "bam sum", "pooling")})
    plain, plain_other = _plain_layers(trace), _plain_layers(other)
    for place, (name, layer) in enumerate(layers.items()):
        if layer.map is None:
            continue
        for scale in SCALES:
            for shown, beside in (((), []), ((other,), [plain_other]), ((trace,), [])):
                expected = list(map_range(trace, layer.name, scale, shown))
                arguments = [plain, place, scale, beside]
                yield Case(f"{name}, {scale}, beside {len(shown)}", "mapRange", arguments, expected)


def _of_factors() -> Iterator[Case]:
    layers = layers_of_all_kinds()
    for (name, layer), plain in zip(layers.items(), _plain_layers(_trace(layers))):
        if layer.formula == "none":
            continue
        for channel, factor in enumerate(layer.factor()):
            expected: dict[str, Any] = {"range": list(layer.limits)}
            if layer.formula == "joint":
                expected["average"] = float(factor.mean())
            elif layer.spatial is None:
                assert (factor == factor[0, 0]).all()
                expected["number"] = float(factor[0, 0])
            else:
                expected["map"] = _numbers(factor)
            yield Case(f"{name}, channel {channel}", "channelFactor", [plain, channel], expected)


def _of_encoding() -> Iterator[Case]:
    packed = PackedArrays()
    for values in values_of_all_kinds().values():
        if values.size:
            packed.add(values)
            packed.add(values, 1)
    numbers = np.random.default_rng(13)
    for shape in ((1, 1), (1, 7), (9, 1), (2, 2), (16, 24), (56, 56)):
        values = numbers.normal(size=shape).astype(np.float32)
        packed.add(values)
        values[0, -1] = np.nan
        packed.add(values)
        packed.add(values, 1)
    arrays = packed.plain()
    expected = [_numbers(values) for values in unpacked(arrays)]
    yield Case("every array", "unpack", [arrays], expected)


def _trace(layers: dict[str, LayerAttention]) -> Trace:
    photo, recipe = Photo(np.zeros((30, 40, 3), np.uint8), "grey.png"), Recipe()
    by_name = {layer.name: layer for layer in layers.values()}
    logits = np.arange(3, dtype=np.float32)
    return Trace("toy", photo, recipe, whole(photo, recipe), logits, ("a", "b", "c"), by_name)


def _plain_layers(trace: Trace) -> list[dict[str, Any]]:
    """Its layers as the browser has them after decoding, but with arrays that nothing has rounded."""
    captured = pack(trace, Card("toy"))["layers"]
    return [
        {**plain, "arrays": {}, "steps": [], **_arrays(layer)}
        for plain, layer in zip(captured, trace.layers.values())
    ]


def _arrays(layer: LayerAttention) -> dict[str, Any]:
    parts = {part: getattr(layer, part) for part in (*PARTS, "map")}
    return {
        part: {"array": _numbers(values), "shape": list(values.shape)}
        for part, values in parts.items()
        if values is not None
    }


def _vector(values: np.ndarray) -> dict[str, Any]:
    return {"vector": _numbers(values)}


def _numbers(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values.ravel()]
