"""The page is written once for each name of the server, and for nobody else's name."""

from __future__ import annotations

import asyncio
import gzip

import httpx
import pytest

from attnviz.server.page_cache import MOST, PageCache

WORDS = b"the page, called " * 100


class Pages:
    """An application that writes the name that it is called by, and counts its pages."""

    def __init__(self, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self.status, self.headers = status, headers
        self.written: list[tuple[str, bytes]] = []
        self.free = asyncio.Event()
        self.free.set()

    async def __call__(self, scope, _receive, send) -> None:
        self.written.append((scope["path"], scope["query_string"]))
        await self.free.wait()
        if self.status == 0:
            raise OSError("no template")
        names = [value for name, value in scope["headers"] if name.endswith(b"host")]
        body = WORDS + b" ".join(names)
        headers = [(b"content-length", str(len(body)).encode()), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def scope_of(path="/", method="GET", query=b"", **headers) -> dict:
    named = {name.replace("_", "-"): value for name, value in {"host": "here", **headers}.items()}
    pairs = [(name.encode(), value.encode()) for name, value in named.items()]
    return {"path": path, "method": method, "query_string": query, "headers": pairs, "scheme": "http"}


async def get(app: PageCache, **asked) -> bytes:
    sent = []

    async def send(message):
        sent.append(message)

    await app(scope_of(**asked), None, send)
    headers = dict(sent[0]["headers"])
    body = b"".join(message["body"] for message in sent[1:])
    assert int(headers[b"content-length"]) == len(body)
    return gzip.decompress(body) if headers.get(b"content-encoding") == b"gzip" else body


def asked_twice(app: PageCache, **asked) -> list[bytes]:
    return [asyncio.run(get(app, **asked)) for _ in range(2)]


@pytest.mark.parametrize("path", ["/", "/config"])
@pytest.mark.parametrize("accepts", ["gzip, br", "identity"])
def test_a_page_is_written_once_and_packed_for_who_takes_it(path, accepts):
    pages = Pages()
    first, second = asked_twice(PageCache(pages), path=path, accept_encoding=accepts)
    assert first == second == WORDS + b"here" and len(pages.written) == 1


@pytest.mark.parametrize("name", ["host", "x_forwarded_host"])
def test_each_name_of_the_server_has_a_page_of_its_own(name):
    pages = Pages()
    app = PageCache(pages)
    assert {asyncio.run(get(app, **{name: other})) for other in ("one", "two")} == {
        WORDS + (b"one" if name == "host" else b"here one"),
        WORDS + (b"two" if name == "host" else b"here two"),
    }
    assert len(pages.written) == 2


@pytest.mark.parametrize("part", ["x_forwarded_proto", "x_gradio_server"])
def test_all_that_changes_the_pages_address_tells_pages_apart(part):
    pages = Pages()
    app = PageCache(pages)
    for value in ("a", "b"):
        asyncio.run(get(app, **{part: value}))
    assert len(pages.written) == 2


def test_what_stands_behind_the_question_mark_is_not_seen_and_makes_no_page():
    pages = Pages()
    app = PageCache(pages)
    for query in (b"", b"network=bam_resnet18", b"deep_link=../x", b"page=1"):
        asyncio.run(get(app, query=query))
    assert pages.written == [("/", b"")]


def test_few_pages_are_kept_the_latest_of_them():
    pages = Pages()
    app = PageCache(pages)
    for number in (*range(MOST), 0, MOST, 0, 1):  # 1 is the least recently asked for when MOST comes
        asyncio.run(get(app, host=f"name{number}"))
    assert len(pages.written) == MOST + 2


@pytest.mark.parametrize(
    "pages", [Pages(503), Pages(404), Pages(200, ((b"set-cookie", b"a=b"),))], ids=["503", "404", "cookie"]
)
def test_neither_a_failure_nor_what_is_one_visitors_is_kept(pages):
    asked_twice(PageCache(pages))
    assert len(pages.written) == 2


def test_a_page_that_could_not_be_written_is_written_again():
    pages = Pages(0)
    app = PageCache(pages)
    with pytest.raises(OSError, match="no template"):
        asyncio.run(get(app))
    pages.status = 200
    assert asyncio.run(get(app)) == WORDS + b"here"


def test_only_a_page_that_is_got_is_kept():
    pages = Pages()
    app = PageCache(pages)
    for _ in range(2):
        asyncio.run(get(app, method="HEAD"))
    assert len(pages.written) == 2


def test_who_comes_at_once_shares_a_page_and_who_leaves_does_not_end_it():
    pages = Pages()

    async def three():
        pages.free.clear()
        app = PageCache(pages)
        asking = [asyncio.create_task(get(app)) for _ in range(3)]
        while not pages.written:
            await asyncio.sleep(0)
        asking[0].cancel()
        await asyncio.sleep(0)
        pages.free.set()
        return await asyncio.gather(*asking, return_exceptions=True)

    left, *others = asyncio.run(three())
    assert isinstance(left, asyncio.CancelledError) and others == [WORDS + b"here"] * 2
    assert len(pages.written) == 1


@pytest.mark.slow
def test_the_real_configuration_names_the_address_that_it_was_called_by(running):
    def root(host: str) -> str:
        answer = httpx.get(f"{running.url}/config", headers={"host": host}, trust_env=False)
        assert answer.headers["content-encoding"] == "gzip"
        return answer.json()["root"]

    for host in ("127.0.0.1", "localhost", "127.0.0.1"):
        assert root(host) == f"http://{host}"
