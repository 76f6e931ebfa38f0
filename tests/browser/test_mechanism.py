"""The diagram of a mechanism shows what the module computed; its formulas hold with the numbers in them."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.browser_actions import open_table, pixels, wait_until_drawn
from helpers.made_traces import trace_of
from helpers.small_networks import with_spread_gates
from playwright.sync_api import Page, expect
from torch import Tensor, nn

import attnviz
from attnviz import LayerAttention
from attnviz.mechanisms.choosing import diagram_of
from attnviz.networks.attention import BAM, CBAM, ReleasedBAM, SqueezeExcite
from attnviz.viewer.standalone import html

CHANNELS, CHANNEL = 16, 5
MAP = np.linspace(0.2, 0.9, 20, dtype=np.float32).reshape(4, 5)
LAST_DIGIT = 6e-4  # half of it, and what two bytes a value leave out


def se_by_hand(module: nn.Module, x: Tensor) -> dict[str, Tensor]:
    logits = module.fc2(torch.relu(module.fc1(x.mean((2, 3)))))
    return {"squeeze": x.mean((2, 3)), "second": logits, "gate": torch.sigmoid(logits)}


def cbam_by_hand(module: nn.Module, x: Tensor) -> dict[str, Tensor]:
    paths = {"average": x.mean((2, 3)), "maximum": x.amax((2, 3))}
    logits = {name: module.channel.excite(pooled) for name, pooled in paths.items()}
    total = logits["average"] + logits["maximum"]
    gate = torch.sigmoid(total)
    weighed = x * gate[:, :, None, None]
    maps = {"mean_map": weighed.mean(1, keepdim=True), "maximum_map": weighed.amax(1, keepdim=True)}
    convolved = module.spatial.norm(module.spatial.conv(torch.cat(list(maps.values()), 1)))
    return {
        **paths,
        **{f"{name}_logits": values for name, values in logits.items()},
        "sum": total,
        "channel_gate": gate,
        **maps,
        "convolved": convolved,
        "spatial_gate": torch.sigmoid(convolved),
    }


def bam_by_hand(module: nn.Module, x: Tensor) -> dict[str, Tensor]:
    channel, spatial = module.channel(x)[:, :, None, None], module.spatial(x)
    joined = channel * spatial if module.product else channel + spatial
    gate = torch.sigmoid(joined)
    return {
        "squeeze": x.mean((2, 3)),
        "channel_branch": channel[:, :, 0, 0],
        "spatial_branch": spatial,
        "joined": joined[:, CHANNEL : CHANNEL + 1],
        "gate": gate[:, CHANNEL : CHANNEL + 1],
        "factor": 1 + gate[:, CHANNEL : CHANNEL + 1],
    }


MODULES = {
    "se": (lambda: SqueezeExcite(CHANNELS, 4, bias=True), se_by_hand),
    "cbam": (lambda: CBAM(CHANNELS, 4, bias=True, spatial_bias=True, norm=True), cbam_by_hand),
    "bam": (lambda: BAM(CHANNELS, 4), bam_by_hand),
    "released bam": (lambda: ReleasedBAM(CHANNELS, 4), bam_by_hand),
}


@pytest.fixture
def diagram_page(open_file, tmp_path):
    """Opens a file with one trace."""

    def opened(trace: attnviz.Trace, **size: int) -> Page:
        path = tmp_path / "page.html"
        path.write_text(html([trace]), encoding="utf-8")
        page = open_file(path, **size)
        wait_until_drawn(page)
        return page

    return opened


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def shown(page: Page, key: str) -> float:
    return number(page.locator(f'.av-mechanism [data-node="{key}"] .av-node-number').text_content())


def example(page: Page, line: str) -> str:
    """A formula with numbers, without blanks."""
    text = page.locator(f'[data-line="{line}"] > .av-math').last.text_content()
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("name", MODULES)
def test_every_number_is_the_modules(diagram_page, name):
    make, by_hand = MODULES[name]
    network = nn.Sequential(nn.Conv2d(3, CHANNELS, 3, stride=4), with_spread_gates(make())).eval()
    x = torch.randn(3, 40, 56)
    trace = attnviz.trace(network, x)
    with torch.no_grad():
        expected = by_hand(network[1], network[0](x[None]))
    page = diagram_page(trace)
    cell = [2, 3]
    page.evaluate(f"attnviz.viewer.set({{ channel: {CHANNEL}, pin: {cell} }})")
    for key, values in expected.items():
        place = (0, CHANNEL) if values.ndim == 2 else (0, 0, *cell)
        if values.ndim == 4 and trace.layers["1"].map is None:
            continue
        assert shown(page, key) == pytest.approx(values[place].item(), abs=LAST_DIGIT), key


JOINED = re.compile(r"σ\((\S+?)([+·])\(?([^()]+)\)+([=≈])σ\((\S+?)\)")  # σ(a + b) = σ(sum)
GATE = re.compile(r"σ\(([^()+·]+)\)([=≈])([\d.]+)$")  # σ(sum) = gate


def agrees(made: float, printed: str) -> bool:
    """Whether a number is printed so."""
    return f"{made:.{len(printed.partition('.')[2])}f}".replace("-0.000", "0.000") == printed.replace(
        "−", "-"
    )


@pytest.mark.parametrize("name", MODULES)
def test_printed_formulas_hold_to_the_digits_printed_or_say_that_they_are_rounded(diagram_page, name):
    network = nn.Sequential(nn.Conv2d(3, CHANNELS, 3, stride=4), with_spread_gates(MODULES[name][0]())).eval()
    page = diagram_page(attnviz.trace(network, torch.randn(3, 40, 56)))
    line = "channel_gate" if name == "cbam" else "gate"
    for channel in range(CHANNELS):
        page.evaluate(f"attnviz.viewer.set({{ channel: {channel}, pin: null }})")
        text = example(page, line)
        total, sign, gate = GATE.search(text).groups()
        assert agrees(1 / (1 + math.exp(-number(total))), gate) == (sign == "="), text
        if name == "se":
            continue
        first, mark, second, sign, total = JOINED.search(text).groups()
        parts = number(first), number(second)
        assert agrees(math.prod(parts) if mark == "·" else sum(parts), total) == (sign == "="), text


def test_a_sum_that_rounding_hides_is_not_called_equal(diagram_page):
    """1.0004 + 1.0004 is printed as 1.000 + 1.000, and makes 2.0008, which is printed as 2.001."""
    layer = made_bam(np.array([1.0004, -3.0], np.float32), np.full((4, 5), 1.0004, np.float32))
    page = diagram_page(trace_of(layer))
    page.evaluate("attnviz.viewer.set({ channel: 0 })")
    assert example(page, "gate") == "M=σ(1.000+1.000)≈σ(2.001)=0.881"
    expect(page.locator(".av-mechanism")).to_contain_text("≈: the numbers are rounded")
    layer = made_bam(np.array([1.25, -3.0], np.float32), np.full((4, 5), 1.5, np.float32))
    page = diagram_page(trace_of(layer))
    page.evaluate("attnviz.viewer.set({ channel: 0 })")
    assert example(page, "gate") == "M=σ(1.250+1.500)=σ(2.750)=0.940"
    expect(page.locator(".av-mechanism")).not_to_contain_text("≈")


def made_bam(channel: np.ndarray, spatial: np.ndarray) -> LayerAttention:
    gate = 1 / (1 + np.exp(-(channel[:, None, None] + spatial)))
    return LayerAttention(
        "bam1",
        "bam",
        (len(channel), *spatial.shape),
        channel=1 + gate.mean((1, 2)),
        spatial=1 + gate.mean(0),
        channel_logits=channel,
        spatial_logits=spatial,
        formula="bam sum",
    )


def test_of_a_gate_that_is_no_product_the_known_shares_are_shown(diagram_page):
    layer = LayerAttention("layer1.0", "gc", (4, 4, 5), formula="none", pooling=MAP / MAP.sum())
    page = diagram_page(trace_of(layer))
    page.evaluate("attnviz.viewer.set({ pin: [1, 2] })")
    assert shown(page, "shares") == pytest.approx(MAP[1, 2] / MAP.sum(), abs=1e-4)


def bars(page: Page, key: str, count: int) -> list[tuple[float, float]]:
    """Where the bars of a node begin and end, as shares of the picture's height from its foot."""
    picture = (
        pixels(page, f'.av-mechanism [data-node="{key}"] canvas').sum(2) > 0
    )  # what is not painted is black
    height = picture.shape[0]
    middles = (np.arange(count) + 0.5) * picture.shape[1] / count
    rows = [height - np.flatnonzero(picture[:, int(middle)]) for middle in middles]
    return [((row.min() - 1) / height, row.max() / height) if row.size else (0, 0) for row in rows]


