"""Each library's own download code, against a server on this machine that does what servers do."""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
import socket
import ssl
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
import torch
from helpers.weights_server import Shop, small_files, trouble
from safetensors.torch import save as save_tensors
from torch import nn

import attnviz
from attnviz.zoo import downloads, hubs, imagenet

timm = pytest.importorskip("timm")
torchvision = pytest.importorskip("torchvision")
store = pytest.importorskip("pytorchcv.models.common.model_store")
hub = pytest.importorskip("huggingface_hub")

# Small ones: the first two are in the table for these tests alone, and the last one comes by torch.hub, like
# the first.
KEYS = [
    "torchvision/mobilenet_v3_small",
    "pytorchcv/mobilenet_wd4",
    "timm/mobilenetv3_small_050.lamb_in1k",
    "timm/legacy_seresnet18.in1k",
]
ONE_EACH = KEYS[:3]
SIZES = {"torchvision/mobilenet_v3_small": 10.3, "pytorchcv/mobilenet_wd4": 2.0}  # MB


@dataclass(eq=False)
class Goods:
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
def goods() -> Callable[[str], Goods]:
    made: dict[str, Goods] = {}

    def make(key: str) -> Goods:
        if key not in made:
            torch.manual_seed(len(made))
            network = random_network(key)
            made[key] = Goods(network, saved(network, key))
        return made[key]

    return make


@pytest.fixture
def shop(tmp_path, monkeypatch, caplog) -> Iterator[Shop]:
    """A server, the caches of all libraries in an empty folder, and nobody left waiting at the end. What
    really failed is in the log."""
    caplog.set_level(logging.INFO, "attnviz.zoo.downloads")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(hubs, "STORE", tmp_path / "store")
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(downloads, "LOOK_SECONDS", 0.02)
    for key, size in SIZES.items():
        library, name = key.split("/")
        monkeypatch.setitem(
            imagenet.TABLE, key, imagenet.Row(library, name, f"Small {library}", None, size, 0.5, "MIT")
        )
    server = Shop()
    server.open()
    yield server
    server.go.set()
    assert all_ended()
    server.close()


def all_ended() -> bool:
    """Wait until no library downloads any more, also none that was left behind."""
    threads = [thread for thread in threading.enumerate() if thread.name == downloads.THREAD]
    for thread in threads:
        thread.join(15)
    return not any(thread.is_alive() for thread in threads)


@pytest.fixture
def stock(shop, goods, monkeypatch) -> Callable[[str], Goods]:
    """Put a network's file on the server, and send its library there."""

    def send(key: str, content: bytes | None = None, packed: int = zipfile.ZIP_STORED) -> Goods:
        one = goods(key)
        content = one.content if content is None else content
        library, name = key.split("/")
        sha256 = hashlib.sha256(content).hexdigest()
        if library == "torchvision":
            weights = torchvision.models.get_model_weights(name).DEFAULT
            monkeypatch.setattr(weights.value, "url", f"{shop.url}/{name}-{sha256[:8]}.pth")
            shop.files[f"/{name}-{sha256[:8]}.pth"] = content
        elif library == "pytorchcv":
            sha1 = hashlib.sha1(content).hexdigest()
            monkeypatch.setattr(store, "imgclsmob_repo_url", shop.url)
            monkeypatch.setattr(store, "get_model_metainfo", lambda _: (0, "1234", sha1, "v0.0.1"))
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", packed) as archive:
                archive.writestr(f"{name}-1234-{sha1[:8]}.pth", content)
            shop.files[f"/releases/download/v0.0.1/{name}-1234-{sha1[:8]}.pth.zip"] = file.getvalue()
        elif timm.get_pretrained_cfg(name).hf_hub_id:
            monkeypatch.setattr(hub.constants, "ENDPOINT", shop.url)
            monkeypatch.setattr(
                hub.constants,
                "HUGGINGFACE_CO_URL_TEMPLATE",
                shop.url + "/{repo_id}/resolve/{revision}/{filename}",
            )
            shop.files[f"/timm/{name}/resolve/main/model.safetensors"] = content
        else:
            config = timm.get_pretrained_cfg(name)
            config.url = f"{shop.url}/{name}-{sha256[:8]}.pth"
            monkeypatch.setattr(timm, "get_pretrained_cfg", lambda _: config)
            shop.files[f"/{name}-{sha256[:8]}.pth"] = content
        return one

    return send


def same(ours: nn.Module, theirs: nn.Module) -> bool:
    x = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        return torch.equal(ours(x), theirs(x))


def same_weights(ours: nn.Module, theirs: nn.Module) -> bool:
    found = ours.state_dict()
    return all(torch.equal(found[key], value) for key, value in theirs.state_dict().items())


