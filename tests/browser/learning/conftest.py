"""The app with all that the lesson speaks of: three mechanisms on two photos."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.browser_actions import wait_until_drawn
from helpers.mechanisms_page import OUTSIDER, PHOTO, Traces, page_of, traces_of
from playwright.sync_api import Page


@pytest.fixture(scope="module")
def traces() -> Traces:
    return traces_of(PHOTO, OUTSIDER)


@pytest.fixture
def open_app(open_file, traces, tmp_path: Path):
    """Opens the app, which follows its address, with three mechanisms on two photos."""
    path = tmp_path / "app.html"
    path.write_text(page_of(traces), encoding="utf-8")

    def opened(query: str = "", **size: int) -> Page:
        page = open_file(path, **size)
        page.emulate_media(reduced_motion="reduce")
        page.goto(f"{path.as_uri()}?{query}")
        wait_until_drawn(page)
        return page

    return opened