def test_a_gates_bars_stand_on_the_least_that_it_can_be_all_others_on_zero(diagram_page):
    layer = LayerAttention("layer1.0", "channel", (4, 4, 5), channel=np.array([-0.5, 2, 0.5, -1], np.float32))
    assert layer.limits == (-1, 2)
    page = diagram_page(trace_of(layer))
    page.evaluate("attnviz.viewer.set({ channel: null })")
    expected = [(0, 1 / 6), (0, 1), (0, 0.5), (0, 0)]
    np.testing.assert_allclose(bars(page, "gate", 4), expected, atol=0.04)
    logits = np.array([-2, 1, 2, -1], np.float32)
    page = diagram_page(trace_of(made_bam(logits, MAP)))
    page.evaluate("attnviz.viewer.set({ channel: null })")
    expected = [(0, 0.5), (0.5, 0.75), (0.5, 1), (0.25, 0.5)]
    np.testing.assert_allclose(bars(page, "channel_branch", 4), expected, atol=0.04)


@pytest.mark.parametrize("width", [390, 768, 1280, 1920])
@pytest.mark.parametrize("kind", ["cbam", "scse", "paths", "coord"])
def test_no_node_lies_on_another_and_all_lie_in_the_page(diagram_page, kind, width):
    page = diagram_page(trace_of(of_kind(kind)), width=width)
    boxes = page.locator(".av-mechanism .av-node").evaluate_all(
        "nodes => nodes.map((node) => { const b = node.getBoundingClientRect();"
        " return [b.left, b.top, b.right, b.bottom]; })"
    )
    assert len(boxes) == len(diagram_of(of_kind(kind)).nodes)
    assert min(left for left, *_ in boxes) >= 0 and max(box[2] for box in boxes) <= width
    for index, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:index]:
            apart = other[2] <= left or right <= other[0] or other[3] <= top or bottom <= other[1]
            assert apart, (kind, width, index)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 1024])
