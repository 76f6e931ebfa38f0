"""What is compared, in what order, and how it is asked of a host: without any server."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.browser_actions import after, control, open_table
from helpers.fake_host import packed
from helpers.small_networks import stirred
from playwright.sync_api import Page, expect

import attnviz

MANY = """{
  networks: async () => many,
  async start(asked) {
    calls.push(['start', asked]);
    return { capture: captures['first cbam'], networks: many, examples: photos };
  },
  together: 2,
  async captures(requests, { signal } = {}) {
    calls.push(['captures', requests]);
    const none = new attnviz.HostError({ en: 'No such.' });
    const answers = () => requests.map((one) => captures[key(one)] ?? none);
    if (!window.isHolding) return answers();
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      held.push({ answer: () => resolve(answers()) });
    });
  },
}"""
NETWORKS = ("se", "cbam", "bam", "none", "more")


@pytest.fixture(scope="module")
def many(captures) -> dict[str, dict]:
    """The first photo in five networks, the second in two."""
    made = dict(captures)
    made["first bam"] = packed(stirred(18, "bam"), "bam", "first")
    made["first none"] = packed(attnviz.load("resnet18"), "none", "first")
    made["first more"] = packed(stirred(34, "cbam"), "more", "first")
    return made


@pytest.fixture
def open_many(open_app, many):
    """Opens the app with a host of five networks, which answers two requests at once."""
    names = ", ".join(
        f"network('{name}', '{name if name in ('se', 'cbam', 'bam') else ''}')" for name in NETWORKS
    )
    more = f"(() => {{ const many = [{names}]; return {MANY}; }})()"
    return lambda **size: open_app(more, others=many, **size)


def columns(page: Page) -> list[str]:
    found = page.locator("[data-network-column]")
    return found.evaluate_all("all => all.map(({ dataset }) => dataset.networkColumn)")


def requests(page: Page) -> list[list[str]]:
    """What was asked for at once, each by photo and network."""
    asked = page.evaluate("calls.filter(([name]) => name === 'captures').map(([, list]) => list)")
    return [[f"{one['photo']} {one['network']}" for one in some] for some in asked]


def test_the_network_on_the_screen_is_first_and_stays_and_a_fifth_replaces_the_last(open_many):
    page = open_many()
    control(page, "tab-networks").click()
    expect(page.locator("[data-network-column]")).to_have_count(4)
    assert columns(page) == ["cbam", "se", "bam", "none"]
    expect(page.locator(".av-checks input[name=cbam]")).to_be_disabled()
    page.locator(".av-checks input[name=more]").check()
    expect(page.locator("[data-network-column=more]")).to_have_count(1)
    assert columns(page) == ["cbam", "se", "bam", "more"]
    expect(page.locator(".av-checks input[name=none]")).not_to_be_checked()
    after(page, lambda: page.locator("[data-network=bam]").click())
    assert columns(page)[0] == "bam"


def test_several_are_asked_for_at_once_and_none_twice(open_many):
    page = open_many()
    control(page, "tab-networks").click()
    expect(page.locator(".av-compared canvas").last).to_be_visible()
    expect(page.locator(".av-arrivals")).to_have_count(0)
    assert requests(page) == [["first se", "first bam"]]  # and the fourth alone
    assert page.evaluate(
        "calls.filter(([name]) => name === 'capture').map(([, { network }]) => network)"
    ) == ["none"]
    control(page, "tab-explore").click()
    control(page, "tab-networks").click()
    assert len(requests(page)) == 1


def test_what_is_on_its_way_can_be_given_up_and_gone_on_with(open_many):
    page = open_many()
    page.evaluate("window.isHolding = true")
    control(page, "tab-networks").click()
    expect(page.locator(".av-arrivals")).to_contain_text("1 of 4")
    page.locator("[data-arrivals]").click()
    expect(page.locator("[data-arrivals]")).to_have_text("Go on")
    expect(page.locator(".av-awaited")).to_have_count(0)
    page.evaluate("window.isHolding = false")
    page.locator("[data-arrivals]").click()
    expect(page.locator(".av-arrivals")).to_have_count(0)
    expect(page.locator(".av-compared canvas").first).to_be_visible()


def test_what_can_not_be_had_says_why_and_the_others_are_shown(open_many):
    page = open_many()
    page.evaluate("delete captures['first bam']")
    control(page, "tab-networks").click()
    expect(page.locator("[data-network-column=bam] .av-trouble")).to_have_text("No such.")
    expect(page.locator("[data-network-column=se] canvas").first).to_be_visible()
    expect(page.locator(".av-arrivals")).to_have_count(0)


def test_each_gate_is_on_its_own_axis(open_many):
    page = open_many()
    control(page, "tab-networks").click()
    for network in ("cbam", "bam"):
        ends = page.locator(f"[data-network-column={network}] .av-ramp .av-ticks span")
        expect(ends).to_have_text(["0.00", "1.00"])
    bam = page.evaluate("""() => {
      const asked = { photo: 'first', network: 'bam', view: 'whole' };
      const { values } = attnviz.viewer.captures.peek(asked).layers.at(-1).channel;
      return values.reduce((sum, value) => sum + value, 0) / values.length - 1;
    }""")
    shown = page.locator("[data-network-column=bam] .av-note")
    control(page, "layer-of-bam").select_option(index=2)
    expect(shown).to_contain_text(f"{bam:.2f}")
    expect(page.locator("[data-network-column=se] .av-ramp")).to_have_count(0)
    expect(page.locator("[data-network-column=se] canvas")).to_have_count(1)  # the curve, and no empty photo
    curves = [page.locator(f"[data-network-column={name}] canvas").last for name in ("se", "cbam", "bam")]
    assert len({curve.bounding_box()["height"] for curve in curves}) == 1  # so that spreads can be compared


def test_the_strip_chooses_the_layer_of_all_and_each_column_its_own(open_many):
    page = open_many()
    control(page, "tab-networks").click()
    first = page.locator(".av-item").first
    first.click()
    name = first.get_attribute("data-layer")
    for network in ("cbam", "se"):
        expect(control(page, f"layer-of-{network}")).to_have_value(name)
    expect(control(page, "layer-of-bam")).to_have_value("bam1")
    control(page, "layer-of-se").select_option("layer3.0")
    expect(control(page, "layer-of-cbam")).to_have_value(name)
    page.locator(".av-item").last.click()
    expect(control(page, "layer-of-se")).to_have_value("layer4.1")


def test_a_click_explores_that_layer_of_that_network(open_many):
    page = open_many()
    control(page, "tab-networks").click()
    control(page, "layer-of-bam").select_option("bam2")
    after(page, lambda: page.locator("[data-network-column=bam] [data-explore]").click())
    assert page.evaluate("[attnviz.viewer.state.tab, attnviz.viewer.state.layer]") == ["explore", "bam2"]
    assert page.evaluate("attnviz.viewer.trace.asked.network") == "bam"


def test_photos_are_rows_and_layers_are_columns_and_a_click_explores(open_many):
    page = open_many()
    control(page, "tab-photos").click()
    rows = page.locator("[data-photo-row]")
    expect(rows).to_have_count(2)
    layers = page.evaluate("attnviz.viewer.trace.layers.map(({ name }) => name)")
    expect(page.locator(".av-matrix thead .av-plain")).to_have_text(layers)
    legend = page.locator(".av-grid-scale")
    expect(legend.locator(".av-ticks span")).to_have_text(["0.00", "1.00"])
    page.evaluate("attnviz.viewer.set({ scale: 'map' })")
    expect(legend.locator(".av-ticks")).to_have_count(0)
    expect(legend).to_contain_text("each map span its own range")
    expect(page.locator("[data-figure=spread]")).to_contain_text("± one standard deviation")
    after(page, lambda: rows.nth(1).locator(f'[data-explore="{layers[2]}"]').click())
    state = page.evaluate(
        "[attnviz.viewer.state.tab, attnviz.viewer.state.layer, attnviz.viewer.trace.asked.photo]"
    )
    assert state == ["explore", layers[2], "second"]
    control(page, "tab-photos").click()
    order = rows.evaluate_all("all => all.map(({ dataset }) => dataset.photoRow)")
    assert order == ["second", "first"]  # what is on the screen is first


def test_the_mean_and_the_deviation_of_each_channel_over_the_photos(open_many):
    page = open_many()
    control(page, "tab-photos").click()
    expect(page.locator("[data-photo-row]")).to_have_count(2)
    weights = np.array(
        page.evaluate("""['first', 'second'].map((photo) => {
          const trace = attnviz.viewer.captures.peek({ photo, network: 'cbam', view: 'whole' });
          const layer = trace.layers.find(({ name }) => name === attnviz.viewer.state.layer);
          return [...layer.channel.values];
        })""")
    )
    rows = open_table(page, "spread")
    expect(rows).to_have_count(weights.shape[1])
    for row in rows.all()[:5]:
        channel, mean, deviation = row.locator("th, td").all_text_contents()
        assert float(mean) == pytest.approx(weights[:, int(channel)].mean(), abs=6e-5)
        assert float(deviation) == pytest.approx(weights[:, int(channel)].std(), abs=6e-5)


def test_twenty_photos_can_be_compared(open_many):
    page = open_many()
    page.evaluate("""() => {
      const more = Array.from({ length: 25 }, (_, place) => ({ photo: `p${place}`, name: `p${place}.png` }));
      for (const { photo } of more) captures[`${photo} cbam`] = captures['second cbam'];
      attnviz.viewer.examples = [...attnviz.viewer.examples, ...more];
      const photos = ['first', ...more.slice(0, 19).map(({ photo }) => photo)];
      attnviz.viewer.set({ tab: 'photos', photos });
    }""")
    expect(page.locator("[data-photo-row]")).to_have_count(20, timeout=60_000)
    expect(page.locator(".av-arrivals")).to_have_count(0)
    assert [len(some) for some in requests(page)] == [2] * 9  # and the last alone
    page.locator('[data-pick="p24"]').click()
    expect(page.locator('[data-photo-row="p24"]')).to_be_visible()
    expect(page.locator('[data-photo-row="p18"]')).to_have_count(0)  # the last gave way
    expect(page.locator("[data-photo-row]")).to_have_count(20, timeout=60_000)
