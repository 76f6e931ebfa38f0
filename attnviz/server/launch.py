"""The page on a server: started by its settings, guarded, swept, and ended without losing what is under
way."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from starlette.middleware import Middleware

from .._paths import PAGE_STYLES
from .._version import __version__
from ..errors import SettingsError
from ..processors import cores
from ..viewer.javascript import in_markup, script, style
from . import catalog, log_format, viewer_requests
from .middleware import Guard, House
from .page import THEME, build
from .settings import Settings
from .uploads import keep_swept, new_folder
from .work_queue import take_turns
from .zerogpu import declare

if TYPE_CHECKING:
    import gradio as gr

log = logging.getLogger(__name__)

ENDS = (signal.SIGTERM, signal.SIGINT)
KEPT_OPEN_SECONDS = (
    75  # an idle connection: longer than people think, who would lose what they ask just as it is closed
)
# between words to each who waits about her place; to tell all whenever it changes costs as much as their
# passes
STATUS_SECONDS = 1
DRAIN_SECONDS = 7.0  # for what is under way when the server is told to end; all is over within ten


def serve(settings: Settings, block: bool = True) -> gr.Blocks:
    """Serve the page; with ``block`` until it is told to end, by Ctrl-C or SIGTERM, which finishes what is
    under way. Uploads lie in a folder of this app's own. Raises SettingsError for agents' tools without what
    they need."""
    if settings.mcp and find_spec("mcp") is None:
        raise SettingsError("mcp_missing", command='pip install "attnviz[mcp]"')
    folder = new_folder()
    os.environ.update(
        GRADIO_TEMP_DIR=str(folder),
        GRADIO_ANALYTICS_MAX_EVENTS="1000",
        GRADIO_ANALYTICS_CACHE_FREQUENCY="200",
    )
    if block:  # else the process is somebody else's, and so is its logging
        log_format.start(settings.log)
    torch.set_num_threads(max(1, cores() // settings.at_once))
    viewer_requests.configure(settings)
    catalog.configure(settings)
    declare()
    page = build(settings)
    # The guard's own limit comes first, and says so in a sentence.
    page.queue(status_update_rate=STATUS_SECONDS, max_size=2 * settings.waiting, api_open=False)
    take_turns(page._queue)
    house = _house(page, settings, folder)
    end = keep_swept(folder, lambda: _expire(page, timedelta(minutes=settings.keep)), 60 * settings.keep)
    told: list[int] = []
    if block:
        for number in ENDS:
            signal.signal(number, lambda number, frame: _told(told, number, frame))
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(
                signal.SIG_UNBLOCK, ENDS
            )  # some supervisors start their children with all signals held back
    try:
        page.launch(
            server_name=settings.host,
            server_port=settings.port,
            prevent_thread_lock=True,
            show_error=False,
            run_history=False,
            enable_monitoring=False,
            max_file_size=max(settings.photo_mb * 1_000_000, settings.checkpoint_bytes),
            max_threads=40,
            footer_links=["settings"],
            ssr_mode=False,
            share=False,
            pwa=False,
            state_session_capacity=settings.sessions,
            css_paths=[PAGE_STYLES],
            head=head(),
            theme=THEME,
            quiet=not block,
            mcp_server=settings.mcp,
            app_kwargs={"middleware": [Middleware(Guard, house=house)]},
        )
        page.server.config.timeout_keep_alive = KEPT_OPEN_SECONDS  # Gradio leaves it at 5
        if block:
            gc.collect()
            # half a million objects that stay: to look through them takes half a second, while everybody
            # waits
            gc.freeze()
            while not told:
                time.sleep(
                    0.1
                )  # an Event's wait without an end misses a signal that arrives in another thread
            house.closing = True
            _drained(house, time.monotonic() + DRAIN_SECONDS)
            page.close()
    finally:
        if block:
            end()
    return page


def head() -> str:
    """The viewer's style and script, for the page's head."""
    return f"<style>{style()}</style>\n<script>{in_markup(script())}</script>"


def memory() -> int:
    """Bytes of memory that this process takes; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf(
            "SC_PAGE_SIZE"
        )
    except (OSError, ValueError, IndexError):
        return 0


def _house(page: gr.Blocks, settings: Settings, folder: Path) -> House:
    queue = page._queue

    def health() -> dict[str, Any]:
        return {
            "status": "closing" if house.closing else "ok",
            "version": __version__,
            "networks": catalog.shelf.names(),
            "waiting": len(queue) + len(viewer_requests.turns),
            "memory_mb": round(memory() / 1e6),
        }

    house = House(
        settings,
        folder,
        (viewer_requests.EXAMPLES_FOLDER,),
        waiting=lambda: len(queue),
        memory=memory,
        health=health,
        seconds=lambda: viewer_requests.turns.seconds / settings.at_once,
        busy=lambda: len(queue) > 0 or any(jobs is not None for jobs in queue.active_jobs),
        of_session=lambda session: len(queue.pending_event_ids_session.get(session, ())),
    )
    return house


def _expire(page: gr.Blocks, kept: timedelta) -> None:
    """Let go of what nobody used for so long, of what Gradio keeps of visitors who closed the page before
    that, and of those whom it has forgotten."""
    viewer_requests.expire()
    catalog.expire()
    visitors, queue, before = page.state_holder, page._queue, datetime.now() - kept
    for session, state in list(
        visitors.session_data.items()
    ):  # a third of a megabyte each, and Gradio itself keeps thousands
        if state.is_closed and visitors.time_last_used.get(session, before) <= before:
            with visitors.lock:
                visitors.session_data.pop(session, None)
                visitors.time_last_used.pop(session, None)
    for session in list(queue.pending_event_ids_session):
        if session not in queue.pending_messages_per_session:
            queue.pending_event_ids_session.pop(session, None)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).malloc_trim(0)  # glibc keeps what was let go of, otherwise


def _told(told: list[int], number: int, _frame: FrameType | None) -> None:
    if told:  # a second time: at once
        os._exit(128 + number)
    told.append(number)


def _drained(house: House, until: float, clock: Callable[[], float] = time.monotonic) -> None:
    """Wait until nothing is under way, or until then."""
    while clock() < until and (house.busy() or house.exploring):
        time.sleep(0.05)
    if house.busy() or house.exploring:
        log.warning("ended with work under way")
