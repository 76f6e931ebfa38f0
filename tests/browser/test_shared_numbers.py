"""The browser computes the same numbers as Python: one table of cases for both."""

from __future__ import annotations

import json
import math
from collections import Counter

import pytest
from helpers.modules_page import open_modules
from helpers.shared_cases import all_cases, values_of_all_kinds

from attnviz.viewer.javascript import shared_constants

COMPUTE = """async ([constants, cases]) => {
  Object.assign(globalThis, constants);
  const [analysis, factors, decoding] = await Promise.all(
    ['analysis', 'factors', 'decoding'].map((name) => import(`./numbers/${name}.js`)),
  );
  const numbers = (list) => Float32Array.from(list, (value) => value ?? NaN);
  const read = (value) => {
    if (Array.isArray(value)) return value.map(read);
    if (value === null || typeof value !== 'object') return value;
    if (value.vector) return numbers(value.vector);
    if (value.array) {
      const { array, shape } = value;
      return { values: numbers(array), height: shape.length > 1 ? shape[0] : 1, width: shape.at(-1) };
    }
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, read(part)]));
  };
  const functions = {
    ...analysis,
    mapRange(layers, place, scale, beside) {
      const trace = { layers };
      const shown = beside.map((others) => ({ layers: others }));
      return analysis.mapRange(trace, layers[place], scale, [trace, ...shown]);
    },
    channelFactor(layer, channel) {
      const { map, average, number, range } = factors.channelFactor(layer, channel);
      if (map) return { map: map.values, range };
      return average === undefined ? { number, range } : { average, range };
    },
    async unpack(arrays) {
      const parts = Object.fromEntries(arrays.about.map((_, place) => [`part${place}`, place]));
      const { layers } = await decoding.unpack({ arrays, layers: [{ arrays: parts, steps: [] }] });
      return Object.keys(parts).map((part) => layers[0][part].values);
    },
  };
  const plain = (value) => {
    if (ArrayBuffer.isView(value) || Array.isArray(value)) return Array.from(value, plain);
    if (value === null || typeof value !== 'object') return Number.isNaN(value) ? null : value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
  };
  const answers = [];
  for (const [name, given] of cases) answers.push(plain(await functions[name](...read(given))));
  return JSON.stringify(answers);
}"""


@pytest.fixture
def modules(browser):
    """A page beside the modules of the viewer's JavaScript."""
    page = open_modules(browser)
    yield page
    page.close()


def assert_close(answer, expected, where: str) -> None:
    if isinstance(expected, dict):
        assert answer.keys() == expected.keys(), where
        for key in expected:
            assert_close(answer[key], expected[key], f"{where}: {key}")
    elif isinstance(expected, list):
        assert len(answer) == len(expected), where
        for place, (own, other) in enumerate(zip(answer, expected)):
            assert_close(own, other, f"{where}, {place}")
    elif expected is None or math.isnan(expected):
        assert answer is None, where
    else:
        assert answer == pytest.approx(expected, rel=2e-6, abs=1e-9), where


def test_the_browser_computes_what_python_computes(modules):
    cases = all_cases()
    assert len(values_of_all_kinds()) == 50
    counts = Counter(case.function for case in cases)
    assert set(counts) == {
        "summary",
        "ranked",
        "weightsOf",
        "weightsRange",
        "mapRange",
        "channelFactor",
        "unpack",
    }
    asked = [[case.function, case.arguments] for case in cases]
    answers = json.loads(modules.evaluate(COMPUTE, [shared_constants(), asked]))
    for case, answer in zip(cases, answers, strict=True):
        assert_close(answer, case.expected, f"{case.function} of {case.name}")
