"""The page speaks English and Chinese, in place, and what it said follows."""

from __future__ import annotations

from helpers.browser_actions import control, link_of, photo_name, said, speak, upload
from playwright.sync_api import expect

from attnviz.languages.catalogue import words


def test_chinese_in_place_with_its_messages(visit, tmp_path):
    page = visit()
    page.locator(".av-item", has_text="layer2.1").click()
    speak(page, "zh")
    expect(page.locator(".av-mechanism")).to_contain_text("这不是 Grad-CAM")
    expect(page.locator(".av-segments")).to_contain_text("无")
    expect(page.locator('.av-item[aria-selected="true"] .av-item-name')).to_have_text("layer2.1")
    bad = tmp_path / "坏.png"
    bad.write_text("no picture")
    upload(page, bad)
    expect(said(page)).to_contain_text("图片")
    control(page, "tab-networks").click()
    expect(page.locator(".attnviz")).to_contain_text("每个门控都有自己的坐标轴")
    shown = page.locator(".attnviz").inner_text()
    for key, text in words("en").items():  # nothing of it is left in English
        assert len(text) < 12 or "{" in text or text not in shown, key
    speak(page, "en")
    expect(page.locator(".av-segments")).to_contain_text("none")


def test_a_chinese_browser_is_answered_in_chinese(visit):
    page = visit(locale="zh-CN")
    expect(photo_name(page)).to_have_text("示例：temple.jpg")
    expect(page.locator("[data-language]")).to_have_text("English")
    expect(page.locator(".av-top5 li").first).to_contain_text("教堂")
    expect(page.locator(".av-classes")).to_contain_text("圆号")


def test_what_was_said_follows_the_language_and_goes_with_the_view(visit, tmp_path):
    page = visit()
    link_of(page)
    speak(page, "zh")
    expect(said(page)).to_contain_text("链接已复制")
    speak(page, "en")
    expect(said(page)).to_contain_text("The link is copied")
    bad = tmp_path / "holiday.png"
    bad.write_text("no picture")
    upload(page, bad)
    expect(said(page)).to_contain_text("is a text, not a picture")
    speak(page, "zh")
    expect(said(page)).to_contain_text("“holiday.png”是文本，不是图片")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    speak(page, "en")
    expect(said(page)).to_contain_text("“holiday.png” is a text, not a picture")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    control(page, "tab-photos").click()
    expect(said(page)).to_be_empty()
