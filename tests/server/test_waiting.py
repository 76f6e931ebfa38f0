"""Who waits for a result keeps nobody else waiting, and health is told by doing."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.to_thread
import httpx
import pytest
from helpers.page_client import TEMPLE

from attnviz.capture.run import trace
from attnviz.server.components import AttentionViewer
from attnviz.server.inference import Compute
from attnviz.server.launch import answers, serve
from attnviz.server.service import make_service
from attnviz.server.settings import Settings
from attnviz.server.sweeping import new_folder

REQUESTS = 100


@pytest.mark.slow
def test_a_hundred_who_wait_for_one_result_keep_nobody_else_waiting(tmp_path, catalog):
    began, end = threading.Event(), threading.Event()

    def hold(network, photo, view):
        began.set()
        assert end.wait(60)
        return trace(network, photo, view)

    settings = Settings(host="127.0.0.1", free_mb=0, rate=0)
    service = make_service(settings, new_folder(tmp_path), catalog, Compute(trace=hold))
    server = serve(settings, block=False, service=service)
    viewer = next(
        number for number, block in server.page.blocks.items() if isinstance(block, AttentionViewer)
    )

    def ask(number: int) -> dict:
        asked = {"data": TEMPLE, "component_id": viewer, "fn_name": "capture", "session_hash": str(number)}
        return httpx.post(f"{server.url}gradio_api/component_server", json=asked, timeout=60).json()

    try:
        with ThreadPoolExecutor(REQUESTS) as pool:
            waiting = [pool.submit(ask, number) for number in range(REQUESTS)]
            assert began.wait(20)
            while server.state.requests_from.total() < REQUESTS:
                time.sleep(0)
            health = httpx.get(f"{server.url}healthz", timeout=5)
            assert (health.status_code, health.json()["status"]) == (200, "ok")
            assert httpx.get(f"{server.url}config", timeout=5).status_code == 200
            end.set()
            assert all(len(answer.result(60)["layers"]) == 8 for answer in waiting)
    finally:
        end.set()
        server.close()


@pytest.mark.slow
def test_answers_that_nobody_fetches_are_few_for_each_address_whatever_she_calls_herself(tmp_path):
    settings = Settings(host="127.0.0.1", free_mb=0, rate=0, each_address=3)
    server = serve(settings, block=False, service=make_service(settings, new_folder(tmp_path)))
    statuses, until = [], time.monotonic() + 20
    try:
        while 429 not in statuses and time.monotonic() < until:
            joined = httpx.post(f"{server.url}gradio_api/call/list_networks", json={"data": []}, timeout=20)
            statuses.append(joined.status_code)
            while server.queue.busy():
                time.sleep(0)
    finally:
        server.close()
    assert statuses == [200, 200, 200, 429]


def test_where_the_threads_that_answer_are_all_taken_health_is_bad(client):
    async def checked() -> tuple[bool, bool]:
        limiter = anyio.to_thread.current_default_thread_limiter()
        before, limiter.total_tokens = await answers(client.service), 1
        limiter.acquire_on_behalf_of_nowait("somebody")
        return before, await answers(client.service)

    assert asyncio.run(checked()) == (True, False)


def test_where_a_pass_hangs_health_is_bad(client, monkeypatch):
    service = client.service
    assert asyncio.run(answers(service))
    monkeypatch.setattr(service.inference.queue, "longest_seconds", lambda: 3 * 30 + 1)
    assert not asyncio.run(answers(service))
