"""Downloads from a server on this machine that does what servers do, to where the libraries look."""

from __future__ import annotations

import errno
import hashlib
import socket
import ssl
import threading
import zipfile
from pathlib import Path

import pytest
import requests
from helpers.small_weights import KEYS, ONE_EACH, same, same_weights
from helpers.weights_server import trouble
from torch import nn

import attnviz
from attnviz.zoo import downloads, imagenet


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
def test_the_right_file_opens_as_the_network_that_made_it_and_is_kept(key, server, stock, capfd):
    made = stock(key)
    assert not imagenet.kept(key)
    network = imagenet.open_network(key)
    assert same(network, made.network) and not network.training
    assert network.card.sha256 == hashlib.sha256(made.content).hexdigest() and network.card.name == key
    assert imagenet.kept(key) and len(server.requests) == 1
    server.behaviour = 503
    assert same_weights(imagenet.open_network(key), made.network)
    assert len(server.requests) == 1, "what is kept was downloaded again"
    assert capfd.readouterr() == ("", "")


SENTENCES = {
    "cut": "cut short or damaged",
    "wrong": "cut short or damaged",
    404: r"answered with an error \(404\)",
    503: r"answered with an error \(503\)",
    "halting": "sent nothing",
    "refused": "can't be reached",
    "full": "The disk is full",
}


@pytest.mark.parametrize("kind", SENTENCES)
@pytest.mark.parametrize("key", ONE_EACH)
def test_a_failed_download_says_why_and_leaves_nothing_and_the_next_succeeds(
    key, kind, server, stock, monkeypatch, tmp_path, capfd
):
    made = stock(key)
    with (
        trouble(kind, server),
        monkeypatch.context() as patch,
        pytest.raises(attnviz.NetworkError, match=SENTENCES[kind]) as caught,
    ):
        if kind == "halting":
            patch.setattr(downloads, "STALLED_SECONDS", 0.6)
        imagenet.open_network(key)
    sentence = str(caught.value)
    assert sentence.endswith("the networks that come with attnviz work without a connection.")
    assert "\n" not in sentence and "/" not in sentence and str(server.server_port) not in sentence
    assert "127.0.0.1" in sentence or kind == "full"
    assert not imagenet.kept(key) and not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert same_weights(imagenet.open_network(key), made.network) and imagenet.kept(key)
    assert not list(tmp_path.rglob(".attnviz-*"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("key", ONE_EACH)
def test_a_transfer_that_breaks_off_is_begun_again(key, server, stock):
    made = stock(key)
    server.behaviour = "cut once"
    told: list[int] = []
    assert same_weights(imagenet.open_network(key, lambda done, _: told.append(done)), made.network)
    assert len(server.requests) == 2 and told == sorted(told)


@pytest.mark.parametrize("key", ONE_EACH)
def test_progress_is_told_piece_by_piece(key, server, stock):
    made = stock(key)
    server.behaviour = "piecemeal"
    told = []

    def report(done: int, total: int) -> None:
        told.append((done, total))
        if done:
            server.proceed.set()  # the next piece comes when this one was told, so nothing may be held back

    assert same_weights(imagenet.open_network(key, report), made.network)
    size = round(imagenet.row(key).megabytes * 1e6)
    assert told == sorted(told) and {total for _, total in told} == {size}
    assert told[0][0] == 0 and told[-1][0] == size and len(set(told)) >= 8


def test_progress_is_told_a_hundred_times_at_most():
    told: list[int] = []
    progress = downloads.Progress(lambda done, _: told.append(done), 100_000_000)
    for _ in range(2000):
        progress.update(1 << 16)
    assert 90 < len(told) <= 101 and told[0] == 0 and told[-1] <= 100_000_000


def test_without_a_report_a_terminal_gets_a_bar(server, stock, monkeypatch, capsys):
    stock(ONE_EACH[0])
    monkeypatch.setattr(downloads.sys.stderr, "isatty", lambda: True, raising=False)
    imagenet.open_network(ONE_EACH[0])
    assert "Downloading Small torchvision: 100%" in capsys.readouterr().err


@pytest.mark.parametrize("key", ONE_EACH)
def test_threads_that_ask_at_once_download_once(key, server, stock):
    made = stock(key)
    server.behaviour = "halting"
    opened: list[nn.Module] = []
    threads = [
        threading.Thread(target=lambda: opened.append(imagenet.open_network(key, lambda *_: None)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    server.proceed.set()
    for thread in threads:
        thread.join(60)
    assert len(opened) == 2 and all(same_weights(network, made.network) for network in opened)
    assert len(server.requests) == 1


@pytest.mark.parametrize("key", ONE_EACH)
def test_processes_that_download_at_once_both_end_with_a_good_file(key, server, stock):
    stock(key)
    server.behaviour = "halting"
    source = imagenet.SOURCES[key.split("/")[0]](key.split("/")[1])
    halfway = threading.Barrier(2, action=server.proceed.set, timeout=30)
    files: list[Path] = []

    def download() -> None:  # without the lock that threads share
        waited = []

        def report(done: int, _total: int) -> None:
            if done and not waited:
                waited.append(halfway.wait())

        files.append(downloads.fetch(source, "a network", 10_000_000, report))

    threads = [threading.Thread(target=download) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(files) == 2 and all(source.whole(path) for path in files)


@pytest.mark.parametrize("key", KEYS)
def test_a_kept_file_that_was_damaged_since_is_replaced(key, server, stock):
    made = stock(key)
    imagenet.open_network(key)
    library, name = key.split("/")
    path = imagenet.SOURCES[library](name).kept()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert same_weights(imagenet.open_network(key), made.network)
    assert len(server.requests) == 2
    assert path.read_bytes() != content


def test_the_proxy_of_the_environment_is_asked(server, tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, server.url)
    server.files["http://weights.example/network.pth"] = b"weights"
    progress = downloads.Progress(lambda *_: None, 7)
    downloads.transfer("http://weights.example/network.pth", tmp_path / "part", progress)
    assert (tmp_path / "part").read_bytes() == b"weights" and server.requests


def test_a_server_without_a_certificate_is_no_connection(server, tmp_path):
    url = server.url.replace("http:", "https:")
    with pytest.raises(downloads.Unreachable):
        downloads.transfer(f"{url}/file", tmp_path / "part", downloads.Progress(lambda *_: None, 7))


def answer(status: int) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    return response


@pytest.mark.parametrize(
    "error, sentence",
    [
        (OSError(errno.ENOSPC, "No space left on device", "/home/me/x"), "The disk is full: .* take 48 MB"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "The disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "/home/me/x"), "can't be written to"),
        (socket.gaierror(-2, "Name or service not known"), "can't be reached"),
        (ssl.SSLError(1, "certificate verify failed"), "can't be reached"),
        (downloads.Unreachable(), "can't be reached"),
        (requests.HTTPError(response=answer(503)), r"an error \(503\)"),
        (TimeoutError("timed out"), "sent nothing"),
        (zipfile.BadZipFile("File is not a zip file"), "cut short or damaged"),
        (downloads.Damaged(), "cut short or damaged"),
        (KeyError("?"), "can't be downloaded from host"),
    ],
)
def test_every_error_becomes_a_sentence_without_a_path(error, sentence):
    class Broken:
        host, room = "host", 1

        def kept(self):
            raise RuntimeError("/secret/path") from error

    with pytest.raises(attnviz.NetworkError, match=sentence) as caught:
        downloads.fetch(Broken(), "a network", 48_000_000, None)
    assert "/" not in str(caught.value) and caught.value.__suppress_context__
