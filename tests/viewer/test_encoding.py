"""What the browser is sent: the numbers are the trace's, it is small, and nothing else is in it."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
import torch
from helpers.doubtful_networks import doubting
from helpers.encoded_captures import unpacked
from helpers.small_networks import stirred
from PIL import Image

import attnviz
from attnviz.languages.catalogue import LANGUAGES
from attnviz.networks import ResNet
from attnviz.networks.card import Card, card_of
from attnviz.viewer.encoding import GALLERY_CELLS, LIMIT, PackedArrays, pack, pack_features, pack_gallery


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(0, 1, 777, dtype=np.float32),
        np.full(5, 0.25, np.float32),
        np.array([np.nan, -3, 8], np.float32),
        np.full((3, 4), np.nan, np.float32),
        np.random.default_rng(0).normal(size=(16, 24)).astype(np.float32),
        np.ones((1, 7), np.float32),
        np.random.default_rng(1).uniform(size=(9, 1)).astype(np.float32),
        np.array([[np.inf, 1], [2, np.nan]], np.float32),
    ],
)
@pytest.mark.parametrize("size", [1, 2])
def test_numbers_come_back_within_a_step(values, size):
    packed = PackedArrays()
    packed.add(np.arange(3, dtype=np.float32))  # so that it does not begin the content
    packed.add(values, size)
    found = unpacked(json.loads(json.dumps(packed.plain(), allow_nan=False)))[1]
    finite = np.where(np.isfinite(values), values, np.nan)
    span = np.nanmax(finite) - np.nanmin(finite) if np.isfinite(values).any() else 0
    np.testing.assert_allclose(found, finite, atol=span / (65534 if size == 2 else 254) / 2 + 1e-6)


@pytest.mark.parametrize("attention", ["cbam", "se", "bam", None])
def test_every_number_of_a_trace_arrives(noise, attention):
    network = stirred(18, attention)
    network.card = Card("mine", labels=("a", "b", "c", "d", "e"))
    trace = attnviz.trace(network, noise)
    capture = json.loads(json.dumps(pack(trace, card_of(network)), allow_nan=False))
    arrays = unpacked(capture["arrays"])
    assert [layer["name"] for layer in capture["layers"]] == list(trace.layers)
    for packed, layer in zip(capture["layers"], trace.layers.values()):
        for part in ("channel", "map", "channel_logits", "spatial_logits"):
            expected = getattr(layer, part)
            assert (expected is None) == (part not in packed["arrays"])
            if expected is not None:
                np.testing.assert_allclose(
                    arrays[packed["arrays"][part]], expected, atol=np.ptp(expected) / 1e5 + 1e-6
                )
        assert [name for name, _ in packed["steps"]] == [step.name for step in layer.steps]
        for (_, index), step in zip(packed["steps"], layer.steps):
            np.testing.assert_allclose(arrays[index], step.values, atol=np.ptp(step.values) / 1e5 + 1e-6)
        assert packed["box"] == list(trace.box(layer.name)) and packed["limits"] == list(layer.limits)
    assert capture["top"] == [[label, probability] for label, probability in trace.top(5)]
    assert capture["doubt"] is None


def test_a_capture_says_whether_the_answer_is_doubtful_and_how_that_is_known(noise):
    for threshold, expected in ((1.1, True), (0.0, False)):
        network = doubting(threshold)
        doubt = json.loads(json.dumps(pack(attnviz.trace(network, noise), network.card)))["doubt"]
        assert doubt["doubtful"] is expected and (doubt["kept"], doubt["flagged"]) == (0.95, 0.34)
        assert (doubt["score"], doubt["threshold"]) == ("probability", threshold)
        assert set(doubt["said"]) == (set(LANGUAGES) if expected else set())
    assert "nonsense" in pack(attnviz.trace(doubting(1.1), noise), network.card)["doubt"]["said"]["en"]


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["se", "cbam", "bam"])
def test_a_resnet_50_fits_the_wire(examples, attention):
    torch.manual_seed(0)
    network = ResNet(50, attention).eval()
    for photo in ("temple", "pizza"):
        capture = pack(attnviz.trace(network, examples / f"{photo}.jpg"), card_of(network))
        assert len(json.dumps(capture, ensure_ascii=False).encode()) <= LIMIT < 300_000
        picture = Image.open(io.BytesIO(base64.b64decode(capture["photo"]["picture"].partition(",")[2])))
        assert max(picture.size) >= 320
        about = capture["arrays"]["about"]
        for layer in capture["layers"]:
            assert all(about[index][3] == 2 for part, index in layer["arrays"].items() if part != "sizes")


def test_a_capture_holds_no_metadata_and_is_plain(tmp_path, noise):
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    Image.fromarray(noise).save(tmp_path / "x.jpg", exif=exif)
    trace = attnviz.trace(stirred(18, "se"), tmp_path / "x.jpg")
    capture = pack(trace, Card(trace.network))
    assert b"secret" not in base64.b64decode(capture["photo"]["picture"].partition(",")[2]) and str(
        tmp_path
    ) not in json.dumps(capture)


def test_a_tensor_is_seen_whole_and_a_crop_is_not(cbam, examples):
    seen = {
        view: pack(attnviz.trace(cbam, examples / "temple.jpg", view), card_of(cbam))["seen"]
        for view in ("whole", "crop")
    }
    assert seen["whole"]["whole"] and not seen["crop"]["whole"]
    assert pack(attnviz.trace(cbam, torch.randn(3, 64, 96)), card_of(cbam))["seen"]["whole"]


def test_a_channels_features_are_packed_together():
    before, after = np.random.default_rng(0).normal(size=(2, 8, 12)).astype(np.float32)
    answer = pack_features(before, after)
    found = unpacked(answer["arrays"])
    np.testing.assert_allclose(found[answer["before"]], before, atol=1e-4)
    np.testing.assert_allclose(found[answer["after"]], after, atol=1e-4)


@pytest.mark.parametrize("shape", [(5, 8, 12), (3, 1, 1), (70, 61, 53), (600, 40, 41)])
def test_a_gallery_has_each_channel_on_its_own_scale_and_its_mean_size(shape):
    before = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    before[1] = 0
    answer = pack_gallery(before)
    arrays = unpacked(answer["arrays"])
    shares, sizes = arrays[answer["shares"]], arrays[answer["sizes"]]
    assert shares.shape == (shape[0], answer["height"] * answer["width"]) and shares.size <= GALLERY_CELLS
    np.testing.assert_allclose(sizes, np.abs(before).mean((1, 2)), atol=1e-4)
    side = -(-shape[1] // answer["height"])
    first = before[:, :side, :side].mean((1, 2))  # the first cell of each thumbnail
    greatest = np.abs(averaged(before, side)).max((1, 2))
    expected = np.divide(first, greatest, out=np.zeros_like(first), where=greatest > 0)
    np.testing.assert_allclose(shares[:, 0], expected, atol=0.01)
    assert np.abs(shares).max() == pytest.approx(1, abs=0.01)


def averaged(maps: np.ndarray, side: int) -> np.ndarray:
    """Maps whose cells are averaged in squares, fewer at the right and below."""
    _, height, width = maps.shape
    rows = [maps[:, y : y + side] for y in range(0, height, side)]
    cells = [[row[:, :, x : x + side].mean((1, 2)) for x in range(0, width, side)] for row in rows]
    return np.stack([np.stack(row, -1) for row in cells], 1)


def test_what_was_assumed_of_a_photo_is_told_in_every_language():
    dark = Image.fromarray(np.full((40, 60), 900, np.uint16))
    trace = attnviz.trace(stirred(18, "cbam"), attnviz.open_photo(dark, "x-ray.png"))
    (remark,) = pack(trace, Card("mine"))["remarks"]
    assert remark == {language: trace.remarks[0].sentence(language) for language in LANGUAGES}
    assert "“x-ray.png” fills only 10 of the 16 bits" in remark["en"]
