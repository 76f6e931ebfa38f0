"""By which names the server can be called, and which websites may send to it or show it."""

from __future__ import annotations

import re
import socket

import pytest
from helpers.guarded import Inner, ask, post, state

from attnviz.server.middleware import ServerState
from attnviz.server.settings import from_environment


@pytest.mark.parametrize(
    ("settings", "served", "refused"),
    [
        (
            {},
            [
                "127.0.0.1:7860",
                "[::1]:7860",
                "[fe80::1%25eth0]:7860",
                "localhost",
                "192.168.1.20:7860",
                "teacher-pc",
                "pc.local",
                "Pc.Local.:7860",
                socket.gethostname(),
                socket.getfqdn() + ":7860",
            ],
            ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "pc.local.evil.com", "a b"],
        ),
        (
            {"hosts": "vis.school.edu, https://Other.edu:7860/,"},
            ["vis.school.edu:80", "VIS.school.edu", "vis.school.edu.", "other.edu", "10.0.0.1"],
            ["evil.example", "school.edu", "x.vis.school.edu"],
        ),
        ({"proxies": 1}, ["any.example.org"], []),
        ({"proxies": 1, "hosts": "me.hf.space"}, ["me.hf.space"], ["any.example.org"]),
    ],
)
def test_a_name_that_is_not_the_servers_reaches_nothing(tmp_path, settings, served, refused):
    for names, expected in ((served, 200), (refused, 421)):
        for name in names:
            headers = [(b"host", name.encode())]
            assert ask(Inner(), state(tmp_path, **settings), "/config", headers=headers)[0] == expected, name


@pytest.mark.parametrize("name", ["vis.school.edu", "VIS.School.edu.:7860", "xn--fiq228c.com", "a_b.c-d.org"])
def test_who_is_refused_for_a_name_is_told_the_setting_with_which_it_is_served(tmp_path, name):
    headers = [(b"host", name.encode())]
    said = ask(Inner(), state(tmp_path), "/config", headers=headers)[2]["detail"]
    named = re.search(r"ATTNVIZ_HOSTS=(\S+)", said).group(1)
    settings = from_environment({"ATTNVIZ_HOSTS": named, "ATTNVIZ_FREE_MB": "0"})
    assert ask(Inner(), ServerState(settings, tmp_path), "/config", headers=headers)[0] == 200


@pytest.mark.parametrize("origin", ["https://course.example", "http://[2001:db8::1]:80", "http://a.edu:8080"])
def test_another_website_is_told_the_setting_with_which_it_may_send(tmp_path, origin):
    sent = [(b"host", b"127.0.0.1:7860"), (b"origin", origin.encode())]
    status, _, said = post(Inner(), state(tmp_path), "/gradio_api/queue/join", {}, headers=sent)
    named = re.search(r"ATTNVIZ_ORIGINS=(\S+)", said["detail"]).group(1)
    allowed = state(tmp_path, origins=f"https://other.example/, {named}")
    assert status == 403
    assert post(Inner(), allowed, "/gradio_api/queue/join", {}, headers=sent)[0] == 200


@pytest.mark.parametrize(
    "strange", ["a b", "<b>.com", "x" * 300 + ".com", "a\u202eb.com", "a,b.com", "${HOME}.com", "[.com"]
)
def test_a_refusal_repeats_nothing_that_is_no_name(tmp_path, strange):
    host = [(b"host", strange.encode())]
    status, _, said = ask(Inner(), state(tmp_path), "/config", headers=host)
    assert status == 421 and strange not in said["detail"]
    origin = [(b"host", b"localhost"), (b"origin", f"https://{strange}".encode())]
    status, _, said = post(Inner(), state(tmp_path), "/gradio_api/queue/join", {}, headers=origin)
    assert status == 403 and strange not in said["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:7860"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:8000"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://course.example"}, 200),
        ({"origin": "https://me.hf.space", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, 403),
        ({"origin": "https://evil.example", "x-forwarded-host": "evil.example"}, 403),
    ],
)
def test_another_website_sends_nothing_unless_it_may(tmp_path, headers, status):
    server, inner = state(tmp_path, origins="https://course.example"), Inner()
    sent = [(b"host", b"127.0.0.1:7860"), *((key.encode(), text.encode()) for key, text in headers.items())]
    assert post(inner, server, "/gradio_api/queue/join", {}, headers=sent)[0] == status
    assert ask(inner, server, "/config", headers=sent)[0] == 200


def test_only_websites_of_the_settings_show_the_page_in_a_frame(tmp_path):
    def policy(**settings) -> str:
        return ask(Inner(), state(tmp_path, **settings), "/")[1]["content-security-policy"]

    assert policy().endswith("; frame-ancestors 'self'")
    space = from_environment({"SPACE_ID": "me/space"})
    assert "https://huggingface.co" in policy(frames=space.frames)
    assert from_environment({}).frames is None


def test_a_space_works_in_its_frame(tmp_path):
    """The frame is of huggingface.co; what is in it has the Space's own name, and sends from there."""
    settings = from_environment({"SPACE_ID": "me/space", "ATTNVIZ_FREE_MB": "0"})
    server = ServerState(settings, tmp_path)
    for site in ("same-origin", "cross-site"):  # where the browser tells so, and where it is not believed
        own = {"host": "me-space.hf.space", "origin": "https://me-space.hf.space", "sec-fetch-site": site}
        sent = [(key.encode(), text.encode()) for key, text in own.items()]
        assert ask(Inner(), server, "/", headers=sent)[0] == 200
        assert post(Inner(), server, "/gradio_api/queue/join", {}, headers=sent)[0] == 200
    evil = [(b"host", b"me-space.hf.space"), (b"origin", b"https://evil.example")]
    assert post(Inner(), server, "/gradio_api/queue/join", {}, headers=evil)[0] == 403
