"""All that is read or set of Gradio beyond its documented interface; each name has a test that it is there.

- ``Blocks._queue``: the queue of events; ``len`` of it counts those that wait
- ``Queue.get_events``: the next events to run; replaced, for fair turns
- ``Queue.sleep_when_free``: seconds between two looks at the queue
- ``Queue.active_jobs``: the running events, a list a worker, None for an idle one
- ``Queue.event_queue_per_concurrency_id``: waiting events, with ``queue``, ``concurrency_limit`` and
  ``current_concurrency``
- ``Event._id``, ``Event.session_hash``, ``Event.request``, ``Event.concurrency_id``: an event, the visitor
  who sent it, how, and in which line
- ``Queue.pending_event_ids_session``: waiting and running events by visitor
- ``Queue.pending_messages_per_session``: what is still to be told, by visitor
- ``Queue.event_ids_to_events``, ``Queue.send_message``, ``Event.data``, ``ProcessCompletedMessage``: events
  by number, what ends one, and what it was sent
- ``Blocks.state_holder``, its ``session_data``, ``time_last_used`` and ``lock``: visitors' choices
- ``traceback`` in ``gradio.queueing``, ``gradio.routes``, ``gradio.route_utils``: replaced, so that a failure
  is one line
- ``Blocks.fns``: the events of a page by number
- ``Blocks.upload_file_set``: the paths of all uploads
- ``gradio.routes.file_upload_statuses``, its ``_statuses`` and ``_signals``: how far uploads are
- ``Blocks.server.config.timeout_keep_alive``: uvicorn's limit for idle connections
- ``GRADIO_TEMP_DIR`` in the environment: the folder of uploads, read when a page is built, when it is
launched,
  and whenever a file is checked"""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import gradio as gr
import gradio.queueing
import gradio.route_utils
import gradio.routes
from gradio.server_messages import ProcessCompletedMessage

from .log_format import last_place
from .routes import ADDRESS
from .turns import sort_in_rounds

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.005  # between two looks at the queue; a thousand a second keep Python from the passes

UNREAD_SECONDS = 120.0  # that an answer waits to be fetched


