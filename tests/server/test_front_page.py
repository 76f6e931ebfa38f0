"""The page that a browser gets first, and the files that it names."""

from __future__ import annotations

import asyncio
import gzip
import io
import re
from pathlib import Path

import httpx
import pytest
from helpers.guarded import Inner, ask_again, guard
from PIL import Image

from attnviz.server.front_page import front_files
from attnviz.server.middleware import ServerState
from attnviz.server.routes import below
from attnviz.server.settings import Settings
from attnviz.viewer.javascript import first_script, first_style, later_script

FILES = front_files(7, networks=True)
NAMES = re.findall(r'(?:src|href)="([^"]+)"', FILES["/"].text)
(LATER,) = re.findall(r'data-later="([^"]+)"', FILES["/"].text)


def got(path: str, accepts: str = "gzip", **named: str) -> tuple[dict[str, str], bytes]:
    """The headers and the body of an answer; ``named`` are further headers of the request."""
    sent = []
    asked = {"accept-encoding": accepts, **{name.replace("_", "-"): value for name, value in named.items()}}
    headers = [(name.encode(), value.encode()) for name, value in asked.items()]

    async def send(message):
        sent.append(message)

    asyncio.run(FILES[path].send({"type": "http", "headers": headers}, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    assert sent[0]["status"] == 200 and int(headers["content-length"]) == len(sent[1]["body"])
    return headers, sent[1]["body"]


def test_the_page_names_all_of_its_files_below_itself():
    (card,) = {name for name in FILES if name.endswith(".jpg")}
    assert sorted(FILES) == sorted(["/", "/favicon.ico", card, *(f"/{name}" for name in (*NAMES, LATER))])
    assert len(NAMES) == 3 and not any(name.startswith(("/", "http")) for name in (*NAMES, LATER))


def test_it_says_whom_the_app_asks_and_what_this_server_takes():
    page = FILES["/"].text
    assert 'data-component="7" data-networks="yes"' in page
    assert 'data-networks=""' in front_files(7, networks=False)["/"].text
    for language in ("en", "zh-CN"):
        assert f'<p lang="{language}">' in page


def test_files_stay_with_the_browser_and_the_page_does_not():
    for name in (*NAMES, LATER):
        headers, _ = got(f"/{name}")
        assert "immutable" in headers["cache-control"]
        assert "charset=utf-8" in headers["content-type"] or name.endswith(".svg")
    assert got("/")[0]["cache-control"] == "no-cache"
    assert "max-age" in got("/favicon.ico")[0]["cache-control"]


def card_of(page: str) -> dict[str, str]:
    """What a page says to those who show a link to it."""
    return dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[\w:]+)" content="([^"]*)">', page))


def test_a_link_to_it_has_a_title_a_sentence_and_a_picture_of_our_own():
    card = card_of(got("/", "", host="attnviz.example", x_forwarded_proto="https")[1].decode())
    assert card["og:url"] == "https://attnviz.example/" and "attnviz" in card["og:title"]
    for kind in ("og", "twitter"):
        address = card[f"{kind}:image"]
        assert address.startswith("https://attnviz.example/assets/attnviz-") and card[f"{kind}:description"]
    content = got("/" + address.removeprefix("https://attnviz.example/"), "")[1]
    assert Image.open(io.BytesIO(content)).size == (1200, 630) and len(content) < 300_000


@pytest.mark.parametrize("host", ['x" onload="alert(1)', "a b", "", "<b>"])
def test_a_name_that_is_none_is_not_in_the_page(host):
    page = got("/", "", host=host)[1].decode()
    assert card_of(page)["og:url"] == "" and (not host or host not in page)


def test_the_icon_is_one_that_browsers_draw():
    (icon,) = (name for name in NAMES if name.endswith(".svg"))
    headers, drawn = got(f"/{icon}", "")
    assert headers["content-type"] == "image/svg+xml" and drawn.startswith(b"<svg") and b"<rect" in drawn
    assert Image.open(io.BytesIO(got("/favicon.ico", "")[1])).size == (64, 64)


def test_a_file_is_packed_for_who_takes_it_so():
    for name in (*NAMES, LATER):
        packed, plain = got(f"/{name}"), got(f"/{name}", "identity")
        assert packed[0]["content-encoding"] == "gzip" and "content-encoding" not in plain[0]
        assert gzip.decompress(packed[1]) == plain[1] and 2 * len(packed[1]) < len(plain[1])
    assert first_style().encode() in [got(f"/{name}", "")[1] for name in NAMES]
    assert any(got(f"/{name}", "")[1].startswith(first_script().encode()) for name in NAMES)
    assert got(f"/{LATER}", "")[1] == later_script().encode()


def test_other_content_has_another_address(monkeypatch):
    monkeypatch.setattr("attnviz.server.front_page.first_style", lambda: "body {}")
    others = set(front_files(7, networks=True)) - set(FILES)
    assert len(others) == 1 and others.pop().endswith(".css")


def test_the_guard_answers_with_them_and_asks_nobody(tmp_path: Path):
    inner = Inner()
    guarded = guard(inner, ServerState(Settings(rate=2), tmp_path, files=FILES))
    for name in NAMES * 3:  # the same for all, and not counted
        assert ask_again(guarded, f"/{name}")[0] == 200
    status, headers, said = ask_again(guarded, "/")
    assert status == 200 and said["text"].startswith("<!doctype html>")
    assert (
        headers["x-content-type-options"] == "nosniff"
        and "frame-ancestors" in headers["content-security-policy"]
    )
    assert inner.bodies == [] and ask_again(guarded, "/assets/attnviz-0123456789ab.js")[0] == 404


@pytest.mark.parametrize(
    ("path", "asked", "inside"),
    [
        ("/demo", "/demo/", "/"),
        ("/demo", "/demo", "/"),
        ("/demo/", "/demo/gradio_api/info", "/gradio_api/info"),
        ("/demo", "/gradio_api/info", "/gradio_api/info"),  # a proxy that takes the path off, or none
        ("/demo", "/demonstration", "/demonstration"),
        ("", "/demo/", "/demo/"),
    ],
)
def test_the_path_that_a_proxy_leaves_is_taken_off(path, asked, inside):
    assert below({"path": asked}, path)["path"] == inside


@pytest.mark.slow
def test_the_served_page_weighs_little(running):
    page = httpx.get(running.url)
    files = [httpx.get(f"{running.url}/{name}") for name in re.findall(r'(?:src|href)="([^"]+)"', page.text)]
    sizes = [int(answer.headers["content-length"]) for answer in (page, *files)]
    assert len(sizes) == 4 and sum(sizes) < 120_000
