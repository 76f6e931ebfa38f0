"""A cache of Gradio's configuration, by which its clients know the API. It is the same for all who call the
server by one name, but Gradio writes it anew for each, while others wait to be answered."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from .stored_response import StoredResponse, compressed, fetched

ROUTES = ("/config",)
MOST = 16  # pages that are kept; whoever calls chooses the name
# From these Gradio takes the address that it writes into a page.
NAMING = ("host", "x-forwarded-host", "x-forwarded-proto", "x-gradio-server")

Key = tuple[str, ...]


class PageCache:
    """Serves copies of an app's pages, each written once for each name of the server. What stands behind the
    question mark is for the browser: the app does not see it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._pages: OrderedDict[Key, asyncio.Task[StoredResponse]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = {**scope, "query_string": b""}
        if scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        response = await self._written(scope, receive)
        await response.send(send)

    async def _written(self, scope: Scope, receive: Receive) -> StoredResponse:
        """The page; who comes while it is being written waits for it."""
        key = _key(scope)
        writing = self._pages.pop(key, None) or asyncio.create_task(self._write(scope, receive))
        self._pages[key] = writing
        if len(self._pages) > MOST:
            self._pages.popitem(last=False)
        try:
            response = await asyncio.shield(writing)  # who leaves does not end it for others
        except Exception:
            self._forget(key, writing)
            raise
        if response.status != 200 or "set-cookie" in response.headers:
            self._forget(key, writing)
        return response

    async def _write(self, scope: Scope, receive: Receive) -> StoredResponse:
        response = await fetched(self._app, scope, receive)
        if response.status == 200 and _takes_gzip(scope) and "content-encoding" not in response.headers:
            return await asyncio.to_thread(compressed, response)
        return response

    def _forget(self, key: Key, writing: asyncio.Task[StoredResponse]) -> None:
        if self._pages.get(key) is writing:
            del self._pages[key]


def _key(scope: Scope) -> Key:
    headers = Headers(scope=scope)
    named = [headers.get(name, "") for name in NAMING]
    address = (scope.get("scheme", ""), scope.get("root_path", ""), scope["path"])
    return (*address, *named, "gzip" if _takes_gzip(scope) else "")


def _takes_gzip(scope: Scope) -> bool:
    return "gzip" in Headers(scope=scope).get("accept-encoding", "")
