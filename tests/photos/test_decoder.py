"""Pictures are decoded in a process of their own, whose end harms nobody."""

from __future__ import annotations

import io
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from attnviz import PhotoError, open_photo
from attnviz.photos.decoder import Decoder

pytestmark = pytest.mark.slow


def picture(seed: int = 0, side: int = 60) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side + 20, 3), np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@pytest.fixture
def decoder():
    started = Decoder()
    yield started
    started.close()


def test_it_gives_the_same_pixels_and_the_same_sentences(decoder):
    for content in (picture(), picture(1, 1700)):
        np.testing.assert_array_equal(decoder.open(content, "a.png").pixels, open_photo(content).pixels)
    for content in (b"", b"%PDF-1.7", picture()[:200]):
        with pytest.raises(PhotoError) as here:
            open_photo(content, "b.png")
        with pytest.raises(PhotoError) as there:
            decoder.open(content, "b.png")
        assert [there.value.sentence(language) for language in ("en", "zh")] == [
            here.value.sentence(language) for language in ("en", "zh")
        ]


def test_many_threads_get_each_her_own_picture(decoder):
    contents = [picture(seed) for seed in range(12)]
    with ThreadPoolExecutor(6) as pool:
        photos = list(pool.map(lambda content: decoder.open(content, "a.png"), contents))
    for content, photo in zip(contents, photos, strict=True):
        np.testing.assert_array_equal(photo.pixels, open_photo(content).pixels)


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="this system has no priorities of processes")
def test_it_steps_back_behind_other_programs_as_far_as_is_asked():
    decoder = Decoder(niceness=7)
    decoder.start()
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, decoder.process_id) == min(19, own + 7)
    decoder.close()


def test_a_process_that_was_killed_is_replaced(decoder):
    decoder.open(picture(), "a.png")
    killed = decoder.process_id
    os.kill(killed, signal.SIGKILL)
    with suppress(PhotoError):  # said where its death is noticed only now
        decoder.open(picture(), "a.png")
    assert decoder.open(picture(), "a.png").width == 80
    assert decoder.process_id != killed


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of a process's own time here")
def test_a_picture_that_takes_too_long_ends_the_process_and_says_so():
    decoder = Decoder(seconds=0.01)
    try:
        with pytest.raises(PhotoError, match="to open"):
            decoder.open(picture(0, 2400), "a.png")
    finally:
        decoder.close()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_a_picture_that_takes_too_much_memory_says_so():
    decoder = Decoder(megabytes=20)
    try:
        with pytest.raises(PhotoError, match=r"too large to open|MB"):
            decoder.open(picture(0, 2400), "a.png")
        assert decoder.open(picture(), "b.png").width == 80
    finally:
        decoder.close()


def test_it_ends_with_its_starter(decoder):
    decoder.open(picture(), "a.png")
    process = decoder.process_id
    decoder.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
