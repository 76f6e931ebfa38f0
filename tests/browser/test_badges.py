"""What is marked of a gate is so: of arrays made by hand, and of edges where the photo goes on."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from helpers.modules_page import open_modules

import attnviz
from attnviz._paths import EXAMPLES_FOLDER

ASK = """async (layers) => {
  const { badgesOf } = await import('./numbers/badges.js');
  const array = (values) => Float32Array.from(values.flat(), (value) => value ?? NaN);
  const layerOf = ({ map, channel, limits, shares }) => ({
    map: map && { values: array(map), height: map.length, width: map[0].length },
    channel: channel && { values: array(channel) },
    limits,
    mapLimits: limits,
    shares: Boolean(shares),
  });
  return layers.map((layer) => badgesOf(layerOf(layer)));
}"""


@pytest.fixture(scope="module")
def badges_of(browser):
    """The badges of a layer that has a map (h, w), channel weights (C,) or both."""
    page = open_modules(browser)

    def badges(map=None, channel=None, limits=(0.0, 1.0), shares=False) -> dict[str, dict]:
        layer = {"map": listed(map), "channel": listed(channel), "limits": limits, "shares": shares}
        (found,) = page.evaluate(ASK, [layer])
        return {f"{badge['part']} {badge['kind']}": badge for badge in found}

    yield badges
    page.close()


def listed(values) -> list | None:
    """Plain numbers, None for NaN."""
    return (
        None if values is None else json.loads(json.dumps(np.asarray(values).tolist()).replace("NaN", "null"))
    )


def noise(shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    """Numbers that span exactly low to high."""
    values = np.random.default_rng(3).random(shape)
    values = (values - values.min()) / np.ptp(values)
    return low + values * (high - low)


def test_a_gate_that_is_the_same_everywhere_is_dead(badges_of):
    assert badges_of(channel=np.full(8, 0.5)) == {
        "channels dead": {"part": "channels", "kind": "dead", "value": 0.5}
    }
    assert set(badges_of(np.full((7, 7), 0.5))) == {"map dead"}
    assert set(badges_of(noise((7, 7), 0.5, 0.5009))) == {"map dead"}
    assert set(badges_of(noise((7, 7), 0.5, 0.5011))) == {"map flat"}
    assert set(badges_of(np.full((7, 7), 2.0), limits=(1.0, 2.0))) == {"map dead"}  # and not saturated


@pytest.mark.parametrize("low", [0.0, 1.0])
def test_a_gate_that_spans_less_than_a_tenth_of_what_it_can_is_flat(badges_of, low):
    limits = (low, low + 1)
    flat = badges_of(noise((9, 9), low + 0.4, low + 0.499), noise((64,), low + 0.9, low + 0.999), limits)
    assert set(flat) == {"map flat", "channels flat"}
    assert flat["map flat"]["least"] == pytest.approx(low + 0.4)
    assert flat["map flat"]["greatest"] == pytest.approx(low + 0.499)
    assert badges_of(noise((9, 9), low + 0.4, low + 0.501), limits=limits) == {}


def test_a_gate_of_which_nine_in_ten_are_near_an_end_is_saturated(badges_of):
    near = np.array([0.0, 0.05, 0.949, 0.951, 1.0] * 4)
    open_or_shut = np.concatenate([np.full(12, 0.03), np.full(6, 0.98), [0.5, 0.5]])
    assert badges_of(channel=near) == {}  # 0.949 is not near: four of five
    assert badges_of(channel=open_or_shut)["channels saturated"] == {
        "part": "channels",
        "kind": "saturated",
        "share": 0.9,
        "low": 0,
        "high": 1,
    }
    assert set(badges_of(channel=1 + open_or_shut, limits=(1.0, 2.0))) == {"channels saturated"}
    open_or_shut[0] = 0.2
    assert badges_of(channel=open_or_shut) == {}


def test_shares_of_a_context_are_no_gate_that_could_be_saturated(badges_of):
    shares = np.full((7, 7), 0.001)
    shares[3, 3] = 0.2
    assert badges_of(shares, limits=(0.0, 0.2), shares=True) == {}


def test_what_can_not_be_known_does_not_count(badges_of):
    assert badges_of(np.full((7, 7), np.nan)) == {}
    values = np.full((7, 7), 0.5)
    values[0, :3] = np.nan
    assert set(badges_of(values)) == {"map dead"}


def framed(size: tuple[int, int], sides: str, depth: int, jump: float) -> np.ndarray:
    """A map of a photo's slow changes, with edges that fade over ``depth`` cells."""
    height, width = size
    y, x = np.mgrid[:height, :width]
    values = 0.5 + 0.2 * np.sin(x / width * 3) * np.cos(y / height * 3)
    steps = {"top": y, "bottom": height - 1 - y, "left": x, "right": width - 1 - x}
    for side in sides.split():
        values = values + jump * np.clip(1 - steps[side] / depth, 0, 1)
    return values


@pytest.mark.parametrize("sides", ["top", "bottom", "left", "right", "top bottom left right"])
@pytest.mark.parametrize("jump", [-0.3, 0.3])
def test_an_edge_that_jumps_from_what_lies_further_in_is_the_paddings(badges_of, sides, jump):
    edge = badges_of(framed((16, 24), sides, 3, jump))["map edge"]
    assert set(edge["sides"]) == set(sides.split()) and edge["reach"] == 3
    assert edge["jump"] == pytest.approx(0.3, abs=0.08)


def test_slow_changes_noise_and_maps_without_an_inside_have_no_edge(badges_of):
    slope = np.tile(np.linspace(0, 1, 24), (16, 1))
    for values in (slope, slope.T, framed((16, 24), "", 3, 0), noise((16, 24), 0.1, 0.9)):
        assert badges_of(values) == {}
    assert badges_of(framed((16, 24), "top", 3, 0.04)) == {}
    assert "map edge" not in badges_of(framed((8, 12), "top", 3, 0.3))


@pytest.mark.parametrize("name", ["cbam_resnet18", "bam_resnet18"])
def test_most_edges_that_are_marked_are_not_there_where_the_photo_goes_on(badges_of, name):
    network, margin, made = attnviz.load(name), 64, []
    for photo in sorted(EXAMPLES_FOLDER.glob("*.jpg")):
        pixels = np.asarray(attnviz.open_photo(photo).image().resize((448, 384)))
        whole = torch.from_numpy((pixels / 255 - 0.45).transpose(2, 0, 1) / 0.225).float()
        cut = whole[:, margin:-margin, margin:-margin].contiguous()
        around, alone = attnviz.trace(network, whole), attnviz.trace(network, cut)
        for layer, attention in alone.layers.items():
            edge = badges_of(attention.map, limits=attention.limits).get("map edge")
            if edge is None:
                continue
            height, width = attention.grid
            top, left = ((large - own) // 2 for large, own in zip(around.layers[layer].grid, attention.grid))
            inside = around.layers[layer].map[top : top + height, left : left + width]
            for side in edge["sides"]:
                whole_jump = jump_at(side, attention.map, edge["reach"])
                made.append((whole_jump - jump_at(side, inside, edge["reach"])) / whole_jump > 0.5)
    assert len(made) > (5 if name == "cbam_resnet18" else 0)
    assert np.mean(made) > 0.6, made


def jump_at(side: str, values: np.ndarray, reach: int) -> float:
    """By how much a side's cells differ from those further in, on average."""
    lines = {"top": values, "bottom": values[::-1], "left": values.T, "right": values.T[::-1]}[side]
    return float((lines[0] - lines[reach]).mean())
