"""The engine in the browser changes gates as ``attnviz.intervene`` does, and nothing before them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from helpers.engine_page import engine_page, in_base64, numbers, weights_file
from playwright.sync_api import Page
from safetensors.numpy import save as save_arrays

import attnviz
from attnviz._paths import EXAMPLES_FOLDER
from attnviz.interventions.edits import permutation
from attnviz.interventions.reference import stored_means
from attnviz.photos.geometry import Region, network_input
from attnviz.site.networks import engine_architecture
from attnviz.viewer.change import change

GATES, LOGITS = 1e-5, 1e-4
GRID, OTHER_GRID = (128, 160), (96, 128)  # of inputs; usual gates are known cell by cell on the first

OPEN = """async ([weights, architecture, usual]) => {
  const { Network } = modules['engine/network'];
  window.network = new Network(await memory(), architecture, weightsOf(weights));
  window.usual = weightsOf(usual);
  window.inputs = {};
}"""
PUT = "([name, x, height, width]) => { inputs[name] = { values: floatsOf(x), height, width }; }"
EDITED = """([name, asked, labels]) => {
  const { changeOf, resolved } = modules['worker/changing'];
  const before = network.run(inputs[name]);
  const patched = (photo) => network.run(inputs[photo]).layers;
  const made = resolved(asked, before.layers, { usual, patched });
  const after = network.run(inputs[name], { changes: made.changes });
  const parts = ['channel', 'spatial', 'channelLogits', 'spatialLogits'];
  const texts = ({ logits, layers }) => ({
    logits: textOf(logits),
    layers: layers.map((layer) => parts.map((part) => layer[part] && textOf(layer[part]))),
  });
  return [texts(before), texts(after), changeOf(before, after, made, labels), made.notes];
}"""


@pytest.fixture(scope="module")
def engine(browser):
    page = engine_page(browser)
    yield page
    page.close()


def input_of(photo: str, size: tuple[int, int]) -> torch.Tensor:
    """An example photo as a network's input of a size."""
    opened = attnviz.open_photo(EXAMPLES_FOLDER / f"{photo}.jpg")
    box = (0.0, 0.0, float(opened.width), float(opened.height))
    return network_input(opened, Region(box, size), attnviz.Recipe()).contiguous()


@dataclass(frozen=True, eq=False)
class Both:
    """One network in the engine and in PyTorch, the inputs by name, and what is usual for it."""

    page: Page
    network: torch.nn.Module
    inputs: dict[str, torch.Tensor]
    usual: attnviz.Reference

    def in_engine(self, edits: dict, name: str = "one") -> tuple[dict, dict, dict, dict]:
        """The passes before and after edits, what changed, and the notes."""
        return tuple(self.page.evaluate(EDITED, [name, edits, list(self.network.card.labels)]))

    def in_torch(self, edits: dict, name: str = "one") -> attnviz.Intervention:
        """The same by the library, which takes photos of patches by their names here."""
        given = attnviz.edits_from_json(edits)
        made = {
            layer: [
                attnviz.Patch(self.inputs[edit.photo], edit.part) if isinstance(edit, attnviz.Patch) else edit
                for edit in each
            ]
            for layer, each in given.items()
        }
        return attnviz.intervene(self.network, self.inputs[name], made, reference=self.usual)


@pytest.fixture(scope="module", params=["se", "cbam", "bam"])
def both(request, engine, tmp_path_factory) -> Both:
    network = attnviz.load(f"{request.param}_resnet18")
    inputs = {"one": input_of("temple", GRID), "two": input_of("cat", GRID)}
    inputs["small"] = input_of("springer", OTHER_GRID)
    file = tmp_path_factory.mktemp("usual") / "usual.npz"
    made = attnviz.reference(network, [inputs["one"], inputs["two"]])
    made.save(file, small=True)
    tensors = save_arrays({key: np.ascontiguousarray(value) for key, value in stored_means(file).items()})
    weights, architecture = in_base64(weights_file(network)), engine_architecture(network.plan)
    engine.evaluate(OPEN, [weights, architecture, in_base64(tensors)])
    for name, x in inputs.items():
        engine.evaluate(PUT, [name, in_base64(x.numpy()), *x.shape[-2:]])
    return Both(engine, network, inputs, attnviz.load_reference(file))


def edit(name: str, **more) -> dict:
    return {"edit": name, **more}


