"""Downloads from a server on this machine that does what servers do, to where the libraries look."""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
import socket
import ssl
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import torch
from helpers.weights_server import WeightsServer, small_files, trouble
from safetensors.torch import save as save_tensors
from torch import nn

import attnviz
from attnviz.zoo import downloads, hubs, imagenet

timm = pytest.importorskip("timm")
torchvision = pytest.importorskip("torchvision")
store = pytest.importorskip("pytorchcv.models.common.model_store")
hub = pytest.importorskip("huggingface_hub")

# Small ones: the first two are in the table for these tests alone, and the last one comes from an address
# with a checksum, like the first.
KEYS = [
    "torchvision/mobilenet_v3_small",
    "pytorchcv/mobilenet_wd4",
    "timm/mobilenetv3_small_050.lamb_in1k",
    "timm/legacy_seresnet18.in1k",
]
ONE_EACH = KEYS[:3]
SIZES = {"torchvision/mobilenet_v3_small": 10.3, "pytorchcv/mobilenet_wd4": 2.0}  # MB


@dataclass(eq=False)
class Weights:
    """A network with random weights, and the file in which its library expects them."""

    network: nn.Module
    content: bytes


def random_network(key: str) -> nn.Module:
    library, name = key.split("/")
    if library == "torchvision":
        return torchvision.models.get_model(name).eval()
    if library == "timm":
        return timm.create_model(name).eval()
    from pytorchcv.model_provider import get_model

    return get_model(name).eval()


def saved(network: nn.Module, key: str) -> bytes:
    if key == "timm/mobilenetv3_small_050.lamb_in1k":
        return save_tensors(network.state_dict())
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return file.getvalue()


@pytest.fixture(scope="module")
def weights() -> Callable[[str], Weights]:
    made: dict[str, Weights] = {}

    def make(key: str) -> Weights:
        if key not in made:
            torch.manual_seed(len(made))
            network = random_network(key)
            made[key] = Weights(network, saved(network, key))
        return made[key]

    return make


@pytest.fixture
def server(tmp_path, monkeypatch, caplog) -> Iterator[WeightsServer]:
    """A server, and the caches of all libraries in an empty folder. What really failed is in the log."""
    caplog.set_level(logging.INFO, "attnviz.zoo.downloads")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(hubs, "STORE", tmp_path / "store")
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    for key, size in SIZES.items():
        library, name = key.split("/")
        monkeypatch.setitem(
            imagenet.TABLE, key, imagenet.Row(library, name, f"Small {library}", None, size, 0.5, "MIT")
        )
    started = WeightsServer()
    started.open()
    yield started
    started.proceed.set()
    started.close()


