"""Visitors take turns in Gradio's queue, and Gradio's insides are as they are taken to be."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import gradio.routes
import pytest
from gradio.route_utils import FileUploadProgress
from gradio.state_holder import StateHolder
from gradio.utils import get_upload_folder

from attnviz.server.gradio_queue import (
    GradioQueue,
    UploadProgress,
    forget_deleted_uploads,
    forget_old_sessions,
    upload_folder,
    uploads_in,
)
from attnviz.server.page import build
from attnviz.server.routes import ADDRESS


def event(number: int, visitor: str, address: str = "") -> SimpleNamespace:
    scope = {ADDRESS: address} if address else {}
    request = SimpleNamespace(scope=scope)
    return SimpleNamespace(_id=number, session_hash=visitor, request=request, concurrency_id="pass")


def made_queue() -> tuple[SimpleNamespace, SimpleNamespace]:
    """A queue like Gradio's, which gives the first event, and its only line."""

    def first():
        return ([line.queue.pop(0)], False, "pass") if line.queue else None

    line = SimpleNamespace(queue=[], concurrency_limit=10, current_concurrency=0)
    queue = SimpleNamespace(
        active_jobs=[None],
        event_queue_per_concurrency_id={"pass": line},
        get_events=first,
        sleep_when_free=0.001,
    )
    GradioQueue(SimpleNamespace(_queue=queue, fns={}))
    return queue, line


def next_number(queue: SimpleNamespace) -> int | None:
    """The number of the next event to run."""
    found = queue.get_events()
    return found[0][0]._id if found else None


def test_who_fills_the_line_waits_behind_the_others():
    queue, line = made_queue()
    line.queue += [event(number, "greedy") for number in range(4)]
    line.queue += [event(4, "one"), event(5, "other"), event(6, "one")]
    assert [next_number(queue) for _ in range(3)] == [0, 4, 5]
    line.queue += [event(7, "late")]
    queue.active_jobs = [[event(0, "greedy")], None]
    assert [next_number(queue) for _ in range(6)] == [6, 7, 1, 2, 3, None]


def test_who_calls_herself_many_waits_behind_the_others_too_and_a_class_takes_turns():
    queue, line = made_queue()
    line.queue += [event(number, f"made-up-{number}", "1.1.1.1") for number in range(3)]
    line.queue += [event(3, "one", "2.2.2.2"), event(4, "one", "2.2.2.2"), event(5, "two", "2.2.2.2")]
    assert [next_number(queue) for _ in range(6)] == [0, 3, 1, 5, 2, 4]


def test_no_address_has_more_than_half_of_what_may_run_whatever_its_visitors_are_called():
    queue, line = made_queue()
    line.concurrency_limit = 4
    queue.active_jobs = [[event(number, f"made-up-{number}", "1.1.1.1")] for number in range(2)]
    line.queue += [event(number, f"made-up-{number}", "1.1.1.1") for number in (2, 3)]
    assert next_number(queue) is None and [waiting._id for waiting in line.queue] == [2, 3]
    line.queue.append(event(4, "one", "2.2.2.2"))
    assert next_number(queue) == 4 and [waiting._id for waiting in line.queue] == [2, 3]
    queue.active_jobs.pop()
    assert next_number(queue) == 2


def test_what_runs_in_another_line_counts_for_that_one():
    queue, line = made_queue()
    line.concurrency_limit = 4
    others = [event(number, "one", "1.1.1.1") for number in range(4)]
    for other in others:
        other.concurrency_id = "fetch"
    queue.active_jobs = [others]
    line.queue.append(event(4, "one", "1.1.1.1"))
    assert next_number(queue) == 4


def test_a_line_whose_workers_are_all_busy_is_left_as_it_is():
    queue, line = made_queue()
    line.current_concurrency = line.concurrency_limit
    line.queue += [event(0, "greedy"), event(1, "greedy"), event(2, "one")]
    queue.get_events()
    assert [waiting._id for waiting in line.queue] == [1, 2]


@pytest.fixture(scope="module")
def page():
    return build().queue(status_update_rate=1)


def test_gradios_queue_is_as_it_is_taken_to_be(page):
    before = page._queue.get_events
    queue = GradioQueue(page)
    assert page._queue.get_events is not before and page._queue.get_events() is None
    assert page._queue.active_jobs == [] and page._queue.sleep_when_free < 0.01
    assert len(queue) == 0 and not queue.busy() and queue.events_of("nobody") == 0


def test_gradios_events_are_as_they_are_taken_to_be(page):
    from gradio.queueing import Event, EventQueue

    line = EventQueue("pass", 2)
    line.queue.append(Event("visitor", next(iter(page.fns.values())), None, None))
    assert (line.concurrency_limit, line.current_concurrency) == (2, 0)
    assert line.queue[0].session_hash == "visitor" and line.queue[0]._id
    assert line.queue[0].concurrency_id == line.queue[0].fn.concurrency_id
    page._queue.event_queue_per_concurrency_id["pass"] = line
    try:
        queue = GradioQueue(page)
        assert len(queue) == 1 and queue.busy()
    finally:
        page._queue.event_queue_per_concurrency_id.clear()


