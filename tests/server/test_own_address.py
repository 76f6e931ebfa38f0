from __future__ import annotations

import asyncio

import pytest

from attnviz.server.own_address import SCRIPT, OwnAddress, with_own_address

CONFIG = b'<head><script>window.gradio_config = {"root":"http://a"};</script><script>x</script></head>'


def test_the_script_stands_right_behind_what_it_corrects():
    before, after = with_own_address(CONFIG).split(SCRIPT)
    assert before.endswith(b'"};</script>') and after == b"<script>x</script></head>"


def test_another_page_is_left_as_it_is():
    assert with_own_address(b"<head></head>") == b"<head></head>"


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
    assert OwnAddress(app=None, path=path).inside({"path": asked})["path"] == inside


def test_a_page_in_parts_is_sent_whole_with_its_length():
    async def app(_scope, _receive, send) -> None:
        length = (b"content-length", str(len(CONFIG)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": CONFIG[:40], "more_body": True})
        await send({"type": "http.response.body", "body": CONFIG[40:]})

    sent = []

    async def send(message) -> None:
        sent.append(message)

    asyncio.run(OwnAddress(app)({"path": "/", "method": "GET"}, None, send))
    start, body = sent
    assert body["body"] == with_own_address(CONFIG)
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()