def test_words_lie_on_no_picture_and_are_no_wider_than_theirs(diagram_page, width):
    network = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4), CBAM(8, 4)).eval()
    page = diagram_page(attnviz.trace(network, torch.randn(3, 32, 48)), width=width)
    assert page.locator(".av-mechanism").evaluate(
        """panel => {
          const boxes = (of) => [...panel.querySelectorAll(of)].map((each) => each.getBoundingClientRect());
          const [words] = boxes('.av-frame > span');
          return boxes('.av-node-picture, .av-small').every(({ left, right, top, bottom }) =>
            right <= words.left || words.right <= left || bottom <= words.top || words.bottom <= top);
        }"""
    )
    over = page.locator(".av-node:not(.av-small):has(.av-word)").evaluate_all(
        "nodes => nodes.map((node) =>"
        " node.querySelector('math').getBoundingClientRect().width - node.offsetWidth)"
    )
    assert len(over) >= 6 and max(over) <= 6  # px; an arrow bends 3.75 px beside a picture


def of_kind(kind: str) -> LayerAttention:
    gate = np.linspace(0, 1, 8, dtype=np.float32)
    layer = LayerAttention("layer1.0", kind, (8, 4, 5), gate, MAP)
    if kind == "paths":
        return replace(
            layer, channel=None, spatial=None, paths=np.full((4, 8), 0.25, np.float32), formula="none"
        )
    if kind == "cbam":
        module = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4), CBAM(8, 4, sequence="parallel")).eval()
        return replace(attnviz.trace(module, torch.randn(3, 32, 48)).layers["1"], name="layer1.0")
    return replace(layer, formula="sum") if kind == "scse" else layer


def test_a_node_is_read_under_the_pointer_and_reached_by_keys(diagram_page):
    page = diagram_page(trace_of(of_kind("cbam")))
    line = page.locator(".av-node-line")
    expect(line).to_contain_text("Point at a node")
    page.locator('[data-node="sum"]').hover()
    expect(line).to_contain_text("Both paths meet")
    page.locator('[data-node="input"]').focus()
    expect(line).to_contain_text("The features that the layer gives")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.node") == "average"
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.dataset.node") == "output"
    label = page.locator('[data-node="sum"]').get_attribute("aria-label")
    assert "Both paths meet" in label and re.search(r"\d\.\d{3,5} \+ .*= −?\d+\.\d{3,5}$", label)
    tabs = page.locator('.av-mechanism .av-node[tabindex="0"]')
    expect(tabs).to_have_count(1)


def test_every_picture_of_the_diagram_has_a_table(diagram_page):
    layer = of_kind("cbam")
    page = diagram_page(trace_of(layer))
    steps = {step.name: step.values for step in layer.steps}
    rows = open_table(page, "steps-channels-0")
    expect(rows).to_have_count(8)
    logits = [steps[f"{path}_logits"][3] for path in ("average", "maximum")]
    cells = [number(text) for text in rows.nth(3).locator("td").all_text_contents()]
    for value in (*logits, sum(logits), layer.channel[3]):
        assert any(abs(value - cell) < LAST_DIGIT for cell in cells)
    expect(open_table(page, "steps-units-0")).to_have_count(len(steps["average_hidden"]))
    expect(page.locator('[data-table^="steps-cells"]')).to_have_count(1)


def test_the_paper_is_cited_and_linked(diagram_page):
    page = diagram_page(trace_of(of_kind("cbam")))
    link = page.locator(".av-source a")
    expect(link).to_have_text("Woo et al.: CBAM: Convolutional Block Attention Module, ECCV 2018")
    expect(link).to_have_attribute("href", "https://arxiv.org/abs/1807.06521")


def test_formulas_are_mathml(diagram_page):
    page = diagram_page(trace_of(of_kind("cbam")))
    namespaces = page.locator(".av-formulas *").evaluate_all(
        "all => all.filter((each) => each.closest('math')).map((each) => each.namespaceURI)"
    )
    assert len(namespaces) > 40 and set(namespaces) == {"http://www.w3.org/1998/Math/MathML"}
