"""How large, how many and how often: what the guard takes of each visitor and each address."""

from __future__ import annotations

import asyncio
import json
import shutil

import pytest
from helpers.guarded import Inner, ask, ask_again, form, post, state
from helpers.guarded import guard as new_guard

from attnviz.server.middleware import ServerState
from attnviz.server.refusal_pause import AT_ONCE_A_MINUTE, MOST_WAITING, SECONDS, RefusalPause
from attnviz.server.request_body import Refusal, _names_an_address, lively
from attnviz.server.routes import CALLS
from attnviz.server.settings import Settings

QUESTIONS = [call for call in CALLS if call.startswith(("/queue/", "/cancel", "/reset"))]


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(
    ("path", "most"),
    [("/gradio_api/upload", 31_000_000), *((f"/gradio_api{call}", 256_000) for call in QUESTIONS)],
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
        assert ask_again(new_guard(Inner(), full), path, "POST", asked)[0] == 429
    full.events_of_address, full.requests_from["1.2.3.4"] = lambda _: 0, 10
    guard = new_guard(Inner(), full)
    assert ask_again(guard, "/gradio_api/component_server", "POST", asked)[0] == 429
    assert ask_again(guard, "/gradio_api/component_server", "POST", asked, client="5.6.7.8")[0] == 200
    assert dict(full.requests_from) == {"1.2.3.4": 10}


def test_questions_of_one_viewer_are_counted_while_they_are_answered(tmp_path):
    server = state(tmp_path, each=1)
    server.viewer_requests["a"] = 2
    assert post(Inner(), server, "/gradio_api/component_server", {"session_hash": "a"})[0] == 429
    assert post(Inner(), server, "/gradio_api/component_server", {"session_hash": "b"})[0] == 200
    assert dict(server.viewer_requests) == {"a": 2}


def test_an_address_has_so_many_requests_a_minute_and_its_neighbours_have_theirs(tmp_path):
    now = [0.0]
    guard = new_guard(Inner(), state(tmp_path, rate=3), clock=lambda: now[0])
    assert [ask_again(guard)[0] for _ in range(5)] == [200, 200, 200, 429, 429]
    assert ask_again(guard, client="5.6.7.8")[0] == 200
    assert ask_again(guard, "/healthz")[0] == 200
    now[0] += 40
    assert [ask_again(guard)[0] for _ in range(2)] == [200, 429]


def test_a_large_question_counts_as_several_requests(tmp_path):
    guard = new_guard(Inner(), state(tmp_path, rate=100), clock=lambda: 0.0)
    path, large = "/gradio_api/queue/join", [json.dumps({"data": "x" * 200_000}).encode()]
    assert [ask_again(guard, path, "POST", large)[0] for _ in range(2)] == [200, 429]
    guard = new_guard(Inner(), state(tmp_path, rate=100), clock=lambda: 0.0)
    small = [json.dumps({"data": "x" * 3000}).encode()]
    assert [ask_again(guard, path, "POST", small)[0] for _ in range(101)] == [200] * 100 + [429]


@pytest.mark.parametrize(("proxies", "address"), [(0, "1.2.3.4"), (1, "7.7.7.7"), (3, "1.2.3.4")])
def test_a_proxy_is_believed_only_where_there_is_one(tmp_path, proxies, address):
    guard = new_guard(Inner(), state(tmp_path, proxies=proxies, rate=1), clock=lambda: 0.0)
    forged = [(b"x-forwarded-for", b"9.9.9.9, 7.7.7.7")]
    assert ask_again(guard, headers=forged, client="1.2.3.4")[0] == 200
    plain = [(b"x-forwarded-for", b"5.5.5.5")] if proxies == 1 else []
    same = {"client": "1.2.3.4"} if address == "1.2.3.4" else {"headers": forged, "client": "8.8.8.8"}
    other = {"client": "8.8.8.8"} if address == "1.2.3.4" else {"headers": plain, "client": "1.2.3.4"}
    assert ask_again(guard, **same)[0] == 429 and ask_again(guard, **other)[0] == 200


def test_uploads_wait_where_disk_or_memory_run_short(tmp_path):
    full = ServerState(Settings(free_mb=10**7), tmp_path)
    assert "no room" in post(Inner(), full, "/gradio_api/upload", {})[2]["detail"]
    short = state(tmp_path, memory_mb=1000)
    short.memory = lambda: 900_000_000
    assert (
        post(Inner(), short, "/gradio_api/upload", {})[0] == 503
        and post(Inner(), short, "/gradio_api/queue/join", {})[0] == 200
    )


@pytest.mark.parametrize(("megabytes", "status", "times"), [(700, 200, 0), (800, 200, 1), (900, 503, 1)])
def test_room_is_made_before_uploads_have_to_wait(tmp_path, megabytes, status, times):
    made: list[bool] = []
    short = state(tmp_path, memory_mb=1000)
    short.memory, short.make_room = lambda: megabytes * 1_000_000, lambda: made.append(True)
    assert post(Inner(), short, "/gradio_api/upload", {})[0] == status
    assert len(made) == times


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


def test_what_one_address_has_on_its_way_is_bounded_and_others_are_not_kept_out(tmp_path):
    server = state(tmp_path, quota_mb=30, checkpoint_mb=20)
    announced = [(b"content-length", b"19000000")]
    statuses = []

    async def begin_another(scope, receive, send) -> None:
        statuses.append("begun")
        if len(statuses) == 1:
            for client in ("1.2.3.4", "5.6.7.8"):
                statuses.append(await status_of(new_guard(Inner(), server), client, announced))
        await Inner()(scope, receive, send)

    asyncio.run(status_of(new_guard(begin_another, server), "1.2.3.4", announced))
    assert statuses == ["begun", 429, 200]
    assert server.arrivals.missing == 0 and not server.arrivals.missing_from


async def status_of(guard, client: str, headers: list) -> int:
    sent = []

    async def receive():
        return {"type": "http.request", "body": b" ", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/gradio_api/upload", "method": "POST", "headers": headers}
    await guard({**scope, "client": (client, 1)}, receive, send)
    return sent[0]["status"]


def test_a_body_that_stops_arriving_is_not_waited_for():
    async def receive():
        await asyncio.Event().wait()

    with pytest.raises(Refusal, match="Nothing more of this arrived") as told:
        asyncio.run(lively(receive, 0.01)())
    assert told.value.status == 408


def test_after_a_whole_body_nothing_more_has_to_arrive():
    messages = [{"type": "http.request", "body": b"x", "more_body": False}, {"type": "http.disconnect"}]

    async def receive():
        if len(messages) == 1:
            await asyncio.sleep(0)  # where a wait that is limited to no time ends
        return messages.pop(0)

    async def read_all() -> list[str]:
        receive_lively = lively(receive, 0.0)
        return [(await receive_lively())["type"] for _ in range(2)]

    assert asyncio.run(read_all()) == ["http.request", "http.disconnect"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/gradio_api/upload_progress", "upload_id={}"),
        ("/gradio_api/upload", "upload_id={}"),
        ("/gradio_api/queue/data", "session_hash={}"),
        ("/gradio_api/heartbeat/{}", ""),
    ],
)
def test_names_in_addresses_are_short(tmp_path, path, query):
    for length, expected in ((64, 200), (65, 400)):
        name, server = "x" * length, state(tmp_path)
        asked = {"path": path.format(name), "query": query.format(name).encode()}
        assert ask(Inner(), server, **asked)[0] == expected


class NoName(dict):
    """A part of a question that takes long to write down."""

    def __str__(self) -> str:
        raise AssertionError("written down")

    __repr__ = __str__


def test_a_name_is_looked_for_only_in_text_however_deep_and_wide_a_question_is():
    question = NoName(path="x")
    for _ in range(100):
        question = NoName(path=NoName(arguments=NoName(photo=question)))
    assert not _names_an_address(NoName(path=question))


def test_who_is_refused_all_the_time_is_told_after_a_second_and_others_at_once(tmp_path):
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    guarded = new_guard(Inner(), state(tmp_path), lambda: 0.0, sleep)
    large = [(b"content-length", b"9000000000")]
    for number in range(AT_ONCE_A_MINUTE + 3):
        path = ("/gradio_api/upload", "/gradio_api/queue/join", "/nowhere")[number % 3]
        assert ask_again(guarded, path, "POST", headers=large)[0] in (404, 413)
    assert pauses == [SECONDS] * 3
    assert ask_again(guarded)[0] == 200 and len(pauses) == 3
    assert ask_again(guarded, "/nowhere", client="1.2.3.5")[0] == 404 and len(pauses) == 3


def test_what_the_application_itself_refuses_counts_and_health_does_not(tmp_path):
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def refuse(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"not here"})

    closing = state(tmp_path)
    closing.closing = True
    guarded = new_guard(refuse, closing, lambda: 0.0, sleep)
    assert {ask_again(guarded, "/healthz")[0] for _ in range(AT_ONCE_A_MINUTE + 1)} == {503} and not pauses
    assert {ask_again(guarded)[0] for _ in range(AT_ONCE_A_MINUTE + 1)} == {404}
    assert pauses == [SECONDS]


def test_so_many_connections_are_held_open_before_a_refusal_and_no_more():
    async def held() -> int:
        pause, never = RefusalPause(lambda: 0.0, lambda _: asyncio.Event().wait()), []
        for _ in range(AT_ONCE_A_MINUTE + MOST_WAITING + 5):
            never.append(asyncio.create_task(pause.before_refusing("1.2.3.4")))
        await asyncio.sleep(0)
        waiting = sum(not task.done() for task in never)
        for task in never:
            task.cancel()
        return waiting

    assert asyncio.run(held()) == MOST_WAITING