# name -> edits of a network whose layers are these
CASES: dict[str, Callable[[list[str]], dict]] = {
    "off": lambda layers: {layers[1]: [edit("off")]},
    "all off": lambda layers: {"all": [edit("off")]},
    "usual": lambda layers: {layers[0]: [edit("usual")], layers[-1]: [edit("usual")]},
    "flat": lambda layers: {layers[1]: [edit("flat")]},
    "channels set": lambda layers: {layers[1]: [edit("set", channel=[[3, 1.5], [7, 0.0], [3, 0.25]])]},
    "scaled": lambda layers: {layers[1]: [edit("scale", by=0.5)]},
    "shuffled": lambda layers: {layers[-1]: [edit("shuffle", seed=7)]},
    "another photo's": lambda layers: {layers[1]: [edit("patch", photo="two")]},
    "another photo's of another grid": lambda layers: {layers[1]: [edit("patch", photo="small")]},
    "several in order": lambda layers: {
        layers[1]: [edit("flat"), edit("scale", by=2), edit("set", channel=[[0, 0.5]])],
        layers[2]: [edit("shuffle")],
    },
    "one, then all": lambda layers: {layers[1]: [edit("scale", by=2)], "all": [edit("usual")]},
    "all, then one": lambda layers: {"all": [edit("usual")], layers[1]: [edit("scale", by=2)]},
}
WITH_MAPS: dict[str, Callable[[list[str]], dict]] = {
    "cells set": lambda layers: {layers[1]: [edit("set", channel=[[1, 0]], cells=[[2, 3, 0], [0, 1, 1]])]},
    "the map off": lambda layers: {layers[1]: [edit("off", part="spatial")]},
    "the map usual": lambda layers: {layers[1]: [edit("usual", part="spatial")]},
    "the map shuffled": lambda layers: {layers[1]: [edit("shuffle", seed=3, part="spatial")]},
    "the map another photo's": lambda layers: {layers[1]: [edit("patch", photo="small", part="spatial")]},
    "channels flat, then the map scaled": lambda layers: {
        layers[0]: [edit("flat", part="channel"), edit("scale", by=0.5, part="spatial")]
    },
}


def test_every_edit_is_the_librarys(both):
    layers = list(both.usual.means)
    cases = CASES if both.network.plan.attention == "se" else {**CASES, **WITH_MAPS}
    for name, made in cases.items():
        edits = made(layers)
        found = both.in_torch(edits)
        before, after, said, notes = both.in_engine(edits)
        assert_as_traced(after, found.after, name)
        first = min(layers.index(layer) for layer in found.edits)
        assert after["layers"][:first] == before["layers"][:first], name
        assert after["layers"][first] != before["layers"][first], name
        expected = change(found.after, found.before)
        expected["edits"] = {layer: plain(each) for layer, each in edits_of(edits, layers).items()}
        assert said["edits"] == expected["edits"], name
        assert said["moved"] == pytest.approx(expected["moved"], abs=1e-5), name
        assert said["scoreChange"] == pytest.approx(expected["scoreChange"], abs=2e-4), name
        assert said["isOther"] == expected["isOther"] and notes["withoutCells"] == [], name
        assert [label for label, _ in said["before"]] == [label for label, _ in expected["before"]], name
        assert said["sharesBefore"] == pytest.approx(expected["sharesBefore"], abs=1e-4), name
        resized = [remark for remark in found.remarks if "was resized" in str(remark)]
        assert bool(resized) == bool(notes["resized"]), name


def assert_as_traced(found: dict, trace: attnviz.Trace, name: str) -> None:
    assert np.abs(numbers(found["logits"]) - trace.logits).max() < LOGITS, name
    for parts, layer in zip(found["layers"], trace.layers.values(), strict=True):
        for text, values in zip(parts, (layer.channel, layer.spatial)):
            assert (text is None) == (values is None)
            if values is not None:
                assert np.abs(numbers(text) - values.ravel()).max() < GATES, (name, layer.name)


def edits_of(edits: dict, layers: list[str]) -> dict:
    """The edits of each layer."""
    made: dict[str, list] = {}
    for name, each in edits.items():
        for layer in layers if name == "all" else [name]:
            made.setdefault(layer, []).extend(each)
    return made


def plain(each: list[dict]) -> list[dict]:
    """Edits as the library writes them, their photos by the names here."""
    return attnviz.edits_to_json(attnviz.edits_from_json({"": each}))[""]


def test_own_values_change_nothing_bit_for_bit(both):
    edits = {"all": [edit("patch", photo="one")]}
    before, after, said, _ = both.in_engine(edits)
    assert after == before and not said["isOther"] and said["scoreChange"] == 0
    assert {*said["moved"].values()} == {0}
    before, after, *_ = both.in_engine({"all": [edit("scale", by=1)]})
    assert after == before


def test_what_is_usual_on_another_grid_is_one_number_a_map(both):
    edits = {"all": [edit("usual")]}
    found = both.in_torch(edits, "small")
    _, after, _, notes = both.in_engine(edits, "small")
    assert_as_traced(after, found.after, "usual")
    has_maps = both.network.plan.attention != "se"
    assert {*notes["withoutCells"]} == ({*both.usual.means} if has_maps else set())


@pytest.mark.parametrize(
    "wrong",
    [
        {"layer9": [edit("off")]},
        {"one": [edit("set", channel=[[10**4, 0]])]},
        {"one": [edit("set", cells=[[0, 10**4, 0]])]},
        {"one": [edit("set", channel=[[0, None]])]},
        {"one": [edit("set")]},
        {"one": [edit("off", part="middle")]},
        {"one": [edit("scale")]},
        {"one": [edit("constructor")]},
        {"one": [{}]},
    ],
    ids=str,
)
def test_what_can_not_be_changed_is_told(both, wrong):
    first = next(iter(both.usual.means))
    edits = {first if layer == "one" else layer: each for layer, each in wrong.items()}
    code = f"(asked) => fault(async () => ({EDITED})(asked))"
    assert both.page.evaluate(code, ["one", edits, []]) == "fault_edits"


def test_an_order_follows_from_a_seed_as_in_python(engine):
    for count, seed in ((1, 0), (2, 0), (40, 7), (3136, 2**32 - 1), (50, 2**31), (10, 123456789)):
        code = "([count, seed]) => modules['engine/permutation'].permutation(count, seed)"
        assert engine.evaluate(code, [count, seed]) == permutation(count, seed)
