"""Forward passes run in turn and within their time, and what came of them is kept for a while."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.page_client import Passes
from helpers.small_networks import stirred
from helpers.waiting import Waiting

import attnviz
from attnviz.errors import AttnvizError, BusyError, TraceError
from attnviz.photos.example_photos import PHOTOS
from attnviz.photos.opening import open_photo
from attnviz.server.asker import Asker, asked_by
from attnviz.server.inference import (
    TRACES_BYTES,
    Compute,
    Inference,
    TraceKey,
    features_bytes,
    trace_bytes,
)
from attnviz.server.settings import RESULTS_MB, Settings

ANNA, BEN = Asker("1.1.1.1", "anna"), Asker("2.2.2.2", "ben")
TEMPLE = TraceKey(PHOTOS["temple"].path, "cbam_resnet18", "whole")


@pytest.fixture
def made(catalog):
    """Makes what runs passes, of these settings."""
    opened = []

    def make(compute=None, clock=None, **settings):
        more = {"clock": clock} if clock else {}
        settings = Settings(**settings)
        opened.append(Inference(settings, catalog, compute or Compute(), **more))
        return Waiting(opened[-1])

    yield make
    for inference in opened:
        inference.close()


def test_a_photo_is_run_once_and_its_trace_is_that_of_the_library(made, passes, cbam):
    inference = made(passes.compute())
    trace = inference.trace(TEMPLE)
    assert inference.trace(TEMPLE) is trace and len(passes.traced) == 1
    expected = attnviz.trace(attnviz.fast(cbam), TEMPLE.photo)
    np.testing.assert_array_equal(trace.layers["layer4.1"].channel, expected.layers["layer4.1"].channel)


def test_what_came_of_a_photo_is_forgotten_and_of_the_others_not(made, passes):
    inference, cat = made(passes.compute()), replace(TEMPLE, photo=PHOTOS["cat"].path)
    for key in (TEMPLE, cat):
        inference.features(key, "layer1.0")
    inference.forget({TEMPLE.photo})
    for key in (TEMPLE, cat):
        inference.features(key, "layer1.0")
    assert [photo.name for photo, _ in passes.traced] == ["temple.jpg", "cat.jpg", "temple.jpg"] and len(
        passes.layers
    ) == 3


def test_what_is_not_used_for_its_time_is_let_go(made, passes):
    now = [0.0]
    inference = made(passes.compute(), clock=lambda: now[0], keep=5)
    inference.features(TEMPLE, "layer1.0")
    now[0] = 299
    inference.expire()
    inference.features(TEMPLE, "layer1.0")
    now[0] = 600
    inference.expire()
    inference.features(TEMPLE, "layer1.0")
    assert len(passes.traced) == 2 and len(passes.layers) == 2


def test_a_photo_that_is_gone_is_told_with_the_time_that_it_was_kept(made, tmp_path):
    with pytest.raises(AttnvizError, match="after 5 min"):
        made(keep=5).trace(replace(TEMPLE, photo=tmp_path / "gone.png"))


def test_a_pass_that_takes_too_long_is_ended_and_the_next_one_runs(made):
    now, step = [0.0], [20.0]

    def clock() -> float:
        now[0] += step[0]
        return now[0]

    inference = made(clock=clock, passes=1)
    with pytest.raises(TraceError, match="more than 30 s and was stopped"):
        inference.trace(TEMPLE)
    step[0] = 0.0
    assert len(inference.trace(TEMPLE).top(5)) == 5
    ran = inference.forward_pass("cbam_resnet18", lambda own: own)
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in ran.modules())


def test_a_pass_under_way_is_ended_when_its_server_ends(made):
    inference = made()

    def run(network) -> None:
        inference.close()
        network(torch.zeros(1, 3, 64, 64))

    with pytest.raises(BusyError, match="restarting"):
        inference.forward_pass("cbam_resnet18", run)


def test_two_passes_run_through_one_network_at_once_on_its_one_set_of_weights(made, catalog):
    inference, both = made(passes=2), threading.Barrier(2)

    def run(own):
        both.wait(20)  # breaks where the other has to wait for this one's end
        return own

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: inference.forward_pass("cbam_resnet18", run), range(2))
    opened = Waiting(catalog).network("cbam_resnet18")
    assert len({first, second, opened}) == 3
    for one, other, same in zip(
        first.state_dict().values(), second.state_dict().values(), opened.state_dict().values()
    ):
        assert one.data_ptr() == other.data_ptr() == same.data_ptr()


def test_who_comes_when_the_line_is_full_is_told_a_number(made):
    inference, began, end = made(passes=1, waiting=1), threading.Event(), threading.Event()

    def hold(_network) -> None:
        began.set()
        assert end.wait(20)

    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(inference.forward_pass, "cbam_resnet18", hold)]
        assert began.wait(20)
        held.append(pool.submit(inference.forward_pass, "cbam_resnet18", hold))
        while len(inference.queue) < 1:
            time.sleep(0.001)
        with pytest.raises(BusyError, match="busy: you would be number 2"):
            inference.trace(TEMPLE)
        end.set()
        for each in held:
            each.result(20)
    assert len(inference.trace(TEMPLE).top(5)) == 5


def test_photos_are_decoded_ahead_of_their_passes_but_not_more_than_a_few(made):
    """Decoded ones lie in memory while they wait."""
    opened, begun, end = [], threading.Event(), threading.Event()

    def opens(path):
        opened.append(path)
        return open_photo(path)

    def hold(_network) -> None:
        begun.set()
        assert end.wait(20)

    inference = made(Compute(open=opens), passes=1)
    keys = [replace(TEMPLE, photo=photo.path) for photo in PHOTOS.values()]
    with ThreadPoolExecutor(1 + len(keys)) as pool:
        held = pool.submit(inference.forward_pass, "cbam_resnet18", hold)
        assert begun.wait(20)
        traces = [pool.submit(inference.trace, key) for key in keys]
        while len(inference.queue) < 2:
            time.sleep(0.001)
        assert 2 <= len(opened) <= 4 < len(keys)
        end.set()
        held.result(20)
        assert all(trace.result(20).top(1) for trace in traces) and len(opened) == len(keys)


def test_what_nobody_foresaw_is_a_sentence_and_its_details_are_in_the_log(made, caplog):
    def broken(*_):
        raise RuntimeError("secret detail")

    with pytest.raises(AttnvizError, match="Something went wrong") as told:
        made(Compute(trace=broken)).trace(TEMPLE)
    assert "secret" not in str(told.value) and "secret detail" in caplog.text


@pytest.mark.parametrize(("together_bytes", "kept"), [(None, [8]), (1000, [1, 1])])
def test_all_channels_of_a_small_network_cost_one_more_pass_of_a_large_one_one_a_layer(
    made, cbam, together_bytes, kept
):
    passes = Passes()
    inference = made(passes.compute(**({"together_bytes": together_bytes} if together_bytes else {})))
    for layer in ("layer1.0", "layer4.1", "layer1.0"):
        features, expected = inference.features(TEMPLE, layer), attnviz.features(cbam, TEMPLE.photo, layer)
        scale = np.ptp(expected.after)
        np.testing.assert_allclose(features.before, expected.before, atol=scale / 1e4 + 1e-5)
        np.testing.assert_allclose(features.after, expected.after, atol=scale / 1e4 + 1e-5)
    assert [len(layers) for layers in passes.layers] == kept


def test_a_visitor_holds_a_share_of_the_results_by_setting_and_pushes_out_nobody_elses(made, passes):
    inference, share = made(passes.compute(), results_mb=10), 10 / RESULTS_MB
    hers = [photo.path for photo in PHOTOS.values() if photo.path != TEMPLE.photo]
    with asked_by(BEN):
        inference.features(TEMPLE, "layer1.0")
    with asked_by(ANNA):
        for path in hers:
            inference.features(replace(TEMPLE, photo=path), "layer1.0")
    held, (last, *others) = inference.traces.held(), reversed(inference.traces.keys())
    of_last = trace_bytes(inference.trace(last))
    assert held[ANNA] <= max(share * TRACES_BYTES, of_last) < len(hers) * of_last
    assert TEMPLE in others
    ran = len(passes.traced), len(passes.layers)
    with asked_by(BEN):
        inference.features(TEMPLE, "layer1.0")
    assert (len(passes.traced), len(passes.layers)) == ran


def test_passes_of_visitors_take_turns(made):
    inference, served, began, end = made(passes=1), [], threading.Event(), threading.Event()

    def hold(_network) -> None:
        began.set()
        assert end.wait(20)

    def come(asker: Asker) -> None:
        with asked_by(asker):
            inference.forward_pass("cbam_resnet18", lambda _network: served.append(asker))

    with ThreadPoolExecutor(10) as pool:
        pool.submit(inference.forward_pass, "cbam_resnet18", hold)
        assert began.wait(20)
        for number, asker in enumerate([ANNA] * 4 + [BEN]):
            pool.submit(come, asker)
            while len(inference.queue) <= number:
                time.sleep(0)
        end.set()
    assert served == [ANNA, BEN, ANNA, ANNA, ANNA]


def test_memory_is_counted():
    network = stirred(18, "se")
    trace = attnviz.trace(network, torch.randn(3, 64, 64))
    features = attnviz.features(network, torch.randn(3, 64, 64), "layer1.0")
    counted = trace.photo.pixels.nbytes + sum(layer.channel.nbytes for layer in trace.layers.values())
    assert trace_bytes(trace) >= counted
    assert features_bytes({"layer1.0": features}) == 2 * features.before.nbytes
