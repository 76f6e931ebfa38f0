"""Makes pictures of the page in every state, to be looked at: ``python tests/screenshots.py OUT``.

Each state in each size, light and dark, in every language, as OUT/STATE/SIZE-THEME-LANGUAGE.png;
OUT/index.html shows them all. ``--state`` and ``--size`` choose some. Needs Chromium, as the browser tests
do."""

from __future__ import annotations

import argparse
import html
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

from helpers.browser_actions import (
    after,
    choose_example,
    choose_network,
    control,
    nothing_is_on_its_way,
    open_menu,
    open_tools,
    said,
    upload,
    wait_until_drawn,
)
from playwright.sync_api import Browser, Page, expect, sync_playwright

from attnviz._paths import EXAMPLES_FOLDER
from attnviz.languages.catalogue import catalogue
from attnviz.server.launch import serve
from attnviz.server.settings import Settings

SIZES = {  # width, height, pixels a CSS pixel, whether it is touched
    "wide": (1920, 1080, 1, False),
    "laptop": (1280, 720, 1, False),
    "projector": (1024, 768, 1, False),
    "phone": (390, 844, 2, True),
}
THEMES = ("light", "dark")
SETTLES = 700  # ms, in which what fades has faded


def first(_page: Page) -> None:
    """The first screen."""


def own_photo(page: Page) -> None:
    """A photo of one's own, which none of the classes fits."""
    after(page, lambda: upload(page, EXAMPLES_FOLDER / "pizza.jpg"))


def network(name: str) -> Callable[[Page], None]:
    """A network that comes with attnviz."""
    return lambda page: after(page, lambda: choose_network(page, name))


def doubtful(page: Page) -> None:
    """An answer that is doubtful."""
    after(page, lambda: choose_example(page, "cat"))


def menu(name: str) -> Callable[[Page], None]:
    """A menu that is open."""

    def opened(page: Page) -> None:
        if name == "save":
            open_tools(page)
        open_menu(page, name)

    return opened


def comparison(name: str) -> Callable[[Page], None]:
    """A comparison, once all of it is here."""

    def opened(page: Page) -> None:
        control(page, f"tab-{name}").click()
        nothing_is_on_its_way(page)

    return opened


def presented(page: Page) -> None:
    """The mechanism, node by node."""
    page.keyboard.press("p")


def lesson(name: str) -> Callable[[Page], None]:
    """A page of the lesson, its question answered."""

    def opened(page: Page) -> None:
        page.goto(f"{page.url.split('?')[0]}?learn={name}")
        wait_until_drawn(page)
        expect(page.locator(".av-question")).to_be_visible(timeout=60_000)
        page.keyboard.press("2")

    return opened


def helped(page: Page) -> None:
    """The questions and the keys."""
    page.keyboard.press("?")


def refused(page: Page) -> None:
    """A file that is no photo."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "holiday.png"
        file.write_text("no picture")
        upload(page, file)
        expect(said(page)).not_to_be_empty()


def changed(page: Page) -> None:
    """Gates that are switched: one layer off, one as usual."""
    page.locator("[data-what-if]").click()
    after(page, lambda: page.locator('[data-switch="layer2.0"]').select_option("off"))
    after(page, lambda: page.locator('[data-switch="layer3.1"]').select_option("usual"))


def switches(page: Page) -> None:
    """The switches, before any is set."""
    page.locator("[data-what-if]").click()


STATES: dict[str, Callable[[Page], None]] = {
    "first": first,
    "own-photo": own_photo,
    "doubtful": doubtful,
    "se": network("se_resnet18"),
    "bam": network("bam_resnet18"),
    "none": network("resnet18"),
    "more-networks": menu("networks"),
    "settings": menu("settings"),
    "save": menu("save"),
    "compare-networks": comparison("networks"),
    "compare-photos": comparison("photos"),
    "present": presented,
    "learn-gate": lesson("gate"),
    "learn-excitation": lesson("excitation"),
    "learn-pools": lesson("pools"),
    "learn-map": lesson("map"),
    "learn-bam": lesson("bam"),
    "learn-reading": lesson("reading"),
    "switches": switches,
    "changed": changed,
    "help": helped,
    "refused": refused,
}


@contextmanager
def window(browser: Browser, size: str, theme: str, language: str) -> Iterator[Page]:
    """A window in which nobody was before."""
    width, height, density, is_touched = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=density,
        is_mobile=is_touched,
        has_touch=is_touched,
        color_scheme=theme,
        locale=catalogue().tag(language),
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


def take(browser: Browser, url: str, out: Path, states: list[str], sizes: list[str]) -> list[Path]:
    """Make all pictures; their paths below ``out``."""
    made = []
    for size, theme, language in product(sizes, THEMES, catalogue().languages):
        for state in states:
            file = Path(state) / f"{size}-{theme}-{language}.png"
            (out / state).mkdir(parents=True, exist_ok=True)
            with window(browser, size, theme, language) as page:
                page.goto(url)
                wait_until_drawn(page)
                STATES[state](page)
                page.wait_for_timeout(SETTLES)
                page.screenshot(path=out / file)
            made.append(file)
            print(file)
    return made


def sheet(files: list[Path]) -> str:
    """A page with all pictures."""
    names = [html.escape(file.as_posix()) for file in sorted(files)]
    figures = (
        f'<figure><a href="{name}"><img loading="lazy" height="240" src="{name}" alt=""></a>'
        f"<figcaption>{name}</figcaption></figure>"
        for name in names
    )
    look = "<style>figure { display: inline-block; margin: 6px; font: 13px system-ui }</style>"
    return f'<!doctype html><meta charset="utf-8"><title>attnviz</title>{look}{"".join(figures)}'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--state", action="append", choices=list(STATES))
    parser.add_argument("--size", action="append", choices=list(SIZES))
    asked = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    server = serve(Settings(host="127.0.0.1"), block=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        files = take(browser, server.url, asked.out, asked.state or [*STATES], asked.size or [*SIZES])
        browser.close()
    server.close()
    (asked.out / "index.html").write_text(sheet(files), encoding="utf-8")


if __name__ == "__main__":
    main()
