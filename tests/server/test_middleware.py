"""What the guard lets through, and what it answers in place of the rest, around an application that would do
anything."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as any_of

from attnviz.server.log_format import JSONFormatter, TextFormatter
from attnviz.server.middleware import RequestGuard, ServerState
from attnviz.server.routes import CALLS
from attnviz.server.settings import Settings, from_environment


class Inner:
    """An application that reads all that it is sent and says so."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.bodies: list[bytes] = []
        self.trouble = trouble

    async def __call__(self, scope, receive, send) -> None:
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        self.bodies.append(b"".join(parts))
        if self.trouble:
            raise self.trouble
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


def state(folder: Path, **settings) -> ServerState:
    return ServerState(Settings(free_mb=0, **settings), folder)


def ask(inner, state, path, method="GET", chunks=(b"",), headers=()) -> tuple[int, dict, dict]:
    """The status, the headers, and the JSON or {"text": …} that one request to a new guard brings back."""
    return ask_again(RequestGuard(inner, state), path, method, chunks, headers)


def ask_again(
    guard, path="/config", method="GET", chunks=(b"",), headers=(), client="1.2.3.4"
) -> tuple[int, dict, dict]:
    """One more request to a guard; what comes back is as in ``ask``."""
    sent, left = [], list(chunks)

    async def receive():
        return (
            {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}
            if left
            else {"type": "http.disconnect"}
        )

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "method": method, "headers": list(headers), "client": (client, 1)}
    asyncio.run(guard(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent)
    found = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return sent[0]["status"], found, json.loads(body) if body[:1] == b"{" else {"text": body.decode()}


def post(inner, state, path, content, **more) -> tuple[int, dict, dict]:
    return ask(inner, state, path, "POST", [json.dumps(content).encode()], **more)


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
        "/static/%2e%2e/app.py",
        "/login",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/gradio_api/file=\0",
        "/gradio_api/file=" + "x" * 5000,
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


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(
    ("path", "most"),
    [("/gradio_api/upload", 31_000_000), *((f"/gradio_api{call}", 256_000) for call in CALLS[5:10])],
)
def test_what_is_too_large_is_not_taken_in_announced_or_not(tmp_path, path, most, announced):
    inner, piece = Inner(), b" " * 1_000_000
    headers = [(b"content-length", str(most + 1).encode())] if announced else []
    status, _, said = ask(
        inner, state(tmp_path, checkpoint_mb=30), path, "POST", [piece] * (most // len(piece) + 2), headers
    )
    assert status == 413 and "larger" in said["detail"] and inner.bodies == []


def test_without_checkpoints_uploads_are_as_large_as_a_photo(tmp_path):
    small = state(tmp_path, checkpoints=False)
    assert ask(Inner(), small, "/gradio_api/upload", "POST", [b" " * 20_500_000])[0] == 200
    assert ask(Inner(), small, "/gradio_api/upload", "POST", [b" " * 21_500_000])[0] == 413


def test_a_body_reaches_the_application_as_it_was_sent(tmp_path):
    inner = Inner()
    assert (
        ask(inner, state(tmp_path), "/gradio_api/queue/join", "POST", [b'{"session_hash"', b': "a"}'])[0]
        == 200
    )
    assert inner.bodies == [b'{"session_hash": "a"}']


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 100_000, b"\xff\xfe"], ids=["empty", "cut", "deep", "bytes"]
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


def test_who_has_many_requests_waiting_is_told_and_others_are_not(tmp_path):
    full = state(tmp_path, each=3)
    full.events_of = {"greedy": 3, "modest": 2}.get
    status, headers, said = post(Inner(), full, "/gradio_api/queue/join", {"session_hash": "greedy"})
    assert (
        status == 429
        and "already have 3 requests waiting" in said["detail"]
        and int(headers["retry-after"]) > 0
    )
    assert post(Inner(), full, "/gradio_api/queue/join", {"session_hash": "modest"})[0] == 200


def test_when_the_queue_is_full_the_number_is_told_in_the_visitors_language(tmp_path):
    full = state(tmp_path, waiting=80)
    full.waiting, full.seconds_per_pass = lambda: 80, lambda: 0.5
    for path in ("/gradio_api/queue/join", "/gradio_api/call/explain"):
        status, _, said = post(Inner(), full, path, {"session_hash": "a"})
        assert (
            status == 429
            and "busy: you would be number 81 in the line. Try again in about 41 s." in said["detail"]
        )
    said = post(Inner(), full, "/gradio_api/queue/join", {}, headers=[(b"accept-language", b"zh-CN")])[2]
    assert "第 81 位" in said["detail"]


@pytest.mark.parametrize("path", ["queue/join", "call/explain", "component_server"])
def test_a_sessions_name_is_short(tmp_path, path):
    for length, status in ((64, 200), (65, 400)):
        assert (
            post(Inner(), state(tmp_path), f"/gradio_api/{path}", {"session_hash": "x" * length})[0] == status
        )


def test_an_address_has_so_many_waiting_whatever_its_visitors_are_called(tmp_path):
    full = state(tmp_path, each_address=5)
    full.events_of_address = {"1.2.3.4": 5}.get
    asked = [json.dumps({"session_hash": "new"}).encode()]
    for path in ("/gradio_api/queue/join", "/gradio_api/call/explain"):
        assert ask_again(RequestGuard(Inner(), full), path, "POST", asked)[0] == 429
    full.events_of_address, full.requests_from["1.2.3.4"] = lambda _: 0, 10
    guard = RequestGuard(Inner(), full)
    assert ask_again(guard, "/gradio_api/component_server", "POST", asked)[0] == 429
    assert ask_again(guard, "/gradio_api/component_server", "POST", asked, client="5.6.7.8")[0] == 200
    assert dict(full.requests_from) == {"1.2.3.4": 10}


def test_health_is_bad_where_nothing_answers(tmp_path):
    async def never() -> bool:
        return False

    server = state(tmp_path)
    assert ask(Inner(), server, "/healthz")[2]["status"] == "ok"
    server.answers = never
    assert ask(Inner(), server, "/healthz")[::2] == (503, {"status": "stuck"})


def test_questions_of_one_viewer_are_counted_while_they_are_answered(tmp_path):
    server = state(tmp_path, each=1)
    server.viewer_requests["a"] = 2
    assert post(Inner(), server, "/gradio_api/component_server", {"session_hash": "a"})[0] == 429
    assert post(Inner(), server, "/gradio_api/component_server", {"session_hash": "b"})[0] == 200
    assert dict(server.viewer_requests) == {"a": 2}


def test_an_address_has_so_many_requests_a_minute_and_its_neighbours_have_theirs(tmp_path):
    now = [0.0]
    guard = RequestGuard(Inner(), state(tmp_path, rate=3), clock=lambda: now[0])
    assert [ask_again(guard)[0] for _ in range(5)] == [200, 200, 200, 429, 429]
    assert ask_again(guard, client="5.6.7.8")[0] == 200
    assert ask_again(guard, "/healthz")[0] == 200
    assert ask_again(guard, "/theme.css")[0] == 200  # the same for all, and not counted
    now[0] += 40
    assert [ask_again(guard)[0] for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(("proxies", "address"), [(0, "1.2.3.4"), (1, "7.7.7.7"), (3, "1.2.3.4")])
def test_a_proxy_is_believed_only_where_there_is_one(tmp_path, proxies, address):
    guard = RequestGuard(Inner(), state(tmp_path, proxies=proxies, rate=1), clock=lambda: 0.0)
    forged = [(b"x-forwarded-for", b"9.9.9.9, 7.7.7.7")]
    assert ask_again(guard, headers=forged, client="1.2.3.4")[0] == 200
    plain = [(b"x-forwarded-for", b"5.5.5.5")] if proxies == 1 else []
    same = {"client": "1.2.3.4"} if address == "1.2.3.4" else {"headers": forged, "client": "8.8.8.8"}
    other = {"client": "8.8.8.8"} if address == "1.2.3.4" else {"headers": plain, "client": "1.2.3.4"}
    assert ask_again(guard, **same)[0] == 429 and ask_again(guard, **other)[0] == 200


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


def test_uploads_wait_where_disk_or_memory_run_short(tmp_path):
    full = ServerState(Settings(free_mb=10**7), tmp_path)
    assert "no room" in post(Inner(), full, "/gradio_api/upload", {})[2]["detail"]
    short = state(tmp_path, memory_mb=1000)
    short.memory = lambda: 900_000_000
    assert (
        post(Inner(), short, "/gradio_api/upload", {})[0] == 503
        and post(Inner(), short, "/gradio_api/queue/join", {})[0] == 200
    )


def form(*parts: tuple[str, bytes]) -> list[bytes]:
    """A form's body in pieces of 64 kB, of (what stands behind "form-data; ", content)."""
    body = b"".join(
        b"--x\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    body += b"--x--\r\n"
    return [body[start : start + 65_536] for start in range(0, len(body), 65_536)]


@pytest.mark.parametrize("disposition", ['name="files"', 'name="filename"', "name=a"])
def test_what_of_a_form_is_no_file_is_bounded_and_a_file_is_not(tmp_path, disposition):
    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    large, path = b"a" * 1_100_000, "/gradio_api/upload"
    inner, file = Inner(), ('name="files"; filename="a.png"', large)
    assert ask(inner, state(tmp_path), path, "POST", form(file), headers)[0] == 200
    assert b"".join(form(file)) == inner.bodies.pop()
    for parts in ([(disposition, large)], [file, *[(disposition, large[:100_000])] * 11]):
        assert ask(inner, state(tmp_path), path, "POST", form(*parts), headers)[0] == 413
    assert inner.bodies == []


@pytest.mark.parametrize("kind", [b"multipart/form-data", b"multipart/form-data; boundary=x"])
def test_what_is_no_form_is_refused(tmp_path, kind):
    inner, headers = Inner(), [(b"content-type", kind)]
    status, _, said = ask(inner, state(tmp_path), "/gradio_api/upload", "POST", [b"no form at all"], headers)
    assert (status, inner.bodies) == (400, []) and "no form" in said["detail"]


def test_uploads_on_their_way_count_as_if_they_had_come(tmp_path):
    free = shutil.disk_usage(tmp_path).free // 1_000_000
    server = ServerState(Settings(free_mb=min(free - 50, 10**7)), tmp_path)
    length = [(b"content-length", b"20000000")]
    assert ask(Inner(), server, "/gradio_api/upload", "POST", headers=length)[0] == 200
    with server.arrivals.expecting(40_000_000) as came:
        assert ask(Inner(), server, "/gradio_api/upload", "POST", headers=length)[0] == 507
        came(39_000_000)
        assert server.arrivals.missing == 1_000_000
    assert server.arrivals.missing == 0


def test_a_disk_that_fills_up_is_a_sentence_and_another_failure_is_one_line(tmp_path, caplog):
    status, _, said = post(Inner(OSError(28, "No space left")), state(tmp_path), "/gradio_api/upload", {})
    assert status == 507 and "no room" in said["detail"]
    status, _, said = post(
        Inner(PermissionError(13, "secret.png")), state(tmp_path), "/gradio_api/upload", {}
    )
    assert status == 500 and "Something went wrong" in said["detail"]
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    line = TextFormatter().format(record)
    assert "error=PermissionError at=test_middleware.py:" in line and "secret" not in line


@pytest.mark.parametrize(
    ("settings", "served", "refused"),
    [
        (
            {},
            ["127.0.0.1:7860", "[::1]:7860", "localhost", "192.168.1.20:7860", "teacher-pc", "pc.local"],
            ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "pc.local.evil.com", "a b"],
        ),
        (
            {"hosts": "vis.school.edu, other"},
            ["vis.school.edu:80", "VIS.school.edu", "other", "10.0.0.1"],
            ["evil.example", "school.edu", "x.vis.school.edu"],
        ),
        ({"proxies": 1}, ["any.example.org"], []),
        ({"proxies": 1, "hosts": "me.hf.space"}, ["me.hf.space"], ["any.example.org"]),
    ],
)
def test_a_name_that_is_not_the_servers_reaches_nothing(tmp_path, settings, served, refused):
    for names, expected in ((served, 200), (refused, 421)):
        for name in names:
            headers = [(b"host", name.encode())]
            assert ask(Inner(), state(tmp_path, **settings), "/config", headers=headers)[0] == expected, name


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:7860"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:8000"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://course.example"}, 200),
        ({"origin": "https://me.hf.space", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, 403),
        ({"origin": "https://evil.example", "x-forwarded-host": "evil.example"}, 403),
    ],
)
def test_another_website_sends_nothing_unless_it_may(tmp_path, headers, status):
    server, inner = state(tmp_path, origins="https://course.example"), Inner()
    sent = [(b"host", b"127.0.0.1:7860"), *((key.encode(), text.encode()) for key, text in headers.items())]
    assert post(inner, server, "/gradio_api/queue/join", {}, headers=sent)[0] == status
    assert ask(inner, server, "/config", headers=sent)[0] == 200


def test_only_websites_of_the_settings_show_the_page_in_a_frame(tmp_path):
    def policy(**settings) -> str:
        return ask(Inner(), state(tmp_path, **settings), "/")[1]["content-security-policy"]

    assert policy().endswith("; frame-ancestors 'self'")
    space = from_environment({"SPACE_ID": "me/space"})
    assert "https://huggingface.co" in policy(frames=space.frames)
    assert from_environment({}).frames is None


def test_a_file_of_a_public_folder_has_a_name_without_this_machines_folders(tmp_path):
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "cat.jpg").write_bytes(b"x")
    paths = []

    async def inner(scope, receive, send):
        paths.append(scope["path"])
        await Inner()(scope, receive, send)

    server = ServerState(Settings(), tmp_path / "uploads", {"examples": tmp_path / "public"})
    assert ask(inner, server, "/gradio_api/file=examples/cat.jpg")[0] == 200
    assert ask(inner, server, "/gradio_api/file=examples/../secret.png")[0] == 404
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