@pytest.mark.parametrize("key", KEYS)
def test_the_right_file_opens_as_the_network_that_made_it_and_is_kept(key, shop, stock, capfd):
    one = stock(key)
    assert not imagenet.kept(key)
    network = imagenet.open_network(key)
    assert same(network, one.network) and not network.training
    assert network.card.sha256 == hashlib.sha256(one.content).hexdigest() and network.card.name == key
    assert imagenet.kept(key) and len(shop.asked) == 1
    shop.manner = 503
    assert same_weights(imagenet.open_network(key), one.network)
    assert len(shop.asked) == 1, "what is kept was downloaded again"
    assert capfd.readouterr() == ("", "")


SAID = {
    "cut": "cut short or damaged|sent nothing",  # huggingface_hub tries again, and waits before that
    "wrong": "cut short or damaged",
    404: "answered with an error",
    503: "answered with an error",
    "halting": "sent nothing",
    "refused": "can't be reached",
    "full": "The disk is full",
}


@pytest.mark.parametrize("manner", SAID)
@pytest.mark.parametrize("key", ONE_EACH)
def test_a_failed_download_says_why_and_leaves_nothing_and_the_next_succeeds(
    key, manner, shop, stock, monkeypatch, tmp_path, capfd
):
    one = stock(key)
    with (
        trouble(manner, shop),
        monkeypatch.context() as now,
        pytest.raises(attnviz.NetworkError, match=SAID[manner]) as caught,
    ):
        if manner in ("halting", "cut"):
            now.setattr(downloads, "STALLED_SECONDS", 0.6)
        imagenet.open_network(key)
    said = str(caught.value)
    assert (
        said.endswith("the networks that come with attnviz work without a connection.") and "\n" not in said
    )
    assert "/" not in said and str(shop.server_port) not in said and ("127.0.0.1" in said or manner == "full")
    assert all_ended() and not imagenet.kept(key), "a download that nobody waited for was kept"
    assert same_weights(imagenet.open_network(key), one.network) and imagenet.kept(key)
    assert not list(tmp_path.rglob(".attnviz-*"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("key", ONE_EACH)
def test_progress_is_told_piece_by_piece(key, shop, stock):
    one = stock(key)
    shop.manner = "piecemeal"
    told = []

    def report(done: int, total: int) -> None:
        told.append((done, total))
        if done:
            shop.go.set()  # the next piece comes when this one was told, so nothing may be held back

    assert same_weights(imagenet.open_network(key, report), one.network)
    size = round(imagenet.row(key).megabytes * 1e6)
    assert told == sorted(told) and {total for _, total in told} == {size}
    assert told[0][0] == 0 and told[-1][0] == size and len(set(told)) >= 8


def test_without_a_report_a_terminal_gets_a_bar(shop, stock, monkeypatch, capsys):
    stock(ONE_EACH[0])
    monkeypatch.setattr(downloads.sys.stderr, "isatty", lambda: True, raising=False)
    imagenet.open_network(ONE_EACH[0])
    assert "Downloading Small torchvision: 100%" in capsys.readouterr().err


@pytest.mark.parametrize("key", ONE_EACH)
def test_threads_that_ask_at_once_download_once(key, shop, stock):
    one = stock(key)
    shop.manner = "halting"
    opened: list[nn.Module] = []
    threads = [
        threading.Thread(target=lambda: opened.append(imagenet.open_network(key, lambda *_: None)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    shop.go.set()
    for thread in threads:
        thread.join(60)
    assert len(opened) == 2 and all(same_weights(network, one.network) for network in opened)
    assert len(shop.asked) == 1


@pytest.mark.parametrize("key", ONE_EACH)
def test_processes_that_download_at_once_both_end_with_a_good_file(key, shop, stock):
    stock(key)
    shop.manner = "halting"
    source = imagenet.SOURCES[key.split("/")[0]](key.split("/")[1])
    halfway = threading.Barrier(2, action=shop.go.set, timeout=30)
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
def test_a_kept_file_that_was_damaged_since_is_replaced(key, shop, stock):
    one = stock(key)
    imagenet.open_network(key)
    library, name = key.split("/")
    path = imagenet.SOURCES[library](name).kept()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert same_weights(imagenet.open_network(key), one.network)
    assert len(shop.asked) == 2
    assert path.read_bytes() != content


def test_a_disk_that_fills_up_while_a_zip_is_extracted_leaves_nothing(shop, stock):
    key = "pytorchcv/mobilenet_wd4"
    empty = random_network(key)
    for value in empty.state_dict().values():
        value.zero_()
    stock(key, saved(empty, key), zipfile.ZIP_DEFLATED)  # so that the zip is small enough
    with small_files(), pytest.raises(attnviz.NetworkError, match="The disk is full"):
        imagenet.open_network(key)
    assert not imagenet.kept(key)
    assert same_weights(imagenet.open_network(key), empty)


def test_a_disk_without_room_is_told_of_before_anything_is_asked_for(shop, stock, monkeypatch):
    stock(ONE_EACH[0])
    usage = downloads.shutil.disk_usage("/")
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(attnviz.NetworkError, match="take 10 MB"):
        imagenet.open_network(ONE_EACH[0])
    assert not shop.asked


def test_a_folder_that_can_not_be_written_to_is_named_as_the_reason(shop, stock, tmp_path):
    stock(ONE_EACH[0])
    (tmp_path / "torch").write_text("a file where a folder should be")
    with pytest.raises(attnviz.NetworkError, match="can't be written to") as caught:
        imagenet.open_network(ONE_EACH[0])
    assert str(tmp_path) not in str(caught.value)


def test_whole_weights_of_another_network_are_refused(shop, stock, goods):
    stock("torchvision/mobilenet_v3_small", goods("pytorchcv/mobilenet_wd4").content)
    with pytest.raises(attnviz.NetworkError, match="don't fit the torchvision"):
        imagenet.open_network("torchvision/mobilenet_v3_small")


def test_where_links_are_not_possible_wrong_bytes_are_not_kept_either(shop, stock, monkeypatch):
    key = "timm/mobilenetv3_small_050.lamb_in1k"
    one = stock(key)
    monkeypatch.setattr("huggingface_hub.file_download.are_symlinks_supported", lambda *_: False)
    shop.manner = "wrong"
    with pytest.raises(attnviz.NetworkError, match="cut short or damaged"):
        imagenet.open_network(key)
    assert not imagenet.kept(key)
    shop.manner = "whole"
    assert same_weights(imagenet.open_network(key), one.network)


def test_what_another_process_left_in_the_hugging_face_cache_is_no_progress(shop, stock, tmp_path):
    key = "timm/mobilenetv3_small_050.lamb_in1k"
    stock(key)
    blobs = tmp_path / "hub" / "models--timm--mobilenetv3_small_050.lamb_in1k" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / "0123.4567.incomplete").write_bytes(bytes(10_000_000))
    shop.manner = 404
    told: list[int] = []
    with pytest.raises(attnviz.NetworkError):
        imagenet.open_network(key, lambda done, _: told.append(done))
    assert set(told) == {0}


def test_what_a_killed_download_left_behind_is_taken_away_a_day_later(tmp_path):
    old, new = tmp_path / ".attnviz-old", tmp_path / ".attnviz-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "part").write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    with downloads.Transfer().landing(tmp_path / "file") as part:
        part.write_bytes(b"all")
    assert (tmp_path / "file").read_bytes() == b"all" and not old.exists() and new.exists()


def test_a_folder_that_goes_while_it_is_looked_at_holds_nothing(tmp_path, monkeypatch):
    def gone(*_):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(
        Path, "glob", gone
    )  # as some versions of Python do where the folder has just been taken away
    assert downloads.bytes_in(tmp_path, "*") == 0


def test_constants_of_a_library_come_back_when_the_last_thread_is_done():
    before = hub.constants.DOWNLOAD_CHUNK_SIZE
    with downloads.changed(hub.constants, {"DOWNLOAD_CHUNK_SIZE": 1}):
        with downloads.changed(hub.constants, {"DOWNLOAD_CHUNK_SIZE": 1}):
            pass
        assert hub.constants.DOWNLOAD_CHUNK_SIZE == 1
    assert before == hub.constants.DOWNLOAD_CHUNK_SIZE != 1


@pytest.mark.parametrize(
    "error, said",
    [
        (OSError(errno.ENOSPC, "No space left on device", "/home/me/x"), "The disk is full: .* take 48 MB"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "The disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "/home/me/x"), "can't be written to"),
        (URLError(socket.gaierror(-2, "Name or service not known")), "can't be reached"),
        (URLError(ssl.SSLError(1, "certificate verify failed")), "can't be reached"),
        (HTTPError("https://host/path", 503, "busy", None, None), r"an error \(503\)"),  # type: ignore[arg-type]
        (TimeoutError("timed out"), "sent nothing"),
        (zipfile.BadZipFile("File is not a zip file"), "cut short or damaged"),
        (ValueError("Downloaded file has different hash. Please try again."), "cut short or damaged"),
        (KeyError("?"), "can't be downloaded from host"),
    ],
)
def test_every_error_becomes_a_sentence_without_a_path(error, said):
    class Broken:
        host, room = "host", 1

        def kept(self):
            raise RuntimeError("/secret/path") from error

    with pytest.raises(attnviz.NetworkError, match=said) as caught:
        downloads.fetch(Broken(), "a network", 48_000_000, None)
    assert "/" not in str(caught.value) and caught.value.__suppress_context__
