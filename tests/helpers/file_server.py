"""A web server that hands out the files of a folder, and knows nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Quiet(SimpleHTTPRequestHandler):
    def __init__(self, *given: object, max_age: int | None, **named: object) -> None:
        self._max_age = max_age
        super().__init__(*given, **named)

    def end_headers(self) -> None:
        if self._max_age is not None:
            self.send_header("Cache-Control", f"max-age={self._max_age}")
        super().end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def handing_out(folder: Path, max_age: int | None = None) -> Iterator[str]:
    """The address of a server of this folder, which ends with the block. Browsers may keep its files for
    ``max_age`` seconds; as long as they think fit if that is None."""
    handler = partial(_Quiet, directory=str(folder), max_age=max_age)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
