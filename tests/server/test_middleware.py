"""What the guard lets through, what it answers in place of the rest, and what the log says of it."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from helpers.guarded import Inner, ask, post, state
from hypothesis import given
from hypothesis import strategies as any_of

from attnviz.server.log_format import JSONFormatter, TextFormatter
from attnviz.server.middleware import ServerState
from attnviz.server.settings import Settings


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/proxy=http://127.0.0.1/",
        "/gradio_api/file=http://169.254.169.254/",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=../../etc/passwd",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/process_recording",
        "/pwa_icon/12000",
        "/pwa_icon",
        "/gradio_api/deep_link",
        "/monitoring",
        "/monitoring/summary",
        "/gradio_api/runs",
        "/gradio_api/run-history/records",
        "/gradio_api/run/explain",
        "/gradio_api/api/explain",
        "/gradio_api/vibe-edit",
        "/gradio_api/dev/reload",
        "/gradio_api/stream/x",
        "/gradio_api/mcp/",
        "/gradio_api/custom_component/a/b/c/d",
        "/assets/../app.py",
        "/assets/index-DphvyggB.js",
        "/static/%2e%2e/app.py",
        "/static/js/iframeResizer.contentWindow.min.js",
        "/theme.css",
        "/manifest.json",
        "/login",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/gradio_api/file=\0",
        "/gradio_api/file=" + "x" * 5000,
        "/static/" + "x" * 300,
        "/assets/" + "人" * 100,
    ],
)
def test_routes_that_nobody_needs_are_not_there(tmp_path, path):
    inner = Inner()
    for method in ("GET", "POST"):
        assert ask(inner, state(tmp_path), path, method)[0] == 404
    assert inner.bodies == []


@given(any_of.text(max_size=200))
def test_only_uploads_can_be_seen_whatever_is_named(name):
    inner, folder = Inner(), Path("/nowhere/uploads")
    status, _, _ = ask(inner, state(folder), f"/gradio_api/file={name}")
    assert status == 404 or folder in Path(name).resolve().parents


def test_an_upload_can_be_seen_but_is_never_a_page_and_is_kept_by_no_cache(tmp_path):
    (tmp_path / "a.html").write_text("<script>")
    status, headers, _ = ask(Inner(), state(tmp_path), f"/gradio_api/file={tmp_path}/a.html")
    assert (
        status == 200
        and "sandbox" in headers["content-security-policy"]
        and headers["cache-control"] == "private, no-store"
    )
    assert ask(Inner(), state(tmp_path), f"/gradio_api/file={tmp_path}/../x")[0] == 404


def test_a_page_can_load_nothing_from_elsewhere(tmp_path):
    policy = ask(Inner(), state(tmp_path), "/")[1]["content-security-policy"]
    assert policy.startswith("default-src 'self'") and "http" not in policy
    assert "; script-src 'self';" in policy  # neither a word on the page nor an upload becomes a script


def test_a_body_reaches_the_application_as_it_was_sent(tmp_path):
    inner = Inner()
    assert (
        ask(inner, state(tmp_path), "/gradio_api/queue/join", "POST", [b'{"session_hash"', b': "a"}'])[0]
        == 200
    )
    assert inner.bodies == [b'{"session_hash": "a"}']


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 5_000, b"\xff\xfe"], ids=["empty", "cut", "deep", "bytes"]
)
@pytest.mark.parametrize("call", ["queue/join", "component_server", "call/explain", "mcp/"])
def test_what_is_no_json_reaches_nobody(tmp_path, call, body):
    inner = Inner()
    status, _, said = ask(inner, state(tmp_path, mcp=True), f"/gradio_api/{call}", "POST", [body])
    assert (status, said["detail"]) == (400, "This is not JSON.") and inner.bodies == []


@pytest.mark.parametrize("body", [b'{"a": "\\ud800"}', b"[]", b"3", b"null", b"NaN"])
def test_json_that_is_no_question_is_handed_on_but_for_a_viewers_which_names_its_visitor(tmp_path, body):
    inner, server = Inner(), state(tmp_path)
    for call in ("queue/join", "call/explain"):
        assert ask(inner, server, f"/gradio_api/{call}", "POST", [body])[0] == 200
    assert inner.bodies == [body, body]
    expected = 200 if body.startswith(b"{") else 429
    assert ask(inner, server, "/gradio_api/component_server", "POST", [body])[0] == expected
    assert server.viewer_requests == {}


@pytest.mark.parametrize("call", ["queue/join", "component_server", "call/explain", "mcp/"])
@pytest.mark.parametrize(
    "part", [b"[],", b'{"a":1},', b"0,", b"["], ids=["lists", "dicts", "numbers", "deep"]
)
def test_a_question_of_many_parts_is_refused_unread(tmp_path, call, part):
    inner = Inner()
    body = (b'{"data":[' + 80_000 * part)[:250_000] + b"0]}"
    server = state(tmp_path, mcp=True)
    assert ask(inner, server, f"/gradio_api/{call}", "POST", [body])[0] == 413 and inner.bodies == []


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1/x", "HTTPS://example.org/x", " http://[::1]/x", "ftp://x/y", "file:///etc/passwd"],
)
@pytest.mark.parametrize(
    "path", ["/gradio_api/queue/join", "/gradio_api/component_server", "/gradio_api/call/explain"]
)
def test_an_address_in_place_of_a_file_reaches_nobody_however_deep_it_lies(tmp_path, path, address):
    inner, file = Inner(), {"path": address, "meta": {"_type": "gradio.FileData"}}
    for data in ([file], [[{"a": {"b": [file]}}]], {"event_data": file}):
        status, _, said = post(inner, state(tmp_path), path, {"data": data})
        assert status == 400 and "an address" in said["detail"]
    assert inner.bodies == []
    agent = {"method": "tools/call", "params": {"name": "explain", "arguments": {"photo": address}}}
    assert post(inner, state(tmp_path, mcp=True), "/gradio_api/mcp/", agent)[0] == 400 and inner.bodies == []
    shown = {
        "path": "/uploads/x.png",
        "url": "http://127.0.0.1:7860/gradio_api/file=/uploads/x.png",
    }  # as the page sends it
    assert post(inner, state(tmp_path), path, {"data": [shown]})[0] == 200


def test_health_is_bad_where_nothing_answers(tmp_path):
    async def never() -> bool:
        return False

    server = state(tmp_path)
    assert ask(Inner(), server, "/healthz")[2]["status"] == "ok"
    server.answers = never
    assert ask(Inner(), server, "/healthz")[::2] == (503, {"status": "stuck"})


def test_a_closing_server_takes_nothing_new_and_says_so(tmp_path):
    server = state(tmp_path)
    server.closing = True
    for path in ("/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/component_server"):
        status, _, said = post(Inner(), server, path, {})
        assert status == 503 and "restarting" in said["detail"]
    assert (
        ask(Inner(), server, "/healthz")[0] == 503
        and ask(Inner(), server, "/gradio_api/queue/data")[0] == 200
    )


def test_a_disk_that_fills_up_is_a_sentence_and_another_failure_is_one_line(tmp_path, caplog):
    status, _, said = post(Inner(OSError(28, "No space left")), state(tmp_path), "/gradio_api/upload", {})
    assert status == 507 and "no room" in said["detail"]
    status, _, said = post(
        Inner(PermissionError(13, "secret.png")), state(tmp_path), "/gradio_api/upload", {}
    )
    assert status == 500 and "Something went wrong" in said["detail"]
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    line = TextFormatter().format(record)
    assert "error=PermissionError at=guarded.py:" in line and "secret" not in line


def test_a_file_of_a_public_folder_has_a_name_without_this_machines_folders(tmp_path):
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "cat.jpg").write_bytes(b"x")
    paths = []

    async def inner(scope, receive, send):
        paths.append(scope["path"])
        await Inner()(scope, receive, send)

    server = ServerState(Settings(), tmp_path / "uploads", {"examples": tmp_path / "public"})
    assert ask(inner, server, "/gradio_api/file=examples/cat.jpg")[0] == 200
    for name in ("../secret.png", "nothing.jpg", "", "cat.jpg\0"):  # of which Gradio would name the path
        status, _, said = ask(inner, server, f"/gradio_api/file=examples/{name}")
        assert status == 404 and str(tmp_path) not in said["detail"]
    assert paths == [f"/gradio_api/file={tmp_path}/public/cat.jpg"]


def test_the_folder_of_the_uploads_comes_back_when_somebody_deletes_it(tmp_path):
    server = state(tmp_path / "uploads")
    assert post(Inner(), server, "/gradio_api/upload", {})[0] == 200
    assert (tmp_path / "uploads").stat().st_mode & 0o777 == 0o700


def test_a_line_a_request_tells_how_long_and_how_big_and_never_what(tmp_path, caplog):
    caplog.set_level(logging.INFO, "attnviz.requests")
    post(Inner(), state(tmp_path), "/gradio_api/queue/join", {"session_hash": "secret", "data": ["secret"]})
    ask(Inner(), state(tmp_path), "/gradio_api/file=/secret/secret.png")
    lines = [JSONFormatter().format(record) for record in caplog.records]
    assert len(lines) == 2 and "secret" not in "".join(lines)
    first, second = map(json.loads, lines)
    assert (first["route"], first["status"], first["in"], first["out"]) == ("queue/join", 200, 46, 4)
    assert (second["route"], second["status"]) == ("file", 404) and first["ms"] >= 0
    assert "route=file" in TextFormatter().format(caplog.records[1])
