"""The page on a server: started by its settings, guarded, swept, and ended without losing what is under
way."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from types import FrameType
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import torch
from starlette.middleware import Middleware

from .._paths import EXAMPLES_FOLDER
from .._version import __version__
from ..errors import SettingsError
from ..processors import cores, memory
from .address import ANY_PORT, check_address, without_proxies
from .fetching_ahead import FetchingAhead
from .front_page import front_files
from .gradio_queue import (
    GradioQueue,
    UploadProgress,
    forget_deleted_uploads,
    forget_old_sessions,
    forget_session,
    keep_connections_open,
    tell_failures_in_one_line,
    upload_folder,
    uploads_in,
)
from .log_format import write_logs
from .memory_relief import MemoryRelief, trim
from .middleware import ROOM_SHARE, RequestGuard, ServerState
from .page import ELEMENT, build
from .routes import EXAMPLES
from .service import Service, make_service
from .settings import Settings
from .sweeping import Sweeper, keep_swept, new_folder
from .zerogpu import declare

if TYPE_CHECKING:
    import gradio as gr

log = logging.getLogger(__name__)

ENDS = (signal.SIGTERM, signal.SIGINT)
# an idle connection: longer than people think, who would lose what they ask just as it is closed
KEEP_ALIVE_SECONDS = 75
# between words to each who waits about their place; to tell all whenever it changes costs as much as their
# passes
STATUS_SECONDS = 1
ANSWER_SECONDS = 1.0  # in which the threads that answer must be free, or a supervisor is told
# after which a thread that computes in Python lets another have the interpreter. A pass asks for it some two
# hundred times: beside a long computation it takes 30 times as long with Python's 5 ms, and twice with this
SWITCH_SECONDS = 0.0001
DRAIN_SECONDS = 7.0  # for what is under way when the server is told to end; all is over within ten
JOIN_SECONDS = 1.0  # for passes that are told to end, at their next block


@dataclass(frozen=True, eq=False)
class Server:
    """A page that is being served."""

    page: gr.Blocks
    service: Service
    state: ServerState
    queue: GradioQueue
    remove_folder: Callable[[], None]
    ahead: FetchingAhead

    @property
    def url(self) -> str:
        """Its address on this machine."""
        return str(self.page.local_url)

    def close(self) -> None:
        """End it, and delete all that was uploaded."""
        self.ahead.end()
        self.service.close()
        self.service.catalog.queue.close()
        self.page.close()
        until = time.monotonic() + JOIN_SECONDS
        for queue in self.service.queues:
            queue.join(until)
        self.remove_folder()


def serve(settings: Settings, block: bool = True, service: Service | None = None) -> Server:
    """Serve the page; with ``block`` until it is told to end, by Ctrl-C or SIGTERM, which finishes what is
    under way. Uploads lie in a folder of this server's own, unless a ``service`` is handed in. Raises
    SettingsError for agents' tools without what they need."""
    if settings.mcp and find_spec("mcp") is None:
        raise SettingsError("mcp_missing", command='pip install "attnviz[mcp]"')
    check_address(settings.host or "127.0.0.1", settings.port or ANY_PORT)
    if block:  # else the process is somebody else's, and so is its logging
        write_logs(settings.log)
        tell_failures_in_one_line()
    torch.set_num_threads(max(1, cores() // settings.at_once))
    declare()
    service = service or make_service(settings, new_folder(process_folder=upload_folder()))
    service.catalog.log_damaged()
    service.decoders.start()
    signals: list[int] = []
    if block:
        _listen_for_signals(signals)
    server = _launched(service, quiet=not block)
    if block:
        try:
            _wait_for_end(signals, server.state)
        finally:
            server.close()
    return server


def _launched(service: Service, quiet: bool) -> Server:
    settings = service.settings
    os.environ.update(GRADIO_ANALYTICS_MAX_EVENTS="1000", GRADIO_ANALYTICS_CACHE_FREQUENCY="200")
    with uploads_in(service.folder):
        page = build(service)
        # The guard's own limit comes first, and says so in a sentence.
        page.queue(status_update_rate=STATUS_SECONDS, max_size=2 * settings.waiting, api_open=False)
        queue = GradioQueue(page)
        service.visitors.also(lambda session: _forget(session, service, page, queue))
        state = _state(service, queue, page)
        progress = UploadProgress()

        def expire() -> None:
            _expire(service, page, queue)
            progress.forget()

        end = keep_swept(Sweeper(service.folder, 60 * settings.keep), expire)
        _launch(page, settings, state, quiet)
    keep_connections_open(page, KEEP_ALIVE_SECONDS)
    ahead = FetchingAhead(service)
    ahead.start()
    return Server(page, service, state, queue, end, ahead)


def _launch(page: gr.Blocks, settings: Settings, state: ServerState, quiet: bool) -> None:
    with without_proxies():
        page.launch(
            server_name=settings.host,
            server_port=settings.port,
            root_path=settings.path,
            prevent_thread_lock=True,
            show_error=False,
            run_history=False,
            enable_monitoring=False,
            max_file_size=max(settings.photo_bytes, settings.checkpoint_bytes),
            max_threads=40,
            footer_links=[],
            ssr_mode=False,
            share=False,
            pwa=False,
            state_session_capacity=settings.sessions,
            quiet=quiet,
            mcp_server=settings.mcp,
            app_kwargs={"middleware": [Middleware(RequestGuard, state=state)]},
        )


def _state(service: Service, queue: GradioQueue, page: gr.Blocks) -> ServerState:
    passes = service.inference.queue
    viewer = next(block for block in page.blocks.values() if block.elem_id == ELEMENT)

    def health() -> dict[str, Any]:
        return {
            "version": __version__,
            "networks": service.catalog.open_names(),
            "first": service.catalog.first(),
            "waiting": len(queue) + len(passes),
            "memory_mb": round(memory() / 1e6),
        }

    state = ServerState(
        service.settings,
        service.folder,
        {EXAMPLES: EXAMPLES_FOLDER},
        front_files(viewer._id, service.settings.checkpoints),
        waiting=lambda: len(queue),
        busy=queue.busy,
        has_event=queue.has_event,
        events_of=queue.events_of,
        events_of_address=queue.events_of_address,
        seconds_per_pass=lambda: passes.mean_seconds / passes.at_once,
        memory=memory,
        make_room=MemoryRelief(service.make_room).begin,
        health=health,
        answers=lambda: answers(service),
    )
    return state


async def answers(service: Service) -> bool:
    """Whether the threads that answer visitors are free within a second, and no work hangs: a pass is ended
    by its clock, but for an operation that never ends."""
    if service.hangs():
        return False
    with anyio.move_on_after(ANSWER_SECONDS):
        await anyio.to_thread.run_sync(int, abandon_on_cancel=True)
        await asyncio.to_thread(int)
        return True
    return False


def _forget(session: str, service: Service, page: gr.Blocks, queue: GradioQueue) -> None:
    """Let go of what Gradio holds for a visitor whose things are deleted."""
    for path in queue.give_up(session):
        service.uploads.discard(path)
    forget_session(page, session)


def _expire(service: Service, page: gr.Blocks, queue: GradioQueue) -> None:
    """Let go of what nobody used for as long as the settings say, of visitors who are gone, and of work that
    hangs."""
    if service.hangs():
        log.error("work hangs: the server should be started anew")
    service.expire()
    if memory() > ROOM_SHARE * service.settings.memory_mb * 1_000_000:
        service.make_room()
    forget_old_sessions(page, timedelta(minutes=service.settings.keep), datetime.now())
    queue.forget_unread()
    queue.forget_lost_sessions()
    forget_deleted_uploads(page)
    trim()


def _listen_for_signals(signals: list[int]) -> None:
    """Put signals that end the server into a list; a second one ends it at once."""

    def note(number: int, _frame: FrameType | None) -> None:
        if signals:
            os._exit(128 + number)
        signals.append(number)

    for number in ENDS:
        signal.signal(number, note)
    if hasattr(signal, "pthread_sigmask"):  # some supervisors start their children with all signals held back
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)


def _wait_for_end(signals: list[int], state: ServerState) -> None:
    gc.collect()
    # half a million objects that stay: to look through them takes half a second, while everybody waits
    gc.freeze()
    sys.setswitchinterval(SWITCH_SECONDS)
    while not signals:
        time.sleep(0.1)  # an Event's wait without an end misses a signal that arrives in another thread
    state.closing = True
    _drain(state, time.monotonic() + DRAIN_SECONDS)


def _drain(state: ServerState, until: float, clock: Callable[[], float] = time.monotonic) -> None:
    """Wait until nothing is under way, or until then."""
    while clock() < until and (state.busy() or state.viewer_requests):
        time.sleep(0.05)
    if state.busy() or state.viewer_requests:
        log.warning("ended with work under way")
