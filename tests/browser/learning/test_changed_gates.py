"""The lesson's pages on changed gates, on the networks that come with attnviz: they show the cases that they
speak of, and give back what was shown before."""

from __future__ import annotations

import pytest
from helpers.lesson_page import answer, go_to, shown, state
from playwright.sync_api import expect

import attnviz
from attnviz._paths import EXAMPLES_FOLDER
from attnviz.interventions.edit_json import edits_from_json

PAGES = {  # the network of each, and the answer that is right
    "idle": ("se_resnet18", "Hardly anything"),
    "against": ("se_resnet18", "It rises: this channel spoke against them"),
    "one_layer": ("cbam_resnet18", "Both at once"),
    "all_layers": ("se_resnet18", "88%"),
}


@pytest.fixture(scope="module")
def cases() -> dict[str, attnviz.Trace]:
    """What the networks make of the photo as they are."""
    photo = EXAMPLES_FOLDER / "springer.jpg"
    return {name: attnviz.trace(attnviz.load(name), photo) for name in {name for name, _ in PAGES.values()}}


def test_cases_are_those_of_the_networks_and_what_was_shown_comes_back(visit, cases):
    page = visit()
    before = page.evaluate("attnviz.viewer.trace.asked")
    for name, (network, right) in PAGES.items():
        go_to(page, name)
        expect(page.locator("[data-part=changes]")).to_contain_text("Changed network")
        expect(page.locator("[data-switch]")).to_have_count(8 if name == "one_layer" else 0)
        asked = page.evaluate("attnviz.viewer.trace.asked")
        assert asked["network"] == network and asked["photo"] == "example:springer"
        own = cases[network]
        changed = attnviz.intervene(
            attnviz.load(network), own.source, edits_from_json(asked["edits"]), before=own
        )
        assert own.top(1)[0][0] == "English springer"
        assert changed.answer.changed == (name in ("one_layer", "all_layers"))
        assert answer(page, 0) == right
        told = page.locator(".av-lesson").inner_text()
        if name != "all_layers":
            assert f"{changed.score_change:+.2f}".replace("-", "−") in told
        layer, channel = state(page, "layer", "channel")
        if name in ("idle", "against"):
            assert f"{own.layers[layer].channel[channel]:.2f}" in told
    assert shown(page) == "all_layers"
    page.keyboard.press("Escape")
    page.wait_for_function("!attnviz.viewer.trace.change")
    assert page.evaluate("attnviz.viewer.trace.asked") == before
