"""Photos of any kind become inputs, in windows that are made ready ahead."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from helpers.small_networks import stirred
from PIL import Image

import attnviz


def test_photos_of_any_kind_and_size_come_back_in_order(noise, noise_file):
    network = stirred(18, "cbam")
    tall, wide = Image.new("RGB", (50, 120), "red"), Image.new("RGB", (120, 50), "blue")
    sources = [noise_file, tall, noise, str(noise_file), wide, tall]
    traced = list(attnviz.traces(network, sources, batch_size=4))
    for source, trace in zip(sources, traced):
        np.testing.assert_allclose(trace.logits, attnviz.trace(network, source).logits, rtol=1e-4, atol=1e-5)
    assert [trace.photo.width > trace.photo.height for trace in traced] == [
        True,
        False,
        True,
        True,
        True,
        False,
    ]


def test_the_photos_before_a_bad_one_come_first(noise):
    running = attnviz.traces(stirred(18, "se"), [noise, noise, "gone.png", noise])
    assert len([next(running), next(running)]) == 2
    with pytest.raises(attnviz.PhotoError, match="“gone"):
        next(running)


@pytest.mark.parametrize(
    "wrong",
    [
        torch.zeros(1, 32, 32),
        torch.zeros(3, 32, 32, dtype=torch.uint8),
        torch.zeros(3, 32),
        torch.zeros(3, 0, 5),
    ],
)
def test_a_tensor_of_another_form_is_refused(wrong):
    with pytest.raises(attnviz.TraceError, match="photo is"):
        attnviz.trace(stirred(18, "se"), wrong)


def test_photos_are_asked_for_a_window_ahead_but_never_where_one_waits_for_the_other(cbam, noise):
    given: list[int] = []

    def photos(count: int):
        for number in range(count):
            given.append(number)
            yield noise
        raise RuntimeError("no more film")

    found = attnviz.traces(cbam, photos(8), batch_size=2)
    next(found)
    assert given == [0, 1, 2, 3]
    with pytest.raises(RuntimeError, match="film"):
        for _ in range(8):
            next(found)
    given.clear()
    found = attnviz.traces(cbam, photos(8), batch_size=1)
    next(found)
    assert given == [0]


def test_a_generator_that_is_left_leaves_no_thread(cbam, noise):
    found = attnviz.traces(cbam, (noise for _ in range(100)), batch_size=2)
    next(found)
    found.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("attnviz-photos")]
