"""Files that a browser can't draw, or does not know: shown as they were read, or told in our own sentence."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from helpers.browser_actions import after, drop, photo_name, said, speak
from helpers.tiff_files import Kind, tiff_file
from PIL import Image
from playwright.sync_api import expect

HEIC = b"\0\0\0\x24ftypheic\0\0\0\0mif1heic" + bytes(300)
BOX = ".av-shown img"


def picture(bits: int) -> np.ndarray:
    """Red left and blue right, in so many bits of 16, or 8."""
    samples = np.zeros((120, 160, 3), np.uint8 if bits == 8 else np.uint16)
    samples[:, :80, 0] = samples[:, 80:, 2] = (1 << bits) - 1
    return samples


def choose_file(page, name: str, content: bytes, kind: str = "") -> None:
    """Choose a file in the picker."""
    file = {"name": name, "mimeType": kind, "buffer": content}
    page.set_input_files("input[data-add]", file)


REFUSED = {
    "IMG_1.HEIC": (HEIC, "", r"is a HEIC photo|damaged|not a picture that can"),
    "DSC_1.NEF": (tiff_file(picture(8), Kind(">", tags={50706: (1, 4, 0, 0)})), "", "raw file"),
    "letter.pdf": (b"%PDF-1.7 " + bytes(99), "application/pdf", "is a PDF document"),
    "film.mov": (b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(99), "video/quicktime", "is a video"),
    "notes.txt": (b"milk, bread and a long list of other things", "text/plain", "is a text, not a picture"),
}


@pytest.mark.parametrize("bring", [choose_file, drop])
@pytest.mark.parametrize("name", REFUSED)
def test_a_file_of_any_kind_is_refused_in_our_own_sentence(visit, name, bring):
    content, kind, words = REFUSED[name]
    page = visit()
    bring(page, name, content, kind)
    expect(said(page)).to_contain_text(re.compile(words), timeout=30_000)
    expect(said(page)).to_contain_text(name)
    assert "Only image/" not in page.locator("body").inner_text()


def test_the_sentence_is_chinese_on_a_chinese_page(visit):
    page = visit(locale="zh-CN")
    choose_file(page, "DSC_1.NEF", REFUSED["DSC_1.NEF"][0])
    expect(said(page)).to_contain_text("RAW", timeout=30_000)


def colours_in_box(page) -> np.ndarray:
    """Red, green and blue of the left and of the right half of what the box shows, (2, 3)."""
    expect(page.locator(BOX)).to_have_js_property("complete", True)
    shown = page.locator(BOX).evaluate(
        """(image) => {
            const canvas = document.createElement('canvas');
            canvas.width = 4; canvas.height = 2;
            const context = canvas.getContext('2d');
            context.drawImage(image, 0, 0, 4, 2);
            return [0, 3].map((x) => Array.from(context.getImageData(x, 1, 1, 1).data.slice(0, 3)));
        }"""
    )
    return np.array(shown)


@pytest.mark.parametrize("bring", [choose_file, drop])
@pytest.mark.parametrize("kind", ["image/tiff", ""])
def test_an_uploaded_tiff_is_shown_in_the_row(visit, bring, kind):
    page = visit()
    after(page, lambda: bring(page, "cells 1.tif", tiff_file(picture(8), Kind()), kind))
    expect(page.locator(BOX)).to_have_attribute("src", re.compile("^data:image/jpeg"))
    np.testing.assert_allclose(colours_in_box(page), [(255, 0, 0), (0, 0, 255)], atol=30)


def test_a_picture_of_few_bits_is_shown_as_it_was_read_and_that_is_said_in_both_languages(visit):
    buffer = io.BytesIO()
    Image.fromarray(picture(12)[..., 0]).save(buffer, "PNG")
    page = visit()
    after(page, lambda: choose_file(page, "x-ray.png", buffer.getvalue(), "image/png"))
    expect(page.locator(".av-remark")).to_contain_text("12 of the 16 bits")
    expect(page.locator(BOX)).to_have_attribute("src", re.compile("^data:image/jpeg"))
    assert colours_in_box(page)[0].min() > 220
    speak(page, "zh")
    expect(page.locator(".av-remark")).to_contain_text("12 位")


def test_another_upload_is_shown_as_itself(visit):
    page = visit()
    after(page, lambda: choose_file(page, "cells.tif", tiff_file(picture(8), Kind()), ""))
    expect(page.locator(BOX)).to_have_attribute("src", re.compile("^data:"))
    buffer = io.BytesIO()
    Image.new("RGB", (160, 120), "lime").save(buffer, "PNG")
    after(page, lambda: drop(page, "green.png", buffer.getvalue(), "image/png"))
    expect(photo_name(page)).to_have_text("green.png")
    np.testing.assert_allclose(colours_in_box(page), [(0, 255, 0), (0, 255, 0)], atol=3)
    expect(page.locator(".av-remark")).to_have_count(0)
    after(page, lambda: drop(page, "again.tif", tiff_file(picture(8), Kind())))
    expect(page.locator(BOX)).to_have_attribute("src", re.compile("^data:"))
    np.testing.assert_allclose(colours_in_box(page), [(255, 0, 0), (0, 0, 255)], atol=30)


def test_a_heic_is_shown_in_the_row(visit):
    import pillow_heif

    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    Image.fromarray(picture(8)).save(buffer, "HEIF", quality=90)
    page = visit()
    after(page, lambda: choose_file(page, "IMG_1.HEIC", buffer.getvalue()))
    np.testing.assert_allclose(colours_in_box(page), [(255, 0, 0), (0, 0, 255)], atol=40)
