"""The networks that a page opens first are fetched while it serves those that come with attnviz, so that
nobody waits for a download that she did not ask for."""

from __future__ import annotations

import asyncio
import logging
import threading

from ..errors import AttnvizError, BusyError
from .inference import TraceKey
from .service import Service

log = logging.getLogger(__name__)

AGAIN_SECONDS = 600.0  # after which what could not be had is tried again


class FetchingAhead:
    """Fetches, checks and opens a page's first networks, one after the other, and runs each on the photo that
    it is shown with. What can't be had is said in the log."""

    def __init__(self, service: Service) -> None:
        self._service, self._first = service, service.catalog.first_networks
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="attnviz-fetch", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own, which tries until all are there."""
        if self._first.to_fetch():
            self._thread.start()

    def end(self) -> None:
        """Begin nothing more."""
        self._ended.set()

    def join(self) -> None:
        """Wait until all that was begun is done."""
        self._thread.join()

    def fetch(self) -> None:
        """Try once to have each that is missing."""
        for name in self._first.to_fetch():
            if not self._ended.is_set():
                asyncio.run(self._fetch(name))

    def _run(self) -> None:
        while self._first.to_fetch() and not self._ended.is_set():
            self.fetch()
            if self._first.to_fetch():
                self._ended.wait(AGAIN_SECONDS)

    async def _fetch(self, name: str) -> None:
        photo = self._service.catalog.examples(name)[0].photo.path
        try:
            await self._service.viewer.encoded(TraceKey(photo, name, "whole"))
        except BusyError as error:  # the server is short of memory now, or ends
            log.info("%s is not open yet: %s", name, error)
        except AttnvizError as error:
            if not self._first.has_failed(name):  # what fails again is not said again
                log.warning("the page goes on without %s: %s", name, error)
            self._first.failed(name)
        except Exception:
            log.exception("the page goes on without %s", name)
            self._first.failed(name)
        else:
            self._first.arrived(name)
            log.info("new visitors may find %s first: it is fetched, checked and open", name)
