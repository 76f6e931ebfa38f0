"""What is the same for all is fetched and packed once, and everything else goes past."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from attnviz.server.static_cache import StaticCache

SCRIPT = b"export const answer = 42;\n" * 100


class Files:
    """An application with some files; counts what it is asked for."""

    def __init__(self) -> None:
        self.files = {
            "/assets/Index-0aNuD791.js": SCRIPT,
            "/static/page.css": SCRIPT,
            "/static/letters.woff2": b"wOF2" * 200,
        }
        self.asked: list[str] = []

    async def __call__(self, scope, _receive, send) -> None:
        self.asked.append(scope["path"])
        content = self.files.get(scope["path"])
        headers = [(b"content-type", b"text/x"), (b"content-length", str(len(content or b"")).encode())]
        await send({"type": "http.response.start", "status": 200 if content else 404, "headers": headers})
        half = len(content or b"") // 2
        await send({"type": "http.response.body", "body": (content or b"")[:half], "more_body": True})
        await send({"type": "http.response.body", "body": (content or b"")[half:]})


def get(app, path, accepts="gzip, br", method="GET", **headers) -> tuple[int, dict, bytes]:
    sent = []

    async def send(message):
        sent.append(message)

    given = {"accept-encoding": accepts, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "path": path,
        "method": method,
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    asyncio.run(app(scope, None, send))
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, b"".join(message["body"] for message in sent[1:])


def test_a_file_is_fetched_and_packed_once():
    files = Files()
    app = StaticCache(files)
    answers = [get(app, "/static/page.css") for _ in range(3)]
    assert answers[0] == answers[1] == answers[2] and files.asked == ["/static/page.css"]
    status, headers, body = answers[0]
    assert status == 200 and gzip.decompress(body) == SCRIPT and len(body) < len(SCRIPT) / 10
    assert headers == {
        "content-type": "text/x",
        "content-encoding": "gzip",
        "vary": "accept-encoding",
        "content-length": str(len(body)),
    }


def test_what_is_packed_by_its_nature_stays_as_it_is_for_everybody():
    files = Files()
    app = StaticCache(files)
    for accepts in ("gzip", "", "gzip"):
        _, headers, body = get(app, "/static/letters.woff2", accepts)
        assert body == b"wOF2" * 200 and "content-encoding" not in headers
    assert len(files.asked) == 1


def test_only_what_is_named_by_its_content_stays_with_the_visitor():
    app = StaticCache(Files())
    assert "immutable" in get(app, "/assets/Index-0aNuD791.js")[1]["cache-control"]
    assert "cache-control" not in get(app, "/static/page.css")[1]


@pytest.mark.parametrize(
    "asked",
    [
        {"accepts": "identity"},
        {"method": "HEAD"},
        {"range": "bytes=0-9"},
        {"if_none_match": '"x"'},
        {"if_modified_since": "yesterday"},
    ],
)
def test_who_wants_it_otherwise_is_answered_by_the_application(asked):
    files = Files()
    app = StaticCache(files)
    for _ in range(2):
        get(app, "/static/page.css", **asked)
    assert len(files.asked) == 2


@pytest.mark.parametrize(
    "path", ["/static/none.css", "/static//page.css", "/static/./page.css", "/static/%70age.css"]
)
def test_neither_a_failure_nor_another_spelling_is_kept(path):
    files = Files()
    files.files |= dict.fromkeys(("/static//page.css", "/static/./page.css", "/static/%70age.css"), SCRIPT)
    app = StaticCache(files)
    answers = [get(app, path) for _ in range(2)]
    assert (
        len(files.asked) == 2
        and answers[0] == answers[1]
        and answers[0][0] == (404 if "none" in path else 200)
    )


def test_what_is_too_much_to_keep_is_answered_all_the_same():
    files = Files()
    files.files["/static/more.css"] = bytes(3000)
    app = StaticCache(files, max_bytes=3000)
    get(app, "/static/page.css")
    for _ in range(2):
        assert get(app, "/static/more.css")[2] == bytes(3000)
    get(app, "/static/page.css")
    assert files.asked == ["/static/page.css", "/static/more.css", "/static/more.css"]


def test_two_who_come_at_once_both_get_it():
    files = Files()
    app = StaticCache(files)

    async def both():
        sent = [[], []]
        scope = {"path": "/static/page.css", "method": "GET", "headers": [(b"accept-encoding", b"gzip")]}

        def into(kept):
            async def send(message):
                kept.append(message)

            return send

        await asyncio.gather(*(app(scope, None, into(each)) for each in sent))
        return sent

    one, other = asyncio.run(both())
    assert one == other and gzip.decompress(one[1]["body"]) == SCRIPT
    assert app.bytes == len(one[1]["body"])