@pytest.fixture
def stock(server, weights, monkeypatch) -> Callable[[str], Weights]:
    """Put a network's file on the server, and have it downloaded from there."""

    def put(key: str, content: bytes | None = None, compression: int = zipfile.ZIP_STORED) -> Weights:
        made = weights(key)
        content = made.content if content is None else content
        library, name = key.split("/")
        sha256 = hashlib.sha256(content).hexdigest()
        if library == "torchvision":
            enum = torchvision.models.get_model_weights(name).DEFAULT
            monkeypatch.setattr(enum.value, "url", f"{server.url}/{name}-{sha256[:8]}.pth")
            server.files[f"/{name}-{sha256[:8]}.pth"] = content
        elif library == "pytorchcv":
            sha1 = hashlib.sha1(content).hexdigest()
            monkeypatch.setattr(store, "imgclsmob_repo_url", server.url)
            monkeypatch.setattr(store, "get_model_metainfo", lambda _: (0, "1234", sha1, "v0.0.1"))
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", compression) as archive:
                archive.writestr(f"{name}-1234-{sha1[:8]}.pth", content)
            server.files[f"/releases/download/v0.0.1/{name}-1234-{sha1[:8]}.pth.zip"] = file.getvalue()
        elif timm.get_pretrained_cfg(name).hf_hub_id:
            monkeypatch.setattr(hub.constants, "ENDPOINT", server.url)
            template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
            monkeypatch.setattr(hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
            server.files[f"/timm/{name}/resolve/main/model.safetensors"] = content
        else:
            config = timm.get_pretrained_cfg(name)
            config.url = f"{server.url}/{name}-{sha256[:8]}.pth"
            monkeypatch.setattr(timm, "get_pretrained_cfg", lambda _: config)
            server.files[f"/{name}-{sha256[:8]}.pth"] = content
        return made

    return put


def same(ours: nn.Module, theirs: nn.Module) -> bool:
    x = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        return torch.equal(ours(x), theirs(x))


def same_weights(ours: nn.Module, theirs: nn.Module) -> bool:
    values = ours.state_dict()
    return all(torch.equal(values[key], value) for key, value in theirs.state_dict().items())


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


def test_a_disk_that_fills_up_while_a_zip_is_extracted_leaves_nothing(server, stock):
    key = "pytorchcv/mobilenet_wd4"
    empty = random_network(key)
    for value in empty.state_dict().values():
        value.zero_()
    stock(key, saved(empty, key), zipfile.ZIP_DEFLATED)  # so that the zip is small enough
    with small_files(), pytest.raises(attnviz.NetworkError, match="The disk is full"):
        imagenet.open_network(key)
    assert not imagenet.kept(key)
    assert same_weights(imagenet.open_network(key), empty)


def test_a_disk_without_room_is_told_of_before_anything_is_asked_for(server, stock, monkeypatch):
    stock(ONE_EACH[0])
    usage = downloads.shutil.disk_usage("/")
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(attnviz.NetworkError, match="take 10 MB"):
        imagenet.open_network(ONE_EACH[0])
    assert not server.requests


def test_a_folder_that_can_not_be_written_to_is_named_as_the_reason(server, stock, tmp_path):
    stock(ONE_EACH[0])
    (tmp_path / "torch").write_text("a file where a folder should be")
    with pytest.raises(attnviz.NetworkError, match="can't be written to") as caught:
        imagenet.open_network(ONE_EACH[0])
    assert str(tmp_path) not in str(caught.value)


def test_whole_weights_of_another_network_are_refused(server, stock, weights):
    stock("torchvision/mobilenet_v3_small", weights("pytorchcv/mobilenet_wd4").content)
    with pytest.raises(attnviz.NetworkError, match="don't fit the torchvision"):
        imagenet.open_network("torchvision/mobilenet_v3_small")


HUGGING_FACE = "timm/mobilenetv3_small_050.lamb_in1k"


def test_huggingface_hub_finds_the_file_in_its_cache_and_nothing_wrong_with_it(server, stock, tmp_path):
    stock(HUGGING_FACE)
    imagenet.open_network(HUGGING_FACE)
    found = hub.hf_hub_download(
        HUGGING_FACE, "model.safetensors", cache_dir=tmp_path / "hub", local_files_only=True
    )
    assert Path(found) == imagenet.SOURCES["timm"](HUGGING_FACE.removeprefix("timm/")).kept()
    cache = hub.scan_cache_dir(tmp_path / "hub")
    assert [repository.repo_id for repository in cache.repos] == [HUGGING_FACE] and not cache.warnings


def test_huggingface_hub_offline_is_no_connection(server, stock, monkeypatch):
    stock(HUGGING_FACE)
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(attnviz.NetworkError, match="can't be reached"):
        imagenet.open_network(HUGGING_FACE)
    assert not server.requests


def test_where_links_are_not_possible_wrong_bytes_are_not_kept_either(server, stock, monkeypatch, tmp_path):
    made = stock(HUGGING_FACE)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(hubs.os, "symlink", refuse)
    server.behaviour = "wrong"
    with pytest.raises(attnviz.NetworkError, match="cut short or damaged"):
        imagenet.open_network(HUGGING_FACE)
    assert not imagenet.kept(HUGGING_FACE)
    server.behaviour = "whole"
    assert same_weights(imagenet.open_network(HUGGING_FACE), made.network)
    files = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["main", "model.safetensors"]


def test_a_repository_without_safetensors_gives_its_other_file(server, stock):
    made = stock(HUGGING_FACE)
    file = io.BytesIO()
    torch.save(made.network.state_dict(), file)
    server.files = {f"/{HUGGING_FACE}/resolve/main/pytorch_model.bin": file.getvalue()}
    assert same_weights(imagenet.open_network(HUGGING_FACE), made.network)
    assert imagenet.kept(HUGGING_FACE)


def test_what_another_process_left_in_the_hugging_face_cache_is_no_progress(server, stock, tmp_path):
    stock(HUGGING_FACE)
    blobs = tmp_path / "hub" / "models--timm--mobilenetv3_small_050.lamb_in1k" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / "0123.4567.incomplete").write_bytes(bytes(10_000_000))
    server.behaviour = 404
    told: list[int] = []
    with pytest.raises(attnviz.NetworkError):
        imagenet.open_network(HUGGING_FACE, lambda done, _: told.append(done))
    assert set(told) == {0}


def test_what_a_killed_download_left_behind_is_taken_away_a_day_later(tmp_path):
    old, new = tmp_path / ".attnviz-old", tmp_path / ".attnviz-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "part").write_bytes(b"half")
    os.utime(old, (0, 0))
    with downloads.landing(tmp_path / "file", lambda _: True) as part:
        part.write_bytes(b"all")
    assert (tmp_path / "file").read_bytes() == b"all" and not old.exists() and new.exists()


def test_a_file_that_is_not_whole_does_not_land(tmp_path):
    with pytest.raises(downloads.Damaged), downloads.landing(tmp_path / "file", lambda _: False) as part:
        part.write_bytes(b"half")
    assert not list(tmp_path.iterdir())


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
