"""A proxy that shows a server below a path and tells it nothing of that, as people write them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATH = "/a/course"
HOP = {"connection", "keep-alive", "transfer-encoding"}  # headers that are of one connection


class PathProxy(ThreadingHTTPServer):
    """Serves what a server on this machine serves, below PATH, and at / a page with that in a frame."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = port
        self.address = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: PathProxy

    def do_GET(self) -> None:
        if self.path == "/":
            self._show_frame()
        elif self.path.startswith(f"{PATH}/"):
            self._pass_on()
        else:
            self.send_error(404)

    do_POST = do_GET

    def _show_frame(self) -> None:
        page = f'<iframe src="http://127.0.0.1:{self.server.behind}/" width="1200" height="800"></iframe>'
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        connection = HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        connection.request(self.command, self.path.removeprefix(PATH), body, headers)
        answer = connection.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.end_headers()
        while part := answer.read1(65536):  # events are passed on as they come
            self.wfile.write(part)
            self.wfile.flush()
        connection.close()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def path_proxy(port: int) -> Iterator[PathProxy]:
    """A running proxy in front of the server on a port."""
    with PathProxy(port) as proxy:
        threading.Thread(target=proxy.serve_forever, args=[0.02], daemon=True).start()
        yield proxy
        proxy.shutdown()
