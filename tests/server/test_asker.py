"""Who asks is known by what nobody can choose, wherever something is done for them."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from helpers.page_client import TEMPLE

from attnviz._paths import EXAMPLES_FOLDER
from attnviz.server.asker import NOBODY, Asker, address_of, asked_by, who_asks
from attnviz.server.components import AttentionViewer
from attnviz.server.launch import serve
from attnviz.server.service import make_service
from attnviz.server.settings import Settings
from attnviz.server.sweeping import new_folder


def seen(client: str, proxies: int = 0, forwarded: str = "") -> str:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return address_of({"type": "http", "client": (client, 1), "headers": headers}, proxies)


def test_of_ipv6_a_network_is_one_address_since_its_owner_chooses_among_them():
    assert seen("2001:db8:1:2::1") == seen("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert seen("2001:db8:1:3::1") != seen("2001:db8:1:2::1")
    assert seen("::ffff:10.0.0.1") == seen("10.0.0.1") == "10.0.0.1"
    assert seen("fe80::1%eth0") == "fe80::/64" and seen("testclient") == "testclient"


@pytest.mark.parametrize("forwarded", ["1.1.1.1", "1.1.1.1:4711", "9.9.9.9, 1.1.1.1:4712"])
def test_a_proxys_word_counts_without_the_port(forwarded):
    assert seen("10.0.0.1", 1, forwarded) == "1.1.1.1"
    assert seen("10.0.0.1", 0, forwarded) == "10.0.0.1"
    assert seen("10.0.0.1", 1, "[2001:db8::1]:80") == "2001:db8::/64"


def test_what_begins_meanwhile_is_the_askers_and_nothing_afterwards():
    anna = Asker("1.1.1.1", "anna")

    async def begun() -> Asker:
        with asked_by(anna):
            task = asyncio.create_task(asyncio.to_thread(who_asks))
        assert who_asks() == NOBODY
        return await task

    assert asyncio.run(begun()) == anna


@pytest.mark.slow
def test_on_every_way_in_it_is_known_who_asks(tmp_path):
    settings = Settings(host="127.0.0.1", free_mb=0, rate=0)
    server = serve(settings, block=False, service=make_service(settings, new_folder(tmp_path)))
    api, held = f"{server.url}gradio_api", server.service.inference.traces.held
    blocks, functions = server.page.blocks.items(), server.page.fns.values()
    viewer = next(number for number, block in blocks if isinstance(block, AttentionViewer))
    explain = next(function._id for function in functions if function.api_name == "explain")
    try:
        asked = {"data": TEMPLE, "component_id": viewer, "fn_name": "capture", "session_hash": "viewer"}
        httpx.post(f"{api}/component_server", json=asked, timeout=60).raise_for_status()
        assert set(held()) == {Asker("127.0.0.1", "viewer")}
        files = {"files": ("cat.jpg", (EXAMPLES_FOLDER / "cat.jpg").read_bytes(), "image/jpeg")}
        path = httpx.post(f"{api}/upload", files=files, timeout=60).json()[0]
        photo = {"path": path, "meta": {"_type": "gradio.FileData"}}
        asked = {"data": [photo, "se_resnet18", "whole"], "fn_index": explain, "session_hash": "page"}
        httpx.post(f"{api}/queue/join", json=asked, timeout=60).raise_for_status()
        with httpx.stream("GET", f"{api}/queue/data?session_hash=page", timeout=60) as lines:
            assert any("process_completed" in line for line in lines.iter_lines())
        assert set(held()) == {Asker("127.0.0.1", "viewer"), Asker("127.0.0.1", "page")}
        server.service.visitors.delete("page")
        assert set(held()) == {Asker("127.0.0.1", "viewer")}
    finally:
        server.close()
