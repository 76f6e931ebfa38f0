"""The server as a process: what goes wrong around it loses no more than the request that is under way."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from io import BytesIO

import httpx
import numpy as np
import pytest
from helpers.checkout import ROOT
from helpers.server_process import Server, server
from PIL import Image

from attnviz.command.main import main
from attnviz.server.sweeping import new_folder

pytestmark = pytest.mark.slow


def photo(seed: int, side: int = 300) -> bytes:
    """A PNG of noise, which no compression makes small."""
    buffer = BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)).save(
        buffer, "PNG"
    )
    return buffer.getvalue()


def explained(running: Server, name: str, seed: int) -> dict:
    kind, answer = running.call("explain", running.photo(name, photo(seed)), "cbam_resnet18", "whole")
    assert kind == "complete"
    return answer[0]


def test_everybody_gets_the_numbers_of_her_own_photo(running):
    alone = {seed: explained(running, f"{seed}.png", seed) for seed in range(4)}
    with ThreadPoolExecutor(8) as pool:
        together = list(
            pool.map(lambda turn: (turn % 4, explained(running, f"{turn % 4}.png", turn % 4)), range(24))
        )
    assert all(answer == alone[seed] for seed, answer in together)
    assert len({json.dumps(answer["probabilities"]) for answer in alone.values()}) == 4


def test_health_is_told(running):
    explained(running, "a.png", 1)
    health = httpx.get(f"{running.url}/healthz").json()
    assert health["status"] == "ok" and "cbam_resnet18" in health["networks"] and health["waiting"] == 0
    assert 100 < health["memory_mb"] < 4000


def test_files_that_a_call_names_are_not_read(running):
    example = str(ROOT / "assets" / "examples" / "cat.jpg")
    for path in ("/etc/passwd", "../../etc/passwd", example, "", "x" * 10_000, "\0"):
        for meta in (
            {"meta": {"_type": "gradio.FileData"}},
            {},
        ):  # with it Gradio looks at the file first, without it only we do
            kind, answer = running.call(
                "explain", {"path": path, "url": "http://127.0.0.1:1/x.png", **meta}, "cbam_resnet18", "whole"
            )
            assert kind == "error" and (
                meta or answer["error"].startswith(("This photo is no longer", "There is no room"))
            ), path
    assert (
        running.join("explain", {"path": "http://127.0.0.1:1/x.png"}, "cbam_resnet18", "whole").status_code
        == 400
    )
    assert explained(running, "a.png", 1)


def test_who_leaves_in_the_middle_loses_only_her_own_answer(running):
    said = len(running.said)
    arguments = (running.photo("a.png", photo(9, 900)), "bam_resnet18", "whole")
    for _ in range(6):
        event = running.join("explain", *arguments).json()["event_id"]
        with httpx.stream("GET", f"{running.url}/gradio_api/call/explain/{event}", timeout=30):
            pass  # and gone, before there is an answer
    assert explained(running, "b.png", 2)
    assert "Traceback" not in "".join(running.said[said:])


def test_the_folder_of_uploads_may_go_underneath(running):
    for folder in running.temp.iterdir():
        shutil.rmtree(folder)
    assert explained(running, "a.png", 3)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
def test_a_full_disk_is_a_sentence_and_over_when_there_is_room_again(running):
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
    try:
        refused = running.upload("big.png", photo(4, 600))
        assert refused.status_code == 507 and "no room" in refused.json()["detail"]
    finally:
        resource.prlimit(
            running.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )
    assert explained(running, "big.png", 4)


def test_logs_are_lines_of_json_without_names(running):
    explained(running, "a-secret-name.png", 5)
    lines = [json.loads(line) for line in list(running.said) if line.startswith("{")]
    assert {"request", "pass"} <= {line["what"] for line in lines} and all(
        line["ms"] >= 0 for line in lines if line["what"] == "pass"
    )
    assert "a-secret-name" not in "".join(running.said)


def test_ordinary_failures_are_lines_of_the_log_without_tracebacks(running):
    explained(running, "a.png", 5)
    said = len(running.said)
    with socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2]))) as connection:
        head = "POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
        kind = "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
        connection.sendall((head + kind).encode())  # and gone, in the middle
    api = f"{running.url}/gradio_api"
    with suppress(httpx.HTTPError):  # an answer that breaks off
        httpx.get(f"{api}/queue/data", params={"session_hash": "unknown"}, timeout=30)
    for number in (-1, 999, "x"):
        asked = {"data": [], "fn_index": number, "session_hash": "mine"}
        assert httpx.post(f"{api}/queue/join", json=asked, timeout=30).status_code == 404
    path = running.photo("a-secret-name.png", photo(6))["path"]
    for wanted in ("bytes=9999999-", "bytes=x", "bytes=5-1", "bytes=0-1,5-9999999"):
        with suppress(httpx.HTTPError):
            httpx.get(f"{api}/file={path}", headers={"range": wanted}, timeout=30)
    assert (
        running.call("explain", {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}})[0] == "error"
    )
    explained(running, "b.png", 7)
    lines = running.said[said:]
    # uvicorn adds a line of its own where an answer breaks off
    assert all(line.startswith(("{", "ERROR: ")) for line in lines), "".join(lines)
    assert "a-secret-name" not in "".join(lines) and "/etc/passwd" not in "".join(lines)


def test_the_page_names_no_folder_of_the_machine_and_its_examples_can_be_seen(running):
    config = httpx.get(f"{running.url}/config").text
    assert str(ROOT) not in config + httpx.get(running.url).text and str(running.temp) not in config
    example = httpx.get(f"{running.url}/gradio_api/file=examples/cat.jpg")
    assert example.content == (ROOT / "assets" / "examples" / "cat.jpg").read_bytes()


def test_its_files_go_at_the_next_start_if_it_was_killed(tmp_path):
    with server(tmp_path) as running:
        running.photo("a.png", photo(1))
    assert list(tmp_path.rglob("a.png"))
    new_folder(tmp_path)  # as each start makes one
    assert not list(tmp_path.rglob("a.png"))


def test_told_to_end_it_finishes_what_is_under_way_and_leaves_nothing(tmp_path):
    with ExitStack() as stack:
        before = signal.pthread_sigmask(
            signal.SIG_BLOCK, {signal.SIGTERM}
        )  # some supervisors start their children so
        try:
            running = stack.enter_context(server(tmp_path, ATTNVIZ_EACH="50"))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        arguments = [
            (running.photo(f"{seed}.png", photo(seed, 1000)), "cbam_resnet18", "whole") for seed in range(6)
        ]
        events = [running.join("explain", *each).json()["event_id"] for each in arguments]
        pool = stack.enter_context(ThreadPoolExecutor(12))
        answers = [pool.submit(running.answer, "explain", event) for event in events]
        assert answers[0].result()[0] == "complete"
        began = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        statuses = []
        while running.process.poll() is None and 503 not in statuses and time.monotonic() - began < 10:
            try:
                statuses.append(running.join("explain", *arguments[0]).status_code)
            except httpx.TransportError:
                break
        assert running.process.wait(10) == 0 and time.monotonic() - began < 10
        assert set(statuses) <= {
            200,
            503,
        }  # what was taken before the signal arrived, and what was not any more
        assert [answer.result()[0] for answer in answers] == ["complete"] * 6
        assert running.files() == []


@pytest.mark.parametrize(("variable", "text"), [("ATTNVIZ_PORT", "x"), ("ATTNVIZ_COLOUR", "red")])
def test_a_wrong_setting_ends_the_start_with_its_name(monkeypatch, capsys, variable, text):
    monkeypatch.setenv(variable, text)
    assert main(["app"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("attnviz: ") and variable in said and said.count("\n") == 1
