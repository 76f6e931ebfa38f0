"""Who waits for a result keeps nobody else waiting, and health is told by doing."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import anyio
import anyio.to_thread
import httpx
import pytest
from helpers.page_client import TEMPLE
from helpers.waiting import Waiting

from attnviz.capture.run import trace
from attnviz.errors import AttnvizError
from attnviz.server.catalog import Catalog
from attnviz.server.components import AttentionViewer
from attnviz.server.inference import Compute, Inference
from attnviz.server.launch import answers, serve
from attnviz.server.service import make_service
from attnviz.server.settings import Settings
from attnviz.server.sweeping import new_folder
from attnviz.server.work_queue import WorkQueue

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


def test_where_a_pass_hangs_health_is_bad_until_it_ends_and_others_are_served(client, catalog):
    now, began, end = [0.0], threading.Event(), threading.Event()

    def hold(_network) -> None:
        began.set()
        assert end.wait(60)

    inference = Inference(Settings(passes=1, seconds=10), catalog, clock=lambda: now[0])
    service = replace(client.service, inference=inference)
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(Waiting(inference).forward_pass, "cbam_resnet18", hold)
        assert began.wait(20) and asyncio.run(answers(service))
        now[0] = 31.0
        assert not asyncio.run(answers(service))
        with pytest.raises(AttnvizError, match="did not come to an end"):
            hanging.result(20)
        assert Waiting(inference).forward_pass("cbam_resnet18", lambda network: "served") == "served"
        assert not asyncio.run(answers(service))
        end.set()
        while not asyncio.run(answers(service)):
            time.sleep(0)
    inference.close()


def test_where_a_network_does_not_open_health_is_bad_and_others_open(client, cbam):
    now, began, end = [0.0], threading.Event(), threading.Event()

    def load(name: str, report):
        if name == "bam_resnet18":
            began.set()
            assert end.wait(60)
        return cbam

    queue = WorkQueue(2, 50, hangs_seconds=300, clock=lambda: now[0])
    catalog = Catalog(Settings(), load=load, queue=queue)
    service = replace(client.service, catalog=catalog)
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(Waiting(catalog).network, "bam_resnet18")
        assert began.wait(20) and asyncio.run(answers(service))
        now[0] = 301.0
        assert not asyncio.run(answers(service))
        with pytest.raises(AttnvizError, match="did not come to an end"):
            hanging.result(20)
        assert Waiting(catalog).network("se_resnet18") is not None
        end.set()
        while not asyncio.run(answers(service)):
            time.sleep(0)
    catalog.queue.close()


def test_a_download_that_goes_on_does_not_hang_however_long_it_takes(client, cbam):
    now, healthy = [0.0], []

    def load(name: str, report):
        for done in range(5):
            now[0] += 200
            report(done, 5)
            healthy.append(asyncio.run(answers(service)))
        return cbam

    queue = WorkQueue(2, 50, hangs_seconds=300, clock=lambda: now[0])
    catalog = Catalog(Settings(), load=load, queue=queue)
    service = replace(client.service, catalog=catalog)
    Waiting(catalog).network("se_resnet18")
    assert healthy == [True] * 5
    catalog.queue.close()