class GradioQueue:
    """The queue of a page's events. Visitors take turns: who has an event running or ahead in the queue waits
    behind who has none, first come, first served within a round. So nobody waits for all requests of
    somebody who sends many, nor of somebody who calls herself many: addresses take turns in the same way,
    and visitors from one address with each other. Of what may run at a time, no address has more than half:
    what runs can't be taken back, and may take seconds."""

    def __init__(self, page: gr.Blocks, clock: Callable[[], float] = time.monotonic) -> None:
        self._queue, self._clock, self._functions = page._queue, clock, page.fns
        self._addresses: dict[str, str] = {}  # of the visitors who have been answered and may be told more
        self._unread: dict[str, tuple[Any, float]] = {}  # a visitor's oldest message, and when it was seen
        self._next_events = self._queue.get_events
        self._queue.get_events = self._fair_events  # type: ignore[method-assign]
        self._queue.sleep_when_free = LOOK_SECONDS

    def __len__(self) -> int:
        """Events that wait."""
        return len(self._queue)

    def busy(self) -> bool:
        """Whether any event waits or runs."""
        return len(self) > 0 or any(events is not None for events in self._queue.active_jobs)

    def has_event(self, number: object) -> bool:
        """Whether the page has an event of this number; where none is given, the request's path names
        it."""
        return number is None or (isinstance(number, int) and number in self._functions)

    def events_of(self, session: str) -> int:
        """One visitor's events, waiting or running."""
        return len(self._queue.pending_event_ids_session.get(session, ()))

    def events_of_address(self, address: str) -> int:
        """The events that came from an address: waiting or running, or done with an answer that nobody has
        fetched."""
        unread = [session for session, home in list(self._addresses.items()) if home == address]
        messages = self._queue.pending_messages_per_session
        unread = [session for session in unread if session in messages and messages[session].qsize()]
        return sum(_address_of(event) == address for event in self._events()) + len(unread)

    def _events(self) -> list[Any]:
        lines = list(self._queue.event_queue_per_concurrency_id.values())
        waiting = [event for line in lines for event in list(line.queue)]
        return [*waiting, *(event for events in list(self._queue.active_jobs) for event in events or ())]

    def give_up(self, session: str) -> list[str]:
        """End one visitor's events that wait, and take back the answers that were not fetched; the paths of
        the files in those events. To be called in the event loop, as all that changes the queue."""
        paths: list[str] = []
        for line in self._queue.event_queue_per_concurrency_id.values():
            for event in [event for event in line.queue if event.session_hash == session]:
                line.queue.remove(event)
                self._queue.event_ids_to_events.pop(event._id, None)
                self._queue.send_message(event, _given_up())
                paths += _paths_in(event.data.data if event.data else None)
        if session in self._queue.pending_messages_per_session:
            _without_answers(self._queue.pending_messages_per_session[session])
        return paths

    def forget_unread(self) -> None:
        """Let go of answers that nobody fetched for minutes, of visitors who have nothing more under way."""
        now, busy, unread = self._clock(), {event.session_hash for event in self._events()}, {}
        for session, messages in list(self._queue.pending_messages_per_session.items()):
            oldest = next(iter(list(messages._queue)), None)
            if oldest is None or session in busy:
                continue
            before, since = self._unread.get(session, (None, now))
            if before is not oldest:
                since = now
            if now - since < UNREAD_SECONDS:
                unread[session] = oldest, since
            else:
                self._queue.pending_messages_per_session.pop(session, None)
        self._unread = unread

    def forget_lost_sessions(self) -> None:
        """Let go of the event numbers and addresses of visitors who have nothing more to be told."""
        for session in list(self._addresses):
            if session not in self._queue.pending_messages_per_session:
                self._addresses.pop(session, None)
        for session in list(self._queue.pending_event_ids_session):
            if session not in self._queue.pending_messages_per_session:
                self._queue.pending_event_ids_session.pop(session, None)

    def _fair_events(self) -> Any:
        running = [event for events in self._queue.active_jobs for event in events or ()]
        held_back = []
        for name, line in self._queue.event_queue_per_concurrency_id.items():
            limit = line.concurrency_limit
            if len(line.queue) > 1 and (limit is None or line.current_concurrency < limit):
                sort_in_rounds(line.queue, running, _session_of, _address_of)
            if line.queue and limit is not None:
                of_line = [event for event in running if event.concurrency_id == name]
                held_back.append((line.queue, _taken_out(line.queue, of_line, max(1, limit // 2))))
        found = self._next_events()
        for waiting, events in held_back:
            waiting += events
        for event in found[0] if found else ():
            self._addresses[event.session_hash] = _address_of(event)
        return found


def _taken_out(waiting: list[Any], running: list[Any], most: int) -> list[Any]:
    """Take those events out of the line whose address has as many running as it may."""
    under_way = Counter(map(_address_of, running))
    taken = [event for event in waiting if under_way[_address_of(event)] >= most]
    for event in taken:
        waiting.remove(event)
    return taken


def _session_of(event: Any) -> str:
    return event.session_hash


def _address_of(event: Any) -> str:
    """Where an event came from, by the guard; without a guard each visitor has a place of its own."""
    return getattr(event.request, "scope", {}).get(ADDRESS) or event.session_hash


def _without_answers(messages: Any) -> None:
    """Put ends without an answer in the place of answers in a visitor's line of messages."""
    for _ in range(messages.qsize()):
        message = messages.get_nowait()
        if isinstance(message, ProcessCompletedMessage):
            message = _given_up(message.event_id)
        messages.put_nowait(message)


def _given_up(event: str | None = None) -> ProcessCompletedMessage:
    """The end of an event without an answer; the page shows nothing of it."""
    nothing = {"error": None, "visible": False, "title": "Error", "duration": 0}
    return ProcessCompletedMessage(output=nothing, success=False, event_id=event)


def _paths_in(question: Any) -> list[str]:
    """The paths of the files in an event's data."""
    paths, unchecked = [], [question]
    while unchecked:
        value = unchecked.pop()
        if isinstance(value, dict):
            unchecked.extend(value.values())
            if isinstance(value.get("path"), str):
                paths.append(value["path"])
        elif isinstance(value, list | tuple):
            unchecked.extend(value)
    return paths


def forget_old_sessions(page: gr.Blocks, kept: timedelta, now: datetime) -> None:
    """Let go of the choices of visitors who did nothing for longer than ``kept``, whether or not they closed
    the page. They take a third of a megabyte each, and Gradio keeps thousands; what a page needs to go on,
    its browser has."""
    visitors, before = page.state_holder, now - kept
    for session in list(visitors.session_data):
        if visitors.time_last_used.get(session, before) <= before:
            with visitors.lock:
                visitors.session_data.pop(session, None)
                visitors.time_last_used.pop(session, None)


def forget_session(page: gr.Blocks, session: str) -> None:
    """Let go of one visitor's choices; an event under way keeps them to its end."""
    visitors = page.state_holder
    with visitors.lock:
        visitors.session_data.pop(session, None)
        visitors.time_last_used.pop(session, None)


def forget_deleted_uploads(page: gr.Blocks) -> None:
    """Let go of the names of uploads that are gone; Gradio keeps each for ever."""
    for path in list(page.upload_file_set):
        if not os.path.exists(path):
            page.upload_file_set.discard(path)


class UploadProgress:
    """Lets go of how far uploads were, which Gradio keeps for ever where nobody asks to the end."""

    def __init__(self, kept: Any = gradio.routes.file_upload_statuses) -> None:
        self._kept = kept
        self._seen: set[str] = set()  # uploads that were over, or had not begun, the last time

    def forget(self) -> None:
        """Let go of what was over, or had not begun, the last time that this was called."""
        uploads = {*self._kept._statuses, *self._kept._signals}
        over = {name for name in uploads if name not in self._kept._statuses or self._kept.is_done(name)}
        for name in over & self._seen:
            self._kept._statuses.pop(name, None)
            self._kept._signals.pop(name, None)
        self._seen = over - self._seen


def keep_connections_open(page: gr.Blocks, seconds: int) -> None:
    """Let idle connections of a launched page stay open for so long."""
    page.server.config.timeout_keep_alive = seconds  # type: ignore[attr-defined]


class _OneLine:
    """Gradio's ``traceback``, but what it prints of an error is a line of our log, without the message and a
    call's arguments."""

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)

    def print_exc(self, *_arguments: Any, **_named: Any) -> None:
        """Write the line."""
        error = sys.exc_info()[1]
        if error is not None:
            fields = {"error": type(error).__name__, "at": last_place(error)}
            log.error("call failed", extra={"fields": fields})


def tell_failures_in_one_line() -> None:
    """Let Gradio print no tracebacks from now on, in all of this process."""
    for module in (gradio.queueing, gradio.routes, gradio.route_utils):
        module.traceback = _OneLine()  # type: ignore[attr-defined]


def upload_folder() -> Path | None:
    """The folder for uploads that the environment names."""
    named = os.environ.get("GRADIO_TEMP_DIR")
    return Path(named) if named else None


@contextmanager
def uploads_in(folder: Path) -> Iterator[None]:
    """Build and launch a page whose uploads lie in this folder. Afterwards its parent is named: Gradio checks
    files against what the environment names at that time, so the folders of several servers must lie in one
    folder of this process, and a server's requests fail for the moment in which another one starts."""
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    try:
        yield
    finally:
        os.environ["GRADIO_TEMP_DIR"] = str(folder.parent)