def test_what_a_visitor_has_waiting_and_what_was_not_fetched_is_given_up(page):
    from gradio.queueing import Event, EventQueue
    from gradio.server_messages import ProcessCompletedMessage

    inside, function, line = page._queue, next(iter(page.fns.values())), EventQueue("pass", 2)
    for session in ("mine", "other"):
        waiting, done = (Event(session, function, None, None) for _ in range(2))
        waiting.data = SimpleNamespace(data=[{"path": f"/uploads/{session}.png"}, "cbam"])
        line.queue.append(waiting)
        inside.pending_messages_per_session[session] = asyncio.Queue()
        inside.send_message(done, ProcessCompletedMessage(output={"data": ["secret"]}, success=True))
    inside.event_queue_per_concurrency_id["pass"] = line
    try:
        assert GradioQueue(page).give_up("mine") == ["/uploads/mine.png"]
        assert [event.session_hash for event in line.queue] == ["other"]
    finally:
        inside.event_queue_per_concurrency_id.clear()
    messages = {name: inside.pending_messages_per_session[name] for name in ("mine", "other")}
    ends = [messages["mine"].get_nowait() for _ in range(messages["mine"].qsize())]
    assert len(ends) == 2 and not any(end.success or "secret" in str(end.output) for end in ends)
    assert messages["other"].get_nowait().output == {"data": ["secret"]}


def test_answers_that_nobody_fetches_count_for_their_address_and_go_after_minutes(page):
    now, inside = [0.0], page._queue
    queue = GradioQueue(page, clock=lambda: now[0])
    inside.pending_messages_per_session.clear()
    for session in ("reads", "leaves"):
        queue._addresses[session] = "1.2.3.4"
        inside.pending_messages_per_session[session] = asyncio.Queue()
        inside.pending_messages_per_session[session].put_nowait("answer")
    assert queue.events_of_address("1.2.3.4") == 2 and queue.events_of_address("5.6.7.8") == 0
    for minute in range(4):
        now[0] = 60.0 * minute
        queue.forget_unread()
        messages = inside.pending_messages_per_session["reads"]
        messages.get_nowait()
        messages.put_nowait(f"answer {minute}")
    queue.forget_lost_sessions()
    assert set(inside.pending_messages_per_session) == set(queue._addresses) == {"reads"}
    inside.pending_messages_per_session.clear()


def test_names_of_uploads_that_are_gone_are_not_kept(page, noise_file):
    page.upload_file_set.update({str(noise_file), "/gone/x.png"})
    forget_deleted_uploads(page)
    assert page.upload_file_set == {str(noise_file)}


def test_of_visitors_with_nothing_more_to_be_told_no_numbers_are_kept(page):
    inside = page._queue
    inside.pending_event_ids_session.update(gone={"a"}, here={"b", "c"})
    inside.pending_messages_per_session["here"] = None
    queue = GradioQueue(page)
    queue.forget_lost_sessions()
    assert queue.events_of("gone") == 0 and queue.events_of("here") == 2


def test_of_who_did_nothing_for_long_nothing_is_kept(page):
    StateHolder().set_blocks(page)
    holder, now = page.state_holder, datetime.now()
    for session, minutes in (("old", 61), ("new", 0)):
        assert holder[session]
        holder.time_last_used[session] = now - timedelta(minutes=minutes)
    forget_old_sessions(page, timedelta(minutes=60), now)
    assert set(holder.session_data) == set(holder.time_last_used) == {"new"}


def test_a_page_takes_its_uploads_where_it_is_told_and_files_of_its_neighbours_folders_are_known(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(os.environ, "GRADIO_TEMP_DIR", "")
    assert upload_folder() is None
    with uploads_in(tmp_path / "one"):
        assert (
            Path(next(iter(build().blocks.values())).GRADIO_CACHE)
            == Path(get_upload_folder())
            == tmp_path / "one"
        )
    assert upload_folder() == tmp_path


def test_how_far_uploads_were_is_not_kept_where_nobody_asks():
    kept = FileUploadProgress()
    progress = UploadProgress(kept)
    for name in ("done", "under way"):
        kept.append(name, "a.png", b"x")
    kept.set_done("done")
    asyncio.run(asyncio.wait_for(kept.is_tracked("done"), 20))
    kept._signals["never begun"].clear()
    progress.forget()
    assert set(kept._signals) == {"done", "under way", "never begun"}
    kept.append("under way", "a.png", b"x")
    progress.forget()
    assert set(kept._signals) == set(kept._statuses) == {"under way"}
    assert not kept.is_done("under way")
    kept.set_done("under way")
    progress.forget()
    progress.forget()
    assert not kept._signals and not kept._statuses
    assert isinstance(gradio.routes.file_upload_statuses, FileUploadProgress)
